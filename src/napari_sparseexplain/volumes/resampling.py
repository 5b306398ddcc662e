"""Bringing one volume onto another grid, through millimetres in the patient."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..errors import StudyError
from .brain_mask import background_value
from .computed_array import computed_array
from .grid import Grid, orientation_to_display
from .volume import Source, Volume, measured

#: Voxels of the new grid computed at a time.
SLAB_VOXELS = 1 << 22

#: How many times the voxels of a grid one along the patient's axes may have; tilted by 45° about
#: two axes it has some four times as many.
_MOST_GROWTH = 64

#: From this ratio of spacings on, a scan is smoothed before it is sampled.
STRONG_DOWNSAMPLING = 1.5


def resample_to(volume: Volume, grid: Grid, *, laid_out_as: Source | None = None) -> Volume:
    """A volume on another grid: scans by linear interpolation, labels by nearest neighbour.

    Each new voxel takes its value from the same place in the patient. Where the old voxels (to
    their outer edges) do not reach, a scan holds its background value and a label map 0. A scan
    that is sampled much more coarsely than it was acquired is first smoothed by the Gaussian that
    matches the two voxel sizes [1]_; label maps never are.

    Parameters
    ----------
    volume : Volume
        Leading axes and colour are kept; with leading axes the result is a dask array, computed
        volume by volume.
    grid : Grid
        Where the values are wanted.
    laid_out_as : Source, optional
        Source of a volume whose own grid this is: what is written from the result then has that
        file's axis order, flips and affine. Default: axes L, P, S on file, as scanners write.

    Returns
    -------
    Volume
        float32 for scans, the same integer type for labels; uint8 stays uint8 in colour. Its
        source keeps the files and takes on the new grid's affine.

    References
    ----------
    .. [1] M. J. Cardoso, M. Modat, T. Vercauteren, S. Ourselin, Scale factor point spread
       function matching: beyond aliasing in image resampling, MICCAI 2015, Eq. 5.
    """
    matrix = np.linalg.inv(volume.grid.affine) @ grid.affine
    order = 0 if volume.kind == "label" else 1
    leading = len(volume.leading)
    padded = None if volume.padding is None else float(np.mean(volume.padding))

    def sample(block: npt.NDArray[Any]) -> npt.NDArray[Any]:
        outside = 0.0
        if order == 1 and not volume.colour:
            # Of each frame its own: one of a series is what it would be alone.
            outside = background_value(block) if padded is None else padded
        if volume.colour:
            channels = [
                sample_affine(block[..., c], matrix, grid.shape, order=order, outside=0.0)
                for c in range(block.shape[-1])
            ]
            return np.rint(np.stack(channels, axis=-1)).astype(block.dtype)
        if volume.padding is not None and order == 1:
            return _beside_padding(block, volume.padding, matrix, grid.shape, outside)
        return sample_affine(block, matrix, grid.shape, order=order, outside=outside)

    if leading == 0:
        data: Any = sample(np.asarray(volume.data))
        data.setflags(write=False)
    else:
        data = _each_volume(volume, grid, sample, order)
    return replace(volume, data=data, grid=grid, source=_source_on(volume, grid, laid_out_as))


def _beside_padding(
    block: npt.NDArray[Any],
    padding: tuple[float, float],
    matrix: npt.NDArray[np.float64],
    shape: tuple[int, int, int],
    outside: float,
) -> npt.NDArray[Any]:
    """A scan with padding: it stays padding where the nearest voxel is, and mixes with nothing."""
    there = measured(block, padding)
    lowest = block[there].min() if there.any() else block.dtype.type(0)
    filled = np.where(there, block, lowest)
    out = sample_affine(filled, matrix, shape, order=1, outside=outside)
    kept = sample_affine(there.astype(np.uint8), matrix, shape, order=0, outside=0)
    out[kept == 0] = outside
    return out


def sample_affine(
    array: npt.NDArray[Any],
    matrix: npt.NDArray[np.float64],
    shape: tuple[int, int, int],
    *,
    order: int,
    outside: float,
) -> npt.NDArray[Any]:
    """Values of ``array`` at ``matrix @ index`` for every index of a new shape, slab by slab.

    Parameters
    ----------
    array : ndarray, shape (S, P, L)
    matrix : ndarray, shape (4, 4)
        From new index to old index.
    shape : tuple of int
        The new shape.
    order : {0, 1}
        Nearest neighbour, or linear.
    outside : float
        Value beyond the outer edges of the old voxels (index -1/2 to n - 1/2).

    Returns
    -------
    ndarray
        The array's own type for order 0, else float32.
    """
    dtype = array.dtype if order == 0 else np.dtype(np.float32)
    if order == 1:
        array = _matched(array, matrix)
    out = np.empty(shape, dtype=dtype)
    step = max(1, SLAB_VOXELS // max(1, shape[1] * shape[2]))
    for start in range(0, shape[0], step):
        stop = min(start + step, shape[0])
        offset = matrix[:3, 3] + start * matrix[:3, 0]
        slab = out[start:stop]
        ndimage.affine_transform(
            array,
            matrix[:3, :3],
            offset,  # type: ignore[arg-type]  # scipy takes one offset an axis; its stub says one
            output_shape=slab.shape,
            output=slab,
            order=order,
            mode="nearest",
            prefilter=False,
        )
        slab[_beyond(matrix, offset, slab.shape, array.shape)] = outside
    return out


def _beyond(
    matrix: npt.NDArray[np.float64],
    offset: npt.NDArray[np.float64],
    shape: tuple[int, ...],
    old_shape: tuple[int, ...],
) -> npt.NDArray[np.bool_]:
    """New voxels whose centre lies outside every old voxel."""
    s, p, c = np.ogrid[: shape[0], : shape[1], : shape[2]]
    beyond = np.zeros(shape, dtype=bool)
    for axis, length in enumerate(old_shape):
        row = matrix[axis]
        # The margin keeps rounding from cutting off voxels that lie exactly on the edge.
        place = (row[0] * s + offset[axis]) + row[1] * p + row[2] * c
        beyond |= (place < -0.5 - 1e-6) | (place > length - 0.5 + 1e-6)
    return beyond


def _matched(array: npt.NDArray[Any], matrix: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    """The array smoothed along those of its axes that are sampled much more coarsely."""
    ratios = np.sqrt((matrix[:3, :3] ** 2).sum(axis=1))
    if (ratios < STRONG_DOWNSAMPLING).all():
        return array
    # Half-widths of the two point spread functions subtract as variances; 2 sqrt(2 ln 2) turns
    # a full width at half maximum into a standard deviation.
    to_sigma = 1.0 / (2.0 * math.sqrt(2.0 * math.log(2.0)))
    sigmas = [
        # A blur as wide as the scan leaves nothing to blur: voxels can be said to be of any size.
        min(math.sqrt(min(ratio, 1e9) ** 2 - 1.0) * to_sigma, length)
        if ratio >= STRONG_DOWNSAMPLING
        else 0.0
        for ratio, length in zip(ratios, array.shape, strict=False)
    ]
    return ndimage.gaussian_filter(array, sigmas, mode="nearest", output=np.float32)


def _each_volume(volume: Volume, grid: Grid, sample: Any, order: int) -> Any:
    """A dask array that samples one leading index at a time, when it is looked at."""
    leading = len(volume.leading)
    tail = volume.data.shape[leading + 3 :]
    own = volume.data.dtype
    dtype = own if order == 0 or volume.colour else np.dtype(np.float32)
    shape = (*volume.data.shape[:leading], *grid.shape, *tail)

    def part(index: tuple[slice, ...]) -> npt.NDArray[Any]:
        block = np.asarray(volume.data[tuple(where.start for where in index[:leading])])
        return sample(block)[index[leading:]][(np.newaxis,) * leading]

    chunks = (*(1 for _ in range(leading)), *grid.shape, *tail)
    return computed_array(shape, dtype, chunks, part)


def _source_on(volume: Volume, grid: Grid, laid_out_as: Source | None) -> Source:
    """The source with the new grid as its place, laid out as another file or as scanners write."""
    if laid_out_as is not None:
        return replace(
            volume.source,
            shape=laid_out_as.shape,
            affine=laid_out_as.affine,
            to_display=laid_out_as.to_display,
            header=None,
            laid_out_as=laid_out_as,
        )
    order = [2, 1, 0]
    affine = grid.affine[:, [*order, 3]]
    shape = tuple(grid.shape[axis] for axis in order)
    return replace(
        volume.source,
        shape=shape,
        affine=affine,
        to_display=orientation_to_display(affine),
        header=None,
        laid_out_as=None,
    )


def patient_axes_grid(grid: Grid) -> Grid:
    """The smallest grid along the patient's axes that covers an oblique one, same spacing.

    Parameters
    ----------
    grid : Grid

    Returns
    -------
    Grid
        Slices towards superior, rows towards posterior, columns towards left, exactly.
    """
    top = np.asarray(grid.shape, dtype=np.float64) - 0.5
    edges = np.stack(np.meshgrid(*[(-0.5, n) for n in top], indexing="ij"), -1).reshape(-1, 3)
    # RAS+ millimetres as millimetres towards (S, P, L).
    to_spl = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]])
    corners = grid.world(edges) @ to_spl.T
    low, high = corners.min(axis=0), corners.max(axis=0)
    spacing = np.asarray(grid.spacing)
    counts = np.maximum(1, np.ceil((high - low) / spacing - 1e-6)).astype(int)
    if np.prod(counts, dtype=np.float64) > _MOST_GROWTH * max(math.prod(grid.shape), 1 << 20):
        raise StudyError(
            "its voxels are so unequal that a grid along the patient's axes would have "
            f"{np.prod(counts, dtype=np.float64):.0e} of them",
            where="patient axes",
            remedy="Open the study as acquired, without patient axes",
        )
    middle = 0.5 * (low + high)
    first = middle - 0.5 * (counts - 1) * spacing
    affine = np.eye(4)
    affine[:3, :3] = to_spl.T * spacing
    affine[:3, 3] = to_spl.T @ first
    return Grid(
        shape=(int(counts[0]), int(counts[1]), int(counts[2])),
        affine=affine,
        calibrated=grid.calibrated,
        oriented=grid.oriented,
    )
