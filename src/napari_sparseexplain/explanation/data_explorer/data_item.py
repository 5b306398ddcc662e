"""Where a slice of a set lies: a picture of a labelled folder, or a slice of a study."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

#: In names as BraTS-GLI-00012-001 the last number counts the scans of a patient.
_BRATS = re.compile(r"(?i)^(brats[-_].+[-_]\d{3,})[-_]\d{3}$")

#: A subject by the rules of BIDS.
_SUBJECT = re.compile(r"^sub-[A-Za-z0-9]+$")


class DataItem(Protocol):
    """A slice, as the measures and pages know it; `LabelledSlice` and `StudySlice` are these."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def patient(self) -> str:
        """Whose it is."""
        ...

    @property
    def group(self) -> str:
        """The patient's group, by its code."""
        ...

    @property
    def image(self) -> Path:
        """The file or folder that it lies in."""
        ...


@dataclass(frozen=True)
class StudySlice:
    """A slice of a study.

    Attributes
    ----------
    name, patient : str
    image : Path
        Of the study.
    index : int
        From 0, in display order.
    scan : str
        Role of the scan that was measured.
    mask : str
        Role of its mask; empty where it has none.
    """

    name: str
    patient: str
    image: Path
    index: int
    scan: str
    mask: str = ""

    @property
    def group(self) -> str:
        """The code of a patient without its number."""
        return re.sub(r"[-_. ]*\d+$", "", self.patient) or self.patient


def patient_of_study(path: Path) -> str:
    """Whose study a path is: BIDS' ``sub-…``, BraTS' number, else what it is called."""
    for part in reversed(path.parts):
        if _SUBJECT.match(part):
            return part
    name = path.name.removesuffix(".gz").removesuffix(".nii")
    found = _BRATS.match(name)
    return found[1] if found else name
