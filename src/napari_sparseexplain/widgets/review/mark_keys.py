"""Undo, redo and delete for marks, wherever in the window the hands are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from napari.layers import Labels
from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QKeySequence, QShortcut

if TYPE_CHECKING:
    from napari import Viewer

#: napari's modes in which a person paints a mask: what is undone then is the stroke.
_PAINTING = frozenset({"paint", "erase", "fill", "polygon"})

_DELETE = ("Delete", "Backspace")


class Undoable(Protocol):
    """What the keys act on."""

    def undo(self) -> None:
        """One step back."""
        ...

    def redo(self) -> None:
        """One step forward again."""
        ...

    def delete_chosen(self) -> None:
        """Delete what is chosen."""
        ...


class MarkKeys(QObject):
    """Ctrl+Z, Ctrl+Shift+Z (and Ctrl+Y) and Delete on the marks of a window.

    Undo and redo are shortcuts of the window, so that they act whatever has the focus; a line of
    text that is being written keeps them for itself. While a mask is painted they are its own.
    Delete is a key of the picture and of the tabs only: napari's list of layers has one as well.

    Parameters
    ----------
    viewer : Viewer
    marks : Undoable
    parent : QObject
        With which the keys go.
    """

    def __init__(self, viewer: Viewer, marks: Undoable, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer, self._marks = viewer, marks
        # A viewer that is shown in no window has keys of its own alone.
        window = getattr(viewer, "window", None)
        for key, act in (
            ("Ctrl+Z", self.undo),
            ("Ctrl+Shift+Z", self.redo),
            ("Ctrl+Y", self.redo),
        ):
            if window is not None:
                self._make_shortcut(window._qt_window, key, act)
        for key in _DELETE:
            viewer.bind_key(key, lambda _viewer: self.delete(), overwrite=True)

    def undo(self) -> None:
        """One step back: of the mask that is being painted, else of the marks."""
        painted = self._painted()
        if painted is not None:
            painted.undo()
        else:
            self._marks.undo()

    def redo(self) -> None:
        """One step forward again."""
        painted = self._painted()
        if painted is not None:
            painted.redo()
        else:
            self._marks.redo()

    def delete(self) -> None:
        """Delete the chosen mark: the one drawn last, or clicked in the list."""
        self._marks.delete_chosen()

    def _painted(self) -> Labels | None:
        active = self._viewer.layers.selection.active
        if isinstance(active, Labels) and str(active.mode) in _PAINTING:
            return active
        return None

    def _make_shortcut(self, window: Any, key: str, act: Callable[[], None]) -> None:
        """One a window: two for one key would both be dead."""
        name = f"sparseexplain marks {key}"
        for former in window.findChildren(QShortcut, name):
            former.setEnabled(False)
            former.deleteLater()
        shortcut = QShortcut(QKeySequence(key), window)
        shortcut.setObjectName(name)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(act)
