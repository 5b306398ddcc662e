"""Maps that a restored review spoke of: those that are there, and those that must be run again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ...evidence import Explanation
from ...progress import Work
from ...review.reading import Reading
from ...review.store import REVIEW_FILE
from ...volumes import Study
from ..parts.elided_label import ElidedLabel
from ..parts.work_runner import cap_threads

if TYPE_CHECKING:
    from ..window import Window


@dataclass(frozen=True)
class Repeated:
    """A map that was run again, its key in the review, and whose it is."""

    key: str
    explanation: Explanation
    reading: Reading
    study: Study


class RestoredMaps(QWidget):
    """One line a map; beside what is missing a button that runs it again.

    Signals
    -------
    repeat(str): key of the map that shall be run again.
    """

    repeat = Signal(str)

    def __init__(self, window: Window) -> None:
        super().__init__()
        self._window = window
        self._reading: Reading | None = None
        self._study: Study | None = None
        self._lines: list[QWidget] = []
        self.buttons: dict[str, QPushButton] = {}
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(2)
        self.show_reading(None, None)

    def show_reading(self, reading: Reading | None, study: Study | None) -> None:
        """Fill the lines; none without a reading."""
        self._reading, self._study = reading, study
        for line in self._lines:
            self._box.removeWidget(line)
            line.hide()
            line.deleteLater()
        self._lines, self.buttons = [], {}
        references = {} if reading is None else reading.review.explanations
        if reading is None or not references:
            self._add_line("No review was opened." if reading is None else "It had no maps.")
            return
        for key, reference in references.items():
            title = " · ".join(p for p in (reference.method, reference.target) if p)
            model = str(reference.provenance.get("model", ""))
            line = self._add_line(f"{title} · {model}" if model else title)
            if key not in reading.explanations:
                button = QPushButton("Run again")
                button.setToolTip("The map was not saved; compute it again from its record")
                button.clicked.connect(lambda _, key=key: self.repeat.emit(key))
                layout = line.layout()
                assert layout is not None
                layout.addWidget(button)
                self.buttons[key] = button

    def repeat_work(self, key: str) -> Callable[[], Work[Repeated]] | None:
        """What makes a missing map again; None when it is not known here."""
        if self._reading is None or self._study is None:
            return None
        reference = self._reading.review.explanations[key]
        return partial(_repeat_work, key, dict(reference.provenance), self._reading, self._study)

    def take(self, made: Repeated) -> bool:
        """Put a map that was run again into its place; False where its study was closed since."""
        if made.study not in self._window.studies:
            return False
        # Of the review that is open now, where it is still the one that was asked from.
        same = self._reading is not None and self._reading.review is made.reading.review
        reading = self._reading if same and self._reading is not None else made.reading
        reading = replace(
            reading, explanations={**reading.explanations, made.key: made.explanation}
        )
        self._window.show_reading(reading)
        self.show_reading(reading, made.study)
        return True

    def _add_line(self, text: str) -> QWidget:
        line = QWidget()
        box = QHBoxLayout(line)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(ElidedLabel(text), 1)
        self._box.addWidget(line)
        self._lines.append(line)
        return line


def _repeat_work(
    key: str, record: dict[str, object], reading: Reading, study: Study
) -> Work[Repeated]:
    from ...explanation.noted_run import RecordPlace
    from ...explanation.repeat import repeat_work

    cap_threads()
    place = RecordPlace(REVIEW_FILE, f"explanations.{key}.provenance")
    found = yield from repeat_work(record, study, place=place)
    return Repeated(key, found, reading, study)
