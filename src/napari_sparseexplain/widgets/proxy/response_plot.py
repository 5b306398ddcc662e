"""The picture of the responses; matplotlib is loaded when it is first seen or drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from napari.utils.theme import get_theme
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...explanation.proxy.effective_response import EffectiveResponse
    from ...explanation.proxy.responses import ModelResponses
    from ...layers.plots.plot_theme import PlotTheme

#: Below this height a plot cannot be read.
_HEIGHT = 150

_INVITATION = (
    "Compute: impulse and frequency response of the model.\n"
    "Click in the picture after a run: the filter in effect at that voxel."
)


class ResponsePlot(QWidget):
    """One figure in the colours of the viewer.

    Parameters
    ----------
    viewer : napari Viewer
        Whose theme it has.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self._canvas: Any = None
        self._redraw: Callable[[], None] | None = None
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

            self._canvas = FigureCanvasQTAgg(themed_figure(self._theme()))
            self._box.addWidget(self._canvas)
            self._invite()
        return self._canvas.figure

    def show_models(self, found: Sequence[ModelResponses]) -> None:
        """Draw the responses of models beside each other."""
        from ...layers.plots.response_plots import draw_responses, response_panel

        panels = [response_panel(item) for item in found]
        self._draw(lambda: draw_responses(self.figure, panels, self._theme()))

    def show_voxel(self, found: EffectiveResponse, title: str) -> None:
        """Draw the filter in effect at a voxel."""
        from ...layers.plots.response_plots import draw_effective_response

        self._draw(
            lambda: draw_effective_response(
                self.figure,
                found.response[0],
                found.magnitude[0],
                found.spacing,
                found.octaves(),
                self._theme(),
                unit=found.unit,
                title=title,
            )
        )

    def reset(self) -> None:
        """Nothing is shown any more: say what would stand here."""
        self._redraw = None
        self._on_theme()

    def showEvent(self, event: QShowEvent) -> None:
        """The figure is needed now."""
        _ = self.figure
        super().showEvent(event)

    def _draw(self, draw: Callable[[], None]) -> None:
        self._redraw = draw
        draw()
        self._canvas.draw_idle()

    def _theme(self) -> PlotTheme:
        from ...layers.plots.plot_theme import PlotTheme

        theme = get_theme(self._viewer.theme)
        return PlotTheme.of_viewer(
            theme.background.as_hex(), theme.text.as_hex(), dark=theme.syntax_style != "default"
        )

    def _on_theme(self) -> None:
        if self._canvas is None:
            return
        if self._redraw is not None:
            self._redraw()
        else:
            from ...layers.plots.plot_theme import clear

            clear(self.figure, self._theme())
            self._invite()
        self._canvas.draw_idle()

    def _invite(self) -> None:
        self._canvas.figure.text(
            0.5,
            0.5,
            _INVITATION,
            ha="center",
            va="center",
            color=self._theme().faint,
            fontsize=9,
        )
