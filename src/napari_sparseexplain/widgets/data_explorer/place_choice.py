"""Which set is explored: a folder, several places, or the open studies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget

from ...errors import SparseExplainError

if TYPE_CHECKING:
    from ..window import Window

#: Between two places in the line.
BETWEEN = ";"


class PlaceChoice(QWidget):
    """A line for paths, with a dialog for a folder."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self._window = window
        self.line = QLineEdit()
        self.line.setAccessibleName("Folder of the set")
        self.line.setPlaceholderText("empty: the open studies")
        self.line.setToolTip(
            "A folder of images and masks, of DICOM files with contours, or of studies with masks; "
            f"several, with {BETWEEN} between. Empty: the studies that are open"
        )
        self.browse = QPushButton("Folder…")
        self.browse.setToolTip("Choose the folder of a set")
        self.browse.clicked.connect(self._choose)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.line, 1)
        row.addWidget(self.browse)

    def places(self) -> list[Path]:
        """What is to be explored.

        Raises
        ------
        SparseExplainError
            Nothing is named, and no study that lies in files is open.
        """
        named = [part.strip() for part in self.line.text().split(BETWEEN)]
        if found := [Path(part).expanduser() for part in named if part]:
            return found
        if found := [study.path for study in self._window.studies if study.path is not None]:
            return found
        raise SparseExplainError(
            "no folder is chosen, and no study that lies in files is open",
            remedy="Press Folder…, or open studies in the Study tab",
        )

    def choose(self, *places: Path | str) -> None:
        """As if a person had typed them."""
        self.line.setText(BETWEEN.join(map(str, places)))

    def ask_folder(self) -> str:
        """A folder that a person chooses; empty for none."""
        return QFileDialog.getExistingDirectory(self, "The folder of a labelled set")

    def _choose(self) -> None:
        if chosen := self.ask_folder():
            self.choose(chosen)
