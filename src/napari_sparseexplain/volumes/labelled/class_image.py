"""One picture that belongs to a class: where it lies, whose it is, and where its finding lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..picture_turn import AS_STORED, PictureTurn

#: Upper, left, lower and right edge, as shares of the height and the width.
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class ClassImage:
    """A picture with its class; nothing is read before it is asked for.

    Attributes
    ----------
    name : str
        Of its file, without ending.
    label : str
        The class.
    path : Path
    number : int or None
        The number in its name, where there is one: of many sets it runs by patient.
    view : str
        As ``"axial"``; empty where nothing tells.
    patient : str
        Whose it is; empty where nothing tells.
    split : str
        The side of a split by the name of its folder; empty for none.
    boxes : tuple of Box
        Where the finding lies.
    mask : Path or None
        The same by pixels.
    sequence : str
        As ``"T1C+"``, where the folders of a set tell several apart; else empty.
    turn : PictureTurn
        From the file to the picture as it is read; what was drawn is drawn on the file.
    """

    name: str
    label: str
    path: Path
    number: int | None = None
    view: str = ""
    patient: str = ""
    split: str = ""
    boxes: tuple[Box, ...] = ()
    mask: Path | None = None
    sequence: str = ""
    turn: PictureTurn = AS_STORED

    @property
    def drawn(self) -> bool:
        """Whether somebody drew where the finding lies, by boxes or by a mask."""
        return bool(self.boxes) or self.mask is not None

    @property
    def run(self) -> tuple[str, str]:
        """Class and view, with the sequence: within a run numbers go by patient."""
        return self.label, " ".join(filter(None, (self.view, self.sequence)))
