"""Plots of a set: two measures against each other, one measure's histogram, where masks lie.

Plain arrays in, a matplotlib figure out. Neither Qt nor napari here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .plot_theme import PlotTheme, clear, style

#: Colours of groups (Okabe and Ito, 2008), told apart by colour-blind eyes; more are one.
GROUP_COLOURS = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#0072b2", "#b3a800")

#: What all further groups are called.
OTHERS = "others"

#: Bars of a histogram.
_BARS = 40

#: Letters of a line of the title that stands upright.
_LETTERS = 24

#: Colour of the lines, apart from the groups and from every grey.
_LINES = "#ffe97a"

#: Parts of the largest share at which lines are drawn.
_LEVELS = (0.05, 0.25, 0.5, 0.75)


@dataclass(frozen=True, eq=False)
class DrawnPoints:
    """Where the slices lie in a plot.

    Attributes
    ----------
    axes : Axes
    x, y : ndarray, shape (n,)
        In data coordinates; of a histogram the middles of the bars.
    slices : tuple of tuple of int
        Of each point: one slice, or all of a bar.
    edges : ndarray or None
        Of a histogram: of the bars.
    """

    axes: Axes
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    slices: tuple[tuple[int, ...], ...]
    edges: npt.NDArray[np.float64] | None = None


def draw_scatter(
    figure: Figure,
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    groups: Sequence[str],
    theme: PlotTheme,
    *,
    titles: tuple[str, str],
    colours: Mapping[str, str] | None = None,
) -> DrawnPoints:
    """Two measures of every slice that has both.

    Parameters
    ----------
    groups : sequence of str
        Of each slice, for its colour; all one where empty.
    colours : mapping of str to str, optional
        Of groups that have one of their own, drawn in this order, the last on top.
    titles : (str, str)
        Of the axes.
    """
    axes = _only_axes(figure, theme)
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    _draw_groups(axes, x, y, known, groups, theme, colours)
    axes.set_xlabel(titles[0])
    axes.set_ylabel("\n".join(wrap(titles[1], _LETTERS)))
    style(axes, theme)
    axes.margins(0.03)
    return DrawnPoints(axes, x[known], y[known], tuple((int(i),) for i in known))


def draw_histogram(
    figure: Figure, values: npt.NDArray[np.float64], theme: PlotTheme, *, title: str
) -> DrawnPoints:
    """How many slices have which value."""
    axes = _only_axes(figure, theme)
    known = np.flatnonzero(np.isfinite(values))
    counts, edges = np.histogram(values[known], bins=_BARS)
    axes.stairs(counts, edges, fill=True, color=theme.series[0])
    axes.set_xlabel(title)
    axes.set_ylabel("slices")
    style(axes, theme)
    places = np.clip(np.searchsorted(edges, values[known], side="right") - 1, 0, _BARS - 1)
    slices = tuple(tuple(int(i) for i in known[places == bar]) for bar in range(_BARS))
    middles = (edges[1:] + edges[:-1]) / 2
    return DrawnPoints(axes, middles, counts / 2, slices, edges)


def draw_positions(
    figure: Figure,
    mean: npt.NDArray[np.float64],
    share: npt.NDArray[np.float64],
    rows: npt.NDArray[np.float64],
    columns: npt.NDArray[np.float64],
    groups: Sequence[str],
    theme: PlotTheme,
    *,
    colours: Mapping[str, str] | None = None,
) -> DrawnPoints:
    """The middle of every mask over the mean slice, and lines of the share of the masks there.

    Parameters
    ----------
    mean, share : ndarray, shape (side, side)
    rows, columns : ndarray
        Middles of the masks on the same square; NaN of slices without.
    """
    axes = _only_axes(figure, theme)
    axes.imshow(mean, cmap="gray", interpolation="nearest")
    side, high = share.shape[0], float(share.max())
    if high > 0:
        levels = [high * part for part in _LEVELS]
        lines = axes.contour(share, levels=levels, colors=_LINES, linewidths=0.9)
        axes.clabel(lines, fmt=lambda value: f"{value:.0%}", fontsize=theme.font_size - 1.5)
    known = np.flatnonzero(np.isfinite(rows) & np.isfinite(columns))
    _draw_groups(axes, columns, rows, known, groups, theme, colours)
    there = np.argwhere(share > 0)
    low, top = (there.min(axis=0), there.max(axis=0)) if len(there) else (np.zeros(2), np.ones(2))
    room = 0.35 * float((top - low).max()) + 3
    axes.set_xlim(max(low[1] - room, -0.5), min(top[1] + room, side - 0.5))
    axes.set_ylim(min(top[0] + room, side - 0.5), max(low[0] - room, -0.5))
    axes.set_xlabel("mean slice; lines: share of the masks")
    style(axes, theme)
    axes.set_xticks([])
    axes.set_yticks([])
    return DrawnPoints(axes, columns[known], rows[known], tuple((int(i),) for i in known))


def _only_axes(figure: Figure, theme: PlotTheme) -> Axes:
    clear(figure, theme)
    return figure.add_subplot()


def _draw_groups(
    axes: Axes,
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    known: npt.NDArray[np.intp],
    groups: Sequence[str],
    theme: PlotTheme,
    colours: Mapping[str, str] | None,
) -> None:
    """Points in the colours of their groups, the largest group first, the smallest on top."""
    size = 4.0 if len(known) < 3000 else 2.0
    look = {"linestyle": "none", "marker": "o", "markersize": size, "markeredgewidth": 0.0}
    if not groups:
        axes.plot(x[known], y[known], color=theme.series[0], **look)
        return
    names = np.array(groups)[known]
    counts = Counter(names.tolist())
    first = [name for name, _ in counts.most_common(len(GROUP_COLOURS))]
    chosen_colours = dict(zip(first, GROUP_COLOURS, strict=False))
    if colours is not None:
        chosen_colours = {name: colour for name, colour in colours.items() if name in counts}
        first = list(chosen_colours)
    others = ~np.isin(names, first)
    if others.any():
        axes.plot(x[known[others]], y[known[others]], color=theme.faint, label=OTHERS, **look)
    for name, colour in chosen_colours.items():
        chosen = known[names == name]
        axes.plot(x[chosen], y[chosen], color=colour, label=f"{name} ({len(chosen)})", **look)
    legend = axes.legend(
        loc="upper left", bbox_to_anchor=(1.005, 1.0), fontsize=theme.font_size - 1,
        frameon=False, labelcolor=theme.foreground, borderaxespad=0, handletextpad=0.1,
        markerscale=1.3,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
