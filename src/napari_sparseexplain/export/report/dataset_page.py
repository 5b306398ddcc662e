"""A labelled folder on one HTML page: figures, position map, what stands out, with its pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

import imageio.v3 as iio
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from scipy import ndimage

from ...errors import ReadError
from ...explanation.data_explorer.dataset import Dataset
from ...explanation.data_explorer.dataset_text import dataset_text
from ...explanation.data_explorer.slice_record import (
    MEASURES,
    SliceRecord,
    as_bytes,
    finite,
    shrunk,
)
from ...volumes.labelled.labelled_folder import read_labelled

#: Slices of one kind that are shown, and the side of their pictures.
_SHOWN, _SIDE = 24, 160

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}
pre{background:#f4f4f4;padding:1em;overflow-x:auto;white-space:pre-wrap}
figure{display:inline-block;margin:.3em;text-align:center;font-size:12px;width:170px}
figure img{width:160px;height:160px}
img.plot{max-width:100%}
"""


def dataset_page(found: Dataset) -> str:
    """The page as text; it holds all that it shows, so that it can be sent as one file."""
    outlying = {outlier.name for outlier in found.outliers}
    displaced = {one.patient for one in found.displaced}
    turned = {one.patient for one in found.turned}
    pairs = {name for pair in found.pairs for name in (pair.first, pair.second)}
    groups: list[tuple[str, list[SliceRecord]]] = [
        ("Slices that lie apart", [r for r in found.records if r.item.name in outlying]),
        ("Masks that fit elsewhere", [r for r in found.records if r.item.patient in displaced]),
        ("Patients that look turned", [r for r in found.records if r.item.patient in turned]),
        ("Duplicates", [r for r in found.records if r.item.name in pairs]),
    ]  # fmt: skip
    title = escape(found.root.name)
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        f"<title>{title}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1><pre>{escape(dataset_text(found))}</pre>",
        f"<h2>Distributions</h2><img class='plot' alt='' src='{_png(_histograms(found))}'>",
        "<h2>Where the target lies</h2>",
        f"<img class='plot' alt='' src='{_png(_position(found))}'>",
    ]
    for name, records in groups:
        if records:
            parts.append(f"<h2>{name}</h2>{_thumbnails(records)}")
    return "".join([*parts, "</body></html>\n"])


def _histograms(found: Dataset) -> Figure:
    names = [m for m in MEASURES if np.isfinite(found.values(m)).any()]
    rows = -(-len(names) // 3)
    figure = Figure(figsize=(11, 2.4 * rows), layout="constrained")
    for place, measure in enumerate(names, 1):
        axes = figure.add_subplot(rows, 3, place)
        values = found.values(measure)
        axes.hist(values[np.isfinite(values)], bins=40, color="#4477aa")
        axes.set_title(MEASURES[measure], fontsize=9)
        axes.tick_params(labelsize=8)
    return figure


def _position(found: Dataset) -> Figure:
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


def _png(figure: Figure) -> str:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=90)
    return _inline(stream.getvalue())


def _thumbnails(records: Sequence[SliceRecord]) -> str:
    shown = [
        f"<figure><img alt='' src='{_picture(record)}'><figcaption>{escape(record.item.name)}"
        "</figcaption></figure>"
        for record in records[:_SHOWN]
    ]
    if len(records) > _SHOWN:
        shown.append(f"<p>and {len(records) - _SHOWN} more</p>")
    return "".join(shown)


def _picture(record: SliceRecord) -> str:
    try:
        pixels = read_labelled(record.item)
    except ReadError:  # gone since it was measured: its small copy stands for it
        return _inline(_encoded(np.repeat(record.small[..., None], 3, axis=2)))
    grey = as_bytes(shrunk(finite(pixels.image), _SIDE))
    picture = np.repeat(grey[..., None], 3, axis=2)
    if pixels.mask is not None:
        inside = shrunk(pixels.mask, _SIDE) >= 0.5
        edge = inside & ~np.asarray(ndimage.binary_erosion(inside), dtype=np.bool_)
        picture[edge] = (255, 80, 60)
    return _inline(_encoded(picture))


def _encoded(picture: npt.NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    iio.imwrite(stream, picture, extension=".png")
    return stream.getvalue()


def _inline(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")
