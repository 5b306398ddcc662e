"""The same image cut into segments several times, from fine to coarse: what XRAI grows from.

Slices: Felzenszwalb & Huttenlocher's graph segmentation with the parameters of Kapishnikov et al.,
"XRAI: Better attributions through regions" (ICCV 2019), Section 3.1 and its authors' package.
Volumes: supervoxels of several sizes in millimetres by SLIC (Achanta et al., TPAMI 2012), since
no 3-D form was published. A segmentation depends on the image alone, so it is kept by the image's
checksum: another target, model or method does not segment again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ....errors import StudyError
from ....progress import Progress, Work
from ...bounded_cache import BoundedCache, checksum
from .graph_segmentation import graph_segmentations

Labels = npt.NDArray[np.int32]

#: Felzenszwalb's scales, blur and smallest segment, at 224 x 224 pixels and grey values in (-1, 1).
SCALES = (50, 100, 150, 250, 500, 1200)
SIGMA = 0.8
SMALLEST = 150
SIDE = 224

#: Each segment is dilated by a disk of so many pixels.
DISK = 5

#: Sides of the supervoxels in mm. Felzenszwalb's smallest segment is about 13 mm wide in a slice
#: of 240 mm, and few grow beyond 30.
SIDES_MM = (32.0, 24.0, 16.0, 12.0)

#: How much a supervoxel is held to a cube: SLIC's weight of distance, for grey values in (0, 1).
COMPACTNESS = 0.1


def _label_bytes(scales: tuple[Labels, ...]) -> int:
    return sum(labels.nbytes for labels in scales)


#: About 400 slices of 240 x 240 at six scales.
_SEGMENTED: BoundedCache[tuple[Labels, ...]] = BoundedCache(512 * 2**20, _label_bytes)


def forget() -> None:
    """Forget every kept segmentation."""
    _SEGMENTED.clear()


def slice_scales(image: npt.NDArray[np.floating]) -> tuple[Labels, ...]:
    """Segments of one slice at the scales of the paper.

    Parameters
    ----------
    image : ndarray, shape (channels, H, W)
        All channels are segmented together.

    Returns
    -------
    tuple of ndarray of int32, shape (H, W), read-only
        One label image a scale. Not dilated.

    Raises
    ------
    StudyError
        The image is constant or not finite.
    """
    key = checksum("felzenszwalb", image, SCALES, SIGMA, SMALLEST, SIDE)
    found = _SEGMENTED.get(key)
    if found is None:
        found = _felzenszwalb(_scaled(image))
        _SEGMENTED.put(key, found)
    return found


def volume_scales_work(
    volume: npt.NDArray[np.floating],
    spacing: Sequence[float],
    sides_mm: Sequence[float] = SIDES_MM,
) -> Work[tuple[Labels, ...]]:
    """Supervoxels of a volume at several sizes.

    Parameters
    ----------
    volume : ndarray, shape (channels, D, H, W)
        All channels are segmented together.
    spacing : sequence of float
        Size of a voxel in mm, (slice, row, column).
    sides_mm : sequence of float
        Sides of a supervoxel, one a scale.

    Returns
    -------
    tuple of ndarray of int32, shape (D, H, W), read-only
        One label image a size. What lies outside the box about the nonzero voxels is one segment.

    Raises
    ------
    StudyError
        The volume is constant, not finite, or a single slice.
    """
    if volume.shape[1] < 2:
        raise StudyError(
            "supervoxels need a volume, and this is a single slice",
            where="xrai-3d",
            remedy="Choose more slices, or the method xrai, which works slice by slice",
        )
    key = checksum("slic", volume, tuple(spacing), tuple(sides_mm), COMPACTNESS, SIGMA)
    found = _SEGMENTED.get(key)
    if found is not None:
        return found
    scaled = (_scaled(volume) + 1) / 2
    scales = []
    for step, side in enumerate(sides_mm):
        yield Progress(step, len(sides_mm), f"Supervoxels of {side:g} mm")
        labels = _supervoxels(scaled, _box(volume), tuple(spacing), side)
        labels.setflags(write=False)
        scales.append(labels)
    found = tuple(scales)
    _SEGMENTED.put(key, found)
    return found


def _scaled(image: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Grey values over (-1, 1), as the paper's scales take them."""
    values = np.asarray(image, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low) or not np.isfinite(high):
        raise StudyError(
            "the image has NaN or infinite values, so it cannot be cut into segments",
            where="XRAI",
            remedy="Check the file, or crop to what is measured",
        )
    if low == high:
        raise StudyError(
            "the image is constant, so it has no segments",
            where="XRAI",
            remedy="Choose slices that show something",
        )
    values = (values - low) / (high - low)
    return values * 2.0 + -1.0


def _felzenszwalb(image: npt.NDArray[np.float64]) -> tuple[Labels, ...]:
    """Segments at every scale, found at 224 x 224 and brought back by nearest neighbours."""
    from skimage.transform import resize

    shape = image.shape[1:]
    small = resize(
        np.moveaxis(image, 0, -1),
        (SIDE, SIDE),
        order=3,
        mode="constant",
        preserve_range=True,
        anti_aliasing=True,
    )
    scales = []
    picture = np.asarray(small, dtype=np.float64)
    for labels in graph_segmentations(picture, SCALES, sigma=SIGMA, min_size=SMALLEST):
        brought = resize(
            labels, shape, order=0, mode="constant", preserve_range=True, anti_aliasing=False
        )
        scales.append(np.asarray(brought, dtype=np.int32))
        scales[-1].setflags(write=False)
    return tuple(scales)


def _box(volume: npt.NDArray[np.floating]) -> tuple[slice, ...]:
    """The smallest box that holds every voxel that is not 0 in all channels."""
    held = (volume != 0).any(axis=0)
    box = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        places = np.flatnonzero(held.any(axis=others))
        box.append(slice(int(places[0]), int(places[-1]) + 1))
    return tuple(box)


def _supervoxels(
    volume: npt.NDArray[np.float64],
    box: tuple[slice, ...],
    spacing: tuple[float, ...],
    side: float,
) -> Labels:
    """Supervoxels of about ``side`` mm inside the box, from 1; 0 outside."""
    from skimage.segmentation import slic

    part = volume[(slice(None), *box)]
    extent = float(np.prod(part.shape[1:])) * float(np.prod(spacing))
    labels = np.zeros(volume.shape[1:], dtype=np.int32)
    labels[box] = slic(
        part,
        n_segments=max(1, round(extent / side**3)),
        compactness=COMPACTNESS,
        sigma=SIGMA,
        spacing=spacing,
        convert2lab=False,  # three modalities are not red, green and blue
        start_label=1,
        channel_axis=0,
    )
    return labels
