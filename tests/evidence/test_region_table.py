"""A click on ranked regions reads rank, gain and size, after saving too."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.evidence.region_table import region_at


def explanation(axes: dict) -> Explanation:
    ranks = np.array([[[1, 1], [2, 2]], [[0, 0], [0, 0]]], dtype=np.int32)
    item = ExplanationMap("regions", ranks, "segmentation", axes={"regions": axes})
    return Explanation("xrai", (item,), Provenance("xrai"), slices=slice(5, 7))


def test_a_slice_has_its_own_table() -> None:
    found = region_at(explanation({"5": [[0.5, 9], [-0.25, 3]]}), (5, 1, 0))
    assert found is not None
    assert (found.rank, found.total, found.gain, found.pixels) == (2, 2, -0.25, 3)
    assert found.sentence() == "Region 2 of 2, gain -0.25, 3 pixels of the network"


def test_a_volume_has_one() -> None:
    found = region_at(explanation({"volume": [[0.5, 9], [0.25, 3]]}), (5, 0, 1))
    assert found is not None
    assert found.gain == 0.5


@pytest.mark.parametrize("index", [(4, 0, 0), (7, 0, 0), (5, 2, 0), (5, 0, -1), (6, 0, 0)])
def test_where_there_is_no_region_there_is_none(index: tuple[int, int, int]) -> None:
    assert region_at(explanation({"5": [[0.5, 9], [0.25, 3]]}), index) is None


def test_another_explanation_says_that_it_has_no_regions() -> None:
    with pytest.raises(KeyError, match="regions"):
        region_at(Explanation("signals", (), Provenance("signals")), (0, 0, 0))
