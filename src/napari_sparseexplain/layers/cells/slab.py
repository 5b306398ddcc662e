"""Several slices shown as one: the brightest, the darkest, or the mean along the line of sight.

napari's own margins about the viewer's point and projections of its layers are set, so that its
canvas shows the same as the painted one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from napari.layers import Image

from ..study_layers import METADATA_KEY, StudyLayer

if TYPE_CHECKING:
    from napari.components import ViewerModel

SlabKind = Literal["max", "min", "mean"]

#: Words for a person.
SLAB_WORDS: dict[SlabKind, str] = {
    "max": "Maximum (MIP)",
    "min": "Minimum (MinIP)",
    "mean": "Mean",
}


@dataclass(frozen=True)
class Slab:
    """What lies over each other.

    Attributes
    ----------
    kind : {"max", "min", "mean"}
    thickness : float
        Along the line of sight, in the viewer's unit.
    """

    kind: SlabKind
    thickness: float

    @property
    def caption(self) -> str:
        """As ``"MIP 10 mm"``."""
        word = {"max": "MIP", "min": "MinIP", "mean": "mean"}[self.kind]
        return f"{word} {self.thickness:g} mm"


def set_slab(viewer: ViewerModel, slab: Slab | None) -> None:
    """Show scans of studies as a slab; None: one slice."""
    dims = viewer.dims
    half = 0.0 if slab is None else slab.thickness / 2
    margins = [0.0] * dims.ndim
    # Through the picture alone: time points are never laid over each other.
    if dims.ndim >= 3 and dims.ndisplay == 2 and dims.order[-3] >= dims.ndim - 3:
        margins[dims.order[-3]] = half
    for layer in viewer.layers:
        if isinstance(layer, Image) and isinstance(layer.metadata.get(METADATA_KEY), StudyLayer):
            kind = "none" if slab is None else slab.kind
            if not layer.rgb and str(layer.projection_mode) != kind:
                layer.projection_mode = kind
    dims.margin_left = dims.margin_right = tuple(margins)


def slab_of(viewer: ViewerModel) -> Slab | None:
    """The slab that is shown; None of one slice."""
    thickness = max(
        (
            float(a + b)
            for a, b in zip(viewer.dims.margin_left, viewer.dims.margin_right, strict=True)
        ),
        default=0.0,
    )
    if not thickness:
        return None
    for layer in viewer.layers:
        image: Any = layer
        if isinstance(layer, Image) and str(image.projection_mode) in get_args(SlabKind):
            return Slab(str(image.projection_mode), thickness)  # type: ignore[arg-type]
    return None
