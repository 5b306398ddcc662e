"""A canvas that was hidden is painted when it is seen again.

vispy's canvas asks Qt for one repaint and for no other until that one was painted. Qt drops what a
hidden widget asks for, and shows an OpenGL widget again with the picture it had: the canvas would
wait for ever, and letters and picture would be those of before.
"""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QWidget


class RepaintOnShow(QObject):
    """Asks Qt itself to paint a widget each time it becomes visible."""

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(canvas.update)
        canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Paint once the widget has its place; nothing is kept from it."""
        if watched is self._canvas and event.type() == QEvent.Type.Show:
            self._timer.start(0)
        return False
