"""An explanation drawn: its maps side by side in one figure, and one of them in a small picture.

For scripts and notebooks. Pictures that leave are the compositor's (`export.compositor`): these
hold no more than the maps, the letters of the patient and the notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import SparseExplainError
from ..volumes.edge_letters import edge_letters
from ..volumes.pictures.small_picture import Rgb, grey_slice, page_html, picture_html
from ..volumes.place_words import slice_words
from .colours import SIGNED_COLORMAP, SIGNED_STOPS, label_colours
from .notice import RESEARCH_ONLY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

    from .explanation import Explanation, ExplanationMap

#: Maps of one figure when none are named.
_MOST = 4

#: Kinds of maps, the first to show first.
_WORTH = ("heatmap", "segmentation", "parameter map", "component", "signal", "response")

#: How opaque the largest value of a map is over a scan.
_OPACITY = 0.8


def figure_of(
    explanation: Explanation, index: int | None = None, names: Sequence[str] | None = None
) -> Figure:
    """The maps of one slice side by side; see `Explanation.plot`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    maps = [explanation[name] for name in names] if names else _first(explanation)
    place = _place(explanation, index)
    columns = min(len(maps), _MOST)
    rows = -(-len(maps) // columns)
    figure = Figure(figsize=(3.6 * columns, 3.8 * rows + 0.5), layout="constrained")
    FigureCanvasAgg(figure)
    for number, item in enumerate(maps):
        _draw(figure, figure.add_subplot(rows, columns, number + 1), explanation, item, place)
    figure.suptitle(_title(explanation, place), fontsize="medium")
    figure.supxlabel(RESEARCH_ONLY, fontsize="x-small", color="0.4")
    return figure


def page_of(explanation: Explanation) -> str:
    """A small picture and what the explanation says of itself, as HTML."""
    shown = [m for m in explanation.maps if m.space == "study" and m.data.ndim == 3 and m.data.size]
    picture = ""
    if shown and explanation.grid is not None:
        first = min(shown, key=lambda m: _WORTH.index(m.kind))
        place = _place(explanation, None)
        words = f"{first.title or first.name}, {slice_words(slice(place, place + 1))}"
        spacing = explanation.grid.spacing[1:]
        picture = picture_html(_blended(explanation, first, place), spacing, words)
    scores = ", ".join(
        f"{name} {value:.3g}" for name, value in explanation.scores.items() if value is not None
    )
    rows = {
        "model": explanation.provenance.model,
        "target": explanation.target,
        "slices": "" if not shown else slice_words(explanation.slices),
        "maps": ", ".join(item.name for item in explanation.maps),
        "scores": scores,
        "notes": " ".join(explanation.notes),
    }
    return page_html(picture, explanation.method, {**rows, "": RESEARCH_ONLY})


def _first(explanation: Explanation) -> list[ExplanationMap]:
    ranked = sorted(explanation.maps, key=lambda m: (m.space != "study", _WORTH.index(m.kind)))
    if not ranked:
        raise SparseExplainError(
            "the explanation holds no map", where=explanation.method, remedy="Explain again"
        )
    return ranked[:_MOST]


def _place(explanation: Explanation, index: int | None) -> int:
    """A slice of the study: the one asked for, else where the first map holds most."""
    span = explanation.slices
    if index is not None:
        if not span.start <= index < span.stop:
            raise SparseExplainError(
                f"slice {index}, counted from 0, was not explained",
                where=explanation.method,
                remedy=f"Choose one from {span.start} to {span.stop - 1}",
            )
        return index
    for item in _first(explanation):
        if item.space == "study" and len(item.data):
            total = np.abs(np.nan_to_num(item.data.astype(np.float64)))
            return span.start + int(total.reshape(len(total), -1).sum(axis=1).argmax())
    return span.start


def _title(explanation: Explanation, place: int) -> str:
    words = [explanation.method, explanation.target]
    if any(item.space == "study" for item in explanation.maps):
        words.append(slice_words(slice(place, place + 1)))
    return " · ".join(word for word in words if word)


def _colours(item: ExplanationMap, over_scan: bool) -> Colormap:
    from matplotlib import colormaps
    from matplotlib.colors import LinearSegmentedColormap

    if item.signed:
        stops = [(place, (red, green, blue)) for place, red, green, blue in SIGNED_STOPS]
        return LinearSegmentedColormap.from_list(SIGNED_COLORMAP, stops)
    return colormaps["inferno" if over_scan else "gray"]


def _strength(
    values: npt.NDArray[Any], item: ExplanationMap, limits: tuple[float, float]
) -> npt.NDArray[np.float64]:
    """How opaque each pixel is over a scan: 0 where the map says nothing."""
    low, high = limits
    away = np.abs(values) / high if item.signed else (values - low) / (high - low)
    return _OPACITY * np.clip(np.nan_to_num(away), 0.0, 1.0)


def _coloured(
    values: npt.NDArray[Any], item: ExplanationMap, over_scan: bool
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Colours (P, L, 3) in 0..1 of a slice of a map, and how opaque each is over a scan."""
    if item.kind == "segmentation":
        from matplotlib.colors import to_rgb

        colour = np.zeros((*values.shape, 3))
        for value, name in _label_colours(item).items():
            colour[values == value] = to_rgb(name)
        return colour, np.where(values != 0, 0.5, 0.0)
    limits = item.limits
    scaled = np.clip((np.nan_to_num(values) - limits[0]) / (limits[1] - limits[0]), 0.0, 1.0)
    colour = np.asarray(_colours(item, over_scan)(scaled), dtype=np.float64)[..., :3]
    return colour, _strength(values, item, limits)


def _label_colours(item: ExplanationMap) -> dict[int, str]:
    """A colour for each label that occurs."""
    labels = [int(value) for value in np.unique(item.data) if value]
    return {value: name for value, name in label_colours(labels).items() if value in labels}


def _scan(explanation: Explanation, item: ExplanationMap, place: int) -> Rgb | None:
    """The scan beneath a map of the study; components and signals are pictures of their own."""
    if explanation.study is None or item.space != "study" or item.kind in ("component", "signal"):
        return None
    return grey_slice(explanation.study, place)


def _blended(explanation: Explanation, item: ExplanationMap, place: int) -> Rgb:
    """A slice of a map over its scan, or alone."""
    values = np.asarray(item.data)[place - explanation.slices.start]
    scan = _scan(explanation, item, place)
    colour, strength = _coloured(values, item, scan is not None)
    if scan is None:
        return (255 * colour).astype(np.uint8)
    part = strength[..., None]
    return ((1 - part) * scan + 255 * part * colour).astype(np.uint8)


def _draw(
    figure: Figure, axes: Axes, explanation: Explanation, item: ExplanationMap, place: int
) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.patches import Patch

    axes.set_title(item.title or item.name, fontsize="small")
    axes.set_xticks([])
    axes.set_yticks([])
    on_study = item.space == "study"
    grid = explanation.grid
    if on_study and grid is not None:
        picture = _blended(explanation, item, place)
        axes.imshow(picture, aspect=grid.spacing[1] / grid.spacing[2], interpolation="nearest")
        _letters(axes, edge_letters(grid, (1, 2)))
    else:
        values = np.asarray(item.data)
        middle = values.reshape(-1, *values.shape[-2:])[0] if values.ndim > 2 else values
        low, high = item.limits
        axes.imshow(np.atleast_2d(middle), cmap=_colours(item, False), vmin=low, vmax=high)
    if item.kind == "segmentation":
        patches = [
            Patch(color=colour, label=item.classes.get(value, f"label {value}"))
            for value, colour in _label_colours(item).items()
        ]
        if patches:
            below = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0)}
            axes.legend(handles=patches, fontsize="x-small", frameon=False, **below)
        return
    over = on_study and _scan(explanation, item, place) is not None
    scale = ScalarMappable(Normalize(*item.limits), _colours(item, over))
    figure.colorbar(scale, ax=axes, shrink=0.7, label=item.unit)


def _letters(axes: Axes, letters: dict[str, str]) -> None:
    """R, L, A, P at the edges."""
    from matplotlib.patheffects import withStroke

    outline = [withStroke(linewidth=2, foreground="black")]
    places = {"left": (0.02, 0.5), "right": (0.98, 0.5), "top": (0.5, 0.97), "bottom": (0.5, 0.03)}
    for edge, text in letters.items():
        horizontal = edge if edge in ("left", "right") else "center"
        vertical = edge if edge in ("top", "bottom") else "center"
        axes.text(
            *places[edge], text, transform=axes.transAxes, ha=horizontal, va=vertical,
            color="white", fontsize="small", path_effects=outline,
        )  # fmt: skip
