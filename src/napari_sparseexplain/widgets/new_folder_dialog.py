"""A folder to write into: one that is there, or a new one whose name is typed."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QLineEdit, QWidget


class NewFolderDialog(QFileDialog):
    """Qt's own dialog for folders, which also takes a name that is not there yet.

    A system's dialog for folders refuses such a name, and its dialog for files does not take a
    folder that is there: a review is saved into either.
    """

    def __init__(self, parent: QWidget | None, title: str, start: str) -> None:
        super().__init__(parent, title, start)
        self.setOption(QFileDialog.Option.DontUseNativeDialog)
        self.setFileMode(QFileDialog.FileMode.Directory)
        self.setOption(QFileDialog.Option.ShowDirsOnly)
        self.setLabelText(QFileDialog.DialogLabel.FileName, "Folder, also a new one:")
        self.setLabelText(QFileDialog.DialogLabel.Accept, "Use this folder")
        # After Qt's own answer to what is typed, which puts the button to sleep for a new name.
        for line in self.findChildren(QLineEdit):
            line.textChanged.connect(self._on_typed)

    def _on_typed(self, text: str) -> None:
        for box in self.findChildren(QDialogButtonBox):
            for button in box.buttons():
                if box.buttonRole(button) == QDialogButtonBox.ButtonRole.AcceptRole:
                    button.setEnabled(bool(text.strip()))

    def accept(self) -> None:
        """Take what is typed; whoever writes makes the folder, and says so where it cannot."""
        chosen = self.selectedFiles()
        if chosen and not Path(chosen[0]).is_dir():
            # Qt's own would say that the folder is not there, and stay open.
            QDialog.accept(self)
        else:
            super().accept()


def ask_new_folder(parent: QWidget | None, title: str, start: str = "") -> str:
    """Ask for a folder to write into; empty when nothing was chosen."""
    dialog = NewFolderDialog(parent, title, start)
    taken = dialog.exec() == QDialog.DialogCode.Accepted.value
    chosen = dialog.selectedFiles()
    dialog.deleteLater()
    return chosen[0] if taken and chosen else ""
