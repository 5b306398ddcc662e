"""A small picture of a slice inside a page: what a notebook shows of a study or a result."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from ..intensity.intensity_window import display_limits
from ..reading_order import first_shown, opening_point
from ..volumes_on_grid import VolumesOnGrid

Rgb = npt.NDArray[np.uint8]

#: Pixels of the longer side.
SIDE = 180


def grey_slice(study: VolumesOnGrid, index: int) -> Rgb | None:
    """A slice of the scan that is shown first, at its opening window; None without a scan.

    Returns
    -------
    ndarray of uint8, shape (P, L, 3), or None
    """
    role = first_shown(study)
    if not role:
        return None
    volume = study.images[role]
    black, white = volume.grey_ends(display_limits(volume))
    values = np.asarray(volume.spatial()[index], dtype=np.float64)
    grey = np.clip((np.nan_to_num(values, nan=black) - black) / (white - black), 0.0, 1.0)
    return np.repeat((255 * grey).astype(np.uint8)[..., None], 3, axis=-1)


def study_picture(study: VolumesOnGrid) -> str:
    """The slice on which a study opens, as HTML; empty without a scan."""
    index = opening_point(study)[0]
    picture = grey_slice(study, index)
    if picture is None:
        return ""
    return picture_html(picture, study.grid.spacing[1:], f"slice {index + 1}")


def picture_html(picture: Rgb, spacing: tuple[float, float], words: str) -> str:
    """A picture as an ``<img>`` with its PNG inside, its pixels as large as they are in mm.

    Parameters
    ----------
    picture : ndarray of uint8, shape (P, L, 3)
    spacing : tuple of float
        Size of a pixel (row, column).
    words : str
        What it shows, for those who do not see it.
    """
    from PIL import Image

    height, width = picture.shape[0] * spacing[0], picture.shape[1] * spacing[1]
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    with io.BytesIO() as stream:
        Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR).save(stream, "PNG")
        data = base64.b64encode(stream.getvalue()).decode("ascii")
    return f'<img alt="{escape(words)}" src="data:image/png;base64,{data}">'


def page_html(picture: str, title: str, rows: dict[str, Any]) -> str:
    """A picture beside a title and what is said in rows; every text is escaped."""
    table = "".join(
        f"<tr><td>{escape(key)}</td><td>{escape(str(value))}</td></tr>"
        for key, value in rows.items()
        if value != ""
    )
    return (
        '<div style="display:flex;gap:1em;align-items:flex-start">'
        f"{picture}<div><b>{escape(title)}</b><table>{table}</table></div></div>"
    )
