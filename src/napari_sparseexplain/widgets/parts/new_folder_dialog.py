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
        #: The folder that was taken, once there is one.
        self.chosen = ""
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
        """Take what is typed; whoever writes makes the folder, and says so where it cannot.

        Qt's own would refuse one that is not there, and of one that is there it may take the
        folder around it.
        """
        line = self.findChild(QLineEdit, "fileNameEdit")
        typed = "" if line is None else line.text().strip()
        self.chosen = str(Path(self.directory().absolutePath(), Path(typed).expanduser()))
        QDialog.accept(self)


def ask_new_folder(parent: QWidget | None, title: str, start: str = "") -> str:
    """Ask for a folder to write into; empty when nothing was chosen."""
    dialog = NewFolderDialog(parent, title, start)
    taken = dialog.exec() == QDialog.DialogCode.Accepted.value
    dialog.deleteLater()
    return dialog.chosen if taken else ""
