"""The panel *Lesions*: choose a mask; its lesions are measured, shown, kept or switched off."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.layers import Labels
from qtpy.QtCore import Signal
from qtpy.QtGui import QGuiApplication, QShowEvent
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ...errors import SparseExplainError
from ...layers.canvas.frame_in_picture import frame_in_picture
from ...layers.explanation_layers import ExplanationLayer
from ...layers.lesions.difference_layer import ShownDifference
from ...layers.lesions.lesion_layers import EditedMask, ShownDiameters, diameter_mark
from ...layers.lesions.mask_layers import first_mask, mask_layers, masks_over_time
from ...layers.study_layers import METADATA_KEY
from ...layers.viewer_panels import viewer_plane
from ...volumes import Study
from ..parts.notices import show_error_dialog
from ..parts.resting_timer import RestingTimer
from ..parts.save_place import save_place, with_ending
from ..parts.work_runner import Told, WorkRunner, labelled_work
from ..parts.wrapped_label import wrapped_label
from ..window import Window
from .lesion_list import LesionList
from .mask_choice import MaskChoice

if TYPE_CHECKING:
    from ...evidence.lesions.lesion import Lesion
    from ...evidence.lesions.study_lesions import StudyLesions
    from ...evidence.lesions.table import LesionTable
    from ...progress import Work

_FORM_WIDTH = 250

#: Maps beside the scans: more columns than these nobody reads.
_MOST_MAPS = 8

_INVITATION = "Open a study with a mask, or run a method that estimates one: its lesions stand here"


@dataclass(frozen=True, eq=False)
class _Asked:
    """What a table is of."""

    study: Study
    mask: Labels
    reference: Labels | None
    earlier: Labels | None
    frame: tuple[int, ...]
    maps: tuple[Any, ...]

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal of two that ask the same."""
        layers = (self.mask, self.reference, self.earlier, *self.maps)
        return (id(self.study), self.frame, *map(id, layers))


