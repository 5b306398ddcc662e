"""A second view of the same study in another plane: its own model, the main viewer's everything.

It follows: the layers and how they look, the slice, the letters and the convention. Nothing in it
is changed but by the main viewer, so that there is one state and not three.
"""

from __future__ import annotations

from typing import Any

from napari.components import ViewerModel
from napari.utils.color import ColorValue

from ...review.review import Convention
from ...volumes import Grid, Study
from ...volumes.edge_letters import Plane
from .annotation_labels import AnnotationLabels
from .corner_text import CornerText
from .crosshair import Crosshair
from .linked_cameras import spatial_axes
from .mirrored_layers import MirroredLayers
from .orientation_letters import OrientationLetters, show_plane
from .slice_title import slice_title

_LETTER_SHRINK = 0.9
_TITLE_SIZE = 7.0


class PlanePane:
    """One orthogonal view, without its widget.

    Attributes
    ----------
    model : ViewerModel
    plane : str
    """

    def __init__(self, main: ViewerModel, plane: Plane, letter_size: float) -> None:
        self._main = main
        self.model = ViewerModel()
        self.plane: Plane = plane
        self._study: Study | None = None
        self.letters = OrientationLetters(self.model)
        self.letters.set_size(letter_size * _LETTER_SHRINK)
        self.crosshair = Crosshair(self.model)
        self.words = AnnotationLabels(self.model)
        self.title = CornerText(self.model, "slice_title", "top_left", size=_TITLE_SIZE)
        self.mirror = MirroredLayers(main, self.model)
        canvas: Any = self.model.canvas
        canvas.background_color_override = ColorValue((0.0, 0.0, 0.0, 1.0))
        # A twin with more axes resets the order of axes.
        self.model.dims.events.ndim.connect(lambda _=None: self.set_plane(self.plane))

    @property
    def _grid(self) -> Grid | None:
        return None if self._study is None else self._study.grid

    def start(self, study: Study, plane: Plane) -> None:
        """Show a study in a plane, and follow."""
        self._study = study
        self.mirror.start()
        self.model.canvas.overlays.scale_bar.visible = True
        self.letters.set_grid(study.grid)
        self.set_plane(plane)

    def stop(self) -> None:
        """Show nothing; costs nothing."""
        self._study = None
        self.mirror.stop()
        self.letters.set_grid(None)
        self.crosshair.show(None)
        self.title.write("")

    def set_plane(self, plane: Plane) -> None:
        """Axial, coronal or sagittal."""
        self.plane = plane
        show_plane(self.model, plane)
        self.follow()

    def set_convention(self, convention: Convention) -> None:
        """Patient's left on the right of the picture, or on the left."""
        self.letters.set_convention(convention)
        self._write_title()

    def follow(self) -> None:
        """The main viewer's point moved: the slice through it, and the crosshair on it."""
        if self._grid is None or spatial_axes(self.model) is None:
            return
        dims, point = self.model.dims, list(self._main.dims.point)
        point = [0.0] * max(0, dims.ndim - len(point)) + point[-dims.ndim :]
        # Only what is not displayed: the crosshair alone moves when the slice stays.
        wanted = list(dims.point)
        for axis in dims.not_displayed:
            wanted[axis] = point[axis]
        if tuple(wanted) != tuple(dims.point):
            dims.point = tuple(wanted)
        self._write_crosshair()
        self._write_title()

    def _write_crosshair(self) -> None:
        show_crosshair(self.crosshair, self.model, self._main, self._grid)

    def _write_title(self) -> None:
        if self._study is not None:
            self.title.write(slice_title(self.model, self._study, self.letters.convention))


def show_crosshair(
    crosshair: Crosshair, view: ViewerModel, main: ViewerModel, grid: Grid | None
) -> None:
    """Put a view's crosshair on the main viewer's point.

    Take it away without a grid, in 3-D, and when the last layer of the main viewer has gone.
    """
    axes = spatial_axes(view)
    if grid is None or axes is None or main.dims.ndim < 3:
        crosshair.show(None)
        return
    point = main.dims.point[-3:]
    row, column = axes[1:]
    low = (-grid.spacing[row] / 2, -grid.spacing[column] / 2)
    high = tuple((grid.shape[a] - 0.5) * grid.spacing[a] for a in (row, column))
    crosshair.show((float(point[row]), float(point[column])), low, (high[0], high[1]))
