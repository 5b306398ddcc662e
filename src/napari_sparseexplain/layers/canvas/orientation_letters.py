"""R L A P S I at the edges of the picture, from the true affine and from what is displayed.

The letters are read from the affine of the study's own grid, never assumed, and follow which
axes are displayed and which way the camera has turned them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...review.review import Convention
from ...volumes import Grid
from ...volumes.edge_letters import PLANES, Plane, edge_letters
from .edge_letters_overlay import EdgeLettersOverlay
from .linked_cameras import spatial_axes

if TYPE_CHECKING:
    from napari.components import ViewerModel

_COLOUR = "#F0E442"
_LEFT_AXIS = 2
#: In a view whose side is shorter than this, in pixels, letters are smaller, but at most by this
#: share: a small cell has a small margin for them.
_FULL_SIDE, _LEAST_SHARE = 400.0, 0.6
#: With more cells than this the letters stand once, at the edges of the whole canvas: all cells
#: show one view, and in small ones the letters would cover the pictures.
MOST_LETTERED_CELLS = 12


class OrientationLetters:
    """Keeps the letters of one viewer right, in every cell of the grid, by a canvas overlay.

    Superior is kept up: a coronal or sagittal picture would otherwise stand on its head, since
    napari draws the first displayed axis downwards.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._grid: Grid | None = None
        self._cells = 0
        self._size = 11.0
        self._convention: Convention = "radiological"
        self._overlay: Any = EdgeLettersOverlay(
            gridded=True,
            visible=False,
            color=_COLOUR,  # pyright: ignore[reportArgumentType]  (pydantic converts it)
            font_size=self._size,
            box=False,
        )
        viewer.canvas.overlays["orientation"] = self._overlay
        viewer.dims.events.order.connect(self._on_order)
        viewer.dims.events.ndisplay.connect(self.refresh)
        viewer.scene.camera.events.orientation.connect(self.refresh)
        viewer.canvas.events.size.connect(self._fit_size)

    @property
    def grid(self) -> Grid | None:
        """Grid whose letters are shown."""
        return self._grid

    def set_grid(self, grid: Grid | None) -> None:
        """Show the letters of ``grid``; none for None."""
        self._grid = grid
        self._on_order()

    @property
    def convention(self) -> Convention:
        """Which side of the picture the patient's left is on."""
        return self._convention

    def set_convention(self, convention: Convention) -> None:
        """Radiological: the patient's left on the right of the picture. Neurological: mirrored.

        Of a picture without patient orientation nothing is mirrored.
        """
        self._convention = convention
        self._on_order()

    def set_cells(self, cells: int) -> None:
        """How many cells the grid is about to have; 0 for the single view."""
        self._cells = cells
        self._overlay.gridded = cells <= MOST_LETTERED_CELLS
        self._fit_size()

    def set_size(self, points: float) -> None:
        """Size of the letters in a large view."""
        self._size = points
        self._fit_size()

    def _fit_size(self) -> None:
        """Smaller letters in smaller views, in steps: every change is drawn in every cell."""
        height, width = self._viewer.canvas.size
        cells = self._cells if 0 < self._cells <= MOST_LETTERED_CELLS else 1
        side = math.sqrt(height * width / cells)
        share = min(max(side / _FULL_SIDE, _LEAST_SHARE), 1.0)
        size = round(2 * self._size * share) / 2
        if self._overlay.font_size != size:
            self._overlay.font_size = size

    def letters(self) -> dict[str, str]:
        """What stands at the four edges now; empty when nothing may be said."""
        displayed = self._displayed_axes()
        if self._grid is None or displayed is None:
            return {}
        vertical, horizontal = self._viewer.scene.camera.orientation2d
        return edge_letters(
            self._grid, displayed, down=vertical == "down", right=horizontal == "right"
        )

    def refresh(self) -> None:
        """Write the letters into the overlay."""
        letters = self.letters()
        if self._overlay.letters != letters:
            self._overlay.letters = letters
        if self._overlay.visible != bool(letters):
            self._overlay.visible = bool(letters)

    def _displayed_axes(self) -> tuple[int, int] | None:
        """The two spatial axes in the picture, or None in 3-D or when time is displayed."""
        dims = self._viewer.dims
        if dims.ndisplay != 2 or dims.ndim < 3:
            return None
        leading = dims.ndim - 3
        rows, columns = (axis - leading for axis in dims.displayed)
        return (rows, columns) if rows >= 0 and columns >= 0 else None

    def _on_order(self) -> None:
        displayed = self._displayed_axes()
        if displayed is not None and self._grid is not None:
            camera: Any = self._viewer.scene.camera
            camera.orientation2d = usual_turn(self._grid, displayed, self._convention)
        self.refresh()


def usual_turn(grid: Grid, displayed: tuple[int, int], convention: Convention) -> tuple[str, str]:
    """Which way rows and columns grow: superior up, the patient's left as the convention says.

    Parameters
    ----------
    displayed : pair of int
        Axes (0 S, 1 P, 2 L) along rows and columns: (S, L), (S, P) or (P, L).
    """
    mirrored = convention == "neurological" and grid.oriented
    return (
        "up" if displayed[0] == 0 else "down",
        "left" if mirrored and displayed[1] == _LEFT_AXIS else "right",
    )


def is_flipped(viewer: ViewerModel, grid: Grid, convention: Convention) -> bool:
    """Whether a person has flipped or turned the picture; False in 3-D."""
    axes = spatial_axes(viewer)
    if axes is None:
        return False
    now = tuple(str(way) for way in viewer.scene.camera.orientation2d)
    return now != usual_turn(grid, (axes[1], axes[2]), convention)


def show_plane(viewer: ViewerModel, plane: Plane) -> None:
    """Turn the viewer to the axial, coronal or sagittal plane; leading axes stay sliders."""
    leading = viewer.dims.ndim - 3
    if leading < 0:
        return
    viewer.dims.ndisplay = 2
    viewer.dims.order = (*range(leading), *(leading + axis for axis in PLANES[plane]))
