"""The colours of label values are napari's own, found without its compiled loops."""

from __future__ import annotations

import numpy as np
import pytest
from napari.utils.colormaps import DirectLabelColormap, _accelerated_cmap
from napari.utils.colormaps.colormap import _cast_labels_data_to_texture_dtype_direct

from napari_sparseexplain.layers.class_colormap import ClassColormap

TABLE = {None: "white", 0: np.zeros(4), 1: "red", 2: "#00FF0080", 4: "red", 300: "blue"}


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32", "uint32", "int64"])
@pytest.mark.parametrize("selection", [None, 2])
def test_colours_and_texture_are_those_of_napari(dtype: str, selection: int | None) -> None:
    known = {k: v for k, v in TABLE.items() if k is None or k <= np.iinfo(dtype).max}
    chosen = {} if selection is None else {"use_selection": True, "selection": selection}
    ours = ClassColormap(color_dict=known, **chosen)
    theirs = DirectLabelColormap(color_dict=known, **chosen)
    values = np.array([[0, 1, 2], [3, 4, 100]], dtype=dtype)
    if np.iinfo(dtype).max > 300:
        values[0, 0] = 300
    np.testing.assert_array_equal(ours.map(values), theirs.map(values))
    texture = ours._data_to_texture(values)
    expected = _cast_labels_data_to_texture_dtype_direct(values, theirs)
    np.testing.assert_array_equal(texture, expected)
    assert texture.dtype == expected.dtype


def test_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("napari's loop is compiled when it is called")

    monkeypatch.setattr(_accelerated_cmap, "labels_raw_to_texture_direct", refuse)
    colours = ClassColormap(color_dict=TABLE)
    for dtype in (np.uint8, np.uint16, np.int32):
        values = np.arange(6, dtype=dtype)
        assert colours.map(values).shape == (6, 4)
        assert colours._data_to_texture(values).shape == (6,)
