"""The line that offers what an earlier reading of the study left unsaved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from ..parts.wrapped_label import wrapped_label
from .unsaved_review import UnsavedReview


class UnsavedOffer(QWidget):
    """Stands there until it is answered, whatever is marked meanwhile; hidden without one.

    Signals
    -------
    restore(Path): the folder of the review that a person wants back.
    """

    restore = Signal(object)

    def __init__(self, unsaved: UnsavedReview, ask: Callable[[str], bool]) -> None:
        super().__init__()
        self._unsaved, self._ask = unsaved, ask
        self._folder: Path | None = None
        self.line = wrapped_label()
        self.line.setOpenExternalLinks(False)
        self.line.linkActivated.connect(self.answer)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.line)
        self.hide()

    def tell(self) -> bool:
        """Offer the latest one; whether there is any."""
        found = self._unsaved.found()
        self.setVisible(found is not None)
        if found is None:
            return False
        self._folder, written = found
        self.line.setText(
            f"An unsaved review of this study from {written:%d %B %H:%M} is there. "
            f"{_link('restore')} · {_link('discard')}"
        )
        return True

    def answer(self, what: str) -> None:
        """Restore it or, once a person has confirmed that, throw it away."""
        if self._folder is None:
            return
        if what == "restore":
            self.restore.emit(self._folder)
        elif self._ask("Discard the unsaved review of this study?"):
            self._unsaved.discard(self._folder)
            self.tell()


def _link(action: str) -> str:
    """A link that is read on a dark theme and on a light one."""
    return f'<a href="{action}" style="color: #2f9bdb">{action.capitalize()}</a>'
