"""A scan in the place of a map: none of its values is taken for one of the map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Image

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.layers.canvas.probe import value_at
from napari_sparseexplain.layers.io.napari_writer import write_layer
from napari_sparseexplain.layers.scan_placeholder import ScanPlaceholders, is_placeholder

SCAN = np.linspace(0.0, 100.0, 4 * 5 * 6).reshape(4, 5, 6)


@pytest.fixture
def map_layer() -> Any:
    """A signed map of the slice 1, of values far from those of the scan."""
    data = np.full((1, 5, 6), 0.02, np.float32)
    return Image(data, contrast_limits=(-0.1, 0.1), translate=(2.0, 0, 0), scale=(2.0, 1, 1))


@pytest.fixture
def waiting(map_layer: Any) -> ScanPlaceholders:
    """The scan stands in for it."""
    stand_ins = ScanPlaceholders()
    stand_ins.put(map_layer, SCAN, (2.0, 1.0, 1.0), (0.0, 100.0))
    return stand_ins


def test_the_probe_reads_no_stand_in(map_layer: Any, waiting: ScanPlaceholders) -> None:
    assert is_placeholder(map_layer.metadata)
    assert value_at(map_layer, (4.0, 2.0, 2.0)) is None
    assert value_at(map_layer, (2.0, 2.0, 2.0)) is None
    waiting.take_back([map_layer])
    assert not is_placeholder(map_layer.metadata)
    assert value_at(map_layer, (2.0, 2.0, 2.0)) == pytest.approx(0.02)
    assert value_at(map_layer, (4.0, 2.0, 2.0)) is None


def test_no_stand_in_is_saved_as_a_map(
    map_layer: Any, waiting: ScanPlaceholders, tmp_path: Path
) -> None:
    data, attributes, _ = map_layer.as_layer_data_tuple()
    with pytest.raises(SparseExplainError, match="still computing") as refused:
        write_layer(str(tmp_path / "out.nii.gz"), data, attributes)
    assert "Wait" in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_greys_follow_the_limits_that_are_changed_meanwhile(
    map_layer: Any, waiting: ScanPlaceholders
) -> None:
    assert np.asarray(map_layer.data)[-1, -1, -1] == pytest.approx(0.1)
    map_layer.contrast_limits_range = (-1.0, 1.0)
    map_layer.contrast_limits = (-1.0, 1.0)
    values = np.asarray(map_layer.data)
    assert (values.min(), values.max()) == pytest.approx((-1.0, 1.0))
    waiting.take_back([map_layer])
    map_layer.contrast_limits = (-0.5, 0.5)
    np.testing.assert_allclose(map_layer.data, 0.02)
