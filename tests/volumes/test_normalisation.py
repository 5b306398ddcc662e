"""Every normalisation against values worked out by hand, on the voxels that it says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_sparseexplain.errors import ParameterError, StudyError
from napari_sparseexplain.volumes.intensity.normalisation import NORMALISATIONS, Normalisation

#: Background 0, then 2, 4, 6, 8: mean 5, variance 5.
VALUES = np.array([0.0, 0.0, 0.0, 2.0, 4.0, 6.0, 8.0, math.nan], dtype=np.float32)
WHOLE = np.ones(VALUES.shape, dtype=bool)
SCAN = VALUES > 0

#: What a window of centre 4 and width 4 makes of `VALUES`: 2 becomes 0, 6 becomes 1.
WINDOWED = [0, 0, 0, 0, 0.5, 1, 1, 0]

WAYS = {
    "z-score over the scan": (
        Normalisation("z-score"),
        SCAN,
        [*[-5 / 5**0.5] * 3, -3 / 5**0.5, -1 / 5**0.5, 1 / 5**0.5, 3 / 5**0.5, 0],
    ),
    # Mean 20 / 7, mean square 120 / 7.
    "z-score over all": (
        Normalisation("z-score", region="whole"),
        WHOLE,
        [*((v - 20 / 7) / math.sqrt(120 / 7 - (20 / 7) ** 2) for v in VALUES[:7].tolist()), 0],
    ),
    # Of 2, 4, 6, 8 the percentiles 25 and 75 are 3.5 and 6.5.
    "percentile": (
        Normalisation("percentile", low=25, high=75),
        SCAN,
        [0, 0, 0, 0, 0.5 / 3, 2.5 / 3, 1, 0],
    ),
    "window": (Normalisation("window", centre=4, width=4), SCAN, WINDOWED),
    # The 0.2 % quantile of 2, 4, 6, 8 is 2.012, their median 5.
    "brain-range": (
        Normalisation("brain-range"),
        SCAN,
        [*[0] * 4, *((v - 2.012) / (3 * (5 - 2.012)) for v in (4, 6, 8)), 0],
    ),
    "none": (Normalisation("none"), SCAN, [0, 0, 0, 2, 4, 6, 8, 0]),
    "unit": (Normalisation("unit"), SCAN, [0, 0, 0, 2, 4, 6, 8, 0]),
}


@pytest.mark.parametrize("way", WAYS)
def test_values_are_those_worked_out_by_hand(way: str) -> None:
    normalisation, region, wanted = WAYS[way]
    limits = normalisation.limits(VALUES, region)
    found = normalisation.apply(VALUES, *limits)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    if normalisation.bounded and normalisation.name != "unit":
        assert found.min() >= 0
        assert found.max() <= 1


def test_every_name_was_worked_out() -> None:
    assert {normalisation.name for normalisation, _, _ in WAYS.values()} == set(NORMALISATIONS)


@pytest.mark.parametrize("name", ["z-score", "percentile", "brain-range"])
@pytest.mark.parametrize("which", ["constant", "empty mask", "all NaN"])
def test_what_has_no_contrast_is_refused_with_its_role(name: str, which: str) -> None:
    values = {
        "constant": np.full(9, 7.0),
        "empty mask": np.arange(9.0),
        "all NaN": np.full(9, np.nan),
    }
    mask = np.full(9, which != "empty mask")
    with pytest.raises(StudyError, match=r"^flair: "):
        Normalisation(name).limits(values[which], mask, where="flair")


def test_a_window_takes_a_constant_image_and_one_that_no_mask_holds() -> None:
    way = Normalisation("window", centre=40, width=80)
    assert way.limits(np.full(4, 20.0), np.zeros(4, dtype=bool)) == (0, 80)
    np.testing.assert_allclose(way.apply(np.full(4, 20.0), 0, 80), 0.25)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("zscore", "no normalisation 'zscore'.*brain-range, z-score"),
        ("window", "'window' needs centre and width"),
        ({"name": "window", "centre": 40}, "'window' needs width"),
        ({"name": "window", "centre": 40, "width": 0}, "width above 0"),
        ({"name": "window", "centre": "40", "width": 80}, "number for centre"),
        ({"name": "window", "centre": math.inf, "width": 80}, "number for centre"),
        ({"name": "percentile", "low": 99, "high": 1}, "0 ≤ low < high ≤ 100"),
        ({"name": "percentile", "low": 99.5}, "0 ≤ low < high ≤ 100"),
        ({"name": "z-score", "region": "liver"}, "no region 'liver'.*whole, non-zero, mask"),
        ({"name": "z-score", "centre": 4}, "takes no centre"),
        ({"name": "none", "region": "whole"}, "takes no region"),
        ({"name": "window", "center": 40, "width": 80}, "is no normalisation"),
        (3, "is no normalisation"),
    ],
)
def test_a_wrong_one_is_refused_in_one_line(given, said: str) -> None:
    with pytest.raises(ParameterError, match=said) as caught:
        Normalisation.of(given)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("way", [normalisation for normalisation, _, _ in WAYS.values()])
def test_what_stands_in_a_card_gives_the_same_again(way: Normalisation) -> None:
    assert Normalisation.of(way.plain) == way
    assert way.words.startswith(way.name)
