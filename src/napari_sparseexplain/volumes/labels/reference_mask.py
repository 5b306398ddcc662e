"""The mask that results are scored against, by the parts of the tumour that it tells apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..roles.label_roles import lesion_role
from ..study import Study
from .names import label_numbering
from .tumour import CAVITY, ENHANCING, OWN_LABELS, PARTS, REGION_PARTS, WHOLE_TUMOUR
from .tumour_numbering import NUMBERINGS, Numbering
from .values import labels_of


@dataclass(frozen=True, eq=False)
class ReferenceMask:
    """Some slices of the study's own lesion mask.

    Attributes
    ----------
    role : str
    labels : ndarray of int, shape (N, P, L)
        As they are on file.
    numbering : Numbering or None
        None where nothing tells what the labels stand for.
    occurring : tuple of int
        Labels of the whole volume, without 0.
    """

    role: str
    labels: npt.NDArray[Any]
    numbering: Numbering | None
    occurring: tuple[int, ...]

    @property
    def lesion(self) -> npt.NDArray[np.bool_]:
        """All that is lesion: every label but a resection cavity, where that is known."""
        if self.numbering is None:
            return self.labels != 0
        return (self.labels != 0) & ~np.isin(self.labels, self.numbering.labels([CAVITY]))

    def region(self, name: str) -> npt.NDArray[np.bool_] | None:
        """Voxels of WT, TC, ET or of one part (``"ED"``); None where that is not defined.

        The whole tumour is defined without a numbering, too, unless 3 and 4 both occur: then 4
        may be the enhancing tumour or a cavity.
        """
        if self.numbering is not None:
            if not set(self.occurring) <= set(self.numbering.parts):
                return self.lesion if name == WHOLE_TUMOUR else None
            parts = REGION_PARTS.get(name, frozenset({name} if name in PARTS else ()))
            return np.isin(self.labels, self.numbering.labels(parts)) if parts else None
        one = len(self.occurring) <= 1
        brats = set(self.occurring) <= {1, 2, 3, 4} and not {3, 4} <= set(self.occurring)
        return self.lesion if name == WHOLE_TUMOUR and (one or brats) else None

    @property
    def tells_parts(self) -> bool:
        """Whether TC and ET are defined."""
        return self.region(ENHANCING) is not None

    def own_labels(self) -> npt.NDArray[np.uint8]:
        """The mask in this program's own numbering (1 core, 2 oedema, 4 enhancing; 0 else).

        Where the parts are not known, all of the lesion has the value 2: fit for WT alone.
        """
        found = np.zeros(self.labels.shape, dtype=np.uint8)
        if not self.tells_parts or self.numbering is None:
            found[self.lesion] = OWN_LABELS["ED"]
            return found
        for value, part in self.numbering.parts.items():
            if part != CAVITY:
                found[self.labels == value] = OWN_LABELS.get(part, OWN_LABELS["NCR"])
        return found

    @property
    def note(self) -> str:
        """What must be said about scores of classes; empty where nothing must."""
        if self.tells_parts or len(self.occurring) <= 1:
            return ""
        return (
            f"No scores of classes: nothing tells what the labels of {self.role!r} stand for. Say "
            "it in the Study tab, or with --labels, as one of " + ", ".join(NUMBERINGS) + "."
        )


def reference_mask(study: Study, slices: slice, role: str = "") -> ReferenceMask | None:
    """The study's own lesion mask on some slices; None where it has none.

    Parameters
    ----------
    role : str, optional
        Of the mask meant; see `lesion_role` without.
    """
    found = role or lesion_role(study)
    if not found:
        return None
    volume = study.labels[found]
    return ReferenceMask(
        found, volume.spatial()[slices], label_numbering(study, found), labels_of(volume)
    )
