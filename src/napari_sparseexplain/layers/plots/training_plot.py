"""Curves of a training, and what the layers held for one watched slice after an epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from .plot_theme import PlotTheme, clear, style

if TYPE_CHECKING:
    from ...training.fit.training_folder import FollowedTraining

#: A log of more entries is drawn without dots.
_DOTS = 120

#: Height of a picture's name, as a share of an inch.
_NAME = 0.2


#: Said in place of curves.
_NOT_LOGGED = "this recipe does not log it"
_NOTHING_HELD_OUT = "nothing was held out"

#: Colour of entries whose value is NaN or infinite, in every theme.
_RAN_AWAY = "#d62728"


def not_finite(found: FollowedTraining, names: Sequence[str]) -> list[float]:
    """Epochs or steps at which any of these was logged as NaN or infinite, in order."""
    places = found.places
    return [
        float(place)
        for place, entry in zip(places, found.entries, strict=True)
        if any(name in entry and not np.isfinite(entry[name]) for name in names)
    ]


def draw_training(figure: Figure, found: FollowedTraining, theme: PlotTheme) -> list[Line2D]:
    """Loss; pixel accuracy and Dice in one plot; learning rate.

    Returns
    -------
    list of Line2D
        A cursor in each plot, to be put at an epoch.
    """
    clear(figure, theme)
    loss, scores, rate = figure.subplots(1, 3)
    names = found.names
    # Where an epoch is judged, but on nothing that was held out, its loss alone is logged.
    missing = _NOTHING_HELD_OUT if found.by_epoch and found.watched else _NOT_LOGGED
    _curves(loss, found, [n for n in names if "loss" in n.lower()], theme, "Loss")
    accuracy = [n for n in names if "accuracy" in n.lower()]
    dice = [n for n in names if "dice" in n.lower()]
    both = [*accuracy, *_most_telling(dice)]
    _curves(scores, found, both, theme, "Accuracy beside Dice", missing=missing)
    if accuracy or dice:
        scores.set_ylim(-0.03, 1.03)
    _curves(rate, found, [n for n in names if "learning rate" in n.lower()], theme, "Learning rate")
    if rate.lines:
        rate.set_yscale("log")
    cursors = []
    for axes in (loss, scores, rate):
        if not axes.lines and not axes.collections:  # words stand there, and no ticks below them
            axes.set_axis_off()
            continue
        axes.set_xlabel("epoch" if found.by_epoch else "step")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        style(axes, theme)
        if axes.lines:
            cursors.append(
                axes.axvline(np.nan, color=theme.foreground, linewidth=0.9, linestyle="--")
            )
    return cursors


def _most_telling(names: Sequence[str]) -> list[str]:
    """Two Dice at most: of all pixels together, and of patients where that is there."""
    first = [n for n in names if "micro" in n.lower()] or list(names[:1])
    return list(dict.fromkeys([*first[:1], *[n for n in names if "patient" in n.lower()][:1]]))


def _curves(
    axes: Axes,
    found: FollowedTraining,
    names: Sequence[str],
    theme: PlotTheme,
    title: str,
    *,
    missing: str = "",
) -> None:
    places = found.places
    for number, name in enumerate(names[: len(theme.series)]):
        values = found.values(name)
        shown = np.isfinite(values)
        axes.plot(
            places[shown], values[shown], color=theme.series[number], label=name,
            marker="o" if len(places) <= _DOTS else "", markersize=1.8,
            # Of lines that lie on each other the lower one is seen beside the upper.
            linewidth=1.2 + 1.0 * number, zorder=3 - 0.1 * number,
        )  # fmt: skip
    lost = not_finite(found, names)
    for place in lost:
        axes.axvline(place, color=_RAN_AWAY, linewidth=0.8, alpha=0.7, zorder=1)
    if lost:
        axes.plot([], [], color=_RAN_AWAY, linewidth=0.8, label="not a finite number")
    axes.set_title(title, color=theme.foreground, fontsize=theme.font_size, pad=4)
    if len(names) > 1 or lost:
        axes.legend(
            fontsize=theme.font_size - 1.5, frameon=False, labelcolor=theme.foreground, loc="best"
        )
    if not names:
        axes.text(
            0.5, 0.5, missing or _NOT_LOGGED, transform=axes.transAxes, ha="center",
            color=theme.faint, fontsize=theme.font_size,
        )  # fmt: skip


def draw_watched(
    figure: Figure, maps: Mapping[str, npt.NDArray[np.floating]], theme: PlotTheme, layer: str = ""
) -> None:
    """Pictures of the watched slice: a layer each, or the maps of one layer.

    Parameters
    ----------
    maps : mapping of layer name to ndarray, shape (maps, rows, columns)
        As `read_watched` gives them.
    layer : str
        Whose single maps are drawn; of every layer the root mean square when empty.
    """
    clear(figure, theme)
    if layer in maps:
        names = ["rms of all maps", *(f"a map ({n})" for n in range(1, len(maps[layer])))]
        pictures = list(zip(names, maps[layer], strict=True))
    else:
        pictures = [(name, found[0]) for name, found in maps.items()]
    across = _across(len(pictures), *figure.get_size_inches())
    down = -(-len(pictures) // across)
    grid = figure.subplots(down, across, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, (name, picture) in zip(grid.flat, pictures, strict=False):
        # Probabilities keep their scale from epoch to epoch; others have no unit.
        limits = (0.0, 1.0) if name == "output" else (None, None)
        axes.imshow(picture, cmap="gray", interpolation="nearest", vmin=limits[0], vmax=limits[1])
        axes.set_title(name, color=theme.foreground, fontsize=theme.font_size - 1, pad=2)


def _across(count: int, wide: float, high: float) -> int:
    """Pictures in a row, so that square ones are as large as they can be."""

    def side(across: int) -> float:
        return min(wide / across, high / -(-count // across) - _NAME)

    return max(range(1, count + 1), key=side)
