"""One DICOM image as its file holds it: rows and columns as stored, for what was drawn on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from .files import read_header
from .pixels import read_pixels
from .reader import file_frames
from .values import numbers


def read_dicom_picture(path: Path) -> tuple[npt.NDArray[np.float32], tuple[float, float] | None]:
    """The image of a file with one frame, and its pixel size.

    Returns
    -------
    image : ndarray, shape (rows, columns), float32
        Rescaled as the file says; not turned or flipped.
    spacing : (float, float) or None
        Distance of rows and of columns in mm.

    Raises
    ------
    ReadError
        No image, several frames, colour, or pixels that cannot be decoded.
    """
    header = read_header(path)
    frames = file_frames(path, header)
    if len(frames) != 1:
        raise ReadError(
            f"the file holds {len(frames)} images, and one is wanted",
            where=path,
            remedy="Export each image as a file of its own",
        )
    one = np.empty(1, dtype=object)
    one[0] = frames[0]
    array, colour, _, _ = read_pixels(one, str(path))
    if colour:
        raise ReadError(
            "the image is in colour, and a scan is wanted",
            where=path,
            remedy="Leave this file out",
        )
    sizes = numbers(header, "PixelSpacing", 2)
    spacing = (sizes[0], sizes[1]) if sizes is not None and min(sizes) > 0 else None
    return array[0].astype(np.float32), spacing
