"""Which open study is meant: the same choice in every tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox

if TYPE_CHECKING:
    from .workspace import Workspace


class StudyChoice(QComboBox):
    """The open studies; choosing one makes it the active one everywhere."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.setMinimumContentsLength(6)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.activated.connect(self._on_activated)
        workspace.study_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Follow the workspace."""
        self.clear()
        studies = self._workspace.studies
        self.setEnabled(bool(studies))
        if not studies:
            self.addItem("No study is open")
        for study in studies:
            self.addItem(study.name)
        if self._workspace.study in studies:
            self.setCurrentIndex(studies.index(self._workspace.study))

    def _on_activated(self, place: int) -> None:
        studies = self._workspace.studies
        if 0 <= place < len(studies):
            self._workspace.activate(studies[place])
