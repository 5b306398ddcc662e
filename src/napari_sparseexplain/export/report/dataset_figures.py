"""Plots and pictures of a set, for its HTML page and its PDF."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from PIL import Image
from scipy import ndimage

from ...errors import SparseExplainError
from ...explanation.data_explorer.dataset import Dataset
from ...explanation.data_explorer.noted import noted
from ...explanation.data_explorer.slice_reader import SliceReader
from ...explanation.data_explorer.slice_record import (
    MEASURES,
    SliceRecord,
    as_bytes,
    finite,
    shrunk,
)
from ..pictures.lettering import line_height, wrapped, write

#: Slices of one kind that are shown, and the side of their pictures.
SHOWN, SIDE = 24, 160

#: Pictures in a row of a sheet, and the size of their names in pixels.
_ACROSS, _LETTERS = 4, 17


def shown_slices(found: Dataset) -> dict[str, list[int]]:
    """Indices of what stands out, by kind, each slice of a kind once."""
    kinds: dict[str, dict[int, None]] = {}
    for note in noted(found):
        for index in note.slices:
            kinds.setdefault(note.kind, {})[index] = None
    return {kind: list(indices) for kind, indices in kinds.items()}


def histograms(found: Dataset) -> Figure:
    """One a measure, over all slices."""
    names = [m for m in MEASURES if np.isfinite(found.values(m)).any()]
    rows = -(-len(names) // 3)
    figure = Figure(figsize=(11, 2.4 * rows), layout="constrained")
    for place, measure in enumerate(names, 1):
        axes = figure.add_subplot(rows, 3, place)
        values = found.values(measure)
        axes.hist(values[np.isfinite(values)], bins=40, color="#4477aa")
        axes.set_title(MEASURES[measure], fontsize=8)
        axes.tick_params(labelsize=8)
    return figure


def position_map(found: Dataset) -> Figure:
    """The mean slice, and where the masks lie."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    for place, (name, values, colours) in enumerate(
        (("mean slice", found.mean, "gray"), ("share of the masks", found.position, "magma")), 1
    ):
        axes = figure.add_subplot(1, 2, place)
        shown = axes.imshow(values, cmap=colours)
        axes.set_title(name, fontsize=9)
        axes.set_axis_off()
        if place == 2:
            figure.colorbar(shown, ax=axes)
    return figure


def sheet(records: Sequence[SliceRecord], reader: SliceReader) -> Image.Image:
    """Pictures of slices with their names above, some in a row."""
    side, margin, head = 2 * SIDE, 16, 2 * line_height(_LETTERS)
    rows = -(-len(records) // _ACROSS)
    size = (_ACROSS * (side + margin) - margin, rows * (side + head + margin))
    made = Image.new("RGB", size, "white")
    for place, record in enumerate(records):
        row, column = divmod(place, _ACROSS)
        left, top = column * (side + margin), row * (side + head + margin)
        for line, text in enumerate(wrapped(record.item.name, _LETTERS, side, most=2)):
            spot = (left, top + line * line_height(_LETTERS))
            write(made, spot, text, _LETTERS, colour="#202020", outlined=False)
        picture = Image.fromarray(slice_picture(record, reader))
        made.paste(picture.resize((side, side), Image.Resampling.BILINEAR), (left, top + head))
    return made


def slice_picture(record: SliceRecord, reader: SliceReader) -> npt.NDArray[np.uint8]:
    """A slice with the edge of its mask, shape (SIDE, SIDE, 3)."""
    try:
        pixels = reader.pixels(record.item)
    except SparseExplainError:  # gone since it was measured: its small copy stands for it
        return np.repeat(record.small[..., None], 3, axis=2)
    grey = as_bytes(shrunk(finite(pixels.image), SIDE))
    picture = np.repeat(grey[..., None], 3, axis=2)
    if pixels.mask is not None:
        inside = shrunk(pixels.mask, SIDE) >= 0.5
        edge = inside & ~np.asarray(ndimage.binary_erosion(inside), dtype=np.bool_)
        picture[edge] = (255, 80, 60)
    return picture


def as_png(figure: Figure, dpi: float = 90) -> bytes:
    """A figure as the bytes of a PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=dpi)
    return stream.getvalue()


def as_image(figure: Figure, dpi: float = 150) -> Image.Image:
    """A figure as a picture for a page."""
    return Image.open(io.BytesIO(as_png(figure, dpi))).convert("RGB")
