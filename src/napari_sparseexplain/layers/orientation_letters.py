"""R L A P S I at the edges of the picture, from the true affine and from what is displayed.

The letters are read from the affine of the study's own grid, never assumed, and follow which
axes are displayed and which way the camera has turned them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.components.overlays import TextOverlay

from ..review.review import Convention
from ..volumes import Grid
from ..volumes.edge_letters import PLANES, Plane, edge_letters

if TYPE_CHECKING:
    from napari.components import ViewerModel

_POSITIONS = {
    "left": "middle_left",
    "right": "middle_right",
    "top": "top_center",
    "bottom": "bottom_center",
}
_COLOUR = "#F0E442"
_LEFT_AXIS = 2
#: Letters are this much smaller in the cells of a grid.
_GRID_SHRINK = 0.8
#: With more cells than this the letters stand once, at the edges of the whole canvas: all cells
#: show one view, and in small ones the letters would cover the pictures.
MOST_LETTERED_CELLS = 12
#: Behind a letter, so that it is read on a bright picture too.
_BOX_COLOUR = (0.0, 0.0, 0.0, 0.55)


class OrientationLetters:
    """Keeps the letters of one viewer right, in every cell of the grid, by canvas overlays.

    Superior is kept up: a coronal or sagittal picture would otherwise stand on its head, since
    napari draws the first displayed axis downwards.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._grid: Grid | None = None
        self._below_names = False
        self._above_caption = False
        self._size = 11.0
        self._convention: Convention = "radiological"
        for edge, position in _POSITIONS.items():
            viewer.canvas.overlays[f"orientation_{edge}"] = TextOverlay(
                text="",
                position=position,
                gridded=True,
                visible=False,
                color=_COLOUR,  # pyright: ignore[reportArgumentType]  (pydantic converts it)
                font_size=self._size,
                box=True,
                box_color=_BOX_COLOUR,  # pyright: ignore[reportArgumentType]
            )
        viewer.dims.events.order.connect(self._on_order)
        viewer.dims.events.ndisplay.connect(self.refresh)
        viewer.scene.camera.events.orientation.connect(self.refresh)

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

    def set_below_names(self, below: bool) -> None:
        """Whether layer names stand in the top line of each cell: the top letter goes below."""
        self._below_names = below
        for edge in _POSITIONS:
            overlay: Any = self._viewer.canvas.overlays[f"orientation_{edge}"]
            overlay.font_size = self._size * (_GRID_SHRINK if below else 1.0)
        self.refresh()

    def set_cells(self, cells: int) -> None:
        """How many cells the grid is about to have; 0 for the single view."""
        for edge in _POSITIONS:
            overlay: Any = self._viewer.canvas.overlays[f"orientation_{edge}"]
            overlay.gridded = cells <= MOST_LETTERED_CELLS
        self.set_below_names(cells > 0)

    def set_above_caption(self, above: bool) -> None:
        """Whether a caption stands at the foot of the canvas: the bottom letter goes above."""
        self._above_caption = above
        self.refresh()

    def set_size(self, points: float) -> None:
        """Size of the letters."""
        self._size = points
        self.set_below_names(self._below_names)

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
        """Write the letters into the overlays."""
        letters = self.letters()
        for edge in _POSITIONS:
            overlay: Any = self._viewer.canvas.overlays[f"orientation_{edge}"]
            text = letters.get(edge, "")
            if text and edge == "top" and self._below_names:
                text = f" \n{text}"
            if edge == "bottom":
                raised = bool(text) and self._above_caption
                text = f"{text}\n \n " if raised else text
                if overlay.box == raised:  # a box would reach down to the caption
                    overlay.box = not raised
            if overlay.text != text:
                overlay.text = text
            if overlay.visible != bool(text):
                overlay.visible = bool(text)

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
            vertical = "up" if displayed[0] == 0 else "down"
            mirrored = self._convention == "neurological" and self._grid.oriented
            # Rows and columns of a picture of the plane are (S, L), (S, P) or (P, L).
            horizontal = "left" if mirrored and displayed[1] == _LEFT_AXIS else "right"
            camera: Any = self._viewer.scene.camera
            camera.orientation2d = (vertical, horizontal)
        self.refresh()


def show_plane(viewer: ViewerModel, plane: Plane) -> None:
    """Turn the viewer to the axial, coronal or sagittal plane; leading axes stay sliders."""
    leading = viewer.dims.ndim - 3
    if leading < 0:
        return
    viewer.dims.ndisplay = 2
    viewer.dims.order = (*range(leading), *(leading + axis for axis in PLANES[plane]))
