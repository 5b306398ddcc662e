"""A scan or folder dropped on the picture goes to the Study tab.

napari asks which reader to take wherever two could (its own takes every folder), and no manifest
can decide that, only the person's own preference. With the workspace open there is no question:
it also shows progress, can be cancelled, and says what was found.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QMainWindow, QWidget

from ...layers.io.napari_reader import may_be_a_scan


class DroppedStudy(QObject):
    """Takes one scan or folder that is dropped; all else is left to napari.

    Parameters
    ----------
    open_path : callable
        Opens the study in the background.
    """

    def __init__(self, open_path: Callable[[Path], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open_path = open_path

    def watch(self, window: QWidget) -> None:
        """Watch what takes drops in a window's middle; calling it again changes nothing."""
        middle = window.centralWidget() if isinstance(window, QMainWindow) else None
        if middle is None:
            return
        for widget in (middle, *middle.findChildren(QWidget)):
            if widget.acceptDrops():
                widget.removeEventFilter(self)
                widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Whether the drop was taken."""
        if isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            path = dropped_path(event)
            if path is not None:
                event.acceptProposedAction()
                self._open_path(path)
                return True
        return super().eventFilter(watched, event)  # pyright: ignore[reportArgumentType]


def dropped_path(event: QDropEvent) -> Path | None:
    """The one scan or folder that was dropped.

    None for several, for what is no scan (a plain picture may be meant for anything), and with a
    key held: napari stacks with Shift and lets the reader be chosen with Alt.
    """
    data = event.mimeData()
    if data is None or event.modifiers() != Qt.KeyboardModifier.NoModifier:
        return None
    urls = data.urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    path = Path(urls[0].toLocalFile())
    return path if may_be_a_scan(path) else None