class LesionsPanel(QWidget):
    """Choice of the masks, the table, and what can be done with it.

    Signals
    -------
    marked(tuple): annotations that belong into the review.
    """

    marked = Signal(tuple)

    def __init__(self, window: Window) -> None:
        super().__init__()
        self.setWindowTitle("Lesions")
        self._window, self._viewer = window, window.viewer
        self.found: StudyLesions | None = None
        self.table: LesionTable | None = None
        self._asked: _Asked | None = None
        self._shown_of: _Asked | None = None
        self._watched: Any = None
        self.mask_choice = MaskChoice("Mask", "Whose connected components are listed")
        self.reference = MaskChoice("Reference", "The true mask, for Dice", "None")
        self.earlier = MaskChoice(
            "Earlier mask", "Of an earlier time point on the same grid: numbers persist", "None"
        )
        self.list = LesionList()
        self.said = wrapped_label(_INVITATION)
        self.copy_button = QPushButton("Copy")
        self.copy_button.setToolTip("The table as text, for a spreadsheet")
        self.save_button = QPushButton("Save…")
        self.save_button.setToolTip("The table as a file (CSV)")
        self.mark_button = QPushButton("Add diameters to the review")
        self.mark_button.setToolTip("Both lines of the chosen lesion, as one mark of the review")
        self.difference_button = QPushButton("Difference")
        self.difference_button.setToolTip(
            "Mask against reference as one picture: green agreed, blue missed, orange false"
        )
        self.difference_button.setCheckable(True)
        self.difference = ShownDifference(self._viewer)
        self.diameters, self.edited = ShownDiameters(self._viewer), EditedMask(self._viewer)
        self._lay_out()
        self.runner = WorkRunner(self)
        self.runner.succeeded.connect(self._on_done)
        self.runner.failed.connect(self._on_failed)
        self.runner.broke.connect(lambda: self._clear("The table could not be made."))
        self.runner.running_changed.connect(lambda on: None if on else self._timer.restart())
        self._timer = RestingTimer(self, 50, self.refresh)
        for choice in (self.mask_choice, self.reference, self.earlier):
            choice.currentIndexChanged.connect(lambda _: self._timer.restart())
        self.list.chosen.connect(self.go_to)
        self.list.switched.connect(self._on_switched)
        self.copy_button.clicked.connect(lambda: self.copy())
        self.save_button.clicked.connect(lambda: self._ask_and_save())
        self.mark_button.clicked.connect(lambda: self.mark())
        self.difference_button.clicked.connect(lambda on: self.show_difference(on))
        window.signals.study_changed.connect(lambda _: self._on_study())
        window.signals.study_replaced.connect(lambda *_: self._timer.restart())
        events = self._viewer.layers.events
        events.inserted.connect(self._timer.restart)
        events.removed.connect(self._timer.restart)
        self._viewer.dims.events.point.connect(self._on_dims)
        self._let_act()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(4)
        form.addRow("Mask", self.mask_choice)
        form.addRow("Reference", self.reference)
        form.addRow("Earlier", self.earlier)
        buttons = QHBoxLayout()
        buttons.addWidget(self.copy_button)
        buttons.addWidget(self.save_button)
        left = QWidget()
        left.setFixedWidth(_FORM_WIDTH)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 2, 6, 2)
        column.setSpacing(4)
        column.addLayout(form)
        column.addLayout(buttons)
        column.addWidget(self.difference_button)
        column.addWidget(self.mark_button)
        column.addStretch(1)
        right = QVBoxLayout()
        right.setSpacing(2)
        right.addWidget(self.said)
        right.addWidget(self.list, 1)
        box = QHBoxLayout(self)
        box.setContentsMargins(4, 0, 4, 0)
        box.addWidget(left)
        box.addLayout(right, 1)

    # -- what a script can call ----------------------------------------------------------------

    def refresh(self) -> None:
        """Measure what is chosen, in the background, where that is not in the table already."""
        if not self.isVisible():
            return
        self._offer()
        asked = self._wanted()
        if asked is None:
            self.runner.cancel()
            self._asked = None
            self._clear(_INVITATION)
            return
        if self._asked is not None and asked.key == self._asked.key:
            return
        if self.runner.running:
            self.runner.cancel()  # its end asks again
            return
        self._asked = asked
        self.said.setText("Measuring …")
        self.runner.start(labelled_work(asked, partial(_work, asked)))

    def go_to(self, number: int) -> None:
        """Show the slice of a lesion's diameters, and draw them."""
        lesion, shown = self._lesion(number), self._shown_of
        if lesion is None or shown is None or shown.study is not self._window.study:
            return
        try:
            axial = viewer_plane(self._viewer) == "axial"
        except SparseExplainError:  # in 3-D
            axial = False
        if not axial:
            self._window.set_plane("axial")
        self._window.go_to_voxel(lesion.place)
        self.diameters.show(lesion.diameters, shown.study.grid)
        self._let_act()

    def mark(self) -> None:
        """Give the diameters of the chosen lesion to the review."""
        number, shown = self.list.current, self._shown_of
        lesion = None if number is None else self._lesion(number)
        if lesion is None or shown is None:
            return
        mark = diameter_mark(lesion.diameters, shown.study.grid, text=f"Lesion {lesion.number}")
        self.diameters.clear()  # the review draws the same lines
        self.marked.emit((mark,))

    def show_difference(self, shown: bool) -> None:
        """Show where mask and reference agree and where not, or no longer.

        Side by side it gets a picture of its own, over the scan of the first one.
        """
        found, asked = self.found, self._shown_of
        if not shown or found is None or found.reference is None or asked is None:
            self.difference.clear()
            self._let_act()
            return
        from ...evidence.lesions.mask_difference import mask_difference

        difference = mask_difference(found.mask, found.reference, asked.study.grid)
        new = not self.difference.shown
        layer, view = self.difference.show(difference, asked.study.grid), self._window.grid_view
        if new and view.active:
            below = [x for x in view.cells[0][:1] if not isinstance(x, Labels)]
            view.show_cells([*view.cells, [*below, layer]])
        elif new:
            for mask in (asked.mask, asked.reference):
                if mask is not None and mask.visible:
                    mask.visible = False
        self._let_act()

    def copy(self) -> None:
        """Put the table into the clipboard."""
        clipboard = QGuiApplication.clipboard()
        if self.table is not None and clipboard is not None:
            clipboard.setText(self.table.tabbed())

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the table as CSV.

        Raises
        ------
        SparseExplainError
            There is no table, the file is there already or cannot be written.
        """
        from ...files.atomic_write import write_atomically

        if self.table is None:
            raise SparseExplainError("there is no table", remedy="Choose a mask first")
        return write_atomically(Path(path), self.table.csv(), overwrite=overwrite)

    def wait(self, seconds: float = 60.0) -> bool:
        """Keep the window alive until the table is there; for scripts and tests."""
        self.refresh()
        while self.runner.running:
            if not self.runner.wait(seconds):
                return False
            self.refresh()
        return True

    # -- within --------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Somebody looks."""
        super().showEvent(event)
        self._timer.restart()

    def _offer(self) -> None:
        study = self._window.study
        layers = [] if study is None else mask_layers(self._viewer, study)
        self.mask_choice.offer(layers, None if study is None else first_mask(layers, study))
        self.reference.offer(layers)
        self.earlier.offer(layers)

    def _wanted(self) -> _Asked | None:
        study, mask = self._window.study, self.mask_choice.layer
        if study is None or mask is None:
            return None
        if mask is not self._watched:
            self._watch(mask)
        frame, _ = frame_in_picture(self._viewer, study)
        known = (layer.metadata.get(METADATA_KEY) for layer in self._viewer.layers)
        maps = [k for k in known if isinstance(k, ExplanationLayer) and k.study is study]
        reference, earlier = self.reference.layer, self.earlier.layer
        frame = tuple(frame) if mask.ndim > 3 else ()
        return _Asked(study, mask, reference, earlier, frame, _measured(maps))

    def _watch(self, mask: Any) -> None:
        """What is painted on the mask is measured, too."""
        if self._watched is not None:
            self._watched.events.paint.disconnect(self._on_paint)
        self._watched = mask
        mask.events.paint.connect(self._on_paint)

    def _on_paint(self, _event: Any = None) -> None:
        self._asked = None
        self._timer.restart()

    def _on_dims(self, _event: Any = None) -> None:
        if self._asked is not None and self._asked.mask.ndim > 3:
            self._timer.restart()

    def _on_study(self) -> None:
        self.diameters.clear()
        self._timer.restart()

    def _on_done(self, told: Told) -> None:
        asked: _Asked = told.asked
        if self._asked is None or asked.key != self._asked.key:
            return
        from ...evidence.lesions.table import lesion_table

        found: StudyLesions = told.result
        self.found, self._shown_of = found, asked
        self.diameters.clear()
        self.edited.forget()
        calibrated = asked.study.grid.calibrated
        self.table = lesion_table(found.lesions, calibrated=calibrated)
        self.list.show_table(self.table if found.lesions else None)
        self._say()
        if self.difference.shown:
            self.show_difference(True)
        self._let_act()

    def _on_failed(self, error: SparseExplainError) -> None:
        self._clear(str(error))

    def _clear(self, words: str) -> None:
        self.difference.clear()
        self.found = self.table = self._shown_of = None
        self.diameters.clear()
        self.edited.forget()
        self.list.show_table(None)
        self.said.setText(words)
        self._let_act()

    def _say(self) -> None:
        from ...evidence.lesions.table import summary

        found, shown = self.found, self._shown_of
        if found is None or shown is None:
            return
        parts = [summary(found.lesions, calibrated=shown.study.grid.calibrated)]
        if found.dice is not None:
            parts.append(f"Dice {found.dice:.3f}")
        if off := self.list.off:
            numbers = ", ".join(map(str, off))
            edited = found.dice_of(found.edited(off))
            dice = "" if edited is None else f", Dice {edited:.3f}"
            parts.append(f"edited copy without {numbers}{dice}")
        if found.gone:
            parts.append(f"gone: {', '.join(map(str, found.gone))}")
        self.said.setText("\n".join([" · ".join(parts), *found.notes]))

    def _on_switched(self) -> None:
        found, shown = self.found, self._shown_of
        if found is None or shown is None:
            return
        self.edited.show(shown.mask, found.edited(self.list.off), shown.study.grid)
        self._say()

    def _lesion(self, number: int) -> Lesion | None:
        lesions = () if self.found is None else self.found.lesions
        return next((lesion for lesion in lesions if lesion.number == number), None)

    def _let_act(self) -> None:
        there = self.table is not None and bool(self.table.rows)
        self.copy_button.setEnabled(there)
        self.save_button.setEnabled(there)
        self.mark_button.setEnabled(there and self.list.current is not None)
        comparable = self.found is not None and self.found.reference is not None
        self.difference_button.setEnabled(comparable or self.difference.shown)
        self.difference_button.setChecked(self.difference.shown)

    def _ask_and_save(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save the table", save_place("lesions.csv"), "Tables (*.csv)"
        )
        if not chosen:
            return
        try:
            self.save(with_ending(chosen, "csv", only=True), overwrite=True)  # the dialog has asked
        except SparseExplainError as error:
            show_error_dialog(error)


