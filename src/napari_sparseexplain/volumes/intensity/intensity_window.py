"""The grey values at which a scan opens: robust, over the brain, by modality."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..brain_mask import brain_mask
from ..volume import Volume

#: Brain window of a CT in Hounsfield units: level 40, width 80.
CT_BRAIN_WINDOW = (0.0, 80.0)

#: Quantiles over the brain that become black and white.
LOW_QUANTILE, HIGH_QUANTILE = 0.01, 0.995

#: White is at most so many interquartile ranges above the tissue's median. Fluid in a T2 and an
#: enhancing rim lie below that; a lesion many times brighter than the brain does not, and would
#: leave the brain black.
_MOST_RANGES = 8.0

#: Share of the tissue that a bright lesion may have.
_MOST_BRIGHT = 0.05

#: Where the head fills less of a scan than this, what Otsu's threshold found is no head.
_LEAST_HEAD = 0.1

#: A scan counts as stripped when this share of what is not brain has one value.
_STRIPPED = 0.9

#: Fewer brain voxels than this give no quantiles worth having.
_FEWEST = 100

#: Above this many voxels a volume is thinned before its range is taken.
_SAMPLE_VOXELS = 600_000


def display_limits(volume: Volume) -> tuple[float, float]:
    """Values that open as black and as white.

    A CT opens in the brain window. A skull-stripped scan opens between the 1 % and 99.5 %
    quantiles of its brain, so that neither the zeros around it nor one bright vessel rules the
    picture. Any other scan opens between the same quantiles of everything: in a chest film or a
    heart, what is dark is tissue too. White is bounded by the spread of the tissue: a lesion many
    times brighter leaves the rest as it is. A signed map opens with zero in the middle.

    Returns
    -------
    low, high : float
        In the scan's own unit, ``low < high``.
    """
    if volume.unit == "HU":
        return CT_BRAIN_WINDOW
    if volume.signed:
        reach = _reach(volume)
        return -reach, reach
    values, tissue = _values(volume)
    if values.dtype == bool or values.size == 0:
        return 0.0, 1.0
    low, high = (float(v) for v in np.quantile(values, (LOW_QUANTILE, HIGH_QUANTILE)))
    high = bounded_white(tissue, high)
    if low > 0:
        # Between the air and the darkest brain there is nothing to see: keep fluid off pure black.
        low = min(low, max(0.0, low - 0.1 * (high - low)))
    if not high > low:
        low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + 1.0)


def _reach(volume: Volume) -> float:
    """Magnitude at the ends of a signed map's colours: as its file asks, else its largest."""
    level, width = (volume.details.get(key) for key in ("WindowCenter", "WindowWidth"))
    if isinstance(level, float) and isinstance(width, float) and width > 0:
        return max(abs(level - width / 2), abs(level + width / 2))
    values = volume.spatial()
    values = np.abs(values[volume.measured(values)])
    return float(values.max()) if values.size and values.max() > 0 else 1.0


def tissue_values(volume: Volume) -> npt.NDArray[Any]:
    """Values that quantiles are taken of: the brain's when stripped, else all finite ones.

    Of a large volume every n-th voxel along each axis.

    Returns
    -------
    ndarray, shape (N,)
        In the scan's own unit; empty when no voxel is finite.
    """
    return _values(volume)[0]


def bounded_white(tissue: npt.NDArray[Any], high: float) -> float:
    """The value that becomes white, no further above the tissue than its spread allows.

    Parameters
    ----------
    tissue : ndarray, shape (N,)
        Values of the head or the brain alone; with few of them, or of one value, nothing changes.
    high : float
        What would become white.
    """
    if tissue.size < _FEWEST or tissue.dtype == bool:
        return high
    lower, middle, upper = (float(v) for v in np.quantile(tissue, (0.25, 0.5, 0.75)))
    bound = middle + _MOST_RANGES * (upper - lower)
    # Where much lies above it, most of what was taken for tissue is the noise around it.
    bounded = lower < upper and (tissue > bound).mean() <= _MOST_BRIGHT
    return min(high, bound) if bounded else high


def _values(volume: Volume) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The values that quantiles are taken of, and those of the head or brain among them.

    The second are empty where the largest bright thing is too small to be a head: the vessels of an
    angiography and what takes up a tracer are to be seen, not to be bounded.
    """
    # Of an array that is read when it is looked at, only what is sampled is read.
    plain = not volume.leading and not volume.colour
    sample = np.asarray(_thinned(volume.data if plain else volume.spatial()))
    if sample.dtype == bool:
        return sample.ravel(), sample.ravel()
    mask = brain_mask(sample, padding=volume.padding)
    inside, outside = sample[mask], sample[~mask]
    outside = outside[volume.measured(outside)]
    stripped = inside.size >= _FEWEST and outside.size > 0 and _share_of_one(outside) > _STRIPPED
    if stripped:
        return inside, inside
    values = sample[volume.measured(sample)]
    return values, inside if inside.size >= _LEAST_HEAD * values.size else inside[:0]


def _share_of_one(values: npt.NDArray[Any]) -> float:
    """Share of the most frequent value."""
    _, counts = np.unique(values, return_counts=True)
    return float(counts.max() / values.size)


def _thinned(array: Any) -> Any:
    """Every n-th voxel along each axis, so that at most some hundred thousand are left."""
    step = max(1, int(np.ceil((array.size / _SAMPLE_VOXELS) ** (1 / max(array.ndim, 1)))))
    # A thin stack keeps all its slices.
    steps = [step if n >= 8 * step else 1 for n in array.shape]
    return array[tuple(slice(None, None, s) for s in steps)]
