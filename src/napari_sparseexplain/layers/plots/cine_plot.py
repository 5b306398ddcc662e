"""The volume of the ventricle over the heart's cycle: one line a network, ED and ES marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from .plot_theme import PlotTheme, clear, style

if TYPE_CHECKING:
    from ...training.left_ventricle.cine_volumes import CineVolumes


def draw_cine(
    figure: Figure,
    found: Sequence[CineVolumes],
    titles: Sequence[str],
    theme: PlotTheme,
    *,
    point: int = 0,
    index: int | None = None,
) -> Line2D:
    """Draw volumes in ml, or a slice's areas in cm², over time points, counted from 1.

    Parameters
    ----------
    found : sequence of CineVolumes
        One a network.
    titles : sequence of str
        What each network is called.
    point : int
        Time point of the cursor, from 0.
    index : int, optional
        The slice whose areas are drawn, from 0; volumes when not given.

    Returns
    -------
    Line2D
        The cursor, to be moved by `move_cursor`.
    """
    clear(figure, theme)
    axes = figure.add_subplot()
    for place, (one, title) in enumerate(zip(found, titles, strict=True)):
        colour = line_colour(theme, place)
        values = one.volumes if index is None else one.areas[:, index] / 100
        time = np.arange(1, len(values) + 1)
        axes.plot(time, values, "-o", color=colour, markersize=2.5, linewidth=1.2, label=title)
        for words, at, above in (("ED", one.end_diastole, 1), ("ES", one.end_systole, -1)):
            axes.plot(at + 1, values[at], "D", color=colour, markersize=5)
            # Beside each other where several networks meet.
            axes.annotate(
                words, (at + 1, values[at]), xytext=(5 + 14 * place, 7 * above),
                textcoords="offset points", color=colour, fontsize=theme.font_size - 0.5,
                va="center",
            )  # fmt: skip
    cursor = axes.axvline(point + 1, color=theme.foreground, linewidth=1.0, linestyle="--")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if found:
        axes.set_xlim(0.5, len(found[0].volumes) + 0.5)
    axes.set_xlabel("time point")
    axes.set_ylabel("volume (ml)" if index is None else "area (cm²)")
    axes.margins(y=0.16)
    axes.set_ylim(bottom=max(0.0, axes.get_ylim()[0]))
    style(axes, theme, title="Left ventricle" + ("" if index is None else f", slice {index + 1}"))
    if len(found) > 1:
        axes.legend(
            fontsize=theme.font_size - 1, frameon=False, labelcolor=theme.foreground, loc="best"
        )
    return cursor


def move_cursor(cursor: Line2D, point: int) -> None:
    """Put the cursor at a time point, counted from 0."""
    cursor.set_xdata([point + 1, point + 1])


def line_colour(theme: PlotTheme, place: int) -> str:
    """The colour of a network's line."""
    return theme.series[place % len(theme.series)]
