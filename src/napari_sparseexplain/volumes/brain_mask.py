"""Where the brain is in a scan, from the scan alone.

A skull-stripped scan has one constant value around the brain. That value is most often 0 but
need not be the smallest one (some stripped and resampled scans hold negative intensities), so
the brain is what *differs* from the background, not what exceeds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from .volume import measured

#: Share of the volume's border that must hold one value before it counts as stripped background.
STRIPPED_BORDER_SHARE = 0.5

#: Beside padding lies air where this share of the rim is dark, and even to this part of the
#: contrast between dark and bright.
_AIR_RIM, _EVEN_RIM = 0.9, 0.2


@dataclass(frozen=True, eq=False)
class FoundBrain:
    """The brain of one scan, and what it was known by.

    Attributes
    ----------
    mask : ndarray of bool
        Solid: what the brain encloses belongs to it.
    shown : ndarray of bool
        The voxels of ``mask`` in which the scan shows anything: of a stripped scan without the
        holes that hold the background's value.
    shows : ndarray of bool
        Every voxel off the background, wherever it lies.
    stripped : bool
        Whether one constant value surrounds the brain; else only the head was found.
    """

    mask: npt.NDArray[np.bool_]
    shown: npt.NDArray[np.bool_]
    shows: npt.NDArray[np.bool_]
    stripped: bool


def brain_mask(
    array: npt.NDArray[Any], *, padding: tuple[float, float] | None = None
) -> npt.NDArray[np.bool_]:
    """Voxels of the brain: off the background value, largest connected component, holes filled.

    For a scan with its skull this is a best effort only: there is no constant background, so the
    head is separated from the air by Otsu's threshold [1]_ and the mask covers the *head*.

    Parameters
    ----------
    array : ndarray, shape (S, P, L) or (P, L)
        One scan, any numeric dtype. NaN and infinite voxels count as background.
    padding : pair of float, optional
        Range of the values that stand where nothing was measured (`Volume.padding`); they count
        as background, too, and no threshold is taken of them.

    Returns
    -------
    ndarray of bool
        Same shape. Empty (all False) when the scan is constant.

    References
    ----------
    .. [1] N. Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9(1),
       1979.
    """
    return find_brain(array, padding=padding).mask


def find_brain(
    array: npt.NDArray[Any], *, padding: tuple[float, float] | None = None
) -> FoundBrain:
    """`brain_mask` with what it was known by."""
    values = np.asarray(array)
    finite = None
    if values.dtype.kind in "fc" or padding is not None:
        finite = measured(values, padding)
    background, share = _border_value(values, finite)
    stripped = share >= STRIPPED_BORDER_SHARE
    shows = values != (background if stripped else 0)
    if finite is not None:
        shows &= finite
    if stripped:
        mask = _solid_largest_component(shows)
        return FoundBrain(mask, mask & shows, shows, True)
    # Padding, or what is no number at all, around tissue itself is a stripped scan, too.
    if finite is not None and _is_cut(finite, padding) and _cut_out(values, finite):
        mask = _solid_largest_component(finite)
        return FoundBrain(mask, mask & finite, finite, True)
    inside = values > _otsu_threshold(values, finite)
    if finite is not None:
        inside &= finite
    mask = _solid_largest_component(inside)
    return FoundBrain(mask, mask, shows, False)


def _is_cut(there: npt.NDArray[np.bool_], padding: tuple[float, float] | None) -> bool:
    """Whether what is not there surrounds the rest; single holes inside it do not."""
    return padding is not None or float((~there[_faces(there.shape)]).mean()) >= (
        STRIPPED_BORDER_SHARE
    )


def _faces(shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    edge = np.ones(shape, dtype=bool)
    edge[(slice(1, -1),) * len(shape)] = False
    return edge


def _cut_out(values: npt.NDArray[Any], there: npt.NDArray[np.bool_]) -> bool:
    """Whether padding surrounds tissue itself (a stripped scan), not air (the circle of a CT).

    Air beside the padding is dark and even; the rim of a brain is neither.
    """
    rim = there & np.asarray(ndimage.binary_dilation(~there), dtype=bool)
    if not rim.any() or np.count_nonzero(~there) == 0:
        return False
    threshold = _otsu_threshold(values, there)
    bright = values[there & (values > threshold)]
    dark = values[there & (values <= threshold)]
    if not (bright.size and dark.size):
        return True
    around = values[rim].astype(np.float64)
    apart = float(bright.mean(dtype=np.float64) - dark.mean(dtype=np.float64))
    is_air = np.mean(around <= threshold) > _AIR_RIM and around.std() < _EVEN_RIM * apart
    return not bool(is_air)


def background_value(array: npt.NDArray[Any]) -> float:
    """The constant value around a stripped scan, else the smallest finite value there is.

    What lies outside a scan's field of view takes this value when the scan is resampled, so that
    it stays background for `brain_mask` too. 0 for an array without finite values.
    """
    values = np.asarray(array)
    finite = np.isfinite(values) if values.dtype.kind in "fc" else None
    background, share = _border_value(values, finite)
    if share >= STRIPPED_BORDER_SHARE:
        return float(background)
    inside = values if finite is None else values[finite]
    return float(inside.min()) if inside.size else 0.0


def _border_value(
    values: npt.NDArray[Any], finite: npt.NDArray[np.bool_] | None
) -> tuple[Any, float]:
    """Most frequent value on the outer faces, and the share of the faces that hold it."""
    edge = _faces(values.shape)
    faces = values[edge if finite is None else edge & finite]
    if faces.size == 0:
        return 0, 0.0
    found, counts = np.unique(faces, return_counts=True)
    best = int(counts.argmax())
    return found[best], float(counts[best] / faces.size)


def _otsu_threshold(values: npt.NDArray[Any], finite: npt.NDArray[np.bool_] | None) -> float:
    """Threshold that maximises the variance between two classes, over a 256-bin histogram."""
    sample = values.ravel() if finite is None else values[finite]
    if sample.size == 0:
        return np.inf
    try:
        counts, edges = np.histogram(sample, bins=256)
    except ValueError:  # values so close that no number lies between two of them
        return float(sample.min())
    centres = 0.5 * (edges[:-1] + edges[1:])
    below = np.cumsum(counts)[:-1].astype(np.float64)
    above = counts.sum() - below
    sums = np.cumsum(counts * centres)
    usable = (below > 0) & (above > 0)
    mean_below = sums[:-1] / np.where(below > 0, below, 1)
    mean_above = (sums[-1] - sums[:-1]) / np.where(above > 0, above, 1)
    between = np.where(usable, below * above * (mean_below - mean_above) ** 2, -1.0)
    return float(edges[1:-1][int(between.argmax())])


def _pieces(mask: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int32], int]:
    """Face-connected components numbered from 1, and how many there are."""
    return cast(tuple[npt.NDArray[np.int32], int], ndimage.label(mask))


def _solid_largest_component(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Largest face-connected component of a mask, with the holes that it encloses filled."""
    result = np.zeros(inside.shape, dtype=bool)
    labels, pieces = _pieces(inside)
    if pieces == 0:
        return result
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest = int(sizes.argmax())
    box = ndimage.find_objects(labels, max_label=largest)[largest - 1]
    piece = labels[box] == largest
    # Air around the piece is connected once the box has a rim; other air is a hole in the piece.
    air, _ = _pieces(~np.pad(piece, 1))
    rim_air = air[(0,) * air.ndim]
    result[box] = (air != rim_air)[(slice(1, -1),) * piece.ndim]
    return result
