"""An explanation drawn: its maps side by side in one figure, and one of them in a small picture.

For scripts and notebooks. Pictures that leave are the compositor's (`export.compositor`): these
hold no more than the maps, the letters of the patient and the notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..arguments import is_whole, shown
from ..errors import SparseExplainError
from ..volumes.captions import slice_caption
from ..volumes.edge_letters import edge_letters
from ..volumes.grid import Grid
from ..volumes.pictures.small_picture import Rgb, grey_slice, page_html, picture_html
from ..volumes.study import Study
from .colours import (
    PARAMETER_COLORMAP,
    POPULATION_COLOURS,
    POPULATIONS,
    RGB_COLOURS,
    SIGNED_COLORMAP,
    SIGNED_STOPS,
    label_colours,
)
from .explanation_map import ExplanationMap
from .notice import RESEARCH_ONLY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure


#: Maps of one figure when none are named.
_MOST = 4

#: Kinds of maps, the first to show first.
_WORTH = ("heatmap", "segmentation", "colours", "parameter map", "component", "signal", "response")

#: How opaque the largest value of a map is over a scan.
_OPACITY = 0.8


@dataclass(frozen=True, eq=False)
class Drawing:
    """What of an explanation is drawn: its maps, and where they lie.

    Attributes
    ----------
    maps : tuple of ExplanationMap
        Those to choose from.
    slices : slice
        Which slices of the grid they cover.
    grid : Grid or None
        The study's, when maps lie on it.
    study : Study or None
        Whose scan is drawn beneath, where it is known.
    method, target : str
        What stands above.
    """

    maps: tuple[ExplanationMap, ...]
    slices: slice
    grid: Grid | None
    study: Study | None
    method: str
    target: str


def figure_of(
    drawing: Drawing, index: int | None = None, chosen: Sequence[ExplanationMap] = ()
) -> Figure:
    """The maps of one slice side by side; see `Explanation.plot`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    maps = list(chosen) or _first(drawing)
    place = _place(drawing, index)
    columns = min(len(maps), _MOST)
    rows = -(-len(maps) // columns)
    figure = Figure(figsize=(3.6 * columns, 3.8 * rows + 0.5), layout="constrained")
    FigureCanvasAgg(figure)
    for number, item in enumerate(maps):
        _draw(figure, figure.add_subplot(rows, columns, number + 1), drawing, item, place)
    figure.suptitle(_title(drawing, place), fontsize="medium")
    figure.supxlabel(RESEARCH_ONLY, fontsize="x-small", color="0.4")
    return figure


def page_of(drawing: Drawing, rows: Mapping[str, str]) -> str:
    """A small picture and what is said in rows, as HTML."""
    shown = [m for m in drawing.maps if m.space == "study" and m.data.ndim == 3 and m.data.size]
    picture = ""
    if shown and drawing.grid is not None:
        first = min(shown, key=lambda m: _WORTH.index(m.kind))
        place = _place(drawing, None)
        words = f"{first.title or first.name}, {slice_caption(slice(place, place + 1))}"
        spacing = drawing.grid.spacing[1:]
        picture = picture_html(_blended(drawing, first, place), spacing, words)
    return page_html(picture, drawing.method, {**rows, "": RESEARCH_ONLY})


def _first(drawing: Drawing) -> list[ExplanationMap]:
    ranked = sorted(drawing.maps, key=lambda m: (m.space != "study", _WORTH.index(m.kind)))
    if not ranked:
        raise SparseExplainError(
            "the explanation holds no map", where=drawing.method, remedy="Explain again"
        )
    return ranked[:_MOST]


def _place(drawing: Drawing, index: int | None) -> int:
    """A slice of the study: the one asked for, else where the first map holds most."""
    span = drawing.slices
    if index is not None:
        if not is_whole(index) or not span.start <= index < span.stop:
            raise SparseExplainError(
                f"slice {shown(index)}, counted from 0, was not explained",
                where=drawing.method,
                remedy=f"Choose one from {span.start} to {span.stop - 1}",
            )
        return index
    for item in _first(drawing):
        if item.space == "study" and len(item.data):
            total = np.abs(np.nan_to_num(item.data.astype(np.float64)))
            return span.start + int(total.reshape(len(total), -1).sum(axis=1).argmax())
    return span.start


def _title(drawing: Drawing, place: int) -> str:
    words = [drawing.method, drawing.target]
    if any(item.space == "study" for item in drawing.maps):
        words.append(slice_caption(slice(place, place + 1)))
    return " · ".join(word for word in words if word)


def _colours(item: ExplanationMap, over_scan: bool) -> Colormap:
    from matplotlib import colormaps
    from matplotlib.colors import LinearSegmentedColormap

    if item.signed:
        stops = [(place, (red, green, blue)) for place, red, green, blue in SIGNED_STOPS]
        return LinearSegmentedColormap.from_list(SIGNED_COLORMAP, stops)
    if item.kind == "parameter map" and item.space == "study":
        return colormaps[PARAMETER_COLORMAP]
    return colormaps["inferno" if over_scan else "gray"]


def _strength(
    values: npt.NDArray[Any], item: ExplanationMap, limits: tuple[float, float]
) -> npt.NDArray[np.float64]:
    """How opaque each pixel is over a scan: 0 where the map says nothing."""
    low, high = limits
    if item.kind == "parameter map":
        return _OPACITY * np.isfinite(values)  # a low value is a value too
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
    if item.kind == "colours":
        return values / 255, np.where(values.any(axis=-1), _OPACITY, 0.0)
    limits = item.limits
    scaled = np.clip((np.nan_to_num(values) - limits[0]) / (limits[1] - limits[0]), 0.0, 1.0)
    colour = np.asarray(_colours(item, over_scan)(scaled), dtype=np.float64)[..., :3]
    return colour, _strength(values, item, limits)


def _label_colours(item: ExplanationMap) -> dict[int, str]:
    """A colour for each label that occurs; of a map of colours, its three."""
    if item.kind == "colours":
        return dict(RGB_COLOURS)
    labels = [int(value) for value in np.unique(item.data) if value]
    if item.name == POPULATIONS:
        return {value: POPULATION_COLOURS[value] for value in labels}
    return {value: name for value, name in label_colours(labels).items() if value in labels}


def _scan(drawing: Drawing, item: ExplanationMap, place: int) -> Rgb | None:
    """The scan beneath a map of the study; components and signals are pictures of their own."""
    if drawing.study is None or item.space != "study" or item.kind in ("component", "signal"):
        return None
    return grey_slice(drawing.study, place)


def _blended(drawing: Drawing, item: ExplanationMap, place: int) -> Rgb:
    """A slice of a map over its scan, or alone."""
    values = np.asarray(item.data)[place - drawing.slices.start]
    scan = _scan(drawing, item, place)
    colour, strength = _coloured(values, item, scan is not None)
    if scan is None:
        return (255 * colour).astype(np.uint8)
    part = strength[..., None]
    return ((1 - part) * scan + 255 * part * colour).astype(np.uint8)


def _draw(figure: Figure, axes: Axes, drawing: Drawing, item: ExplanationMap, place: int) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.patches import Patch

    axes.set_title(item.title or item.name, fontsize="small")
    axes.set_xticks([])
    axes.set_yticks([])
    on_study = item.space == "study"
    grid = drawing.grid
    if on_study and grid is not None:
        picture = _blended(drawing, item, place)
        axes.imshow(picture, aspect=grid.spacing[1] / grid.spacing[2], interpolation="nearest")
        _letters(axes, edge_letters(grid, (1, 2)))
    else:
        values = np.asarray(item.data)
        middle = values.reshape(-1, *values.shape[-2:])[0] if values.ndim > 2 else values
        low, high = item.limits
        axes.imshow(np.atleast_2d(middle), cmap=_colours(item, False), vmin=low, vmax=high)
    if item.kind in ("segmentation", "colours"):
        patches = [
            Patch(color=colour, label=item.classes.get(value, f"label {value}"))
            for value, colour in _label_colours(item).items()
        ]
        if patches:
            below = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0)}
            axes.legend(handles=patches, fontsize="x-small", frameon=False, **below)
        return
    over = on_study and _scan(drawing, item, place) is not None
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
