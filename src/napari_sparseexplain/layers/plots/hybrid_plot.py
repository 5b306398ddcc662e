"""The picture of a voxel of the hybrid network: what atoms and shells added to each output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...volumes.captions import voxel_caption
from .plot_theme import PlotTheme, clear

if TYPE_CHECKING:
    from ...explanation.microstructure.hybrid_voxel import HybridVoxel

#: Atoms that are listed; what the rest added is one line.
MOST_ATOMS = 10

#: Where shells added so many times what atoms did, they cancel each other and tell nothing.
MOST_CANCELLED = 10.0

_ALIKE = (
    "What the atoms added cannot be shared out\n"
    "among the shells here: atoms with weight are\n"
    "nearly alike, and shells would get large parts\n"
    "that cancel each other."
)

_LETTERS = ("ν", "r", "f")


def draw_hybrid(figure: Figure, found: HybridVoxel, theme: PlotTheme) -> None:
    """Two tables, of the atoms with weight and of the shells; a column for each output.

    Colour goes by the share of the column's largest: red added, blue took away.

    Parameters
    ----------
    figure : Figure
        Emptied first.
    found : HybridVoxel
    theme : PlotTheme
    """
    clear(figure, theme)
    columns = [
        f"{_LETTERS[out.parameter]} {out.population + 1}{' µm' if out.parameter == 1 else ''}"
        for out in found.outputs
    ]
    atoms, names = _largest_atoms(found)
    shells = found.by_shell
    grid = figure.add_gridspec(
        3, 1, height_ratios=(len(names) + 0.5, len(shells) + 0.5, 3.5), hspace=0.1
    )
    _table(figure.add_subplot(grid[0]), atoms, names, columns, "Atoms with weight added", theme)
    groups = [name for name, _ in found.groups]
    below = figure.add_subplot(grid[1])
    if np.abs(shells).sum() <= MOST_CANCELLED * np.abs(atoms).sum():
        _table(below, shells, groups, columns, "Through them, shells", theme)
    else:
        _say(below, _ALIKE, theme)
    sums = np.array([[out.baseline for out in found.outputs], [out.value for out in found.outputs]])
    _table(
        figure.add_subplot(grid[2]), sums, ["no weights", "answer"], columns,
        "From no weights to the answer", theme, coloured=False,
    )  # fmt: skip
    place = f"{voxel_caption(found.index)} · " if found.index else ""
    figure.suptitle(
        f"{place}hybrid network", color=theme.foreground, fontsize=theme.font_size + 0.5
    )


def _largest_atoms(found: HybridVoxel) -> tuple[npt.NDArray[np.float64], list[str]]:
    """What the atoms added that added most to any output, and the rest together."""
    added = found.by_atom
    size = np.abs(added) / np.maximum(np.abs(added).max(axis=0), 1e-12)
    order = np.argsort(-size.max(axis=1), kind="stable")
    kept = np.sort(order[:MOST_ATOMS])
    names = []
    for n in found.outputs[0].active[kept].tolist():
        population, radius, density = found.atom(n)
        names.append(f"{population}: r {radius:.1f}, f {density:.2f}")
    if len(order) > MOST_ATOMS:
        rest = added[order[MOST_ATOMS:]].sum(axis=0)
        return np.vstack([added[kept], rest]), [*names, f"{len(order) - MOST_ATOMS} others"]
    return added[kept], names


def _say(ax: Axes, words: str, theme: PlotTheme) -> None:
    """Words in place of a table."""
    ax.axis("off")
    ax.text(0.0, 0.6, words, color=theme.foreground, fontsize=theme.font_size, va="center")


def _table(
    ax: Axes,
    values: npt.NDArray[np.float64],
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    theme: PlotTheme,
    *,
    coloured: bool = True,
) -> None:
    """Numbers on colours."""
    shown = values / np.maximum(np.abs(values).max(axis=0), 1e-12) if coloured else 0 * values
    ax.imshow(shown, cmap="RdBu_r", vmin=-1.3, vmax=1.3, aspect="auto", alpha=0.85)
    small = theme.font_size - 1.0
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            ax.text(
                column, row, f"{values[row, column]:+.2f}" if coloured else
                f"{values[row, column]:.2f}",
                ha="center", va="center", fontsize=small, color="black",
            )  # fmt: skip
    ax.set_xticks(range(len(columns)), columns, fontsize=small)
    ax.set_yticks(range(len(rows)), rows, fontsize=small)
    ax.tick_params(length=0, colors=theme.foreground)
    ax.set_title(title, fontsize=theme.font_size, color=theme.foreground, loc="left")
    for spine in ax.spines.values():
        spine.set_visible(False)
