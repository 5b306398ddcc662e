"""The plots: nothing overlaps or is cut off, scales are right, and no viewer is needed."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.text import Text
from scipy.ndimage import gaussian_filter

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.explanation.proxy.effective_response import octave_shares
from napari_sparseexplain.explanation.proxy.response_metrics import frequency_magnitude
from napari_sparseexplain.layers.plots.matched_filter_plot import save_matched_filter_figure
from napari_sparseexplain.layers.plots.plot_theme import DARK, LIGHT, PlotTheme, themed_figure
from napari_sparseexplain.layers.plots.response_plots import (
    ResponsePanel,
    draw_effective_response,
    draw_responses,
    draw_suppression,
    energy_radius,
)
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.evaluate.matched_filter_demo import matched_filter_demo

SPACING = (1.875, 1.875)


def response(width: float = 1.5) -> np.ndarray:
    dirac = np.zeros((128, 128))
    dirac[64, 64] = 1
    return gaussian_filter(dirac, width) - 0.7 * gaussian_filter(dirac, 3 * width)


def panel(title: str, width: float = 1.5) -> ResponsePanel:
    return ResponsePanel(
        title,
        response(width),
        SPACING,
        averaged=response(1.1 * width),
        metrics={
            "SDS": (26.8, 19.5, 31.1),
            "SDS (energy)": (1.73, 1.52, 2.01),
            "FDV": (53.0, 51.1, 155.1),
            "FDS": (23.6, 22.9, 24.3),
        },
        defect=0.41,
    )


def texts(figure: Figure) -> list[tuple[str, object]]:
    """Every visible text with its box in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    found = []
    for item in figure.findobj(Text):
        shown = item.get_visible() and item.get_text().strip()
        axes = item.axes
        # Tick labels outside the limits belong to ticks that are not drawn.
        if shown and (axes is None or axes.get_visible()):
            found.append((item.get_text(), item.get_window_extent(renderer)))
    return found


def drawn_texts(figure: Figure) -> list[tuple[str, object]]:
    """Those of `texts` that lie on ticks within the limits, or are no tick labels at all."""
    every = texts(figure)
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks() + axis.get_minor_ticks():
                slack = 1e-9 * (high - low)
                if not low - slack <= tick.get_loc() <= high + slack:
                    hidden |= {id(tick.label1), id(tick.label2)}
    ids = [id(t) for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    assert len(ids) == len(every)
    return [item for key, item in zip(ids, every, strict=True) if key not in hidden]


def assert_legible(figure: Figure) -> None:
    found = drawn_texts(figure)
    assert len(found) > 10
    page = figure.bbox
    for text, box in found:
        over = max(page.x0 - box.x0, box.x1 - page.x1, page.y0 - box.y0, box.y1 - page.y1)
        assert over <= 1, f"{text!r} is cut off"
    for (a, first), (b, second) in combinations(found, 2):
        across = min(first.x1, second.x1) - max(first.x0, second.x0)
        down = min(first.y1, second.y1) - max(first.y0, second.y0)
        assert across <= 1 or down <= 1, f"{a!r} lies over {b!r}"


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("size", [(9.0, 3.0), (7.2, 2.6)])
@pytest.mark.parametrize("count", [1, 2])
def test_no_text_overlaps_or_is_cut_off(
    theme: PlotTheme, size: tuple[float, float], count: int
) -> None:
    figure = themed_figure(theme, size=size)
    draw_responses(figure, [panel("SUM_Rec"), panel("SUM_Denoise", 2.5)][:count], theme)
    assert_legible(figure)


def test_effective_response_and_suppression_are_legible_in_a_dock() -> None:
    figure = themed_figure(DARK)
    magnitude = frequency_magnitude(response())
    octaves = octave_shares(magnitude, SPACING)
    draw_effective_response(
        figure, response(), magnitude, SPACING, octaves, DARK, title="lesion at voxel 80, 120, 90"
    )
    assert_legible(figure)
    shares = {side: dict.fromkeys(range(5), (-0.4, 0.8)) for side in ("encoder", "decoder")}
    draw_suppression(figure, shares, DARK)
    assert_legible(figure)


def test_scales_are_symmetric_logarithmic_and_in_physical_units() -> None:
    figure = themed_figure(DARK)
    draw_responses(figure, [panel("SUM_Rec")], DARK)
    pictures = {axes.get_xlabel(): axes.images[0] for axes in figure.axes if axes.images}
    space, spectrum = pictures["mm"], pictures["cycles/mm"]
    assert space.norm.vmin == -space.norm.vmax
    assert isinstance(spectrum.norm, LogNorm)
    # The impulse, index 64, lies at 0 mm; the zero frequency at 0 cycles/mm; 1 / (2 · 1.875 mm).
    left, _, _, top = space.get_extent()
    assert left + 64.5 * SPACING[1] == pytest.approx(0)
    assert top + 64.5 * SPACING[0] == pytest.approx(0)
    step = 1 / (128 * SPACING[0])
    assert spectrum.get_extent()[0] + 0.5 * step == pytest.approx(-0.5 / SPACING[0])


def test_two_models_are_drawn_as_far_out_as_the_wider_one() -> None:
    figure = themed_figure(DARK)
    draw_responses(figure, [panel("A", 1.0), panel("B", 4.0)], DARK)
    spaces = [axes for axes in figure.axes if axes.get_xlabel() == "mm"]
    assert spaces[0].get_xlim() == spaces[1].get_xlim()
    assert spaces[0].get_xlim()[1] >= energy_radius(response(4.4)) * SPACING[0]


def test_a_response_not_yet_run_at_all_phases_can_be_drawn() -> None:
    figure = themed_figure(LIGHT)
    metrics = {"SDS": (10.0, None, None), "FDS": (20.0, None, None)}
    draw_responses(figure, [ResponsePanel("SUM_Seg", response(), SPACING, metrics=metrics)], LIGHT)
    assert_legible(figure)
    with pytest.raises(ValueError, match="one or two"):
        draw_responses(figure, [], LIGHT)


def test_energy_radius_holds_the_energy_and_no_more() -> None:
    array = np.zeros((64, 64))
    array[32, 32], array[32, 52] = 1, 0.5
    assert 20 < energy_radius(array) <= 24
    assert energy_radius(np.zeros((64, 64))) == 32


def test_the_matched_filter_figure_is_written(tmp_path: Path) -> None:
    result = drain(matched_filter_demo(seeds=(0,), steps=5))
    path = save_matched_filter_figure(result, tmp_path / "new")
    assert path == tmp_path / "new" / "matched-filter.png"
    assert path.stat().st_size > 20_000
    assert save_matched_filter_figure(result, tmp_path / "a.png").name == "a.png"
    with pytest.raises(SparseExplainError, match="cannot be written"):
        save_matched_filter_figure(result, path / "below-a-file")


def test_plots_need_neither_viewer_nor_pyplot() -> None:
    """A report is made where no window can open; pyplot would choose a backend for everyone."""
    program = (
        "import sys\n"
        "from napari_sparseexplain.layers.plots import matched_filter_plot, plot_theme\n"
        "from napari_sparseexplain.layers.plots import response_plots\n"
        "bad = {'napari', 'qtpy', 'matplotlib.pyplot', 'torch'} & set(sys.modules)\n"
        "assert not bad, bad\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
