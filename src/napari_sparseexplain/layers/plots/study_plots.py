"""Pictures of an attribution study: information curves, and pictures × models × methods."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ...files.atomic_write import write_atomically
from .plot_theme import LIGHT, PlotTheme, clear, style, themed_figure

if TYPE_CHECKING:
    from ...training.classifiers.study_records import StudyRecord

#: Inches of one picture among the panels.
_TILE = 1.15

#: Colour of where the finding lies.
_BOX = "#35d0ff"

#: Colours of lines told apart by hue and by dash.
_DASHES = ("-", "--", ":", "-.")


def draw_curves(figure: Figure, records: Sequence[StudyRecord], theme: PlotTheme = LIGHT) -> None:
    """SIC and AIC, the median over pictures of each method, a row a model.

    Parameters
    ----------
    figure : Figure
        Emptied first.
    records : sequence of StudyRecord
    """
    clear(figure, theme)
    models = list(dict.fromkeys(record.model for record in records))
    axes = figure.subplots(len(models), 2, squeeze=False, sharex=True, sharey=True)
    for row, model in enumerate(models):
        for column, name in enumerate(("SIC", "AIC")):
            ax = axes[row, column]
            style(ax, theme)
            methods = dict.fromkeys(
                r.method for r in records if r.model == model and name in r.curves
            )
            for number, method in enumerate(methods):
                curves = [
                    r.curves[name]
                    for r in records
                    if (r.model, r.method) == (model, method) and name in r.curves
                ]
                middle = np.median(np.asarray(curves), axis=0)
                ax.plot(
                    np.linspace(0, 1, len(middle)),
                    middle,
                    _DASHES[number % len(_DASHES)],
                    linewidth=1.2,
                    label=f"{method} ({len(curves)})",
                )
            ax.set_title(f"{model}: {name}", color=theme.foreground, fontsize=8)
            ax.set_xlabel("information in the image", fontsize=7)
            ax.set_ylabel("answer", fontsize=7)
            if not methods:
                why = "skipped: no picture is told with .8 or more"
                ax.text(0.5, 0.5, why, ha="center", fontsize=7, color=theme.foreground)
                continue
            ax.legend(fontsize=5.5, loc="lower right", frameon=False, labelcolor=theme.foreground)


def save_curves(records: Sequence[StudyRecord], path: Path) -> Path:
    """Write the curves as a picture."""
    models = len({record.model for record in records})
    figure = themed_figure(LIGHT, size=(8.0, 3.2 * models), dpi=150)
    draw_curves(figure, records)
    return _saved(figure, path)


def draw_panels(
    figure: Figure,
    pictures: Sequence[tuple[str, npt.NDArray[Any], npt.NDArray[np.bool_]]],
    columns: Sequence[tuple[str, str]],
    maps: Sequence[Sequence[npt.NDArray[Any] | None]],
    said: Sequence[Sequence[str]],
    theme: PlotTheme = LIGHT,
) -> None:
    """A row a picture: the picture with its box, then the map of every model and method over it.

    Parameters
    ----------
    figure : Figure
        Emptied first.
    pictures : sequence of (title, picture, box)
        Shapes (H, W).
    columns : sequence of (model, method)
    maps : sequence of sequence of ndarray or None
        By picture and column: importance, shape (H, W); None where there is none.
    said : sequence of sequence of str
        A line below each map.
    """
    clear(figure, theme)
    axes = figure.subplots(len(pictures), len(columns) + 1, squeeze=False)
    for row, (title, picture, box) in enumerate(pictures):
        low, high = np.percentile(picture, (1, 99.5))
        for column, ax in enumerate(axes[row]):
            ax.set_xticks([])
            ax.set_yticks([])
            for spine in ax.spines.values():
                spine.set_visible(False)
            ax.imshow(picture, cmap="gray", vmin=low, vmax=high)
            _draw_box(ax, box)
            if column == 0:
                ax.set_xlabel(title, fontsize=5.5, color=theme.foreground)
                continue
            heat = maps[row][column - 1]
            if heat is None:
                ax.text(0.5, 0.5, "no map", transform=ax.transAxes, color="white", ha="center")
                continue
            strength = np.clip(heat / (np.percentile(heat, 99.5) or 1.0), 0, 1)
            # Models may be fed other sizes: every map covers the whole picture.
            ax.imshow(
                strength, cmap="inferno", alpha=0.25 + 0.7 * strength, vmin=0, vmax=1,
                extent=(-0.5, picture.shape[1] - 0.5, picture.shape[0] - 0.5, -0.5),
            )  # fmt: skip
            ax.set_xlabel(said[row][column - 1], fontsize=5.5, color=theme.foreground)
            if row == 0:
                ax.set_title("\n".join(columns[column - 1]), fontsize=6, color=theme.foreground)
    axes[0, 0].set_title("picture", fontsize=6, color=theme.foreground)


def save_panels(path: Path, *parts: Any) -> Path:
    """Write the panels as a picture; parts as of `draw_panels`."""
    pictures, columns = parts[0], parts[1]
    size = (_TILE * (len(columns) + 1), (_TILE + 0.12) * len(pictures) + 0.3)
    figure = themed_figure(LIGHT, size=size, dpi=200)
    draw_panels(figure, *parts)
    return _saved(figure, path)


def _draw_box(ax: Any, box: npt.NDArray[np.bool_]) -> None:
    """The outline of one box; of several boxes, or of a mask, their own."""
    rows, columns = np.flatnonzero(box.any(axis=1)), np.flatnonzero(box.any(axis=0))
    if not len(rows):
        return
    first, last = (rows[0], columns[0]), (rows[-1] + 1, columns[-1] + 1)
    if not box[first[0] : last[0], first[1] : last[1]].all():
        ax.contour(box.astype(float), levels=[0.5], colors=[_BOX], linewidths=0.8)
        return
    size = (last[1] - first[1], last[0] - first[0])
    place = (first[1] - 0.5, first[0] - 0.5)
    ax.add_patch(Rectangle(place, *size, fill=False, edgecolor=_BOX, linewidth=0.8))


def _saved(figure: Figure, path: Path) -> Path:
    with BytesIO() as stream:
        figure.savefig(stream, format="png")
        write_atomically(path, stream.getvalue(), overwrite=True)
    return path
