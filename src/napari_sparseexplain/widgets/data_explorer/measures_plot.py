"""One plot of a set: a point, or a bar, is told when it is pointed at and opens its slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.theme import get_theme
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...layers.plots.dataset_plot import DrawnPoints
    from ...layers.plots.plot_theme import PlotTheme

#: Below this height a plot cannot be read.
_HEIGHT = 150

#: Pixels from a point at which it is still meant.
_NEAR = 9.0

_INVITATION = "Explore a set in the tab Data: two of its measures stand here, a point a slice."


class MeasuresPlot(QWidget):
    """A figure in the colours of the viewer; matplotlib is loaded when it is first seen.

    Signals
    -------
    pointed(tuple): the slices of what the mouse or a key points at; empty for none.
    chosen(tuple): the slices of what was clicked, or Enter was pressed on.

    Attributes
    ----------
    drawn : DrawnPoints or None
        Where the slices lie.

    Parameters
    ----------
    viewer : napari Viewer
        Whose theme it has.
    """

    pointed = Signal(tuple)
    chosen = Signal(tuple)

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.drawn: DrawnPoints | None = None
        self._viewer = viewer
        self._canvas: Any = None
        self._redraw: Callable[[Figure, PlotTheme], DrawnPoints] | None = None
        self._ring: Any = None
        self._background: Any = None
        self._place = -1
        self._at = -1
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self.setMinimumHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        viewer.events.theme.connect(self._on_theme)

    @property
    def figure(self) -> Figure:
        """The figure, made when it is first asked for."""
        if self._canvas is None:
            # Half a second that nobody should wait for who looks at scans.
            from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg

            from ...layers.plots.plot_theme import themed_figure

            self._canvas = canvas = FigureCanvasQTAgg(themed_figure(self._theme()))
            canvas.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            canvas.setAccessibleName("Plot of the set: arrows go through its points, Enter opens")
            canvas.mpl_connect("draw_event", self._on_drawn)
            canvas.mpl_connect("motion_notify_event", self._on_move)
            canvas.mpl_connect("button_press_event", self._on_press)
            canvas.mpl_connect("key_press_event", lambda event: self.press_key(event.key or ""))
            self._box.addWidget(canvas)
            self._invite()
        return self._canvas.figure

    def show_plot(self, draw: Callable[[Figure, PlotTheme], DrawnPoints]) -> None:
        """Draw something else; again when the theme changes."""
        self._redraw = draw
        if self._canvas is not None or self.isVisible():
            self._draw()

    def forget_point(self) -> None:
        """Another set is plotted: its slices are others."""
        self._at = self._place = -1

    def point_at(self, index: int) -> None:
        """Put the ring on the point of a slice, where it has one; also in the next plot."""
        self._at = index
        drawn = self.drawn
        if drawn is None:
            return
        places = [n for n, slices in enumerate(drawn.slices) if index in slices]
        self._set_place(places[0] if places else -1)

    def press_key(self, key: str) -> None:
        """Arrows go from point to point, from left to right; Enter opens what is pointed at."""
        drawn = self.drawn
        if drawn is None or not drawn.slices:
            return
        if key == "enter" and self._place >= 0:
            self.chosen.emit(drawn.slices[self._place])
        if key not in ("left", "right"):
            return
        filled = [n for n in np.lexsort((drawn.y, drawn.x)).tolist() if drawn.slices[n]]
        if self._place in filled:
            step = 1 if key == "right" else -1
            place = filled[min(max(filled.index(self._place) + step, 0), len(filled) - 1)]
        else:
            place = filled[0 if key == "right" else -1]
        self._set_place(place)
        self.pointed.emit(drawn.slices[place])

    def place_near(self, x: float, y: float) -> int:
        """Number of the point, or bar, at a pixel of the canvas; -1 where there is none."""
        drawn = self.drawn
        if drawn is None or not len(drawn.x):
            return -1
        if drawn.edges is not None:
            inside = drawn.axes.get_window_extent().contains(x, y)
            value = float(drawn.axes.transData.inverted().transform((x, y))[0])
            bar = int(np.searchsorted(drawn.edges, value, side="right")) - 1
            return bar if inside and 0 <= bar < len(drawn.x) and drawn.slices[bar] else -1
        pixels = drawn.axes.transData.transform(np.column_stack([drawn.x, drawn.y]))
        away = np.hypot(pixels[:, 0] - x, pixels[:, 1] - y)
        nearest = int(away.argmin())
        return nearest if away[nearest] <= _NEAR else -1

    def showEvent(self, event: QShowEvent) -> None:
        """The figure is needed now."""
        _ = self.figure
        if self._redraw is not None and self.drawn is None:
            self._draw()
        super().showEvent(event)

    # -- drawing -----------------------------------------------------------------------------

    def _draw(self) -> None:
        assert self._redraw is not None
        self._ring, self._background, self._place = None, None, -1
        self.drawn = self._redraw(self.figure, self._theme())
        (self._ring,) = self.drawn.axes.plot(
            [], [], "o", markersize=10, markerfacecolor="none", animated=True,
            markeredgecolor=self._theme().foreground, markeredgewidth=1.4,
        )  # fmt: skip
        self.point_at(self._at)
        self._canvas.draw_idle()

    def _on_drawn(self, _event: object) -> None:
        self._background = self._canvas.copy_from_bbox(self.figure.bbox)
        self._draw_ring()

    def _set_place(self, place: int) -> None:
        if place != self._place:
            self._place = place
            if self._background is not None:
                self._canvas.restore_region(self._background)
                self._draw_ring()
                self._canvas.blit(self.figure.bbox)

    def _draw_ring(self) -> None:
        drawn = self.drawn
        if drawn is None or self._ring is None or self._place < 0:
            return
        self._ring.set_data([drawn.x[self._place]], [drawn.y[self._place]])
        drawn.axes.draw_artist(self._ring)

    def _theme(self) -> PlotTheme:
        from ...layers.plots.plot_theme import PlotTheme

        theme = get_theme(self._viewer.theme)
        return PlotTheme.of_viewer(
            theme.background.as_hex(), theme.text.as_hex(), dark=theme.syntax_style != "default"
        )

    def _on_theme(self, _event: object = None) -> None:
        if self._canvas is None:
            return
        if self._redraw is not None:
            self._draw()
            return
        from ...layers.plots.plot_theme import clear

        clear(self.figure, self._theme())
        self._invite()
        self._canvas.draw_idle()

    def _invite(self) -> None:
        self._canvas.figure.text(
            0.5, 0.5, _INVITATION, ha="center", va="center", color=self._theme().faint, fontsize=9
        )

    # -- the mouse ---------------------------------------------------------------------------

    def _on_move(self, event: Any) -> None:
        place = self.place_near(event.x, event.y)
        if place >= 0 and place != self._place and self.drawn is not None:
            self._set_place(place)
            self.pointed.emit(self.drawn.slices[place])

    def _on_press(self, event: Any) -> None:
        place = self.place_near(event.x, event.y)
        if event.button == 1 and place >= 0 and self.drawn is not None:
            self._set_place(place)
            self.chosen.emit(self.drawn.slices[place])
