"""Maps of an explanation as stacks of image planes, in the axis order of the DICOM images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...evidence.explanation import Explanation
from ...evidence.explanation_map import ExplanationMap
from .source import DicomSource, Planes, Reference


@dataclass(frozen=True, eq=False)
class PlaneArray:
    """An array and where it lies.

    Attributes
    ----------
    array : ndarray, shape (planes, rows, columns)
    planes : Planes
        One for each plane of the array.
    """

    array: npt.NDArray[Any]
    planes: Planes


def on_planes(
    item: ExplanationMap, explanation: Explanation, source: DicomSource, *, pad: bool
) -> PlaneArray:
    """A map (S, P, L) as image planes.

    Parameters
    ----------
    item : ExplanationMap
        On the study's grid, covering ``explanation.slices``.
    explanation : Explanation
    source : DicomSource
    pad : bool
        What becomes of rows or columns that were not explained, where the slices of the study are
        no image planes (a sagittal series, explained slice by slice from below): zeros, so that
        the planes are as large as the images; else the planes end where the map ends.
    """
    depth = np.shape(item.data)[0]
    first = explanation.slices.start
    to_display = source.layout.to_display
    file_axis = int(np.flatnonzero(to_display[:, 0] == 0)[0])
    flipped = to_display[file_axis, 1] < 0
    total = source.layout.shape[file_axis]
    start = total - first - depth if flipped else first
    # (columns, rows, slices) of the files, then as images are counted
    array = np.asarray(source.layout.restore(np.asarray(item.data))).transpose(2, 1, 0)
    if file_axis == 2:
        return PlaneArray(array, source.planes.part(slice(start, start + depth)))
    axis = 2 - file_axis
    if pad:
        width = [(0, 0)] * 3
        width[axis] = (start, total - start - depth)
        return PlaneArray(np.pad(array, width), source.planes)
    shift = {"first_row": start} if axis == 1 else {"first_column": start}
    return PlaneArray(array, source.planes.part(slice(None), **shift))


def images_of_slice(source: DicomSource, axis: int, index: int) -> tuple[Reference, ...]:
    """Images that a slice of the study shows.

    Parameters
    ----------
    source : DicomSource
    axis, index : int
        Spatial axis (0 S, 1 P, 2 L) that the slice is across, and its place there.

    Returns
    -------
    tuple of Reference
        The images on its plane; of scans that lie on other planes, and of a slice that is no
        image plane itself, all.
    """
    to_display = source.layout.to_display
    file_axis = int(np.flatnonzero(to_display[:, 0] == axis)[0])
    if not source.aligned or file_axis != 2:
        return source.used
    references = source.planes.references
    place = len(references) - 1 - index if to_display[file_axis, 1] < 0 else index
    on_planes = {r.series for plane in references for r in plane}
    return (*references[place], *(r for r in source.used if r.series not in on_planes))
