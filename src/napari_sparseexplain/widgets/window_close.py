"""From a person's work to the end of the window: once it is closed, no run may outlive it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, QTimer, Signal
from qtpy.QtWidgets import QApplication, QWidget

if TYPE_CHECKING:
    from napari import Viewer


#: How often an open window without a question is seen before nobody closes it any more.
_SURE = 2


class WindowClose(QObject):
    """Watches the window that the workspace's dock is in.

    The close event only begins it. napari asks within it, and whoever answers *Cancel* has
    closed nothing: what is marked is kept then, and no more happens. A window that does close
    is hidden next, before anything of it is taken apart; one that was hidden already closes
    without a question.

    Signals
    -------
    asked(): the window is asked to close.
    closed(): it closes.
    """

    asked = Signal()
    closed = Signal()

    def __init__(self, inside: QWidget) -> None:
        super().__init__(inside)
        self._inside = inside
        self._closing, self._seen_open = False, 0

    def watch(self) -> None:
        """Watch the window that the dock is in now; calling it again changes nothing."""
        window = self._inside.window()
        window.removeEventFilter(self)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Whether the event goes no further: never."""
        if event is not None and watched is self._inside.window():
            if event.type() == QEvent.Type.Close:
                self._closing, self._seen_open = True, 0
                self.asked.emit()
                if self._inside.window().isHidden():
                    self._close()
                else:
                    QTimer.singleShot(0, self, self._on_still_open)
            elif event.type() == QEvent.Type.Hide and self._closing and not event.spontaneous():
                self._close()
        return super().eventFilter(watched, event)  # pyright: ignore[reportArgumentType]

    def _close(self) -> None:
        self._closing = False
        self.closed.emit()

    def _on_still_open(self) -> None:
        """The question was answered, and the window is there: nobody closes it any more."""
        if QApplication.activeModalWidget() is not None:
            self._seen_open = 0
            QTimer.singleShot(100, self, self._on_still_open)
        elif self._inside.window().isVisible():
            # A question that was just answered with *Close* is gone a moment before the window is.
            self._seen_open += 1
            if self._seen_open > _SURE:
                self._closing = False
            else:
                QTimer.singleShot(100, self, self._on_still_open)


def run_window(viewer: Viewer) -> None:
    """Leave the window to a person until it is closed; Ctrl-C closes it as a person would."""
    import napari

    try:
        napari.run()
    except KeyboardInterrupt:
        viewer.close()  # what is marked is then kept
        raise
