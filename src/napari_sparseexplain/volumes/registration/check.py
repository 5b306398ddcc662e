"""Do two scans of one patient lie over each other? Measured from their grey values.

The normalised mutual information [1]_ of two scans is highest where the anatomy of both coincides,
whatever their contrasts are. Where a shift and a turn of some millimetres raise it clearly they are
not registered. The estimate is coarse (a grid of some millimetres, a local search); it says that a
person must look, it corrects nothing.

References
----------
.. [1] C. Studholme, D. L. G. Hill, D. J. Hawkes, An overlap invariant entropy measure of 3D medical
   image alignment, Pattern Recognition 32(1), 1999.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial.transform import Rotation

from ..finding import Finding
from ..opening.reference_grid import scout_reason
from ..time_points import time_points
from ..volume import Volume

#: Moves below this many millimetres are not told from the coarseness of the measure.
MIN_SHIFT_MM = 3.0

#: A move must raise the mutual information by so much, relative to its excess over 1.
MIN_GAIN = 0.06

#: Millimetres between the samples, and the steps that are tried: of shifts, and of turns at
#: `_RADIUS` from the middle.
_SPACING, _STEPS = 5.0, (8.0, 4.0, 2.0, 1.0)

#: Largest move that is looked for, along one of the six.
_FARTHEST = 40.0

#: About the radius of a head, millimetres.
_RADIUS = 70.0

#: Shifts along R, A, S and turns about them, all in millimetres.
_Move = tuple[float, float, float, float, float, float]

#: Samples at most; a larger scan is thinned evenly.
_MOST = 12_000

#: Fewer common samples than this say nothing.
_FEWEST = 2000
_BINS = 24


@dataclass(frozen=True)
class Misplacement:
    """How far a scan seems to lie off another.

    Attributes
    ----------
    millimetres : float
        How far the anatomy is moved, on the average over the scan, where it fits best.
    before, after : float
        Normalised mutual information (1 to 2) as they lie, and moved so.
    """

    millimetres: float
    before: float
    after: float

    @property
    def is_off(self) -> bool:
        """Whether a person must be told."""
        gain = (self.after - self.before) / max(self.after - 1.0, 1e-6)
        return self.millimetres >= MIN_SHIFT_MM and gain >= MIN_GAIN


def not_registered(volumes: Mapping[str, Volume], reference: str) -> list[Finding]:
    """A warning for every scan that does not lie over the reference, and for the masks on it.

    Scans on the reference's own grid are taken to have been brought there by registration, unless
    their names or headers tell another time, or another frame of reference.

    Parameters
    ----------
    volumes : mapping of str to Volume
        By role, in the places where they will be shown.
    reference : str
    """
    first = volumes[reference]
    points, _ = time_points(
        list(volumes.values()), [v.source.description for v in volumes.values()]
    )
    when = dict(zip(volumes, points, strict=True))
    off: dict[str, Misplacement] = {}
    findings = []
    for role, volume in volumes.items():
        if role == reference or scout_reason(volume, beside_a_stack=True):
            continue
        apart = when[role] != when[reference] or other_frame(volume, first)
        if volume.grid.matches(first.grid) and not apart:
            continue
        found = misplacement(first, volume)
        if found is None or not found.is_off:
            continue
        off[role] = found
        text = (
            f"{role!r} does not lie over {reference!r}: moved by about {found.millimetres:.0f} mm "
            "the two would fit clearly better, so they are not registered, and what is drawn on "
            "one is not where it is in the other"
        )
        findings.append(Finding("warning", "not-registered", text, role))
    for role, mask in volumes.items():
        if mask.kind != "label" or not off:
            continue
        same = [r for r, v in volumes.items() if v.kind == "image" and v.grid.matches(mask.grid)]
        if same and not any(r in off for r in same):
            continue
        on = f"lies on the grid of {same[0]!r}" if same else "lies on the grid of no scan"
        text = f"the mask {role!r} {on}, so it may not be where it is shown over {reference!r}"
        findings.append(Finding("warning", "not-registered", text, role))
    return findings


def other_frame(volume: Volume, reference: Volume) -> bool:
    """Whether both tell their DICOM frame of reference and it is not the same."""
    own, first = (v.details.get("FrameOfReferenceUID") for v in (volume, reference))
    return bool(own and first) and own != first


def misplacement(reference: Volume, moving: Volume) -> Misplacement | None:
    """The shift and turn at which two scans share most information.

    Parameters
    ----------
    reference, moving : Volume
        Scans as they were on file, both with a place in the patient.

    Returns
    -------
    Misplacement or None
        None when there is too little to compare.
    """
    if not all(_comparable(volume) for volume in (reference, moving)):
        return None
    fixed, fixed_step = _coarse(reference)
    other, other_step = _coarse(moving)
    index = np.indices(fixed.shape).reshape(3, -1).T
    thin = max(1, len(index) // _MOST)
    index = index[::thin]
    world = reference.grid.world(_centres(index, fixed_step))
    bins = _quantised(fixed).ravel()[::thin]
    inside_head = world[bins > 2] if np.count_nonzero(bins > 2) > _BINS else world
    middle = inside_head.mean(axis=0)
    known: dict[_Move, float] = {}

    def shared(move: _Move) -> float:
        if move not in known:
            place = moving.grid.index(_moved(world, move, middle))
            place = (place - (np.asarray(other_step) - 1) / 2) / np.asarray(other_step)
            inside = ((place >= 0) & (place <= np.asarray(other.shape) - 1)).all(axis=1)
            known[move] = 0.0
            if np.count_nonzero(inside) >= _FEWEST:
                found = ndimage.map_coordinates(other, place[inside].T, order=1, mode="nearest")
                known[move] = _information(bins[inside], _quantised(found))
        return known[move]

    start: _Move = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    if shared(start) == 0.0:
        return None
    best = start
    for step in _STEPS:
        while True:
            better = max(_around(best, step), key=shared)
            if better == best or max(map(abs, better)) > _FARTHEST:
                break
            best = better
    way = _moved(inside_head, best, middle) - inside_head
    return Misplacement(
        float(np.linalg.norm(way, axis=1).mean()), float(shared(start)), float(shared(best))
    )


def _around(move: _Move, step: float) -> list[_Move]:
    """The move itself, and one step to both sides along each of the six."""
    found = [move]
    for place in range(6):
        for sign in (-1.0, 1.0):
            moved = list(move)
            moved[place] += sign * step
            found.append((moved[0], moved[1], moved[2], moved[3], moved[4], moved[5]))
    return found


def _moved(
    world: npt.NDArray[np.float64], move: _Move, middle: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Points turned about the middle of the head, and shifted."""
    turned = Rotation.from_rotvec(np.asarray(move[3:]) / _RADIUS)
    return turned.apply(world - middle) + middle + np.asarray(move[:3])


