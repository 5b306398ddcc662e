"""The picture of a search: parallel coordinates, a line a trial, coloured by its Dice."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ...files.atomic_write import write_atomically
from .plot_theme import LIGHT, PlotTheme, clear, style, themed_figure

if TYPE_CHECKING:
    from ...training.left_ventricle.parameter_search import Trial

#: Inches.
SIZE = (8.0, 3.6)

#: Where a trial without a value stands: below all that have one.
_ABSENT = -0.08

#: Lines of trials that were left behind.
_STOPPED = (0, (4, 2))

_OPTIMISERS = ("adamw", "sgd")


def draw_trials(figure: Figure, trials: Sequence[Trial], theme: PlotTheme) -> None:
    """Draw every trial over optimiser, rates, decay, epochs and Dice.

    Rates and weight decay stand on logarithmic axes. Decay and its steps are those of SGD alone: a
    trial without them passes below the axis. Trials that were left behind are dashed.

    Parameters
    ----------
    figure : Figure
        Emptied first.
    trials : sequence of Trial
        At least one.
    """
    clear(figure, theme)
    axes = figure.add_subplot()
    style(axes, theme)
    columns = [
        ("optimiser", [float(_OPTIMISERS.index(t.optimiser)) for t in trials], False),
        ("learning rate", [t.learning_rate for t in trials], True),
        ("decay", [t.decay if t.optimiser == "sgd" else np.nan for t in trials], False),
        ("decay steps", [t.decay_steps if t.optimiser == "sgd" else np.nan for t in trials], True),
        ("weight decay", [t.weight_decay for t in trials], True),
        ("epochs", [float(t.epochs) for t in trials], False),
        ("Dice", [np.nan if t.dice is None else t.dice for t in trials], False),
    ]
    places = np.stack([_placed(np.asarray(values, dtype=float), log) for _, values, log in columns])
    dice = np.asarray(columns[-1][1], dtype=float)
    known = dice[np.isfinite(dice)]
    shades = Normalize(known.min() if known.size else 0, known.max() if known.size else 1)
    dark = sum(int(theme.background[i : i + 2], 16) for i in (1, 3, 5)) < 384
    colours = colormaps["viridis" if dark else "viridis_r"]
    for index, trial in sorted(enumerate(trials), key=lambda pair: not pair[1].stopped):
        axes.plot(
            range(len(columns)),
            places[:, index],
            color=theme.faint if np.isnan(dice[index]) else colours(shades(dice[index])),
            linestyle=_STOPPED if trial.stopped else "-",
            linewidth=0.9 if trial.stopped else 2.0,
            gid=f"trial {trial.number}",
        )
    for column, (name, values, _) in enumerate(columns):
        axes.axvline(column, color=theme.faint, linewidth=0.6, zorder=0)
        there = np.asarray(values, dtype=float)
        there = there[np.isfinite(there)]
        if name == "optimiser":
            shown = {0.0: "AdamW", 1.0: "SGD"}
            for place, word in shown.items():
                _say(axes, column, place, word, theme)
        elif there.size:
            _say(axes, column, 0.0, f"{there.min():.3g}", theme)
            if there.max() > there.min():
                _say(axes, column, 1.0, f"{there.max():.3g}", theme)
        axes.text(
            column, 1.12, name, ha="center", va="bottom",
            color=theme.foreground, fontsize=theme.font_size,
        )  # fmt: skip
    axes.set_xlim(-0.3, len(columns) - 0.5)
    axes.set_ylim(_ABSENT - 0.05, 1.22)
    axes.set_axis_off()
    bar = figure.colorbar(ScalarMappable(shades, colours), ax=axes, fraction=0.03, pad=0.02)
    style(bar.ax, theme)
    bar.set_label(
        "Dice, mean over patients", color=theme.foreground, fontsize=theme.font_size - 0.5
    )


def save_trials_picture(trials: Sequence[Trial], path: Path) -> Path:
    """Write the picture as PNG, on white; one that is there is replaced."""
    figure = themed_figure(LIGHT, size=SIZE, dpi=150)
    draw_trials(figure, trials, LIGHT)
    content = BytesIO()
    figure.savefig(content, format="png")
    return write_atomically(path, content.getvalue(), overwrite=True)


def _placed(values: npt.NDArray[np.float64], log: bool) -> npt.NDArray[np.float64]:
    """Values between 0 and 1 from the least to the largest; what is absent below them."""
    there = np.isfinite(values)
    if not there.any():
        return np.full(values.shape, _ABSENT)
    scaled = np.log(np.where(there, values, 1.0)) if log else values
    low, high = scaled[there].min(), scaled[there].max()
    spread = (scaled - low) / (high - low) if high > low else np.zeros(values.shape)
    return np.where(there, spread, _ABSENT)


def _say(axes: Axes, column: int, place: float, word: str, theme: PlotTheme) -> None:
    axes.text(
        column + 0.05, place, word, ha="left", va="center",
        color=theme.foreground, fontsize=theme.font_size - 1,
        bbox={"facecolor": theme.background, "edgecolor": "none", "pad": 0.6, "alpha": 0.8},
    )  # fmt: skip
