"""The figure of the matched-filter demonstration, after Figures 11-13 of the SUM paper."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...files.atomic_write import write_atomically
from .plot_theme import LIGHT, PlotTheme, clear, style, themed_figure

if TYPE_CHECKING:
    from ...training.evaluate.matched_filter_demo import Example, MatchedFilterResult

Line = npt.NDArray[np.floating]

_NAMES = {"shrink": "soft shrinkage", "relu": "ReLU"}


def draw_matched_filter(figure: Figure, result: MatchedFilterResult, theme: PlotTheme) -> None:
    """Signal, noise and matched filter above; each trained network in a row below.

    Parameters
    ----------
    figure : Figure
        Emptied first; about 12 by 5 inches.
    """
    clear(figure, theme)
    # A narrow first column names the rows, so that no title has to.
    grid = figure.add_gridspec(3, 6, width_ratios=(0.32, 1, 1, 1, 1, 1))
    first, second, third = theme.series
    _name(figure.add_subplot(grid[0, 0]), "matched filter", result.dice["matched filter"], theme)
    axes = [figure.add_subplot(grid[0, column]) for column in range(1, 6)]
    _plot(axes[0], "signal s", theme, (result.clean, first))
    _plot(axes[1], "noise", theme, (result.noise, theme.faint))
    _plot(axes[2], "observed x", theme, (result.observed, first))
    _plot(axes[3], "squared envelope, threshold", theme, (result.envelope, first))
    axes[3].axhline(result.threshold, color=third, linewidth=0.9)
    _masks(axes[4], result.detected, result.truth, theme)
    for row, (activation, example) in enumerate(result.examples.items(), start=1):
        heading = _NAMES[activation]
        _name(figure.add_subplot(grid[row, 0]), heading, result.dice[activation], theme)
        axes = [figure.add_subplot(grid[row, column]) for column in range(1, 6)]
        _network(axes, example, result.truth, theme, (first, second))
        if row == len(result.examples):
            for plot in axes:
                plot.set_xlabel("sample")
                style(plot, theme, plot.get_title())


def matched_filter_file(out: Path) -> Path:
    """The file that `save_matched_filter_figure` writes."""
    return out if out.suffix.lower() == ".png" else out / "matched-filter.png"


def save_matched_filter_figure(
    result: MatchedFilterResult, out: Path, *, overwrite: bool = False
) -> Path:
    """Write the figure as a PNG and return its path.

    Parameters
    ----------
    out : Path
        A ``.png`` file, or a folder (made when missing) that gets ``matched-filter.png``.
    overwrite : bool
        Whether a file of that name may be replaced.

    Raises
    ------
    SparseExplainError
        The file is there already, or cannot be written.
    """
    figure = themed_figure(LIGHT, size=(12, 5), dpi=150)
    draw_matched_filter(figure, result, LIGHT)
    stream = BytesIO()
    figure.savefig(stream, format="png", facecolor=figure.get_facecolor())
    return write_atomically(matched_filter_file(out), stream.getvalue(), overwrite=overwrite)


def _network(
    axes: list[Axes], example: Example, truth: Line, theme: PlotTheme, colours: tuple[str, str]
) -> None:
    """Filters of the encoder and of the decoder, the signals after each, and the mask."""
    for plot, title, lines in (
        (axes[0], "encoder filters", example.encoder),
        (axes[1], "decoder filters", example.decoder),
        (axes[2], "encoded, after the activation", example.encoded),
    ):
        _plot(plot, title, theme, *zip(lines, colours, strict=True))
    _plot(axes[3], "decoded, before the clip", theme, (example.decoded, colours[0]))
    axes[3].axhspan(0, 1, color=theme.faint, alpha=0.2, linewidth=0)
    _masks(axes[4], example.mask, truth, theme)


def _plot(axes: Axes, title: str, theme: PlotTheme, *lines: tuple[Line, str]) -> None:
    for values, colour in lines:
        axes.plot(values, color=colour, linewidth=0.9)
    axes.margins(x=0.01)
    style(axes, theme, title)


def _masks(axes: Axes, found: Line, truth: Line, theme: PlotTheme) -> None:
    """The mask found over the true one (shaded)."""
    axes.fill_between(np.arange(truth.size), truth, color=theme.faint, alpha=0.35, linewidth=0)
    axes.plot(found, color=theme.series[0], linewidth=0.9)
    axes.set_ylim(-0.08, 1.15)
    axes.margins(x=0.01)
    style(axes, theme, "mask (shaded: true)")


def _name(axes: Axes, heading: str, dice: tuple[float, ...], theme: PlotTheme) -> None:
    """The row's name and its Dice over all seeds."""
    axes.set_axis_off()
    spread = f" ± {np.std(dice, ddof=1):.3f}" if len(dice) > 1 else ""
    axes.text(
        0,
        0.5,
        f"{heading.replace(' ', chr(10))}\n\nDice\n{np.mean(dice):.3f}{spread}",
        color=theme.foreground,
        fontsize=theme.font_size + 0.5,
        va="center",
        transform=axes.transAxes,
    )
