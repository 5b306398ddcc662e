"""A matplotlib canvas in the colours of the viewer, made when it is first drawn on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari.utils.theme import get_theme
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from ..parts.resting_timer import RestingTimer

#: Smaller, plots and their words cannot be laid out.
_SMALLEST = (240, 110)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...layers.plots.plot_theme import PlotTheme


class ThemedCanvas(QWidget):
    """The place of one figure; matplotlib is loaded with the figure.

    Parameters
    ----------
    viewer : napari Viewer
        Whose theme it has.
    draw : callable
        Draws it anew, in another theme or, where ``to_size``, at another size.
    to_size : bool
        Whether what is drawn where depends on the size.
    """

    def __init__(self, viewer: Any, draw: Callable[[], None], *, to_size: bool = False) -> None:
        super().__init__()
        self._viewer = viewer
        self._canvas: Any = None
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._draw, self._to_size = draw, to_size
        self._resized = RestingTimer(self, 100, self._draw_again)
        viewer.events.theme.connect(lambda _: self._draw_again())

    @property
    def canvas(self) -> Any:
        """matplotlib's canvas."""
        if self._canvas is None:
            from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg

            from ...layers.plots.plot_theme import themed_figure

            self._canvas = FigureCanvasQTAgg(themed_figure(self.theme))
            layout = self.layout()
            assert layout is not None
            self._canvas.setMinimumSize(*_SMALLEST)
            layout.addWidget(self._canvas)
            if self._to_size:
                # Once the hand rests.
                self._canvas.mpl_connect("resize_event", lambda _: self._resized.restart())
        return self._canvas

    @property
    def figure(self) -> Figure:
        """The figure, made when it is first asked for."""
        return self.canvas.figure

    @property
    def theme(self) -> PlotTheme:
        """The viewer's colours."""
        from ...layers.plots.plot_theme import PlotTheme

        theme = get_theme(self._viewer.theme)
        return PlotTheme.of_viewer(
            theme.background.as_hex(), theme.text.as_hex(), dark=theme.syntax_style != "default"
        )

    def _draw_again(self) -> None:
        if self._canvas is not None:
            self._draw()

    def redraw(self) -> None:
        """Draw it at the next occasion."""
        self.canvas.draw_idle()
