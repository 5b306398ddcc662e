"""A set on one HTML page: figures, position map, what stands out, with its pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

import imageio.v3 as iio
import numpy as np
import numpy.typing as npt

from ...explanation.data_explorer.dataset import Dataset
from ...explanation.data_explorer.dataset_text import dataset_text
from ...explanation.data_explorer.slice_reader import SliceReader
from ...explanation.data_explorer.slice_record import SliceRecord
from ...progress import Progress, Work
from .dataset_figures import SHOWN, as_png, histograms, position_map, shown_slices, slice_picture

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}
pre{background:#f4f4f4;padding:1em;overflow-x:auto;white-space:pre-wrap}
figure{display:inline-block;margin:.3em;text-align:center;font-size:12px;width:170px}
figure img{width:160px;height:160px}
img.plot{max-width:100%}
"""


def dataset_page_work(found: Dataset) -> Work[str]:
    """The page as text; it holds all that it shows, so that it can be sent as one file."""
    yield Progress(0, 0, "Drawing the plots")
    title = escape(found.root.name)
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        f"<title>{title}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1><pre>{escape(dataset_text(found))}</pre>",
        "<h2>Distributions</h2><img class='plot' alt='Histograms of the measures' "
        f"src='{_inline(as_png(histograms(found)))}'>",
        "<h2>Where the target lies</h2><img class='plot' alt='Mean slice and share of the masks' "
        f"src='{_inline(as_png(position_map(found)))}'>",
    ]
    reader = SliceReader()
    for name, indices in shown_slices(found).items():
        yield Progress(0, 0, f"Reading pictures: {name}")
        pictures = _thumbnails([found.records[i] for i in indices[:SHOWN]], reader)
        more = f"<p>and {len(indices) - SHOWN} more</p>" if len(indices) > SHOWN else ""
        parts.append(f"<h2>{escape(name)}</h2>{pictures}{more}")
    return "".join([*parts, "</body></html>\n"])


def _thumbnails(records: Sequence[SliceRecord], reader: SliceReader) -> str:
    return "".join(
        f"<figure><img alt='' src='{_inline(_encoded(slice_picture(record, reader)))}'>"
        f"<figcaption>{escape(record.item.name)}</figcaption></figure>"
        for record in records
    )


def _encoded(picture: npt.NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    iio.imwrite(stream, picture, extension=".png")
    return stream.getvalue()


def _inline(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")
