"""Run buttons, progress and words of a tab: what runs, and what came of what ran."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ...progress import Progress
from ...volumes import Study
from .wrapped_label import wrapped_label

#: Lines kept free for the words of what runs, in the narrowest dock: nothing below them jumps.
MESSAGE_LINES = 2

#: Seconds between two steps that are drawn. The picture beside makes every change of the bar one
#: of the whole window, 12 ms and more, and many times that on all cores where no graphics card
#: draws it: 200 quick steps cost more than what they tell of.
STEP_SECONDS = 0.25

#: What is said where a run ended in an error of the program itself.
BROKEN = (
    "The run was stopped by an error in the program; see the notification in the picture. "
    "Earlier results are unchanged."
)

_HANDS = (QEvent.Type.MouseButtonPress, QEvent.Type.KeyPress, QEvent.Type.Wheel)
_INPUTS = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit)


class RunBar(QWidget):
    """Run buttons, Cancel, the progress of what runs, and what came of it.

    Words are of the study that is in the picture when they are said: they go when another one
    comes. An error goes, too, once something has worked or a hand has touched the form: it is then
    no longer known to be true.

    Signals
    -------
    cancel_pressed()
    """

    cancel_pressed = Signal()

    #: The study in the picture.
    study: Study | None = None

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons: list[QPushButton] = []
        self._disabled: frozenset[QPushButton] = frozenset()
        self._of: Study | None = None
        self._is_error = self._keeping = False
        self._step: Progress | None = None
        self._drawn_at = float("-inf")
        self._next_step = QTimer(self)
        self._next_step.setSingleShot(True)
        self._next_step.timeout.connect(self._draw_step)
        self._row = QHBoxLayout()
        self._row.setContentsMargins(0, 0, 0, 0)
        self.cancel = QPushButton("Cancel")
        self.cancel.setEnabled(False)
        self.cancel.setToolTip("Stop at the next step. Earlier results stay.")
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
        self.reset()

    def add_button(self, text: str, tooltip: str) -> QPushButton:
        """A button that starts a run; it is disabled while one is under way."""
        button = QPushButton(text)
        button.setToolTip(tooltip)
        self._buttons.append(button)
        self._row.insertWidget(self._row.count() - 1, button)
        return button

    def disable(self, buttons: Collection[QPushButton]) -> None:
        """Disable these buttons, whether something runs or not; enable all others."""
        self._disabled, running = frozenset(buttons), self.cancel.isEnabled()
        for button in self._buttons:
            button.setEnabled(not running and button not in self._disabled)

    def set_running(self, running: bool) -> None:
        """Swap what can be pressed."""
        for button in self._buttons:
            button.setEnabled(not running and button not in self._disabled)
        self.cancel.setEnabled(running)
        if running:
            self.bar.setRange(0, 0)
            self.bar.setEnabled(True)
        else:
            self.reset()

    def reset(self) -> None:
        """Nothing runs: an empty bar that holds its place, so that nothing jumps."""
        self._step = None
        self._next_step.stop()
        self.bar.setRange(0, 1)
        self.bar.setValue(0)
        self.message.setToolTip("")

    def show_step(self, step: Progress) -> None:
        """Draw a step; of those that come quickly one after the other the last."""
        self._step = step
        rest = self._drawn_at + STEP_SECONDS - time.monotonic()
        if rest <= 0:
            self._draw_step()
        elif not self._next_step.isActive():
            self._next_step.start(int(1000 * rest) + 1)

    def _draw_step(self) -> None:
        step = self._step
        if step is None:
            return
        self._drawn_at = time.monotonic()
        self.bar.setRange(0, max(step.total, 0))
        self.bar.setValue(step.done)
        count = f" ({step.done} of {step.total})" if step.total > 1 else ""
        self._cut(step.message + count)

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

    # -- words -------------------------------------------------------------------------------

    def show_message(self, words: str, *, of: Study | None = None) -> None:
        """Say what came of something.

        Parameters
        ----------
        of : Study, optional
            The one that the words go with; that in the picture when not given.
        """
        self._show(words, of, is_error=False)

    def show_error(self, words: str) -> None:
        """Say what went wrong, until that is no longer known to be so."""
        self._show(words, None, is_error=True)

    def add_message(self, words: str) -> None:
        """Say one more thing, on a line of its own and once."""
        lines = [line for line in self.message.text().split("\n") if line not in ("", words)]
        self._show("\n".join([*lines, words]), self._of if self._keeping else None, is_error=False)

    def forget(self) -> None:
        """Nothing of what was said is true any more; what runs goes on saying its steps."""
        if not self.cancel.isEnabled():
            self.show_message("")

    def forget_error(self) -> None:
        """Something has worked."""
        if self._is_error:
            self.forget()

    def follow_study(self, study: Study | None) -> None:
        """Another study is in the picture: what was said of the one before goes."""
        self.study = study
        if self._keeping:
            self._of = study
        elif self._of is not study:
            self.forget()

    def follow_replaced(self, old: Study, new: Study) -> None:
        """The same study after an edit of its roles: what was said of it stays."""
        self.study = new if self.study is old else self.study
        self._of = new if self._of is old else self._of

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """What is said stays while a study makes way: it is about that."""
        self._keeping = True
        try:
            yield
        finally:
            self._keeping = False

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """A hand at the form: the error may be mended."""
        page = self.parentWidget()
        if (
            event is not None
            and page is not None
            and event.type() in _HANDS
            and isinstance(watched, _INPUTS)
            and page.isAncestorOf(watched)
            and not self.isAncestorOf(watched)
        ):
            self.forget_error()
        return super().eventFilter(watched, event)  # pyright: ignore[reportArgumentType]

    def _show(self, words: str, of: Study | None, *, is_error: bool) -> None:
        # What comes after the steps is not overtaken by the last of them.
        self._step = None
        self._next_step.stop()
        self.message.setText(words)
        self.message.setToolTip("")
        self._of = self.study if of is None else of
        if is_error != self._is_error and (app := QApplication.instance()) is not None:
            # Only while there is an error to forget: every event of the window passes through.
            (app.installEventFilter if is_error else app.removeEventFilter)(self)
        self._is_error = is_error

    def _cut(self, text: str) -> None:
        """Words of a step, cut where they would need more than their lines."""
        width = self.message.width()
        fits = self._height_of(text) <= self.message.minimumHeight()
        # A line breaks between words and so does not fill its width.
        room = int(0.8 * MESSAGE_LINES * width)
        mode = Qt.TextElideMode.ElideRight
        cut = text if fits else self.message.fontMetrics().elidedText(text, mode, room)
        self.show_message(cut)
        self.message.setToolTip("" if fits else text)
