"""One DICOM image: as its file holds it, for what was drawn on it, or as the viewer shows it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from ..edge_letters import PLANES
from ..picture_turn import PictureTurn, plane_of
from .files import read_header
from .padding import padding_of
from .pixels import read_pixels
from .reader import file_frames, read_dicom
from .values import numbers


class StoredPicture(NamedTuple):
    """A DICOM image as its file holds it.

    Attributes
    ----------
    values : ndarray, shape (rows, columns), float32
        Rescaled as the file says; not turned or flipped.
    spacing : (float, float) or None
        Distance of rows and of columns in mm.
    padding : (float, float) or None
        Range of the values that stand where nothing was measured (`Volume.padding`).
    """

    values: npt.NDArray[np.float32]
    spacing: tuple[float, float] | None
    padding: tuple[float, float] | None


def read_dicom_picture(path: Path) -> StoredPicture:
    """The image of a file with one frame, as it is stored.

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
    padding = padding_of(header, frames[0], array.dtype)
    return StoredPicture(array[0].astype(np.float32), spacing, padding)


class ShownPicture(NamedTuple):
    """A DICOM image in the order in which the viewer shows its plane.

    Attributes
    ----------
    values : ndarray, shape (rows, columns), float32
        Rescaled as the file says.
    padding : (float, float) or None
        Range of the values that stand where nothing was measured (`Volume.padding`).
    inverted : bool
        Whether the file is of MONOCHROME1, so that low values are shown bright.
    view : str
        ``"axial"``, ``"coronal"`` or ``"sagittal"``, whichever is nearest; empty where the file
        does not tell.
    turn : PictureTurn
        From the file's rows and columns to these.
    """

    values: npt.NDArray[np.float32]
    padding: tuple[float, float] | None
    inverted: bool
    view: str
    turn: PictureTurn


def read_shown_picture(path: Path) -> ShownPicture:
    """The image of a file with one frame, turned as the viewer shows its plane.

    Raises
    ------
    ReadError
        As of `read_dicom_picture`.
    """
    _check_single(len(file_frames(path, read_header(path))), path)
    volume = read_dicom(path)[0].volume
    _check_grey(volume.colour, path)
    plane, turn = plane_of(volume.source.to_display)
    through = PLANES[plane][0]
    shown = np.moveaxis(volume.spatial(), through, 0)[0]
    if through != 0:
        shown = shown[::-1]  # superior is up
    values = np.ascontiguousarray(shown, dtype=np.float32)
    view = plane if volume.grid.oriented else ""
    return ShownPicture(values, volume.padding, volume.inverted, view, turn)


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
