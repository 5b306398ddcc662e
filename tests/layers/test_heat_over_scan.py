"""The map over the scan: the scan where there is no heat, the map's own hues where there is."""

from __future__ import annotations

import numpy as np

from napari_sparseexplain.layers.colormaps import rank_colours
from napari_sparseexplain.layers.heat_over_scan import heat_over_scan


def test_no_heat_leaves_the_scan_and_signs_have_their_hues() -> None:
    scan = np.array([[0.0, 50.0, 100.0, 100.0, 100.0]])
    heat = np.array([[0.0, 0.0, 2.0, -2.0, 2.0]])
    inside = np.array([[True, True, True, True, False]])
    picture = heat_over_scan(scan, (0.0, 100.0), heat, 2.0, inside)
    assert picture.shape == (1, 5, 3)
    assert picture[0, 0].tolist() == [0, 0, 0]
    assert picture[0, 1].tolist() == [128, 128, 128]
    assert picture[0, 4].tolist() == [255, 255, 255]
    red, _, blue = picture[0, 2].tolist()
    assert red > blue
    red, _, blue = picture[0, 3].tolist()
    assert blue > red


def test_more_heat_covers_more_of_the_scan() -> None:
    scan = np.zeros((1, 3))
    picture = heat_over_scan(scan, (0.0, 1.0), np.array([[0.1, 1.0, 9.0]]), 1.0)
    covered = picture.astype(int).sum(axis=-1)[0]
    assert covered[0] < covered[1]
    assert covered[1] == covered[2]


def test_ranks_go_from_bright_to_dark() -> None:
    colours = rank_colours(40)
    assert list(colours) == list(range(1, 41))
    light = [sum(colours[rank][:3]) for rank in (1, 13, 39)]
    assert light == sorted(light, reverse=True)
