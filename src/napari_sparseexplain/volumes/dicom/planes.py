"""From a volume back to the DICOM frames that it was made of, slice by slice.

What is written about a scan (a segmentation, a map) refers to the images that it is about. A
`Source` keeps only the files, so their headers are read and sorted again, by the same rules.
"""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from ..volume import Source
from .details import series_name
from .files import read_header
from .frames import Frame
from .reader import file_frames
from .series import sort_frames
from .stack import Stack

#: Millimetres by which a voxel may lie elsewhere than when the study was opened.
_SAME_PLACE_MM = 1e-3


def planes_of(source: Source, leading: tuple[int, ...] = ()) -> npt.NDArray[np.object_]:
    """The frame of each slice of a volume that was read from DICOM.

    Parameters
    ----------
    source : Source
        Of a volume as it was on file, not of one that was resampled.
    leading : tuple of int, optional
        Points along its leading axes (time, echo …); the first of each that is not told.

    Returns
    -------
    ndarray of Frame, shape (slices,)
        In the order of the file's slice axis. Without `leading` those that `Volume.spatial` shows.

    Raises
    ------
    ReadError
        Files are gone, or they no longer give the volume that was opened.
    """
    frames: list[Frame] = []
    names: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as everywhere, values are checked where they are used
        for path in source.paths:
            header = read_header(path)
            own = file_frames(path, header)
            frames.extend(own)
            names.setdefault(own[0].series_uid, series_name(header))
    alike = [stack for stack in sort_frames(frames, names).stacks if _is_of(stack, source)]
    if len(alike) > 1:
        # Magnitude and phase of one file lie at one place: the description tells them apart.
        alike = [s for s in alike if f"({s.part})" in source.description] or alike
    if not alike:
        raise ReadError(
            "the files no longer give the volume that was opened",
            where=source.known_by or None,
            remedy="Open the study again",
        )
    stack = alike[0]
    axes = stack.frames.ndim - 1
    return stack.frames[(*leading, *(0,) * axes)[:axes]]


def _is_of(stack: Stack, source: Source) -> bool:
    first = stack.first
    shape = (first.columns, first.rows, stack.frames.shape[-1])
    return shape == tuple(source.shape) and bool(
        np.allclose(stack.affine, source.affine, rtol=0, atol=_SAME_PLACE_MM)
    )
