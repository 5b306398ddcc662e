"""The difference of a mask and its reference in the viewer, over the scan in the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Labels

from ...evidence.colours import GREEN, SKY, VERMILION
from ...evidence.lesions.mask_difference import AGREED, FALSE, MISSED, MaskDifference
from ..class_colormap import ClassColormap
from ..study_layers import grid_units

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from ...volumes import Grid

#: Told apart by all kinds of colour blindness (Okabe and Ito 2008).
COLOURS = {AGREED: GREEN, MISSED: SKY, FALSE: VERMILION}

#: What the colours are called, for a person.
COLOUR_NAMES = {AGREED: "green", MISSED: "blue", FALSE: "orange"}

_OPACITY = 0.6


class ShownDifference:
    """One difference in a viewer, on a layer of its own."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self.layer: Labels | None = None

    @property
    def shown(self) -> bool:
        """Whether it is in the viewer."""
        return self.layer is not None and self.layer in self._viewer.layers

    def show(self, found: MaskDifference, grid: Grid) -> Labels:
        """Show a difference in the place of the last one."""
        name = f"Difference · {found.words}"
        data: Any = found.data
        if self.layer is not None and self.shown:
            self.layer.data, self.layer.name = data, name
            return self.layer
        active = self._viewer.layers.selection.active
        table: Any = {None: "transparent", 0: "transparent", **COLOURS}
        self.layer = Labels(
            data,
            name=name,
            scale=grid.spacing,
            units=grid_units(grid),
            opacity=_OPACITY,
            colormap=ClassColormap(color_dict=table),
        )
        self.layer.editable = False
        self._viewer.layers.append(self.layer)
        self._viewer.layers.selection.active = active
        return self.layer

    def clear(self) -> None:
        """Take it away; it may be gone already."""
        if self.layer is not None and self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)
        self.layer = None
