"""The picture of a voxel's explanation: what stands in it, in words and in pixels."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from napari_sparseexplain.explanation.microstructure.voxel_explanation import (
    VoxelExplanation,
    voxel_explanation,
)
from napari_sparseexplain.layers.plots.plot_theme import DARK, LIGHT, PlotTheme, themed_figure
from napari_sparseexplain.layers.plots.voxel_plot import (
    SIZE,
    draw_voxel,
    shell_colours,
    voxel_pixels,
)
from napari_sparseexplain.microstructure.simulated_voxels import simulated_voxels

from ..microstructure.small_dictionary import small_dictionary, small_protocol


@cache
def explained(populations: int) -> VoxelExplanation:
    dictionary, table = small_dictionary(), small_protocol()
    voxel = simulated_voxels(dictionary, table, 1, snr=50, seed=2)
    return voxel_explanation(
        dictionary, table, voxel.signals[0], voxel.directions[0, :populations], voxel.sigma,
        index=(3, 4, 5),
    )  # fmt: skip


def words_of(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


@pytest.mark.parametrize("populations", [1, 2])
def test_axes_have_units_and_all_of_it_is_named(populations: int) -> None:
    found = explained(populations)
    figure = themed_figure(LIGHT, size=SIZE)
    draw_voxel(figure, found, LIGHT)
    said = words_of(figure)
    for words in ("r (µm)", "f", "residual (σ)", "S / S₀", "|u₁ · g|", "s/mm²"):
        assert words in said
    assert "slice 4, row 5, column 6" in " ".join(said)
    assert f"misfit {found.misfit:.2f} σ" in " ".join(said)
    for b in (1000, 3000, 6000):
        assert f"● b {b}" in said
    assert said.count("r (µm)") == populations + 1, "each plane, and what the shells told"
    assert ("|u₂ · g|" in said) == (populations == 2)
    assert f"{found.posterior.best[0].chance:.1%}" in said
    # ν of one population is told by the peaks, and by no shell.
    assert ("ν" in said) == (populations == 2)
    if populations == 2:
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        assert_colours_stand_out(np.asarray(canvas.buffer_rgba()), LIGHT)


def test_what_is_told_apart_by_colour_stands_out_from_the_dark() -> None:
    pixels = voxel_pixels(explained(2), DARK, 320, 2.0)
    assert pixels.shape == (round(SIZE[1] * 200), 640, 4)
    assert_colours_stand_out(pixels, DARK)


def assert_colours_stand_out(pixels: np.ndarray, theme: PlotTheme) -> None:
    """Of shells and populations, from the paper and from each other."""
    paper = rgb(theme.background)
    assert (pixels[0, 0, :3] == paper).all()
    for colour in (*shell_colours(3, theme), *theme.series[:2]):
        assert np.abs(rgb(colour) - paper).max() > 70
        assert (np.abs(pixels[..., :3] - rgb(colour)).max(axis=-1) <= 2).sum() > 30
    for one, other in pairwise(shell_colours(4, theme)):
        assert np.abs(rgb(one) - rgb(other)).max() > 35


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)])
