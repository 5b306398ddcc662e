"""The curve of a cine: letters inside its axes, and no figure where nothing was found."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.layers.cell_outlines import border_segments
from napari_sparseexplain.layers.plots.cine_plot import DASH, draw_cine, shown_columns
from napari_sparseexplain.layers.plots.plot_theme import DARK, themed_figure
from napari_sparseexplain.training.left_ventricle.cine_volumes import volumes_of_masks


def cine(*radii: int) -> object:
    """A disc of each radius on one slice over time."""
    place = np.hypot(*np.mgrid[-20:21, -20:21])
    masks = np.stack([(place < radius)[None] for radius in radii])
    return volumes_of_masks("net", masks, (8.0, 1.5, 1.5))


@pytest.mark.parametrize("radii", [(12, 6, 12, 12), (6, 7, 9, 14), (14, 9, 7, 6), (0, 9, 9, 0)])
@pytest.mark.parametrize("index", [None, 0])
def test_ends_of_the_cycle_are_named_inside_the_axes(
    radii: tuple[int, ...], index: int | None
) -> None:
    found = [cine(*radii), cine(*(r and r + 1 for r in radii))]
    figure = themed_figure(DARK, size=(5, 1.6))
    draw_cine(figure, found, ["one", "two"], DARK, index=index, study="heart")
    figure.canvas.draw()
    (axes,) = figure.axes
    assert axes.get_title().startswith("heart · Left ventricle")
    frame = axes.get_window_extent()
    assert len(axes.texts) == (4 if min(radii) else 0)
    for words in axes.texts:
        box = words.get_window_extent()
        assert box.x0 >= frame.x0
        assert box.x1 <= frame.x1
        assert box.y0 >= frame.y0 - 1
        assert box.y1 <= frame.y1 + 1
        assert words.get_clip_on()


def test_a_network_that_found_nothing_has_dashes() -> None:
    heads, columns = shown_columns([cine(8, 5), cine(0, 0)], ["one", "two"])
    assert heads == ["one", "two", "differ by"]
    assert columns[0][0] != DASH
    assert columns[1] == [DASH] * 5 + ["0 of 1"]
    assert columns[2][:4] == [DASH] * 4
    assert not [word for column in columns for word in column if "nan" in word]


def test_the_border_of_a_mask_is_drawn_round_its_pixels() -> None:
    mask = np.zeros((4, 5), dtype=bool)
    mask[1, 2] = mask[1, 3] = True
    ends = border_segments(mask)
    assert len(ends) == 2 * 6  # two pixels beside each other have six free sides
    assert (ends[:, 0].min(), ends[:, 0].max()) == (1.5, 3.5)
    assert (ends[:, 1].min(), ends[:, 1].max()) == (0.5, 1.5)
    assert not len(border_segments(np.zeros((3, 3), dtype=bool)))
