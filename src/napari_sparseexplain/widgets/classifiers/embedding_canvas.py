"""Pictures as points: a click opens one, a lasso selects some, and the current one has a ring."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.utils.theme import get_theme
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...layers.plots.embedding_plot import Shades
    from ...layers.plots.plot_theme import PlotTheme
    from ...training.classifiers.picture_embedding import PictureEmbeddings

#: Below this height a plot cannot be read.
_HEIGHT = 170

#: Pixels from a point at which it is still meant; a hand that moved less has clicked.
_NEAR = 9.0
_STILL = 4.0

#: Opacity of points that are not selected.
_FAINT = 0.12

#: By which a ring is found among the lines of its picture.
_RING = "current"

#: What a hand can do.
HINT = "Click a point to open it, draw around points to select them, Esc for all."

_INVITATION = (
    "Open a folder of classes in the tab Embedding, and press Embed: each picture is a point here."
)


class EmbeddingCanvas(QWidget):
    """Both pictures of points in the colours of the viewer; matplotlib is loaded when first seen.

    Signals
    -------
    chosen(int): a point was clicked, by its row.
    selected(tuple): the rows inside a lasso.
    cleared(): Escape was pressed.

    Attributes
    ----------
    found : PictureEmbeddings or None
    """

    chosen = Signal(int)
    selected = Signal(tuple)
    cleared = Signal()

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.found: PictureEmbeddings | None = None
        self._shades: Shades | None = None
        self._viewer = viewer
        self._canvas: Any = None
        self._background: Any = None
        self._line: Any = None
        self._current = -1
        self._selection: tuple[int, ...] = ()
        self._path: list[tuple[float, float]] = []
        self._pressed: Any = None
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self.setMinimumHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        viewer.events.theme.connect(self._on_theme)

    @property
    def canvas(self) -> Any:
        """The canvas, made when it is first asked for."""
        if self._canvas is None:
            # Half a second that nobody should wait for who looks at scans.
            from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg

            from ...layers.plots.plot_theme import themed_figure

            self._canvas = canvas = FigureCanvasQTAgg(themed_figure(self._theme()))
            canvas.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            canvas.setAccessibleName(f"Pictures as points. {HINT}")
            canvas.mpl_connect("draw_event", self._on_drawn)
            canvas.mpl_connect("button_press_event", self._on_press)
            canvas.mpl_connect("motion_notify_event", self._on_move)
            canvas.mpl_connect("button_release_event", self._on_release)
            canvas.mpl_connect("key_press_event", self._on_key)
            self._box.addWidget(canvas)
            self._draw()
        return self._canvas

    @property
    def figure(self) -> Figure:
        """Its figure."""
        return self.canvas.figure

    @property
    def axes(self) -> tuple[Any, ...]:
        """By pixels, by the network; none before there are points."""
        return () if self.found is None else tuple(self.figure.axes)

    @property
    def rings(self) -> list[Any]:
        """The mark of the current picture in each."""
        return [next(line for line in axes.lines if line.get_gid() == _RING) for axes in self.axes]

    def show_points(self, found: PictureEmbeddings | None, shades: Shades | None) -> None:
        """Draw other points, or the same in other colours; None for none."""
        if found is not self.found:
            self._selection, self._current = (), -1
        self.found, self._shades = found, shades
        if self._canvas is not None or self.isVisible():
            self._draw()

    def mark(self, row: int) -> None:
        """Put the rings on the current picture; -1 for none."""
        if row != self._current:
            self._current = row
            self._repaint()

    def show_selection(self, rows: tuple[int, ...]) -> None:
        """Let all other points stand back; none do without a selection."""
        if rows != self._selection:
            self._selection = rows
            if self._canvas is not None:
                self._draw()

    def pixel_of(self, row: int, part: int = 0) -> tuple[float, float]:
        """Where a point lies on the canvas, in pixels from its lower left."""
        assert self.found is not None
        x, y = self.axes[part].transData.transform(self.found.parts[part].places[row])
        return float(x), float(y)

    def showEvent(self, event: QShowEvent) -> None:
        """The figure is needed now."""
        _ = self.canvas
        super().showEvent(event)

    # -- drawing -----------------------------------------------------------------------------

    def _draw(self) -> None:
        from matplotlib.patheffects import withStroke

        from ...layers.plots.embedding_plot import draw_embeddings
        from ...layers.plots.plot_theme import clear

        figure, theme = self.canvas.figure, self._theme()
        self._background, self._line, self._pressed = None, None, None
        if self.found is None or self._shades is None:
            clear(figure, theme)
            figure.text(
                0.5, 0.5, _INVITATION, ha="center", va="center", color=theme.faint, fontsize=9
            )
            self._canvas.draw_idle()
            return
        shades = replace(self._shades, colours=self._colours(self._shades.colours))
        # On points as bright as the ring its edge tells it from them.
        edge = [withStroke(linewidth=4.0, foreground=theme.background)]
        for axes in draw_embeddings(figure, self.found, shades, theme, beside=True):
            axes.plot(
                [], [], "o", markersize=10, markerfacecolor="none", animated=True, gid=_RING,
                markeredgecolor=theme.foreground, markeredgewidth=1.6, path_effects=edge,
            )  # fmt: skip
        self._canvas.draw_idle()

    def _colours(self, colours: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        found = colours.copy()
        if self._selection:
            found[:, 3] = _FAINT
            found[list(self._selection), 3] = 1.0
        return found

    def _on_drawn(self, _event: object) -> None:
        self._background = self._canvas.copy_from_bbox(self._canvas.figure.bbox)
        self._draw_marks()

    def _repaint(self) -> None:
        if self._background is not None:
            self._canvas.restore_region(self._background)
            self._draw_marks()
            self._canvas.blit(self._canvas.figure.bbox)

    def _draw_marks(self) -> None:
        found = self.found
        if found is None:
            return
        if self._current >= 0:
            for axes, ring, part in zip(self.axes, self.rings, found.parts, strict=True):
                x, y = part.places[self._current]
                ring.set_data([x], [y])
                axes.draw_artist(ring)
        if self._line is not None:
            self._line.axes.draw_artist(self._line)

    def _theme(self) -> PlotTheme:
        from ...layers.plots.plot_theme import PlotTheme

        theme = get_theme(self._viewer.theme)
        return PlotTheme.of_viewer(
            theme.background.as_hex(), theme.text.as_hex(), dark=theme.syntax_style != "default"
        )

    def _on_theme(self, _event: object = None) -> None:
        if self._canvas is not None:
            self._draw()

    # -- hand and keys -----------------------------------------------------------------------

    def _on_key(self, event: Any) -> None:
        if event.key == "escape":
            self._drop_lasso()
            self.cleared.emit()

    def _on_press(self, event: Any) -> None:
        if event.button == 1 and event.inaxes in self.axes:
            self._pressed, self._path = event.inaxes, [(event.x, event.y)]

    def _on_move(self, event: Any) -> None:
        if self._pressed is None:
            return
        self._path.append((event.x, event.y))
        if self._moved() <= _STILL:
            return
        if self._line is None:
            (self._line,) = self._pressed.plot(
                [], [], "-", color=self._theme().foreground, linewidth=1.0, animated=True,
                scalex=False, scaley=False,
            )  # fmt: skip
        self._line.set_data(*self._in_data().T)
        self._repaint()

    def _on_release(self, event: Any) -> None:
        if self._pressed is None or event.button != 1:
            return
        axes, part = self._pressed, self.axes.index(self._pressed)
        if self._moved() <= _STILL:
            self._drop_lasso()
            if (row := self._near(part, event.x, event.y)) >= 0:
                self.chosen.emit(row)
            return
        from matplotlib.path import Path

        assert self.found is not None
        outline = Path(np.asarray(self._path))
        inside = outline.contains_points(axes.transData.transform(self.found.parts[part].places))
        self._drop_lasso()
        if inside.any():
            self.selected.emit(tuple(int(row) for row in np.flatnonzero(inside)))

    def _near(self, part: int, x: float, y: float) -> int:
        assert self.found is not None
        pixels = self.axes[part].transData.transform(self.found.parts[part].places)
        away = np.hypot(pixels[:, 0] - x, pixels[:, 1] - y)
        nearest = int(away.argmin())
        return nearest if away[nearest] <= _NEAR else -1

    def _moved(self) -> float:
        path = np.asarray(self._path)
        return float(np.ptp(path, axis=0).max())

    def _in_data(self) -> npt.NDArray[np.float64]:
        return self._pressed.transData.inverted().transform(np.asarray(self._path))

    def _drop_lasso(self) -> None:
        if self._line is not None:
            self._line.remove()
        self._line, self._pressed, self._path = None, None, []
        self._repaint()
