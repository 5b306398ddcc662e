"""The sheet of the keys and of the mouse, under Help and on F1."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QLabel, QScrollArea, QVBoxLayout, QWidget

from .keys import KEYS, MOUSE

if TYPE_CHECKING:
    from napari import Viewer

_ENTRY = "sparseexplain_keys"

_NAMES = {"Up": "↑", "Down": "↓", "PageUp": "Page ↑", "PageDown": "Page ↓"}


class KeySheet(QDialog):
    """Shows itself beside the work; nothing waits for it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("SparseExplain: keys and mouse")
        self.setModal(False)
        page = QLabel(sheet_html())
        page.setTextFormat(Qt.TextFormat.RichText)
        page.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        page.setAlignment(Qt.AlignmentFlag.AlignTop)
        page.setContentsMargins(12, 8, 12, 8)
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        box = QVBoxLayout(self)
        box.addWidget(area)
        box.addWidget(buttons)
        size = page.sizeHint()
        self.resize(size.width() + 60, min(size.height() + 80, 720))


def add_help_entry(viewer: Viewer, show: Callable[[], None]) -> None:
    """Help › SparseExplain keys; once a window. A manifest cannot put an entry there."""
    menu = viewer.window.help_menu
    for action in menu.actions():
        if action.objectName() == _ENTRY:
            menu.removeAction(action)
    action = menu.addAction("SparseExplain: keys and mouse")
    action.setObjectName(_ENTRY)
    action.triggered.connect(lambda _checked=False: show())


def sheet_html() -> str:
    """The two tables."""
    rows, group = [], ""
    for entry in KEYS:
        if entry.group != group:
            group = entry.group
            rows.append(f'<tr><td colspan="2"><b>{escape(group)}</b></td></tr>')
        key = "+".join(_NAMES.get(part, part) for part in entry.key.split("-"))
        rows.append(_row(key, entry.words))
    rows.append(_row("Ctrl+Z, Ctrl+Shift+Z, Del", "marks: undo, redo, delete the chosen one"))
    rows.append('<tr><td colspan="2"><b>Mouse</b></td></tr>')
    for gesture, words, instead in MOUSE:
        note = "" if not instead else f" <i>({escape(_note(instead))})</i>"
        rows.append(_row(gesture, words, note))
    body = "".join(rows)
    return (
        f'<table cellspacing="0" cellpadding="3">{body}</table>'
        "<p>Keys of napari's stay as they are: View, and Preferences › Shortcuts.</p>"
    )


def _note(instead: str) -> str:
    return instead if instead == "napari's own" else f"instead of {instead}"


def _row(key: str, words: str, note: str = "") -> str:
    return (
        f'<tr><td style="padding-right:18px"><code>{escape(key)}</code></td>'
        f"<td>{escape(words)}{note}</td></tr>"
    )
