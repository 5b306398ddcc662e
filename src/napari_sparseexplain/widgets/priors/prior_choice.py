"""Which prior, and which scan of both: visits of the study, other open studies, and those read."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QComboBox
from superqt.utils import signals_blocked

from ...volumes import Study
from ...volumes.reading_order import role_title

_NONE = "None"


class PriorChoice(QComboBox):
    """Studies that a prior can be."""

    def __init__(self) -> None:
        super().__init__()
        self._studies: list[Study] = []
        self.setAccessibleName("Prior")
        self.setToolTip("A visit of this study, another open study, or one opened here")
        self.setMinimumContentsLength(8)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.offer(())

    @property
    def prior(self) -> Study | None:
        """The chosen one."""
        place = self.currentIndex() - 1
        return self._studies[place] if 0 <= place < len(self._studies) else None

    @property
    def offered(self) -> tuple[Study, ...]:
        """All of them."""
        return tuple(self._studies)

    def offer(self, studies: Sequence[Study]) -> None:
        """Offer these; what was chosen stays chosen where it is still there."""
        kept = self.prior
        with signals_blocked(self):
            self.clear()
            self._studies = list(studies)
            self.addItem(_NONE)
            for study in studies:
                self.addItem(study.name)
            self.choose(kept)

    def choose(self, study: Study | None) -> None:
        """Choose one that is offered, or none."""
        here = study is not None and study in self._studies
        self.setCurrentIndex(self._studies.index(study) + 1 if here else 0)  # type: ignore[arg-type]


class ScanChoice(QComboBox):
    """Scans of a study by their titles."""

    def __init__(self, title: str, says: str) -> None:
        super().__init__()
        self.setAccessibleName(title)
        self.setToolTip(says)
        self.setMinimumContentsLength(6)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    @property
    def role(self) -> str:
        """Of the chosen scan; empty where there is none."""
        return str(self.currentData() or "")

    def offer(self, study: Study | None, first: str = "") -> None:
        """Offer the scans of a study, ``first`` chosen."""
        with signals_blocked(self):
            self.clear()
            for role in () if study is None else study.images:
                self.addItem(role_title(role), role)
            self.choose(first)
        self.setEnabled(self.count() > 1)

    def choose(self, role: str) -> None:
        """Choose a scan."""
        self.setCurrentIndex(max(self.findData(role), 0))
