"""Colours of label values, looked up without compiling anything."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from napari.utils.colormaps import DirectLabelColormap


class ClassColormap(DirectLabelColormap):
    """A colour for each of a few label values, and one for all others.

    napari looks colours up in loops that numba compiles anew in every process, since a numba
    dictionary is among their arguments: 1.5 s before the first mask is seen, and from then on the
    threads of numba also count for torch. A table of a few values needs no compiled loop.
    """

    def map(self, values: Any) -> npt.NDArray[np.float32]:
        """Colours (…, 4) of label values (…), within 0 and 1."""
        if not isinstance(values, np.ndarray) or values.dtype.itemsize <= 2:
            return super().map(values)
        colours = self._map_without_cache(values)
        if self.use_selection:
            colours[values != self.selection] = 0
        return colours

    def _map_without_cache(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        colours = np.empty((*values.shape, 4), dtype=np.float32)
        colours[...] = self.default_color
        for value, colour in self.color_dict.items():
            if value is not None:
                colours[values == value] = colour
        return colours

    def _data_to_texture(self, values: Any) -> Any:
        """What stands in the texture: as napari's, but for arrays of more than 16 bits a table."""
        if not isinstance(values, np.ndarray) or values.dtype.itemsize <= 2:
            return super()._data_to_texture(values)
        numbers, _ = self._values_mapping_to_minimum_values_set()
        texture = np.full(values.shape, numbers[None], dtype=self._texture_type())
        for value, number in numbers.items():
            if value is not None:
                texture[values == value] = number
        return texture

    def _texture_type(self) -> type[np.unsignedinteger[Any]]:
        # As napari chooses it: one for each colour, for the background and for all other values.
        return np.uint8 if self._num_unique_colors + 2 <= 255 else np.uint16
