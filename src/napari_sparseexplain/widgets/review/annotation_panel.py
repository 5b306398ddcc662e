"""Tools to draw with, and the list of what was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ...export.pictures.burned_in import number_text
from ...layers.annotation_shapes import Tool
from ...review.annotation import Annotation, AnnotationKind, measure_text
from ...review.frames import frame_text
from ...review.region_values import region_values
from ...volumes import Study
from ...volumes.view_of_slice import plane_word
from ..parts.wrapped_label import wrapped_label
from .mark_table import MarkTable

_MEASURED = "its area is shown beside it, the scan values in it below the list"
_TIPS: dict[Tool, str] = {
    "arrow": "Drag from the tail to the head",
    "ellipse": f"Drag across the region; {_MEASURED}",
    "rectangle": f"Drag from corner to corner; {_MEASURED}",
    "polygon": f"Click each corner, double-click the last; {_MEASURED}",
    "freehand": f"Drag around the region, it closes by itself; {_MEASURED}",
    "distance": "Drag from end to end; its length is shown beside it",
    "bidirectional": "Drag along the longest diameter; Move shifts the ends of the one across",
    "angle": "Click the end of one leg, the apex, the end of the other leg",
    "cobb": "Click both ends of one line, then both ends of the other: the angle between them",
    "text": "Click where the text should begin",
}
_NAMES: dict[AnnotationKind, str] = {
    "arrow": "Arrow", "text": "Text", "distance": "Distance", "polygon": "Region",
    "ellipse": "Ellipse", "angle": "Angle", "cobb": "Cobb angle",
    "bidirectional": "Bidirectional",
}  # fmt: skip
_TITLES: dict[Tool, str] = {"bidirectional": "Two axes", "cobb": "Cobb angle"}


class AnnotationPanel(QWidget):
    """Tools, list, undo and redo.

    Signals
    -------
    tool_chosen(str): a tool, or empty to end drawing. edit_chosen(): move what is drawn.
    undo(), redo(), removed(int).
    """

    tool_chosen = Signal(str)
    edit_chosen = Signal()
    undo = Signal()
    redo = Signal()
    removed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tools: dict[str, QPushButton] = {}
        grid = QGridLayout()
        grid.setSpacing(4)
        for place, tool in enumerate(get_args(Tool)):
            button = QPushButton(_TITLES.get(tool, tool.capitalize()))
            button.setCheckable(True)
            button.setToolTip(_TIPS[tool])
            button.clicked.connect(lambda on, tool=tool: self.tool_chosen.emit(tool if on else ""))
            self.tools[tool] = button
            grid.addWidget(button, place // 4, place % 4)
        self._items: tuple[Annotation, ...] = ()
        self._study: Study | None = None
        self.table = MarkTable(("Annotation", "Text"))
        self.table.itemSelectionChanged.connect(self._show_values)
        self.values = wrapped_label()
        line = QHBoxLayout()
        line.setSpacing(4)
        self.edit_button = self._button(line, "Move", "Move and reshape annotations")
        self.remove_button = self._button(line, "Delete", "Delete the chosen annotation")
        self.undo_button = self._button(line, "Undo", "Undo the last change of annotations")
        self.redo_button = self._button(line, "Redo", "Redo the change that was undone")
        self.edit_button.clicked.connect(lambda: self.edit_chosen.emit())
        self.remove_button.clicked.connect(lambda: self.removed.emit(self.table.chosen))
        self.undo_button.clicked.connect(lambda: self.undo.emit())
        self.redo_button.clicked.connect(lambda: self.redo.emit())
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addLayout(grid)
        box.addWidget(self.table)
        box.addWidget(self.values)
        box.addLayout(line)
        self._show_values()

    def show_tool(self, tool: str | None) -> None:
        """Press the button of what is being drawn."""
        for name, button in self.tools.items():
            button.setChecked(name == tool)

    def show_annotations(
        self,
        items: Sequence[Annotation],
        *,
        calibrated: bool,
        study: Study | None = None,
        undo: bool,
        redo: bool,
    ) -> None:
        """Fill the list; the study tells how many frames there are."""
        self._items, self._study = tuple(items), study
        frames = ["" if study is None else frame_text(study, item.leading) for item in items]
        self.table.show_lines(
            [
                (annotation_line(item, calibrated, frame, study), item.text)
                for item, frame in zip(items, frames, strict=True)
            ]
        )
        self.undo_button.setEnabled(undo)
        self.redo_button.setEnabled(redo)
        self.remove_button.setEnabled(bool(items))
        self.edit_button.setEnabled(bool(items))
        self._show_values()

    def _show_values(self) -> None:
        """Of the chosen region; of nothing else."""
        place, study = self.table.chosen, self._study
        chosen = study is not None and 0 <= place < len(self._items)
        text = region_text(self._items[place], study) if study is not None and chosen else ""
        self.values.setText(text)
        self.values.setVisible(bool(text))

    def _button(self, line: QHBoxLayout, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        line.addWidget(button)
        return button


def region_text(item: Annotation, study: Study) -> str:
    """What each scan measures in a region, a line each; empty for what encloses nothing."""
    found = region_values(item, study)
    if not found:
        return ""
    if not any(values.voxels for values in found):
        return "No voxel's centre lies in this region."
    head = f"{max(v.voxels for v in found)} voxels: mean ± SD (min to max)"
    lines = []
    for v in found:
        told = [number_text(n) for n in v.numbers]
        unit = v.unit or "a.u."  # arbitrary, as MR signals are
        lines.append(f"{v.title}  {told[0]} ± {told[1]} {unit} ({told[2]} to {told[3]})")
    return "\n".join([head, *lines])


def annotation_line(
    item: Annotation, calibrated: bool, frame: str = "", study: Study | None = None
) -> str:
    """What, on which slice and frame, how large (``"Distance · axial 75 · frame 3/9 · 4 mm"``)."""
    word = item.plane if study is None else plane_word(study, item.plane)
    measure = measure_text(item, calibrated=calibrated)
    parts = (_NAMES[item.kind], f"{word} {item.index + 1}", frame, measure)
    return " · ".join(part for part in parts if part)