def _measured(maps: list[ExplanationLayer]) -> tuple[Any, ...]:
    """Explanation and map of what has a mean in a lesion, as the items themselves."""
    from ...evidence.lesions.study_lesions import is_measured

    found = {id(k.explanation[k.map]): k for k in maps if "+" not in k.map and _has(k)}
    return tuple(k for k in found.values() if is_measured(k.explanation[k.map]))[:_MOST_MAPS]


def _has(known: ExplanationLayer) -> bool:
    return any(item.name == known.map for item in known.explanation.maps)


def _work(asked: _Asked) -> Work[StudyLesions]:
    """Read the masks and measure, in a thread."""
    from ...evidence.lesions.study_lesions import on_whole_grid, study_lesions_work

    grid = asked.study.grid

    def mask_of(layer: Labels | None) -> npt.NDArray[Any] | None:
        return None if layer is None else masks_over_time(layer, grid, asked.frame)[-1]

    *before, mask = masks_over_time(asked.mask, grid, asked.frame)
    earlier = mask_of(asked.earlier)
    maps = {}
    for known in asked.maps:
        item = known.explanation[known.map]
        title = item.title or item.name
        maps[title] = on_whole_grid(np.asarray(item.data), known.explanation, asked.study)
    return (
        yield from study_lesions_work(
            asked.study,
            mask,
            maps=maps,
            reference=mask_of(asked.reference),
            earlier=before if earlier is None else [earlier],
        )
    )
