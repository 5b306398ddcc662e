"""The file of one saved map: nothing is unpacked that its record does not announce."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ReadError
from ..files.npz_file import read_npz
from ..files.regular_file import is_regular
from ..volumes.labels.values import as_label_array
from ..volumes.nifti.header import NiftiHeader, read_nifti_header
from ..volumes.nifti.reader import to_display_order
from ..volumes.nifti.voxels import VoxelPlan, read_voxels
from ..volumes.nifti.writer import RGB_VOXELS
from ..volumes.opening.declared_size import check_unpacked
from .explanation_record import AGAIN, ExplanationRecord, GridRecord, MapRecord


def check_maps(folder: Path, record: ExplanationRecord) -> None:
    """Refuse an explanation whose maps together would fill the memory with next to nothing.

    Raises
    ------
    ReadError
    """
    if record.grid is None:
        return
    start, stop = record.slices
    paths = [folder / item.file for item in record.maps if item.space == "study"]
    needed = len(paths) * (stop - start) * record.grid.shape[1] * record.grid.shape[2] * 4
    packed = sum(path.stat().st_size for path in paths if is_regular(path))
    check_unpacked(needed, packed, folder, remedy=AGAIN)


def read_map(
    folder: Path, item: MapRecord, grid: GridRecord | None, slices: slice
) -> npt.NDArray[Any]:
    """The array of a map.

    Parameters
    ----------
    folder : Path
        Of the explanation. Links out of it are not followed.
    item : MapRecord
    grid : GridRecord or None
        Of a map on the study's voxels.
    slices : slice
        Which slices of the grid it covers.

    Returns
    -------
    ndarray
        Shape (S, P, L) of the slices, of colours (S, P, L, 3), or of the map's own space. Whole
        numbers for a segmentation.

    Raises
    ------
    ReadError
        The file is not there, leads out of the folder, is damaged, of another kind or of another
        size than the record says.
    """
    path = folder / item.file
    _check_inside(folder, path)
    if item.space == "study" and grid is not None:
        data = _on_grid(path, grid, slices, colours=item.kind == "colours")
    else:
        data = _in_its_own_space(path, item)
    if item.kind == "segmentation":
        return _whole_numbers(data, path)
    return data


def _check_inside(folder: Path, path: Path) -> None:
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, or a name that is none
        inside = False
    if not inside:
        raise ReadError(
            "the map cannot be read (it is a link that leads out of the explanation's folder)",
            where=path,
            remedy="Put a copy of the file in place of the link",
        )


def _on_grid(path: Path, grid: GridRecord, slices: slice, *, colours: bool) -> npt.NDArray[Any]:
    """A NIfTI map in display order, by the orientation that was saved; its size first."""
    try:
        file = read_nifti_header(path)
        turn = np.array(grid.to_display)
        wanted = tuple(grid.shape[int(axis)] for axis in turn[:, 0])
        if file.shape != wanted:
            raise ReadError(
                f"the map has the shape {file.shape} on file, and the study's grid is {wanted}"
            )
        if colours and file.dtype != RGB_VOXELS:
            raise ReadError("its voxels are no colours (RGB of 8 bits), which the record says")
        if (file.is_colour and not colours) or file.is_complex:
            raise ReadError("its voxels are colours or complex numbers, not the values of a map")
        file, slices = _cut_to(file, turn, slices)
        array = np.asarray(to_display_order(read_voxels(VoxelPlan.of(file)), turn, 0))
    except ReadError as error:
        raise ReadError(
            f"the map cannot be read ({error.what})", where=path, remedy=AGAIN
        ) from error
    part = array[slices]
    # A copy of one slice lets go of the volume that it was saved in.
    return part if 2 * len(part) >= len(array) else part.copy()


def _cut_to(
    file: NiftiHeader, turn: npt.NDArray[np.float64], slices: slice
) -> tuple[NiftiHeader, slice]:
    """The part of a file that holds the slices, where they lie behind each other in it.

    The rest of the volume that they were saved in is never held.

    Returns
    -------
    NiftiHeader
        Of that part.
    slice
        Where the slices are in it.
    """
    axis, flip = turn[2]
    if int(axis) != 0:
        return file, slices
    rows, columns, depth = file.shape
    first = slices.start if flip > 0 else depth - slices.stop
    count = slices.stop - slices.start
    if count == 0:
        return file, slices
    offset = file.offset + first * rows * columns * file.dtype.itemsize
    return replace(file, shape=(rows, columns, count), offset=offset), slice(0, count)


def _in_its_own_space(path: Path, item: MapRecord) -> npt.NDArray[Any]:
    held = read_npz(path, problem="the map cannot be read", remedy=AGAIN)
    if set(held) != {"data"}:
        raise ReadError("the map cannot be read (it holds no array data)", where=path, remedy=AGAIN)
    data = held["data"]
    if data.size == 0 or (item.space in ("space", "frequency") and data.ndim < 2):
        raise ReadError(
            f"the map cannot be read (an array of shape {data.shape} is no map)",
            where=path,
            remedy=AGAIN,
        )
    return data


def _whole_numbers(data: npt.NDArray[Any], path: Path) -> npt.NDArray[Any]:
    """A segmentation: label numbers, in whatever type they were stored."""
    if data.dtype.kind in "iub":
        return data
    labels = as_label_array(data)
    if labels is None:
        raise ReadError(
            "the map cannot be read (it is called a segmentation and holds no label numbers)",
            where=path,
            remedy=AGAIN,
        )
    return labels
