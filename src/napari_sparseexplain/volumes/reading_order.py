"""How a study is read: names of its scans, their order, which comes first and where one looks."""

from __future__ import annotations

import numpy as np

from .roles.roles import LABEL_ROLES, ROLES
from .view_of_slice import tells_views
from .volumes_on_grid import VolumesOnGrid

#: Roles as a radiologist writes them.
ROLE_TITLES = {
    "t1": "T1",
    "t1ce": "T1ce",
    "t2": "T2",
    "flair": "FLAIR",
    "pd": "PD",
    "t2star": "T2*",
    "swi": "SWI",
    "dwi": "DWI",
    "adc": "ADC",
    "fa": "FA",
    "bold": "BOLD",
    "perfusion": "Perfusion",
    "mra": "MRA",
    "ct": "CT",
    "pet": "PET",
    "cine": "Cine",
    "seg": "Mask",
    "brain_mask": "Brain mask",
}

#: Which scan of a study is shown first.
_FIRST_SHOWN = ("flair", "t1ce", "t2", "t1")


def role_title(role: str) -> str:
    """A role for a person; a role that is a file's own name is left as it is.

    A second volume of one role (``"seg (2)"``) keeps its number.
    """
    plain, bracket, number = role.partition(" (")
    return ROLE_TITLES.get(plain, plain) + bracket + number


def first_shown(study: VolumesOnGrid) -> str:
    """Role of the scan that is shown when a study opens."""
    for role in (*_FIRST_SHOWN, study.reference, *study.images):
        if role in study.images:
            return role
    return ""


def ordered_roles(study: VolumesOnGrid) -> list[str]:
    """Roles of a study in the order in which they are read: T1, T1ce, T2, FLAIR …, then masks."""
    known = {role: place for place, role in enumerate((*ROLES, *LABEL_ROLES))}
    roles = [*study.images, *study.labels]
    return sorted(roles, key=lambda r: (r in study.labels, known.get(r, len(known))))


def opening_point(study: VolumesOnGrid) -> tuple[int, int, int]:
    """Voxel to open on: the middle of the largest slice of the lesion, else of the study.

    Pictures of many patients in one stack have no largest slice: the first.
    """
    if tells_views(study):
        return 0, study.grid.shape[1] // 2, study.grid.shape[2] // 2
    for role, volume in study.labels.items():
        if "brain" in role:
            continue
        mask = volume.spatial()
        area = np.count_nonzero(mask, axis=(1, 2))
        if area.any():
            best = int(area.argmax())
            rows, columns = np.nonzero(mask[best])
            return best, int(np.median(rows)), int(np.median(columns))
    s, p, l = (n // 2 for n in study.grid.shape)  # noqa: E741
    return s, p, l
