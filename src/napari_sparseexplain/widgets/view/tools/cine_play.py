"""Cine: the frames of a study, or its slices where it has none, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from ..view_window import ViewWindow

#: Frames a second at first, and those that can be chosen.
USUAL_RATE = 15
RATES = (2, 5, 10, 15, 20, 25, 30)


class CinePlay(QObject):
    """Plays one viewer.

    Signals
    -------
    playing_changed(bool)
    """

    playing_changed = Signal(bool)

    def __init__(self, window: ViewWindow, parent: QObject) -> None:
        super().__init__(parent)
        self._window, self._viewer = window, window.viewer
        self.rate = USUAL_RATE
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._next)
        window.signals.study_changed.connect(lambda _study: self.stop())

    @property
    def playing(self) -> bool:
        """Whether it plays."""
        return self._timer.isActive()

    def set_rate(self, rate: int) -> None:
        """Frames a second."""
        self.rate = rate
        self._timer.setInterval(round(1000 / rate))

    def toggle(self) -> None:
        """Play, or stop."""
        if self.playing:
            self.stop()
        elif self._axis() is not None:
            self._timer.start(round(1000 / self.rate))
            self.playing_changed.emit(True)

    def stop(self) -> None:
        """Stop where it is."""
        if self.playing:
            self._timer.stop()
            self.playing_changed.emit(False)

    def _axis(self) -> int | None:
        """The first axis over time, else the one through the picture; None without a study."""
        dims = self._viewer.dims
        if self._window.study is None or dims.ndisplay != 2:
            return None
        leading = [axis for axis in range(dims.ndim - 3) if dims.nsteps[axis] > 1]
        axis = leading[0] if leading else dims.order[-3] if dims.ndim >= 3 else None
        return axis if axis is not None and dims.nsteps[axis] > 1 else None

    def _next(self) -> None:
        axis = self._axis()
        if axis is None:
            self.stop()
            return
        dims = self._viewer.dims
        dims.set_current_step(axis, int((dims.current_step[axis] + 1) % dims.nsteps[axis]))
