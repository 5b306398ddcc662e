"""The volume of the ventricle over the heart's cycle: one line a network, ED and ES marked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from .picture_file import picture_kind, save_figure
from .plot_theme import LIGHT, PlotTheme, clear, style, themed_figure

if TYPE_CHECKING:
    from ...training.left_ventricle.cine_volumes import CineVolumes

#: What a file of it is called where its name is refused.
PICTURE = "a picture of a cine's curve"

#: Of such a file, in inches: its width, the height of the curve and of a line below it.
_WIDTH, _CURVE, _LINE_HEIGHT = 6.0, 3.0, 0.17

#: For a figure that is not known.
DASH = "–"

#: Letters in a line of sentences.
_LINE_LENGTH = 95


def draw_cine(
    figure: Figure,
    found: Sequence[CineVolumes],
    titles: Sequence[str],
    theme: PlotTheme,
    *,
    point: int = 0,
    index: int | None = None,
    study: str = "",
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
    study : str, optional
        Whose volumes they are, for the title.

    Returns
    -------
    Line2D
        The cursor, to be moved by `move_cursor`.
    """
    clear(figure, theme)
    axes = figure.add_subplot()
    draw_curves(axes, found, titles, theme, index=index, study=study)
    return axes.axvline(point + 1, color=theme.foreground, linewidth=1.0, linestyle="--")


def draw_curves(
    axes: Axes,
    found: Sequence[CineVolumes],
    titles: Sequence[str],
    theme: PlotTheme,
    *,
    index: int | None = None,
    study: str = "",
) -> None:
    """Draw what `draw_cine` does into axes, without a cursor."""
    for place, (one, title) in enumerate(zip(found, titles, strict=True)):
        colour = line_colour(theme, place)
        values = one.volumes if index is None else one.areas[:, index] / 100
        time = np.arange(1, len(values) + 1)
        axes.plot(time, values, "-o", color=colour, markersize=2.5, linewidth=1.2, label=title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if found:
        axes.set_xlim(0.5, len(found[0].volumes) + 0.5)
    axes.set_xlabel("time point")
    axes.set_ylabel("volume (ml)" if index is None else "area (cm²)")
    axes.margins(y=0.16)
    axes.set_ylim(bottom=max(0.0, axes.get_ylim()[0]))
    _mark_ends(axes, found, theme, index)
    words = [study, "Left ventricle" + ("" if index is None else f", slice {index + 1}")]
    style(axes, theme, title=" · ".join(word for word in words if word))
    if len(found) > 1:
        axes.legend(
            fontsize=theme.font_size - 1, frameon=False, labelcolor=theme.foreground, loc="best"
        )


def _mark_ends(
    axes: Axes, found: Sequence[CineVolumes], theme: PlotTheme, index: int | None
) -> None:
    """ED and ES at their points, the letters inside the axes; none where nothing was found."""
    low, high = axes.get_ylim()
    for place, one in enumerate(found):
        if not one.used.any():
            continue
        colour = line_colour(theme, place)
        values = one.volumes if index is None else one.areas[:, index] / 100
        for words, at in (("ED", one.end_diastole), ("ES", one.end_systole)):
            axes.plot(at + 1, values[at], "D", color=colour, markersize=5)
            # Away from the nearest edge; beside each other where several networks meet.
            left = at > 0.8 * (len(values) - 1)
            share = (values[at] - low) / max(high - low, 1e-12)
            up = 6 if share < 0.15 else -6 if share > 0.85 else 0
            axes.annotate(
                words, (at + 1, values[at]), xytext=((6 + 15 * place) * (-1 if left else 1), up),
                textcoords="offset points", color=colour, fontsize=theme.font_size - 0.5,
                va="center", ha="right" if left else "left", annotation_clip=True, clip_on=True,
            )  # fmt: skip


def shown_columns(
    found: Sequence[CineVolumes], titles: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    """As `figure_columns`, with dashes for what is not known since nothing was found."""
    from ...training.left_ventricle.cine_figures import ROWS, figure_columns

    heads, columns = figure_columns(found, titles)
    nothing = [not one.used.any() for one in found]
    unknown = [*nothing, *[any(nothing)] * (len(columns) - len(nothing))]
    kept = ROWS.index("Slices")
    made = []
    for column, empty in zip(columns, unknown, strict=True):
        dashed = [DASH if word and i != kept else word for i, word in enumerate(column)]
        made.append(dashed if empty else column)
    return heads, made


def save_cine_picture(
    found: Sequence[CineVolumes],
    titles: Sequence[str],
    path: Path,
    *,
    index: int | None = None,
    overwrite: bool = False,
) -> Path:
    """Write curve, figures and what must be read with them on white, as PNG or PDF.

    Parameters
    ----------
    found, titles, index
        See `draw_cine`; ED and ES, and all figures, are those of the volumes.

    Raises
    ------
    SparseExplainError
        Another ending, the file is there already, or it cannot be written.
    """
    from ...training.left_ventricle.cine_figures import ROWS, figure_sentences

    picture_kind(path, PICTURE)  # before it is drawn
    heads, columns = shown_columns(found, titles)
    sentences = [
        line for said in figure_sentences(found, titles) for line in wrap(said, _LINE_LENGTH)
    ]
    foot = (len(ROWS) + 1 + len(sentences)) * _LINE_HEIGHT + 0.2
    figure = themed_figure(LIGHT, size=(_WIDTH, _CURVE + foot), dpi=200)
    curve, below = figure.subplots(2, 1, height_ratios=(_CURVE, foot))
    draw_curves(curve, found, titles, LIGHT, index=index)
    below.set_axis_off()
    lines = [("", heads), *((row, [c[i] for c in columns]) for i, row in enumerate(ROWS))]
    for number, (row, words) in enumerate(lines):
        top = 1 - number * _LINE_HEIGHT / foot
        texts = [(0.0, row, "left", LIGHT.foreground)]
        for place, word in enumerate(words):
            own = number == 0 and place < len(found)
            colour = line_colour(LIGHT, place) if own else LIGHT.foreground
            texts.append((0.2 + 0.8 * (place + 1) / len(words), word, "right", colour))
        for x, word, align, colour in texts:
            below.text(
                x, top, word, ha=align, va="top", color=colour, fontsize=LIGHT.font_size,
                in_layout=False,
            )  # fmt: skip
    below.text(
        0.0, 1 - len(lines) * _LINE_HEIGHT / foot, "\n".join(sentences), va="top",
        color=LIGHT.foreground, fontsize=LIGHT.font_size, linespacing=1.25, in_layout=False,
    )  # fmt: skip
    return save_figure(figure, path, PICTURE, overwrite=overwrite)


def move_cursor(cursor: Line2D, point: int) -> None:
    """Put the cursor at a time point, counted from 0."""
    cursor.set_xdata([point + 1, point + 1])


def line_colour(theme: PlotTheme, place: int) -> str:
    """The colour of a network's line."""
    return theme.series[place % len(theme.series)]
