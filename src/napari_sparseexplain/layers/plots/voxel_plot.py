"""The picture of a voxel's explanation: planes of atoms, ν, fit by shell, what each shell told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import MaxNLocator

from ...volumes.captions import voxel_caption
from .hybrid_plot import draw_hybrid
from .picture_file import picture_kind, save_figure
from .plot_theme import LIGHT, PlotTheme, clear, style, themed_figure

if TYPE_CHECKING:
    from ...explanation.microstructure.hybrid_voxel import HybridVoxel
    from ...explanation.microstructure.voxel_explanation import VoxelExplanation

#: Inches: as wide as the narrowest tab at 100 dots an inch, and as high as all of it needs.
SIZE = (3.3, 8.8)

#: What a file of it is called where its name is refused.
PICTURE = "a voxel's picture"

#: Atoms with less than this share of all weight are not drawn.
_FAINT_WEIGHT = 0.005

#: Heights of the rows: planes, their key, ν, key of the shells, signals, residuals, what each shell
#: told of ν (`_SHARE_TOLD`), r and f, and the pairs.
_HEIGHTS = (1.5, 0.2, 0.3, 0.2, 1.3, 0.95, 0.42, 0.66, 0.66, 1.1)
_SHARE_TOLD = 6

#: Residuals beyond so many σ stand at the edge.
_RESIDUAL_SPAN = 4.0

#: The mean on the plane: apart from every colour of the heat map, and from the white of the atoms.
_MEAN = "#ff5050"

#: Height of all steps of one value, in a row of height 1.
_LANES = 0.76


def draw_any_voxel(figure: Figure, found: VoxelExplanation | HybridVoxel, theme: PlotTheme) -> None:
    """The picture of a voxel, whatever explains it; see `draw_voxel` and `draw_hybrid`."""
    from ...explanation.microstructure.hybrid_voxel import HybridVoxel as Hybrid

    if isinstance(found, Hybrid):
        draw_hybrid(figure, found, theme)
    else:
        draw_voxel(figure, found, theme)


def draw_voxel(figure: Figure, found: VoxelExplanation, theme: PlotTheme) -> None:
    """All of a voxel's explanation, legible at the width of a tab.

    From above: the posterior over (r, f) of each population with all atoms of non-negative least
    squares; ν; signals and residuals over |u · g|; from the prior mean to the posterior mean in
    steps of the shells, with the mean without each shell; the most likely pairs.

    Parameters
    ----------
    figure : Figure
        Emptied first; about `SIZE` inches.
    found : VoxelExplanation
    theme : PlotTheme
    """
    clear(figure, theme)
    count = found.populations
    # ν of one population is not told by the shells.
    heights = [h if count > 1 or n != _SHARE_TOLD else 0.01 for n, h in enumerate(_HEIGHTS)]
    grid = figure.add_gridspec(len(heights), max(count, 2), height_ratios=heights)
    shells = shell_colours(len(found.table.shells), theme)
    for k in range(count):
        columns: Any = k if count > 1 else slice(None)
        _plane(figure.add_subplot(grid[0, columns]), found, k, theme, first=k == 0)
        above = figure.add_subplot(grid[4, columns])
        _signals(above, found, k, shells, theme, first=k == 0)
        below = figure.add_subplot(grid[5, columns], sharex=above)
        _residuals(below, found, k, shells, theme, first=k == 0)
    key = (("yellow: likely", theme.foreground), ("○ weight, all atoms", theme.foreground))
    _words(figure.add_subplot(grid[1, :]), (*key, ("+ mean ± sd", _MEAN)), theme)
    _share(figure.add_subplot(grid[2, :]), found, theme)
    named = [
        (f"● b {shell.b:.0f}", colour)
        for shell, colour in zip(found.table.shells, shells, strict=True)
    ]
    _words(figure.add_subplot(grid[3, :]), [*named, ("s/mm²", theme.foreground)], theme)
    _told(figure, grid, found, shells, theme)
    _pairs(figure.add_subplot(grid[9, :]), found, theme)
    place = f"{voxel_caption(found.index)} · " if found.index else ""
    figure.suptitle(
        f"{place}misfit {found.misfit:.2f} σ",
        color=theme.foreground,
        fontsize=theme.font_size + 0.5,
    )


def voxel_pixels(
    found: VoxelExplanation | HybridVoxel, theme: PlotTheme, width: int, ratio: float = 1.0
) -> npt.NDArray[np.uint8]:
    """The picture as pixels, drawn without a window: in any thread.

    Parameters
    ----------
    width : int
        In pixels of 1/100 inch.
    ratio : float
        Pixels of the screen for one of these.

    Returns
    -------
    ndarray, shape (rows, columns, 4)
    """
    figure = themed_figure(theme, size=(width / 100, SIZE[1]), dpi=100 * ratio)
    canvas = FigureCanvasAgg(figure)
    draw_any_voxel(figure, found, theme)
    canvas.draw()
    return np.array(canvas.buffer_rgba())


def save_voxel_picture(
    found: VoxelExplanation | HybridVoxel, path: Path, *, overwrite: bool = False
) -> Path:
    """Write the picture on white, as PNG or PDF by the file's ending.

    Raises
    ------
    SparseExplainError
        Another ending, the file is there already, or it cannot be written.
    """
    picture_kind(path, PICTURE)  # before it is drawn
    figure = themed_figure(LIGHT, size=SIZE, dpi=200)
    draw_any_voxel(figure, found, LIGHT)
    return save_figure(figure, path, PICTURE, overwrite=overwrite)


def shell_colours(count: int, theme: PlotTheme) -> list[str]:
    """A colour for each shell, from low b to high, all of which stand out from the paper."""
    dark = sum(to_rgb(theme.background)) < 1.5
    places = np.linspace(0.38, 0.95, count) if dark else np.linspace(0.05, 0.72, count)
    return [to_hex(colormaps["plasma"](place)) for place in places]


def _plane(axes: Axes, found: VoxelExplanation, k: int, theme: PlotTheme, *, first: bool) -> None:
    """Posterior over (r, f), atoms by weight, and the posterior mean with its sd."""
    radii, densities = found.radii, found.densities
    chance = found.posterior.atoms[k].reshape(len(radii), len(densities)).T
    axes.pcolormesh(
        _edges(radii), _edges(densities), chance, cmap="viridis", vmin=0.0, rasterized=True
    )
    weights = found.weights[k] / max(float(found.weights.sum()), 1e-300)
    drawn = np.flatnonzero(weights > _FAINT_WEIGHT)
    places = np.array([found.atom(int(n)) for n in drawn]).reshape(-1, 2)
    axes.scatter(
        places[:, 0], places[:, 1], s=160 * weights[drawn], facecolors="none", edgecolors="white",
        linewidths=1.0, zorder=3,
    )  # fmt: skip
    mean, sd = found.mean[k], found.sd[k]
    if np.isfinite(mean).all():
        axes.errorbar(
            mean[1], mean[2], xerr=sd[1], yerr=sd[2], fmt="+", color=_MEAN, markersize=6,
            elinewidth=0.9, capsize=1.5, zorder=4,
        )  # fmt: skip
    else:
        axes.text(
            0.5, 0.5, "has no weight", color="white", ha="center", va="center",
            transform=axes.transAxes, fontsize=theme.font_size,
        )  # fmt: skip
    axes.set_xlabel("r (µm)")
    # Atoms lie on the edge of the grid too: their circles need room.
    axes.margins(0.05)
    axes.set_facecolor(theme.background)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    if first:
        axes.set_ylabel("f")
    else:
        axes.tick_params(labelleft=False)
    style(axes, theme, f"Population {k + 1}")
    axes.set_facecolor(colormaps["viridis"](0.0))
    axes.title.set_color(theme.series[k])


def _words(axes: Axes, words: Iterable[tuple[str, str]], theme: PlotTheme) -> None:
    """Words of their own colours in one line."""
    axes.set_axis_off()
    told = list(words)
    for n, (text, colour) in enumerate(told):
        axes.text(
            (n + 0.5) / len(told), 0.5, text, color=colour, ha="center", va="center",
            fontsize=theme.font_size - 1, transform=axes.transAxes,
        )  # fmt: skip


def _share(axes: Axes, found: VoxelExplanation, theme: PlotTheme) -> None:
    """ν of all populations as one bar, with its standard deviation."""
    mean, sd = np.nan_to_num(found.mean[:, 0]), found.sd[0, 0]
    start = 0.0
    for k in range(found.populations):
        axes.barh(0, mean[k], left=start, height=1.0, color=theme.series[k])
        start += mean[k]
    told = "ν 1: one population, as the peaks say"
    if found.populations > 1:
        axes.errorbar(
            mean[0], 0, xerr=sd, color=theme.background, elinewidth=1.4, capsize=2.5, zorder=3
        )
        others = [f"ν {k + 1}: {mean[k]:.2f}" for k in range(1, found.populations)]
        told = ", ".join((f"ν 1: {mean[0]:.2f} ± {sd:.2f}", *others))
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.5, 0.5)
    axes.set_yticks([])
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    style(axes, theme, told)


def _signals(
    axes: Axes,
    found: VoxelExplanation,
    k: int,
    colours: Sequence[str],
    theme: PlotTheme,
    *,
    first: bool,
) -> None:
    """Measured and fitted signal over |u · g|, by shell."""
    rows = found.table.b0_rows
    unit = max(float(found.measured[rows].mean()), 1e-300) if len(rows) else 1.0
    for shell, colour in zip(found.table.shells, colours, strict=True):
        axes.plot(
            found.cosines[k][shell.rows], found.measured[shell.rows] / unit, "o", color=colour,
            markersize=2.1, markeredgewidth=0,
        )  # fmt: skip
        axes.plot(
            found.cosines[k][shell.rows], found.fitted[shell.rows] / unit, "_",
            color=theme.foreground, markersize=3.6, markeredgewidth=0.6,
        )  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.tick_params(labelbottom=False)
    if first:
        axes.set_ylabel("S / S₀" if len(rows) else "S")
    else:
        axes.tick_params(labelleft=False)
    style(
        axes,
        theme,
        ("● measured", "– fitted", "")[k] if found.populations > 1 else "● measured   – fitted",
    )


def _residuals(
    axes: Axes,
    found: VoxelExplanation,
    k: int,
    colours: Sequence[str],
    theme: PlotTheme,
    *,
    first: bool,
) -> None:
    """What is left over, in σ; beyond the axis it stands at its edge."""
    axes.axhspan(-2, 2, color=theme.faint, alpha=0.25, linewidth=0)
    axes.axhline(0, color=theme.faint, linewidth=0.6)
    for shell, colour in zip(found.table.shells, colours, strict=True):
        rest = np.clip(found.residuals[shell.rows], -_RESIDUAL_SPAN, _RESIDUAL_SPAN)
        axes.plot(
            found.cosines[k][shell.rows], rest, "o", color=colour, markersize=2.1,
            markeredgewidth=0,
        )  # fmt: skip
    axes.set_ylim(-_RESIDUAL_SPAN * 1.05, _RESIDUAL_SPAN * 1.05)
    axes.set_yticks([-4, -2, 0, 2, 4], ["−4", "", "0", "", "4"])
    axes.set_xlabel(f"|u{'₁₂₃'[k]} · g|")
    if first:
        axes.set_ylabel("residual (σ)")
    else:
        axes.tick_params(labelleft=False)
    style(axes, theme)


def _told(
    figure: Figure,
    grid: GridSpec,
    found: VoxelExplanation,
    colours: Sequence[str],
    theme: PlotTheme,
) -> None:
    """From the prior mean to the posterior mean in steps of the shells, a row for each value."""
    shells, count = found.shells, found.populations
    title = "What each shell told: prior mean → posterior mean\n(× mean without this shell)"
    for n, name in enumerate(("ν", "r", "f")):
        if n == 0 and count == 1:
            continue  # it is 1 before any shell
        numbers = range(count - 1 if n == 0 else count)  # ν of all adds up to 1
        axes = figure.add_subplot(grid[_SHARE_TOLD + n, :])
        for k in numbers:
            low, high = -k - 0.42, -k + 0.42
            start = float(shells.prior[0, k, n])
            axes.plot([start, start], [low, high], color=theme.faint, linewidth=1.2)
            for s, colour in enumerate(colours):
                # One below the other within the row, so that steps back are seen too.
                height = _LANES / len(colours)
                lane = -k + _LANES / 2 - (s + 0.5) * height
                value = float(shells.values[0, s, k, n])
                axes.barh(lane, value, left=start, height=height, color=colour)
                start += value
                axes.plot(
                    shells.without[0, s, k, n], lane, "x", color=colour, markersize=3.2,
                    markeredgewidth=0.9, clip_on=False,
                )  # fmt: skip
            axes.plot([start, start], [low, high], color=theme.foreground, linewidth=1.4)
        _room(axes, found, numbers, n)
        axes.set_ylim(-len(numbers) + 0.5, 0.5)
        unit = " (µm)" if name == "r" else ""
        axes.set_yticks([-float(k) for k in numbers], [f"{name} {k + 1}" for k in numbers])
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.set_xlabel(name + unit, labelpad=1)
        style(axes, theme, title if n == (0 if count > 1 else 1) else "")
        for label, k in zip(axes.get_yticklabels(), numbers, strict=True):
            label.set_color(theme.series[k])


def _room(axes: Axes, found: VoxelExplanation, numbers: Iterable[int], n: int) -> None:
    """Limits that hold every step and every mean without a shell."""
    shells, places = found.shells, []
    for k in numbers:
        steps = np.concatenate([[0.0], np.cumsum(shells.values[0, :, k, n])])
        places += [*(shells.prior[0, k, n] + steps), *shells.without[0, :, k, n]]
    low, high = min(places), max(places)
    edge = max(0.06 * (high - low), 1e-3)
    axes.set_xlim(low - edge, high + edge)


def _pairs(axes: Axes, found: VoxelExplanation, theme: PlotTheme) -> None:
    """The most likely pairs as a table, with their part of the posterior."""
    axes.set_axis_off()
    count = found.populations
    what = {1: "atoms", 2: "pairs", 3: "triples"}[count]
    heads = [("chance", theme.foreground)]
    for k in range(count):
        heads += [(f"{name} {k + 1}", theme.series[k]) for name in ("ν", "r", "f")]
    rows = [heads]
    for pair in found.posterior.best:
        total = sum(pair.weights) or 1.0
        # Of triples none is likely by itself.
        row = [f"{pair.chance:.1%}" if pair.chance >= 5e-4 else f"{100 * pair.chance:.1g}%"]
        for atom, weight in zip(pair.atoms, pair.weights, strict=True):
            r, f = found.atom(atom) if atom >= 0 else (np.nan, np.nan)
            row += [f"{weight / total:.2f}"] + (
                [f"{r:.1f}", f"{f:.2f}"] if atom >= 0 else ["–", "–"]
            )
        rows.append([(word, theme.foreground) for word in row])
    for line, row in enumerate(rows):
        for column, (word, colour) in enumerate(row):
            axes.text(
                (column + 1) / (len(heads) + 0.3), 1 - (line + 0.7) / 6.2, word, color=colour,
                ha="right", va="center", fontsize=theme.font_size - 1,
                transform=axes.transAxes,
            )  # fmt: skip
    axes.set_title(f"Most likely {what}", color=theme.foreground, fontsize=theme.font_size, pad=2)


def _edges(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Edges of cells whose middles are values."""
    if len(values) == 1:
        return np.array([values[0] - 0.5, values[0] + 0.5])
    middle = (values[1:] + values[:-1]) / 2
    return np.concatenate([[2 * values[0] - middle[0]], middle, [2 * values[-1] - middle[-1]]])
