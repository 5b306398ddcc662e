"""What is known of one study of a set, beside its slices."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import nibabel as nib
import numpy as np

from ...volumes.labels.names import label_names
from ...volumes.labels.purpose import can_be_truth
from ...volumes.reading_order import first_shown
from ...volumes.roles.label_roles import lesion_role
from ...volumes.study import Study


@dataclass(frozen=True)
class StudyFacts:
    """One study, without its pixels.

    Attributes
    ----------
    name, patient : str
    path : Path
    scan, mask : str
        Roles of what was measured; the mask is empty where there is none.
    shape : (int, int, int)
        Slices, rows, columns.
    spacing : (float, float, float) or None
        mm, in the same order; None where the file does not tell.
    orientation : str
        Of the axes on file, as ``"LAS"``; empty where it does not tell. Slices are shown and
        measured in one orientation, whatever this is.
    tilt : float
        Degrees between its slices and the patient's axes.
    voxels : mapping of str to int
        Of each class.
    masked : int
        Slices with something drawn.
    warnings : tuple of str
        Of opening it.
    """

    name: str
    patient: str
    path: Path
    scan: str
    mask: str
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float] | None
    orientation: str = ""
    tilt: float = 0.0
    voxels: dict[str, int] = field(default_factory=dict)
    masked: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def voxel_ml(self) -> float:
        """Millilitres of a voxel; NaN where its size is not known."""
        return float(np.prod(self.spacing)) / 1000 if self.spacing else float("nan")


def scan_of(study: Study, wanted: str) -> str:
    """Role of the scan that is measured: the wanted one, else the one that is shown first."""
    return wanted if wanted in study.images else first_shown(study)


def mask_of(study: Study) -> tuple[str, str]:
    """Role of the mask that is measured, and what must be said of it.

    That which scores are against (`lesion_role`); of several others the first one.
    """
    if role := lesion_role(study):
        return role, ""
    able = [role for role, volume in study.labels.items() if can_be_truth(role, volume)]
    if not able:
        return "", "it has no mask; its middle slice stands for it"
    return able[0], f"of its masks {', '.join(able)} the first one was taken"


def class_names(study: Study, role: str, values: list[int]) -> dict[int, str]:
    """A name for every value of a mask: the file's or data set's own, else the number."""
    known = label_names(study, role)
    return {value: known.get(value) or f"label {value}" for value in values}


def orientation_of(study: Study, scan: str) -> str:
    """Axes of a scan on file, by nibabel's letters; empty where the file does not tell."""
    volume = study.originals.get(scan) or study.images[scan]
    if not volume.grid.oriented or volume.source.format == "memory":
        return ""
    return "".join(str(letter) for letter in nib.orientations.aff2axcodes(volume.source.affine))
