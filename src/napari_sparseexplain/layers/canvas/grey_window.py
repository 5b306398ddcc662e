"""Window and level of the layers in the picture: which layer is meant, and its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
from napari.layers import Image

from ..cells.shown_cells import cells_of
from ..explanation_layers import ExplanationLayer
from ..priors.prior_layer import PriorLayer
from ..study_layers import METADATA_KEY, StudyLayer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

#: Windows are never narrower than this share of the layer's range.
NARROWEST = 1e-4


def layers_in_cell(viewer: ViewerModel, cell: tuple[int, int] | None = None) -> list[Layer]:
    """Visible layers that lie over each other, top first.

    Parameters
    ----------
    cell : pair of int, optional
        Row and column of the cell, as ``event.viewbox``; the single view has all layers in one.
    """
    cells = cells_of(viewer)
    found = cells.layers_at(cell) if cells.active and cell is not None else list(viewer.layers)
    return [layer for layer in reversed(found) if layer.visible]


def windowed_layer(viewer: ViewerModel, cell: tuple[int, int] | None = None) -> Image | None:
    """The layer whose window a person means: in the cell under the pointer, or in the picture.

    The selected one where it has grey values or a heat map's; else the topmost scan; else the
    topmost map. In a cell that shows colours alone (a heat map over a scan) it is the scan that
    stands in another cell. None when nothing in the picture has a window.
    """
    here = [layer for layer in layers_in_cell(viewer, cell) if has_window(layer)]
    if not here:
        here = [
            layer
            for layer in reversed(viewer.layers)
            if layer.visible and has_window(layer) and _is_scan(layer)
        ]
    selected = viewer.layers.selection.active
    if isinstance(selected, Image) and selected in here:
        return selected
    scans = [layer for layer in here if _is_scan(layer)]
    found = scans or here
    return found[0] if found and isinstance(found[0], Image) else None


def has_window(layer: Layer) -> bool:
    """Whether a layer has limits: an image that is not in colours already."""
    return isinstance(layer, Image) and not layer.rgb


def is_signed(layer: Image) -> bool:
    """Whether zero is the middle of a layer's colours: its level then stays zero."""
    known = layer.metadata.get(METADATA_KEY)
    if isinstance(known, ExplanationLayer):
        return any(m.signed for m in known.explanation.maps if m.name == known.map)
    return False


def limits_of(layer: Image) -> tuple[float, float]:
    """Values shown at the two ends of the colours."""
    low, high = cast(tuple[float, float], layer.contrast_limits)
    return float(low), float(high)


def set_window(layer: Image, level: float, width: float) -> None:
    """Set level and width; too narrow a width is widened, a signed map stays about zero."""
    low, high = cast(tuple[float, float], layer.contrast_limits_range)
    width = max(width, NARROWEST * (high - low), 1e-12)
    if is_signed(layer):
        level = 0.0
    layer.contrast_limits = (level - width / 2, level + width / 2)


def unit_of(layer: Layer) -> str:
    """Unit of a layer's values; empty when not told."""
    known = layer.metadata.get(METADATA_KEY)
    if isinstance(known, StudyLayer | PriorLayer):
        return known.volume.unit
    if isinstance(known, ExplanationLayer):
        return next((m.unit for m in known.explanation.maps if m.name == known.map), "")
    return ""


def window_caption(layer: Image) -> str:
    """The window of a layer, for a person (``"W 80  L 40 HU"``)."""
    low, high = limits_of(layer)
    unit = unit_of(layer)
    digits = _digits(high - low)
    words = f"W {high - low:.{digits}f}  L {(low + high) / 2:.{digits}f}".replace("-", "−")
    return f"{words} {unit}" if unit else words


def shown_plane(viewer: ViewerModel, layer: Image) -> npt.NDArray[Any] | None:
    """The slice of a layer in the picture; None in 3-D and beside the layer."""
    dims = viewer.dims
    if dims.ndisplay != 2 or layer.rgb:
        return None
    missing = dims.ndim - layer.ndim
    place: list[int | slice] = [slice(None)] * layer.ndim
    for axis in dims.not_displayed:
        own = axis - missing
        if own < 0:
            continue
        index = round((dims.point[axis] - layer.translate[own]) / layer.scale[own])
        if not 0 <= index < layer.data.shape[own]:
            return None
        place[own] = index
    return np.asarray(cast(Any, layer.data)[tuple(place)])


def _digits(width: float) -> int:
    """Decimals that tell steps of about a hundredth of the width."""
    digits = 0
    while digits < 6 and width * 10**digits < 100:
        digits += 1
    return digits


def _is_scan(layer: Layer) -> bool:
    return not isinstance(layer.metadata.get(METADATA_KEY), ExplanationLayer)
