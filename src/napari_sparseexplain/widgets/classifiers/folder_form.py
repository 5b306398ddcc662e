"""Which pictures: a folder of classes, and a table that says the class where folders do not."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QFormLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from ...errors import SparseExplainError


class PathChoice(QWidget):
    """A line for a path, with a dialog.

    Parameters
    ----------
    button, title : str
        Of the button and of the dialog.
    pattern : str
        Of files; a folder is asked for when empty.
    """

    def __init__(self, button: str, title: str, empty: str = "", pattern: str = "") -> None:
        super().__init__()
        self._title, self._pattern = title, pattern
        self.line = QLineEdit()
        self.line.setAccessibleName(title)
        self.line.setPlaceholderText(empty)
        self.line.setToolTip(title)
        self.browse = QPushButton(button)
        self.browse.setToolTip(title)
        self.browse.clicked.connect(self._choose)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.line, 1)
        row.addWidget(self.browse)

    @property
    def path(self) -> Path | None:
        """What is chosen; None for nothing."""
        text = self.line.text().strip()
        return Path(text).expanduser() if text else None

    def choose(self, path: Path | str | None) -> None:
        """As if a person had typed it."""
        self.line.setText("" if path is None else str(path))

    def ask(self) -> str:
        """What a person chooses; empty for nothing."""
        if self._pattern:
            return QFileDialog.getOpenFileName(self, self._title, "", self._pattern)[0]
        return QFileDialog.getExistingDirectory(self, self._title)

    def _choose(self) -> None:
        if chosen := self.ask():
            self.choose(chosen)


class FolderForm:
    """The rows of a form: folder, table and its column."""

    def __init__(self, form: QFormLayout) -> None:
        self.folder = PathChoice("Folder…", "A folder with a folder of pictures for each class")
        self.table = PathChoice(
            "Table…", "A CSV that says the class of each picture", "none: by folders", "*.csv"
        )
        self.column = QLineEdit()
        self.column.setAccessibleName("Column of the class")
        self.column.setPlaceholderText("by its usual name")
        self.column.setToolTip("Column of the table that holds the class")
        form.addRow("Folder", self.folder)
        form.addRow("Table", self.table)
        form.addRow("Column", self.column)
        self._form = form
        self.table.line.textChanged.connect(self._follow_table)
        self._follow_table()

    def _follow_table(self, _text: str = "") -> None:
        self._form.setRowVisible(self.column, self.table.path is not None)

    def asked(self) -> tuple[Path, Path | None, str | None]:
        """Folder, table and column.

        Raises
        ------
        SparseExplainError
            No folder is chosen.
        """
        folder, table = self.folder.path, self.table.path
        if folder is None:
            raise SparseExplainError(
                "no folder is chosen",
                remedy="Press Folder…, and choose one that has a folder of pictures for each class",
            )
        return folder, table, (self.column.text().strip() or None) if table else None
