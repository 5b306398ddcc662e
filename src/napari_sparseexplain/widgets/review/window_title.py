"""The window's title: whose study it is, and a star while marks are not saved."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from ...volumes import Study
    from ..window import Window
    from .marks import ReviewMarks
    from .study_marks import Marks


class WindowTitle:
    """Keeps it true.

    Parameters
    ----------
    window : Window
    marks : ReviewMarks
        What is marked in the active study.
    """

    def __init__(self, window: Window, marks: ReviewMarks) -> None:
        self._window, self._marks = window, marks
        self._program = window.viewer.title
        self._saved: WeakKeyDictionary[Study, tuple[object, ...]] = WeakKeyDictionary()
        marks.changed.connect(self.write)
        window.signals.study_changed.connect(lambda _study: self.write())
        window.signals.study_replaced.connect(self._on_replaced)

    @property
    def unsaved(self) -> bool:
        """Whether marks of the active study are in no review that a person saved."""
        study = self._window.study
        now = tuple(self._marks.annotations), tuple(self._marks.key_slices)
        return study is not None and now != self._saved.get(study, ((), ()))

    def saved(self, study: Study, marks: Marks) -> None:
        """Marks of a study were saved, or come from a saved review."""
        self._saved[study] = tuple(marks.annotations), tuple(marks.key_slices)
        self.write()

    def write(self) -> None:
        """Write it anew."""
        study = self._window.study
        star = "*" if self.unsaved else ""
        name = self._program if study is None else f"{study.name}{star} – {self._program}"
        if self._window.viewer.title != name:
            self._window.viewer.title = name

    def _on_replaced(self, old: Study, new: Study) -> None:
        if old in self._saved:
            self._saved[new] = self._saved.pop(old)
        self.write()
