"""Which open study is meant: the same choice in every tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox

if TYPE_CHECKING:
    from ..window import Window


class StudyChoice(QComboBox):
    """The open studies; choosing one makes it the active one everywhere."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self._window = window
        self.setMinimumContentsLength(6)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.activated.connect(self._on_activated)
        window.signals.study_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Follow the window."""
        self.clear()
        studies = self._window.studies
        self.setEnabled(bool(studies))
        if not studies:
            self.addItem("No study is open")
        for study in studies:
            self.addItem(study.name)
        if self._window.study in studies:
            self.setCurrentIndex(studies.index(self._window.study))

    def _on_activated(self, place: int) -> None:
        studies = self._window.studies
        if 0 <= place < len(studies):
            self._window.activate(studies[place])
