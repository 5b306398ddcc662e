"""A slice as a PNG that any program shows: for results on pictures, beside the exact NIfTI."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import numpy.typing as npt

from ...files.atomic_write import write_atomically
from ..volume import Volume


def write_picture(
    path: Path,
    plane: npt.NDArray[np.floating],
    like: Volume,
    *,
    signed: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write one slice as a grey PNG of 8 or 16 bits.

    Parameters
    ----------
    path : Path
    plane : ndarray, shape (rows, columns)
        Values in the units of ``like``.
    like : Volume
        A picture of integers keeps its scale: 16 bits where it had more than 8. Values beyond
        that are clipped. Any other picture's range becomes the whole of 8 bits.
    signed : bool
        0 becomes mid-grey; values keep their scale about it.

    Raises
    ------
    SparseExplainError
        The file is there already, or cannot be written.
    """
    stored = like.source.dtype
    whole = np.issubdtype(stored, np.unsignedinteger) and stored.itemsize <= 2
    kind = np.uint16 if whole and stored.itemsize == 2 else np.uint8
    top = float(np.iinfo(kind).max)
    values = np.asarray(plane, np.float64)
    if not whole:
        shown = like.spatial()
        low, high = (0.0, float(np.max(shown))) if signed else (np.min(shown), np.max(shown))
        values = (values - low) * (top / max(float(high - low), np.finfo(np.float64).tiny))
    if signed:
        values = values + (top + 1) / 2
    pixels = np.clip(np.rint(values), 0, top).astype(kind)
    return write_atomically(
        path, iio.imwrite("<bytes>", pixels, extension=".png"), overwrite=overwrite
    )