def _comparable(volume: Volume) -> bool:
    grid = volume.grid
    return (
        volume.kind == "image"
        and not volume.colour
        and grid.oriented
        and grid.calibrated
        and min(grid.shape) >= 4
    )


def _coarse(volume: Volume) -> tuple[npt.NDArray[np.float32], tuple[int, int, int]]:
    """A scan in blocks of about `_SPACING` millimetres, and how many voxels each block takes."""
    array = np.asarray(volume.spatial())
    there = volume.measured(array)
    if not there.all():
        lowest = array[there].min() if there.any() else 0
        array = np.where(there, array, lowest)
    steps = [max(1, round(_SPACING / spacing)) for spacing in volume.grid.spacing]
    steps = [min(step, max(1, n // 4)) for step, n in zip(steps, array.shape, strict=True)]
    counts = [n // step for n, step in zip(array.shape, steps, strict=True)]
    array = array[tuple(slice(n * step) for n, step in zip(counts, steps, strict=True))]
    for axis, step in enumerate(steps):
        if step > 1:
            shape = (*array.shape[:axis], counts[axis], step, *array.shape[axis + 1 :])
            array = array.reshape(shape).mean(axis=axis + 1, dtype=np.float32)
    return array.astype(np.float32), (steps[0], steps[1], steps[2])


def _centres(
    index: npt.NDArray[np.integer], steps: tuple[int, int, int]
) -> npt.NDArray[np.float64]:
    """Indices of the middle of blocks in the volume's own voxels."""
    return index * np.asarray(steps, dtype=np.float64) + (np.asarray(steps) - 1) / 2


def _quantised(values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    low, high = (float(v) for v in np.percentile(values, (1, 99)))
    scaled = (values - low) / max(high - low, 1e-12) * _BINS
    return np.clip(scaled, 0, _BINS - 1).astype(np.intp)


def _information(one: npt.NDArray[np.intp], other: npt.NDArray[np.intp]) -> float:
    """Normalised mutual information of two lists of bins, 1 to 2."""
    joint = np.bincount(one * _BINS + other, minlength=_BINS**2).reshape(_BINS, _BINS)
    joint = joint / joint.sum()
    whole = _entropy(joint.ravel())
    if whole <= 0:
        return 1.0
    return (_entropy(joint.sum(axis=1)) + _entropy(joint.sum(axis=0))) / whole


def _entropy(parts: npt.NDArray[np.float64]) -> float:
    parts = parts[parts > 0]
    return float(-(parts * np.log(parts)).sum())
