"""One DICOM image: as its file holds it, for what was drawn on it, or as a study shows it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from .files import read_header
from .pixels import read_pixels
from .reader import file_frames, read_dicom
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
    _check_single(len(frames), path)
    one = np.empty(1, dtype=object)
    one[0] = frames[0]
    array, colour, _, _ = read_pixels(one, str(path))
    _check_grey(colour, path)
    sizes = numbers(header, "PixelSpacing", 2)
    spacing = (sizes[0], sizes[1]) if sizes is not None and min(sizes) > 0 else None
    return array[0].astype(np.float32), spacing


class ShownPicture(NamedTuple):
    """A DICOM image as a study of its file shows it.

    Attributes
    ----------
    values : ndarray, shape (rows, columns), float32
        Rescaled, turned and flipped to display order; what is shown bright is high.
    inverted : bool
        Whether the file is of MONOCHROME1, so that low values are shown bright: those here are the
        sum of its least and its greatest value less what is stored.
    axial : bool
        Whether a study of the file has it as a slice. Of another plane, of which a study has only
        axial sections, the image is as stored.
    """

    values: npt.NDArray[np.float32]
    inverted: bool
    axial: bool


def read_shown_picture(path: Path) -> ShownPicture:
    """The image of a file with one frame, as the slice of a study.

    Raises
    ------
    ReadError
        As of `read_dicom_picture`.
    """
    _check_single(len(file_frames(path, read_header(path))), path)
    volume = read_dicom(path)[0].volume
    _check_grey(volume.colour, path)
    shown = np.asarray(volume.spatial(), dtype=np.float32)
    axial = len(shown) == 1
    values = shown[0] if axial else read_dicom_picture(path)[0]
    if volume.inverted:
        values = values.min() + values.max() - values
    return ShownPicture(values, volume.inverted, axial)


def _check_single(count: int, path: Path) -> None:
    if count != 1:
        raise ReadError(
            f"the file holds {count} images, and one is wanted",
            where=path,
            remedy="Export each image as a file of its own",
        )


def _check_grey(colour: bool, path: Path) -> None:
    if colour:
        raise ReadError(
            "the image is in colour, and a scan is wanted",
            where=path,
            remedy="Leave this file out",
        )
