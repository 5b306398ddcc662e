"""A scan in the place of a map that is still computed: the anatomy is there at once, grey."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import Image, Layer

from ..volumes.computed_array import computed_array
from .colour_bar import hide_colour_bar

#: How bright the scan is in the cell of a map, whose own picture it is not.
DIMMED = 0.45

#: In a layer's metadata while it shows a scan instead of what its name and its map say.
PLACEHOLDER_KEY = "sparseexplain-placeholder"


def is_placeholder(metadata: Mapping[str, Any] | None) -> bool:
    """Whether a layer with this metadata shows a scan for a moment: its values mean nothing."""
    return bool((metadata or {}).get(PLACEHOLDER_KEY))


@dataclass(frozen=True, eq=False)
class _Former:
    """What a layer showed before."""

    data: Any
    translate: tuple[float, ...]
    scale: tuple[float, ...]
    colormap: Any
    draw: Callable[..., None]


class ScanPlaceholders:
    """Layers that show a scan until their own data is there.

    A layer has the whole scan, a slice of it worked out when it is looked at, so that scrolling on
    costs no more than scrolling through a scan. Display limits stay as they are, since layers may
    share them: the scan's grey values are put on the map's scale instead, anew when that changes.
    Whoever reads values sees by the metadata that these are none of the map's: `is_placeholder`.
    """

    def __init__(self) -> None:
        self._former: dict[Layer, _Former] = {}

    def __contains__(self, layer: Layer) -> bool:
        return layer in self._former

    def put(
        self,
        layer: Image,
        scan: npt.NDArray[Any],
        spacing: tuple[float, float, float],
        window: tuple[float, float],
        strength: float = 1.0,
    ) -> None:
        """Show a scan in a layer.

        Parameters
        ----------
        scan : ndarray, shape (S, P, L)
        spacing : tuple of float
            Of its slices, rows and columns, in the viewer's unit.
        window : tuple of float
            Its values that are black and white.
        strength : float
            How bright white is, in (0, 1].
        """
        if layer in self:
            return

        def draw() -> None:
            # Another array at other limits: napari keeps blocks of the one before.
            layer.data = _grey_on_scale(layer, scan, window, strength)

        self._former[layer] = _Former(
            layer.data,
            tuple(layer.translate),
            tuple(layer.scale),
            layer.colormap,
            draw,
        )
        layer.metadata[PLACEHOLDER_KEY] = True
        if not layer.rgb:
            layer.events.contrast_limits.connect(draw)
        if not layer.rgb and layer.colormap.name != "gray":
            layer.colormap = "gray"
        # The numbers of its bar are the map's, not the scan's.
        hide_colour_bar(layer, True)
        draw()
        _place(layer, (0.0, 0.0, 0.0), spacing)

    def take_back(self, layers: Iterable[Layer]) -> None:
        """Show in these layers what they showed before."""
        for layer in layers:
            former = self._former.pop(layer, None)
            if former is None or not isinstance(layer, Image):
                continue
            layer.metadata.pop(PLACEHOLDER_KEY, None)
            if not layer.rgb:
                layer.events.contrast_limits.disconnect(former.draw)
            if not layer.rgb and layer.colormap.name != former.colormap.name:
                layer.colormap = former.colormap
            hide_colour_bar(layer, False)
            layer.data = former.data
            _place(layer, former.translate, former.scale)


def _grey_on_scale(
    layer: Image, scan: npt.NDArray[Any], window: tuple[float, float], strength: float
) -> Any:
    """A scan's grey values between the limits that a layer has now."""
    limits: Any = (0.0, 255.0) if layer.rgb else layer.contrast_limits
    low, high = float(limits[0]), float(limits[1])
    black, white = window
    kind = np.dtype(np.uint8 if layer.rgb else np.float32)
    colours = (3,) if layer.rgb else ()

    def part(index: tuple[slice, ...]) -> npt.NDArray[Any]:
        found = np.asarray(scan[index[:3]], dtype=np.float32)
        grey = np.clip((found - black) / ((white - black) or 1e-12), 0.0, 1.0)
        values = low + strength * np.nan_to_num(grey) * (high - low)
        if colours:
            values = np.repeat(values[..., None], 3, axis=-1)[..., index[3]]
        return values.astype(kind)

    chunks = (1, *scan.shape[1:], *colours)
    return computed_array((*scan.shape, *colours), kind, chunks, part)


def _place(layer: Image, translate: Any, scale: Any) -> None:
    """Another place; only where it changes, since each draws anew."""
    if tuple(layer.scale) != tuple(scale):
        layer.scale = scale
    if tuple(layer.translate) != tuple(translate):
        layer.translate = translate
