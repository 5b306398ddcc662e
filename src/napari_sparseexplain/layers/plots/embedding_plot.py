"""Pictures as points in the plane, by pixels and by a network, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...errors import ParameterError
from ...files.atomic_write import write_atomically
from .plot_theme import LIGHT, PlotTheme, clear, style, themed_figure

if TYPE_CHECKING:
    from ...training.classifiers.picture_embedding import Embedding, PictureEmbeddings

#: By what points can be coloured.
CHOICES = ("class", "view", "side", "correctness", "confidence")

#: Told apart by those who see red and green alike (Okabe and Ito 2008).
_HUES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")

#: Letters in a line above a picture.
_WIDE = 36

_RIGHT, _WRONG = "#0072b2", "#d55e00"


@dataclass(frozen=True, eq=False)
class Shades:
    """Colours of points, and what they mean.

    Attributes
    ----------
    title : str
    colours : ndarray, shape (N, 4)
    meanings : tuple of (words, colour)
    """

    title: str
    colours: npt.NDArray[np.float64]
    meanings: tuple[tuple[str, Any], ...]


def colours_by(found: PictureEmbeddings, choice: str) -> Shades:
    """Colours of the points by class, view, side of the split, correctness or confidence.

    Raises
    ------
    ParameterError
        Another choice, or one that needs a classifier where there was none.
    """
    images = found.slices.images
    if choice not in CHOICES:
        raise ParameterError(
            f"points are not coloured by {choice!r}", remedy="Choose one of " + ", ".join(CHOICES)
        )
    called, sure = found.predicted, found.confidence
    if choice in ("correctness", "confidence") and (called is None or sure is None):
        raise ParameterError(
            f"without a classifier there is no {choice}", remedy="Choose a classifier, and embed"
        )
    if choice == "confidence":
        scale = colormaps["viridis"]
        ends = tuple((f"{v:.1f}", scale(v)) for v in (0.4, 0.6, 0.8, 1.0))
        return Shades("confidence", np.asarray(scale(np.asarray(sure))), ends)
    if choice == "correctness":
        words = [
            "right" if hit else "wrong"
            for hit in np.equal(np.asarray(called), found.slices.targets)
        ]
        hues = {"right": _RIGHT, "wrong": _WRONG}
    else:
        words = {
            "class": [image.label for image in images],
            "view": [image.view or "not told" for image in images],
            "side": [side or "left out" for side in found.sides],
        }[choice]
        hues = {name: _HUES[k % len(_HUES)] for k, name in enumerate(sorted(set(words)))}
    rgba = {name: _rgba(hue) for name, hue in hues.items()}
    return Shades(choice, np.asarray([rgba[word] for word in words]), tuple(hues.items()))


def _rgba(hue: str) -> tuple[float, float, float, float]:
    red, green, blue = (int(hue[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue, 1.0


def draw_embeddings(
    figure: Figure,
    found: PictureEmbeddings,
    shades: Shades,
    theme: PlotTheme = LIGHT,
    *,
    beside: bool = False,
) -> tuple[Axes, ...]:
    """Both pictures, or that of the pixels alone; above each how far it can be believed.

    Parameters
    ----------
    figure : Figure
        Emptied first.
    beside : bool
        What the colours mean stands beside, not below: where there is little height.

    Returns
    -------
    tuple of Axes
        By pixels, by the network.
    """
    clear(figure, theme)
    axes = tuple(figure.subplots(1, len(found.parts), squeeze=False)[0])
    for ax, part in zip(axes, found.parts, strict=True):
        style(ax, theme)
        ax.scatter(*part.places.T, c=shades.colours, s=7, linewidths=0)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_title(_title(part, found.chance), fontsize=theme.font_size, color=theme.foreground)
    marks = [
        Line2D([], [], marker="o", linestyle="", color=colour, label=words, markersize=4)
        for words, colour in shades.meanings
    ]
    figure.legend(
        handles=marks,
        title=shades.title,
        loc="outside right center" if beside else "outside lower center",
        ncols=1 if beside else len(marks),
        fontsize=theme.font_size - 1,
        title_fontsize=theme.font_size - 1,
        frameon=False,
        labelcolor=theme.foreground,
    ).get_title().set_color(theme.foreground)
    return axes


def _title(part: Embedding, chance: float) -> str:
    """In short lines: each of two pictures side by side is narrow."""
    lines = [
        *wrap(part.title, _WIDE),
        f"trustworthiness {part.trustworthiness:.2f}",
        f"neighbourhood hit {part.hit:.2f} (chance {chance:.2f})",
    ]
    if part.judged_hit is not None:
        lines.append(f"of those to judge by {part.judged_hit:.2f}")
    return "\n".join(lines)


def save_embedding_picture(found: PictureEmbeddings, shades: Shades, path: Path) -> Path:
    """Write the picture as PNG, on white; one that is there is replaced."""
    figure = themed_figure(LIGHT, size=(9.0, 4.8), dpi=150)
    draw_embeddings(figure, found, shades)
    content = BytesIO()
    figure.savefig(content, format="png")
    return write_atomically(path, content.getvalue(), overwrite=True)
