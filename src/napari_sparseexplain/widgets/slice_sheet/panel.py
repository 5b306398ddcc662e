"""The panel *Sheet*: the button that explains a slice, what runs, the verdict, what can follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from napari.layers import Layer
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ...errors import SparseExplainError
from ...explanation.slice_sheet.plan import COMPONENTS, MAPS, RESPONSES, SEGMENTATION, SheetPlan
from ...layers.batched_changes import batched_changes
from ...layers.canvas.frame_in_picture import frame_of_scans
from ...progress import Progress
from ...volumes import Study
from ..parts.model_session import ModelKey
from ..parts.notices import show_error_dialog
from ..parts.run_bar import BROKEN
from ..parts.work_runner import Told, WorkRunner, labelled_work
from ..parts.wrapped_label import wrapped_label
from ..view.plots_dock import show_plots
from ..window import Window
from .cells import SheetCells, barred
from .session import SliceSheetSession, key_of

if TYPE_CHECKING:
    from ...explanation.slice_sheet.sheet import SheetPart, SliceSheet

#: What the button says.
EXPLAIN, TOOLTIP = (
    "Explain this slice",
    (
        "Mask, components, guided IG, XRAI and responses of this slice, by the models that fit, "
        "with what the maps' figures say (Shift+X)"
    ),
)

#: Height of the panel when it comes.
_HEIGHT = 150

#: Tabs among whose results a part stands.
_TAKEN_BY = {
    SEGMENTATION: "proxy",
    COMPONENTS: "decompose",
    **dict.fromkeys(MAPS, "attribution"),
}

_INVITATION = "Press Explain this slice above the picture (Shift+X)."


class Adopts(Protocol):
    """A tab that takes a part of a sheet among its results."""

    def adopt(self, study: Study, key: ModelKey, part: SheetPart) -> list[list[Layer]]:
        """Add a finished part to the results; gives the layers of its cells."""
        ...


@dataclass(eq=False)
class _Asked:
    study: Study
    index: int
    cells: SheetCells | None = None
    former: SheetCells | None = None

    def end(self) -> None:
        """No part comes any more. What the sheet before left goes now, not ahead of the new one."""
        if self.cells is not None:
            self.cells.end()
        if self.former is not None:
            self.former.forget()


class SheetPanel(QWidget):
    """Runs a sheet in the background and shows it.

    Signals
    -------
    judged(SheetPart): the test that was pending was made for a part.

    Parameters
    ----------
    window : Window
    tabs : mapping of str to Adopts
        Who takes which part.

    Attributes
    ----------
    button : QPushButton
        For the bar above the picture; while a sheet is made it cancels.
    sheet : SliceSheet or None
        The latest one.
    """

    judged = Signal(object)

    def __init__(self, window: Window, tabs: Mapping[str, Adopts]) -> None:
        super().__init__()
        self.setWindowTitle("Sheet")
        self._window, self._tabs = window, tabs
        self.session = SliceSheetSession()
        self.runner = WorkRunner(self)
        self.sheet: SliceSheet | None = None
        self._asked: _Asked | None = None
        self._cells: SheetCells | None = None
        self._of: Study | None = None
        self.button = QPushButton(EXPLAIN)
        self.button.setToolTip(TOOLTIP)
        self.button.clicked.connect(lambda _checked=False: self.press())
        self.headline = wrapped_label(_INVITATION)
        font = self.headline.font()
        font.setBold(True)
        self.headline.setFont(font)
        self.lines = wrapped_label()
        self.lines.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.randomise = QPushButton("Randomise the weights")
        self.randomise.setToolTip(
            "The test that is pending: each map again on random weights; takes about seven times "
            "as long as the maps"
        )
        self.randomise.clicked.connect(lambda _checked=False: self.run_randomisation())
        self.save = QPushButton("Save the sheet…")
        self.save.setToolTip("Results, one picture and one page, into a folder")
        self.save.clicked.connect(lambda _checked=False: self._ask_where())
        self._lay_out()
        self.runner.progressed.connect(self._on_step)
        self.runner.succeeded.connect(self._on_done)
        self.runner.failed.connect(self._on_failed)
        self.runner.broke.connect(lambda: self._end(BROKEN))
        self.runner.cancelled.connect(
            lambda: self._end("Cancelled. Parts that were done are in their tabs.")
        )
        self.runner.running_changed.connect(self._on_running)
        window.signals.study_replaced.connect(self._on_study_replaced)
        window.signals.study_closed.connect(self._on_study_closed)
        self._write()

    def _lay_out(self) -> None:
        words = QWidget()
        column = QVBoxLayout(words)
        column.setContentsMargins(8, 4, 8, 4)
        column.addWidget(self.headline)
        column.addWidget(self.lines)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidget(words)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        buttons = QVBoxLayout()
        buttons.addWidget(self.randomise)
        buttons.addWidget(self.save)
        buttons.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 4, 0)
        row.addWidget(area, 1)
        row.addLayout(buttons)

    # -- what a person does, and a script can call ---------------------------------------------

    def press(self) -> None:
        """Explain the slice in the picture; cancel where that is under way."""
        if self.runner.running:
            self.runner.cancel()
        else:
            self.run()

    def run(self) -> None:
        """Explain the slice in the picture."""
        try:
            study = self._window.needed_study()
        except SparseExplainError as error:
            show_error_dialog(error)
            return
        index = self._window.current_slice
        frame = frame_of_scans(self._window.viewer, study, study.images)
        if self.runner.running:
            return
        former, self._cells = self._cells, SheetCells(self._window, study, index, frame)
        asked = _Asked(study, index, self._cells, former)
        self._start(asked, partial(self.session.sheet_work, study, index, frame))

    def run_randomisation(self) -> None:
        """Make the test that is pending."""
        if self.sheet is not None and self._of is not None:
            asked = _Asked(self._of, self.sheet.index)
            self._start(asked, partial(self.session.randomisation_work, self._of, self.sheet))

    def save_into(self, folder: Path) -> None:
        """Write the sheet, in the background.

        Names of study and scans are left out, as in every export that does not ask for them.
        """
        from ...export.report.slice_sheet import slice_sheet_files

        if self.sheet is None or self._of is None:
            return
        work = partial(slice_sheet_files, self.sheet, self._of, folder, overwrite=True)
        self._start(_Asked(self._of, self.sheet.index), work)

    def early_loads(self, study: Study) -> list[Callable[[], object]]:
        """What a first sheet will need, to be loaded in a thread without Qt."""
        return [partial(self.session.load_sheet_early, study)]

    @property
    def computing(self) -> bool:
        """Whether something runs here."""
        return self.runner.running

    def stop(self) -> None:
        """The window is closing."""
        self.runner.cancel()

    def wait(self, seconds: float = 60.0) -> bool:
        """Keep the window alive until nothing runs here; for scripts and tests."""
        return self.runner.wait(seconds)

    # -- runs ----------------------------------------------------------------------------------

    def _start(self, asked: _Asked, work: Any) -> None:
        if self.runner.start(labelled_work(asked, work)):
            self._asked = asked

    def _on_running(self, running: bool) -> None:
        # As wide as it was: nothing beside it moves.
        self.button.setMinimumWidth(self.button.sizeHint().width())
        self.button.setText("Cancel · 0 %" if running else EXPLAIN)
        self.button.setToolTip("Stop; parts that are done stay" if running else TOOLTIP)
        self._write()

    def _on_step(self, step: Progress) -> None:
        asked = self._asked
        if asked is None:
            return
        if step.total:
            self.button.setText(f"Cancel · {100 * step.done // step.total} %")
        self.button.setToolTip(f"{step.message}. Press to stop; parts that are done stay")
        if step.preview is None:
            return
        if asked.cells is None:
            self.judged.emit(step.preview)
            return
        if isinstance(step.preview, SheetPlan):
            asked.cells.begin(step.preview)
        else:
            self._put(asked, asked.cells, step.preview)

    def _put(self, asked: _Asked, cells: SheetCells, part: SheetPart) -> None:
        """A part has come: to its tab, and into its cell."""
        with batched_changes(self._window.viewer.layers):
            cells.place(part, self._cells_of(asked, cells, part))

    def _cells_of(self, asked: _Asked, cells: SheetCells, part: SheetPart) -> Sequence[list[Layer]]:
        if part.explanation is None or part.choice is None:
            return []
        if part.name == RESPONSES:
            return [barred(cells.response(part.explanation))]
        tab = self._tabs[_TAKEN_BY[part.name]]
        layers = tab.adopt(asked.study, key_of(part.choice), part)
        if part.name == SEGMENTATION:
            return [cells.contours([layer for cell in layers for layer in cell])]
        return layers

    def _on_done(self, told: Told) -> None:
        from ...explanation.slice_sheet.sheet import SliceSheet

        asked: _Asked = told.asked
        self._asked = None
        asked.end()
        if isinstance(told.result, SliceSheet):
            self.sheet, self._of = told.result, asked.study
            self._write()
            show_plots(self._window.viewer, self, height=_HEIGHT)
        else:
            self.headline.setText(f"Saved: {told.result.files[0].parent}")
            self.lines.setText("\n".join(told.result.notes))

    def _on_failed(self, error: SparseExplainError) -> None:
        self._end(str(error))
        show_error_dialog(error)

    def _end(self, words: str) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            asked.end()
        self._write()
        self.headline.setText(words)

    # -- studies, words --------------------------------------------------------------------------

    def _on_study_replaced(self, old: Study, new: Study) -> None:
        if self._asked is not None and self._asked.study is old:
            self._asked.study = new
        if self._cells is not None and self._cells.study is old:
            self._cells.study = new
        self._of = new if self._of is old else self._of

    def _on_study_closed(self, study: Study) -> None:
        if self._asked is not None and self._asked.study is study:
            self.runner.cancel()
        if self._of is study:
            self.sheet = self._of = None
        if self._cells is not None and self._cells.study is study:
            self._cells.forget()
            self._cells = None
        self.session.forget(study)
        self._write()

    def _write(self) -> None:
        """The verdict of the latest sheet, and what can be done with it."""
        there = self.sheet is not None and not self.runner.running
        verdict = None if self.sheet is None else self.sheet.verdict
        self.save.setEnabled(there)
        self.randomise.setEnabled(there and verdict is not None and verdict.pending)
        if self.sheet is None or verdict is None:
            self.headline.setText(_INVITATION)
            self.lines.setText("")
            return
        head = f"Slice {self.sheet.index + 1}"
        head += f", {self.sheet.target}" if self.sheet.target else ""
        self.headline.setText(f"{head}: {verdict.headline}")
        self.lines.setText("\n".join([*verdict.lines, verdict.limits]))

    def _ask_where(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Save the sheet into a folder")
        if folder:
            self.save_into(Path(folder))
