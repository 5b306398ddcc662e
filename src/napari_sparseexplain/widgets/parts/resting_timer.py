"""Answer what changes often once, when it rests."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer


class RestingTimer(QTimer):
    """Calls back once, a while after the last `restart`.

    Connected to what fires at every scrolled slice or every layer of a study, it keeps the
    window as fast as it was.

    Parameters
    ----------
    parent : QObject
        Ends with it.
    milliseconds : int
        Rest to wait for; 0: when the events under way are done.
    call : callable
        What to do then.
    """

    def __init__(self, parent: QObject, milliseconds: int, call: Callable[[], None]) -> None:
        super().__init__(parent)
        self.setSingleShot(True)
        self.setInterval(milliseconds)
        self.timeout.connect(call)

    def restart(self) -> None:
        """Something changed; wait anew."""
        self.start()
