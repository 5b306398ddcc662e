"""The frame that every tab shares: what to explain, run, results, what the last click says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFormLayout,
    QFrame,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ..errors import SparseExplainError
from ..volumes import Study
from .parts.notices import show_error_dialog
from .parts.resting_timer import RestingTimer
from .parts.results_list import ResultsList
from .parts.run_bar import BROKEN, RunBar
from .parts.work_runner import WorkRunner
from .parts.wrapped_label import wrapped_label
from .view.click_read_out import describe_in_picture
from .window import Window

#: Narrowest dock in which nothing is cut off.
MINIMUM_WIDTH = 300


def section_header(text: str) -> QLabel:
    """Header of one of the four parts."""
    label = QLabel(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    label.setContentsMargins(0, 6, 0, 0)
    return label


#: Stands under *Last click* before there was one.
_NO_CLICK = "Click in the picture."


class ExplainTab(QScrollArea):
    """A tab with the four parts in their order; a method's tab fills the first and wires Run.

    Attributes
    ----------
    name : str
        By which the window finds it.
    title : str
        On its tab.
    what : QFormLayout
        Part one: study, model, target.
    run_bar : RunBar
        Part two.
    extras : QVBoxLayout
        Between Run and the results: controls that act on a result (a slider).
    results : ResultsList
        Part three.
    read_out : QLabel
        Part four: what the last click in the picture says.
    runner : WorkRunner
        Runs this tab's work.
    plots : QWidget or None
        A panel for the dock below the picture, which the tab owns.
    """

    name = ""
    title = ""
    plots: QWidget | None = None

    def __init__(self, window: Window) -> None:
        super().__init__()
        self._window = window
        self._clicked_in: Study | None = None
        self._width_timer = RestingTimer(self, 0, self.fit_width)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(MINIMUM_WIDTH)
        page = QWidget()
        self.setWidget(page)
        self._box = box = QVBoxLayout(page)
        box.setContentsMargins(8, 4, 8, 4)
        box.setSpacing(4)

        self.what = QFormLayout()
        self.what.setContentsMargins(0, 0, 0, 0)
        self.what.setVerticalSpacing(4)
        self.what.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        box.addWidget(section_header(self.what_header()))
        box.addLayout(self.what)

        self.run_bar = RunBar()
        box.addWidget(self.run_bar)
        self.extras = QVBoxLayout()
        self.extras.setSpacing(4)
        box.addLayout(self.extras)

        box.addWidget(section_header(self.results_header()))
        self.results_box = QVBoxLayout()
        self.results_box.setSpacing(4)
        box.addLayout(self.results_box)
        self.results = ResultsList()
        self.results_box.addWidget(self.results)

        box.addWidget(section_header("Last click"))
        self.read_out = wrapped_label(_NO_CLICK)
        box.addWidget(self.read_out)
        box.addStretch(1)

        self.runner = WorkRunner(self)
        self.run_bar.cancel_pressed.connect(self.runner.cancel)
        self.runner.running_changed.connect(self.run_bar.set_running)
        self.runner.progressed.connect(self.run_bar.show_step)
        self.runner.failed.connect(self._on_failed)
        self.runner.broke.connect(lambda: self.run_bar.show_error(BROKEN))
        self.runner.cancelled.connect(self._on_cancelled)
        window.signals.voxel_clicked.connect(self._on_click)
        window.signals.study_replaced.connect(self._follow_click)
        window.signals.study_changed.connect(self._forget_other_click)

    def showEvent(self, a0: Any) -> None:
        """Only a page that is seen has the theme's font, and so its true width."""
        super().showEvent(a0)
        self._width_timer.restart()

    def fit_width(self) -> None:
        """Be as wide as the page needs, with its scroll bar; called once the page is filled."""
        page, bar = self.widget(), self.verticalScrollBar()
        if page is not None and bar is not None:
            needed = page.minimumSizeHint().width() + bar.sizeHint().width()
            self.setMinimumWidth(max(MINIMUM_WIDTH, needed))

    def what_header(self) -> str:
        """Header of the first part."""
        return "What to explain"

    def results_header(self) -> str:
        """Header of the third part."""
        return "Results"

    def forget_click(self) -> None:
        """The study that was clicked in is no more, or another one is active."""
        self._clicked_in = None
        self.read_out.setText(_NO_CLICK)

    def _follow_click(self, old: Study, new: Study) -> None:
        """The same study after an edit of its roles."""
        if self._clicked_in is old:
            self._clicked_in = new

    def _forget_other_click(self, study: Study | None) -> None:
        """A voxel of one study is another place in another."""
        if self._clicked_in is not None and self._clicked_in is not study:
            self.forget_click()

    def add_below_read_out(self, widget: QWidget) -> None:
        """Put a widget below the words about the click, above the stretch at the foot."""
        self._box.insertWidget(self._box.indexOf(self.read_out) + 1, widget)

    def lines_at(self, study: Study, index: tuple[int, int, int]) -> list[str]:
        """What the last click says: where it was, and the value of every volume there."""
        return [describe_in_picture(self._window.viewer, study, index)]

    def _on_click(self, index: tuple[int, int, int]) -> None:
        study = self._window.study
        if study is not None:
            self._clicked_in = study
            self.read_out.setText("\n".join(self.lines_at(study, index)))

    def follow_layers(self) -> None:
        """Layers came, went, were shown or hidden: let check boxes follow."""

    def run_bars(self) -> tuple[RunBar, ...]:
        """All that say here what runs, and of which study."""
        return (self.run_bar,)

    def early_loads(self) -> list[Callable[[], object]]:
        """What a first run will need and can be loaded before, in a thread without Qt."""
        return []

    def busy_with(self) -> tuple[str, ...]:
        """For a person: what is being computed here now."""
        return (self.title,) if self.computing else ()

    def stop(self) -> None:
        """Ask everything under way to stop: the window is closing."""
        self.runner.cancel()

    def show_done(self, study: Study) -> None:
        """A run has ended; whose it was is said where another study is in the picture."""
        here = study is self.run_bar.study
        self.run_bar.show_message("Done." if here else f"Done, of {study.name}.")

    def _on_failed(self, error: SparseExplainError) -> None:
        self.run_bar.show_error(str(error))
        show_error_dialog(error)

    def _on_cancelled(self) -> None:
        self.run_bar.show_message("Cancelled. Earlier results are unchanged.")

    @property
    def computing(self) -> bool:
        """Whether something in the picture is still being computed here."""
        return self.runner.running

    @property
    def awaiting(self) -> bool:
        """Whether cells show for a moment what stands in for a map."""
        return False

    def wait(self, seconds: float = 60.0) -> bool:
        """Keep the window alive until nothing runs here; for scripts and tests."""
        return self.runner.wait(seconds)
