"""The frame that every tab shares: what to explain, run, results, what the last click says."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ..errors import SparseExplainError
from ..progress import Progress
from .notices import tell_error
from .results_list import ResultsList
from .work_runner import WorkRunner

#: Lines kept free for the words of what runs, in the narrowest dock: nothing below them jumps.
MESSAGE_LINES = 2

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


def wrapped_label(text: str = "") -> QLabel:
    """A label that breaks its lines instead of widening the dock; its text can be copied."""
    label = QLabel(text)
    label.setWordWrap(True)
    flags = Qt.TextInteractionFlag
    label.setTextInteractionFlags(flags.TextSelectableByMouse | flags.LinksAccessibleByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    return label


class RunBar(QWidget):
    """Run buttons, Cancel, and the progress of what runs."""

    cancel_pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons: list[QPushButton] = []
        self._held: frozenset[QPushButton] = frozenset()
        self._row = QHBoxLayout()
        self._row.setContentsMargins(0, 0, 0, 0)
        self.cancel = QPushButton("Cancel")
        self.cancel.setEnabled(False)
        self.cancel.setToolTip("Stop at the next step. What was there before stays.")
        self.cancel.clicked.connect(self.cancel_pressed)
        self._row.addWidget(self.cancel)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(8)
        self.message = wrapped_label()
        self._ruler = wrapped_label()
        self._ruler.setParent(self)
        self._ruler.hide()
        self._keep_lines()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addLayout(self._row)
        box.addWidget(self.bar)
        box.addWidget(self.message)
        self.rest()

    def add_button(self, text: str, tooltip: str) -> QPushButton:
        """A button that starts a run; it sleeps while one is under way."""
        button = QPushButton(text)
        button.setToolTip(tooltip)
        self._buttons.append(button)
        self._row.insertWidget(self._row.count() - 1, button)
        return button

    def hold(self, buttons: Collection[QPushButton]) -> None:
        """Let these buttons sleep, whether something runs or not; all others are let go."""
        self._held, running = frozenset(buttons), self.cancel.isEnabled()
        for button in self._buttons:
            button.setEnabled(not running and button not in self._held)

    def set_running(self, running: bool) -> None:
        """Swap what can be pressed."""
        for button in self._buttons:
            button.setEnabled(not running and button not in self._held)
        self.cancel.setEnabled(running)
        if running:
            self.bar.setRange(0, 0)
            self.bar.setEnabled(True)
        else:
            self.rest()

    def rest(self) -> None:
        """Nothing runs: an empty bar that holds its place, so that nothing jumps."""
        self.bar.setRange(0, 1)
        self.bar.setValue(0)
        self.message.setToolTip("")

    def show_step(self, step: Progress) -> None:
        """Draw one step."""
        self.bar.setRange(0, max(step.total, 0))
        self.bar.setValue(step.done)
        count = f" ({step.done} of {step.total})" if step.total > 1 else ""
        self._say_step(step.message + count)

    def changeEvent(self, event: Any) -> None:
        """Another font, as when the theme comes: lines are as high as it."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._keep_lines()

    def showEvent(self, event: Any) -> None:
        """Only in its window does the message have the theme's font."""
        super().showEvent(event)
        self._keep_lines()

    def _keep_lines(self) -> None:
        """Hold the place of the words while there are none."""
        self.message.setMinimumHeight(self._height_of("\n" * (MESSAGE_LINES - 1)))

    def _height_of(self, text: str) -> int:
        """What a message needs, with all that a theme puts about it."""
        self._ruler.ensurePolished()
        self._ruler.setText(text)
        return self._ruler.heightForWidth(self.message.width())

    def _say_step(self, text: str) -> None:
        """Words of a step, cut where they would need more than their lines."""
        width = self.message.width()
        fits = self._height_of(text) <= self.message.minimumHeight()
        # A line breaks between words and so does not fill its width.
        room = int(0.8 * MESSAGE_LINES * width)
        mode = Qt.TextElideMode.ElideRight
        cut = text if fits else self.message.fontMetrics().elidedText(text, mode, room)
        self.message.setText(cut)
        self.message.setToolTip("" if fits else text)


class ExplainTab(QScrollArea):
    """A tab with the four parts in their order; a method's tab fills the first and wires Run.

    Attributes
    ----------
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
    """

    title = ""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(MINIMUM_WIDTH)
        page = QWidget()
        self.setWidget(page)
        box = QVBoxLayout(page)
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
        self.runner.cancelled.connect(self._on_cancelled)

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
        """The study that was clicked in is no more."""
        self.read_out.setText(_NO_CLICK)

    def follow_layers(self) -> None:
        """Layers came, went, were shown or hidden: let check boxes follow."""

    def stop(self) -> None:
        """Ask everything under way to stop: the window is closing."""
        self.runner.cancel()

    def _on_failed(self, error: SparseExplainError) -> None:
        self.run_bar.message.setText(str(error))
        tell_error(error)

    def _on_cancelled(self) -> None:
        self.run_bar.message.setText("Cancelled. What was there before is still there.")

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
