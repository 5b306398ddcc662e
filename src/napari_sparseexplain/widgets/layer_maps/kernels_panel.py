"""The panel *Kernels* below the picture: what a model's first convolution looks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari.utils.theme import get_theme
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from ...volumes.reading_order import role_title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...explanation.layer_maps.first_kernels import FirstKernels
    from ...layers.plots.plot_theme import PlotTheme

#: Below this height a plot cannot be read.
_HEIGHT = 150

_INVITATION = "First-layer kernels, in the tab Layers: those of the chosen model stand here."


class KernelsPanel(QWidget):
    """One figure in the colours of the viewer; matplotlib is loaded when it is first drawn.

    Attributes
    ----------
    found : FirstKernels or None
        What is drawn.

    Parameters
    ----------
    viewer : napari Viewer
        Whose theme it has.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.setWindowTitle("Kernels")
        self.found: FirstKernels | None = None
        self._viewer = viewer
        self._canvas: Any = None
        self.on_seen: Callable[[], None] = lambda: None
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(4, 0, 4, 0)
        self.said = QLabel(_INVITATION)
        self.said.setEnabled(False)
        self._box.addWidget(self.said)
        self.setMinimumHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        viewer.events.theme.connect(self._draw)

    @property
    def figure(self) -> Figure:
        """The figure, made when it is first asked for."""
        if self._canvas is None:
            from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg

            from ...layers.plots.plot_theme import themed_figure

            self._canvas = FigureCanvasQTAgg(themed_figure(self._theme()))
            self._box.addWidget(self._canvas, 1)
        return self._canvas.figure

    def show_kernels(self, found: FirstKernels) -> None:
        """Draw the kernels of a model."""
        self.found = found
        self.said.hide()
        _ = self.figure
        self._draw()

    def showEvent(self, event: QShowEvent) -> None:
        """Somebody looks."""
        self.on_seen()
        super().showEvent(event)

    def _draw(self, _event: object = None) -> None:
        found = self.found
        if found is None or self._canvas is None:
            return
        from ...layers.plots.kernel_plot import draw_kernels

        maps, _, rows, columns = found.kernels.shape
        draw_kernels(
            self.figure,
            found.kernels,
            [role_title(name) for name in found.inputs],
            self._theme(),
            title=f"{found.model} · {found.layer}: {maps} kernels of {rows} × {columns}",
        )
        self._canvas.draw_idle()

    def _theme(self) -> PlotTheme:
        from ...layers.plots.plot_theme import PlotTheme

        theme = get_theme(self._viewer.theme)
        return PlotTheme.of_viewer(
            theme.background.as_hex(), theme.text.as_hex(), dark=theme.syntax_style != "default"
        )
