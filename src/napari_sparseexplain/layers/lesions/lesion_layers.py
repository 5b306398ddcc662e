"""A lesion in the viewer: its two diameters on their slice, and the edited copy of its mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt
from napari.layers import Labels, Shapes

from ...evidence.lesions.diameters import Diameters
from ...review.annotation import Annotation, annotation_on_grid
from ..annotation_shapes import mark_features, shape_vertices
from ..study_layers import METADATA_KEY, grid_units
from ..viewer_panels import AUXILIARY

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from ...volumes import Grid

#: Name of the layer, and colour of the lines: that of annotations, which no class has.
NAME, COLOUR = "Diameters", "#FFFFFF"


def diameter_mark(
    diameters: Diameters, grid: Grid, *, study: str = "", text: str = ""
) -> Annotation:
    """The two diameters as one bidirectional mark of a review.

    Parameters
    ----------
    study : str
        Key of the study.
    text : str
        Beside it.
    """
    ends = (*diameters.long_line, *diameters.short_line)
    voxels = [(diameters.index, row, column) for row, column in ends]
    return annotation_on_grid(
        "bidirectional",
        voxels,
        grid,
        study=study,
        plane="axial",
        index=diameters.index,
        text=text,
    )


class ShownDiameters:
    """The diameters of one lesion in a viewer, on a layer of their own."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self.layer: Shapes | None = None

    def show(self, diameters: Diameters, grid: Grid) -> None:
        """Draw them in the place of those of another lesion."""
        self.clear()
        mark = diameter_mark(diameters, grid)
        width: Any = 0.5 * min(grid.spacing)  # napari's types say int, its layers take less
        active = self._viewer.layers.selection.active
        layer = Shapes(
            [shape_vertices(mark, grid)],
            shape_type="path",
            name=NAME,
            scale=grid.spacing,
            units=grid_units(grid),
            opacity=1.0,
            edge_width=width,
            edge_color=COLOUR,
            features=mark_features([(0, mark)], calibrated=grid.calibrated),
            metadata={METADATA_KEY: AUXILIARY},
        )
        layer.editable = False
        self.layer = layer
        self._viewer.add_layer(layer)
        self._viewer.layers.selection.active = active

    def clear(self) -> None:
        """Take them away; they may be gone already."""
        if self.layer is not None and self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)
        self.layer = None


class EditedMask:
    """The copy of a mask in which lesions are switched off, on a layer of its own."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._of: Labels | None = None
        self.layer: Labels | None = None

    def show(self, of: Labels, edited: npt.NDArray[Any], grid: Grid) -> Labels:
        """Put what is left into the copy; a copy that was removed by hand is made anew.

        The mask itself is hidden when its copy comes, or nobody would see what is gone.
        """
        if self.layer is None or self.layer not in self._viewer.layers or self._of is not of:
            active = self._viewer.layers.selection.active
            self.layer, self._of = (
                Labels(
                    edited,
                    name=f"Edited: {of.name}",
                    scale=grid.spacing,
                    units=grid_units(grid),
                    axis_labels=of.axis_labels[-3:],
                    opacity=of.opacity,
                    colormap=of.colormap,
                ),
                of,
            )
            of.visible = False
            # Below the diameters, where the mask was.
            place = self._viewer.layers.index(of) + 1 if of in self._viewer.layers else None
            self._viewer.layers.insert(
                len(self._viewer.layers) if place is None else place, self.layer
            )
            self._viewer.layers.selection.active = active
        else:
            data: Any = edited
            self.layer.data = data
        return self.layer

    def forget(self) -> None:
        """Another mask is in the table; the copy stays, a person's own."""
        self.layer = self._of = None
