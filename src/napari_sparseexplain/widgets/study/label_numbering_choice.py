"""What the numbers of the study's lesion mask stand for: told by its name, or chosen here."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QWidget

from ...volumes import Study
from ...volumes.labels.names import label_numbering
from ...volumes.labels.tumour_numbering import NUMBERINGS, told_numbering
from ...volumes.labels.values import labels_of
from ...volumes.roles.label_roles import lesion_role


class LabelNumberingChoice(QComboBox):
    """The numberings of the challenges, and what the file itself tells.

    Signals
    -------
    chosen(str): name of a numbering; empty for what the file tells.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setToolTip(
            "What the numbers in the lesion mask mean. Enhancing tumour is 4 in BraTS until "
            "2022 and 3 since; 4 is the resection cavity after treatment."
        )
        self.addItem("", "")
        for numbering in NUMBERINGS.values():
            self.addItem(numbering.title, numbering.name)
        self.setMinimumContentsLength(12)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.activated.connect(lambda _: self.chosen.emit(str(self.currentData())))

    def show_study(self, study: Study | None) -> bool:
        """Show what is known of a study's mask; False where there is nothing to choose."""
        role = "" if study is None else lesion_role(study)
        if study is None or not role:
            return False
        told = told_numbering(study.labels)
        found = None if told else label_numbering(study, role)
        by_file = found.title if found is not None else "not known: no scores of classes"
        self.setItemText(0, "As the file tells" if told else by_file)
        self.setCurrentIndex(max(0, self.findData(told)))
        return bool(told) or len(labels_of(study.labels[role])) > 1
