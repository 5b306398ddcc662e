"""XRAI's growth: an attribution becomes regions, segment by segment, best first.

Source: Kapishnikov et al., "XRAI: Better attributions through regions" (ICCV 2019), Algorithm 1.
`grow` repeatedly adds the segment whose pixels that are not covered yet have the largest mean
attribution; these pixels get that mean, the gain. Gains may rise as pixels are covered (what was
poor in a segment is gone), so no queue of old gains is right: all are kept up to date instead.
Covering a set of pixels changes count and sum of just the segments that own them, which the
sparse membership names, so the whole growth costs one visit a membership and one look a region at
K numbers, instead of K masks a region.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ....errors import SparseExplainError
from ....progress import Progress, Work, drain
from .segment_membership import SegmentMembership

Mode = Literal["full", "fast"]

#: A segment that would add fewer pixels than this is dropped for good, as in the authors' package.
MIN_SIZE = 50

#: Regions between two reports of progress.
_STRIDE = 64


@dataclass(frozen=True)
class Region:
    """One region of a finished growth.

    Attributes
    ----------
    rank : int
        1 for the largest gain; the rest, which no segment claimed, comes last.
    gain : float
        Mean attribution over the region's pixels: what the map shows there.
    pixels : int
        Pixels that the segment added.
    segment : int or None
        Its segment; None for the rest.
    """

    rank: int
    gain: float
    pixels: int
    segment: int | None


@dataclass(frozen=True, eq=False)
class Growth:
    """A finished growth.

    Attributes
    ----------
    gains : ndarray of float64
        The map: at every pixel the gain of its region.
    ranks : ndarray of int32
        At every pixel the rank of its region, from 1.
    regions : tuple of Region
        By rank; ``regions[rank - 1]`` is the region of that rank.
    """

    gains: npt.NDArray[np.float64]
    ranks: npt.NDArray[np.int32]
    regions: tuple[Region, ...]


def grow(
    attribution: npt.NDArray[np.floating],
    membership: SegmentMembership,
    *,
    mode: Mode = "full",
    exact: bool = True,
    min_size: int = MIN_SIZE,
) -> Growth:
    """Grow regions at once; see `grow_work`."""
    return drain(grow_work(attribution, membership, mode=mode, exact=exact, min_size=min_size))


def grow_work(
    attribution: npt.NDArray[np.floating],
    membership: SegmentMembership,
    *,
    mode: Mode = "full",
    exact: bool = True,
    min_size: int = MIN_SIZE,
) -> Work[Growth]:
    """Grow regions out of segments by the attribution inside them.

    Parameters
    ----------
    attribution : ndarray, the membership's shape
        One value a pixel; taken as float64.
    membership : SegmentMembership
        The segments, overlapping or not.
    mode : {"full", "fast"}
        ``"full"``: Algorithm 1. ``"fast"``: order once by the mean over the whole segment.
    exact : bool
        Of ``"full"``. Gains are kept by subtraction, which rounds; True decides between segments
        whose gains lie within that rounding by their means taken anew, so that every choice is
        the one of the plain algorithm. False takes them for ties.
    min_size : int
        A segment that would add fewer pixels is dropped for good.

    Returns
    -------
    Growth
        With ``exact``, bitwise what the plain algorithm on boolean masks gives in float64. Ties
        go to the first segment.

    Raises
    ------
    SparseExplainError
        No segments, another shape, or an attribution that is not finite.
    """
    values = _checked(attribution, membership)
    state = _Cover(values, membership)
    if mode == "fast":
        yield from _fast(state, min_size)
    elif mode == "full":
        yield from _full(state, exact, min_size)
    else:
        raise ValueError(f"mode must be 'full' or 'fast', not {mode!r}")
    return state.finished()


def _checked(
    attribution: npt.NDArray[np.floating], membership: SegmentMembership
) -> npt.NDArray[np.float64]:
    if len(membership) == 0:
        raise SparseExplainError(
            "the image has no segments, so there is nothing to grow regions from",
            where="XRAI",
            remedy="Give at least one segment, or use integrated gradients themselves",
        )
    if attribution.shape != membership.shape:
        raise SparseExplainError(
            f"the attribution has the shape {attribution.shape} and the segmented image "
            f"{membership.shape}",
            where="XRAI",
            remedy="Segment the image that was attributed, and merge its channels first",
        )
    values = np.ascontiguousarray(attribution, dtype=np.float64).ravel()
    if bad := int((~np.isfinite(values)).sum()):
        raise SparseExplainError(
            f"the attribution is NaN or infinite at {bad} of {values.size} pixels",
            where="XRAI",
            remedy="Look at the model's gradients on this image; no region can be ranked by these",
        )
    return values


class _Cover:
    """What is covered so far, and by which regions."""

    def __init__(self, values: npt.NDArray[np.float64], membership: SegmentMembership) -> None:
        self.values = values
        self.membership = membership
        self.open = np.ones(values.size, dtype=bool)
        self.order = np.full(values.size, -1, dtype=np.int32)
        self.found: list[tuple[float, int, int]] = []

    def left(self, segment: int) -> npt.NDArray[np.int32]:
        """Pixels of a segment that are not covered, ascending."""
        members = self.membership.members(segment)
        return members[self.open[members]]

    def add(self, segment: int, pixels: npt.NDArray[np.int32]) -> None:
        """Cover ``pixels`` as the region of ``segment``."""
        self.order[pixels] = len(self.found)
        self.open[pixels] = False
        self.found.append((float(self.values[pixels].mean()), len(pixels), segment))

    def progress(self) -> Progress:
        """How much of the image is covered."""
        rest = int(np.count_nonzero(self.open))
        return Progress(self.open.size - rest, self.open.size, f"{len(self.found)} regions")

    def finished(self) -> Growth:
        """Map, ranks and regions; what is open becomes the rest, with its own mean."""
        by_gain = np.argsort([-gain for gain, _, _ in self.found], kind="stable")
        regions = []
        rank_of = np.zeros(len(self.found) + 1, dtype=np.int32)
        gain_of = np.zeros(len(self.found) + 1)
        for rank, place in enumerate(by_gain.tolist(), start=1):
            gain, pixels, segment = self.found[place]
            regions.append(Region(rank, gain, pixels, segment))
            rank_of[place], gain_of[place] = rank, gain
        rest = np.flatnonzero(self.open)
        if rest.size:
            gain = float(self.values[rest].mean())
            regions.append(Region(len(regions) + 1, gain, rest.size, None))
            rank_of[-1], gain_of[-1] = len(regions), gain
        # The rest is open, its order is -1, and so it takes the last entry.
        order = self.order.reshape(self.membership.shape)
        return Growth(gain_of[order], rank_of[order], tuple(regions))


def _fast(state: _Cover, min_size: int) -> Work[None]:
    """Segments in the order of their whole means, each adding what is open of it."""
    membership = state.membership
    means = np.full(len(membership), -np.inf)
    for segment in np.flatnonzero(membership.counts).tolist():
        means[segment] = state.values[membership.members(segment)].mean()
    for step, segment in enumerate(np.argsort(-means, kind="stable").tolist()):
        pixels = state.left(segment)
        if len(pixels) >= max(min_size, 1):
            state.add(segment, pixels)
        if step % _STRIDE == 0:
            yield state.progress()


def _full(state: _Cover, exact: bool, min_size: int) -> Work[None]:
    """Algorithm 1 with counts and sums of the open pixels kept up to date for every segment."""
    from .segment_kernels import cover, summed

    membership, values = state.membership, state.values
    starts, owners = membership.by_pixel
    counts = membership.counts
    sums, size = summed(membership.starts, membership.pixels, values)
    # Bounds how far a kept mean and a mean taken anew may be apart. A sum of n terms in whatever
    # order is off by at most n eps/2 sum|x| (Higham 2002, Eq. 4.4). Three such sums meet here (the
    # first one, what was subtracted, the new one), none longer or larger than that of the whole
    # segment, and each subtraction and division rounds once more.
    slack = 4 * (counts + 4) * np.finfo(np.float64).eps * size
    min_size = max(min_size, 1)
    while True:
        alive = np.flatnonzero(counts >= min_size)
        if not alive.size:
            return
        means = sums[alive] / counts[alive]
        chosen = _first_best(state, alive, means, slack[alive] / counts[alive], exact)
        pixels = state.left(chosen)
        state.add(chosen, pixels)
        cover(pixels, starts, owners, values, counts, sums)
        if len(state.found) % _STRIDE == 0:
            yield state.progress()


def _first_best(
    state: _Cover,
    alive: npt.NDArray[np.intp],
    means: npt.NDArray[np.float64],
    slack: npt.NDArray[np.float64],
    exact: bool,
) -> int:
    """The first segment with the largest mean, as far as the kept means can tell it.

    Several lie within rounding where segments are left with the same pixels, or with none but
    zeros, as outside the brain: true ties, of which the first is right. ``exact`` looks.
    """
    close = alive[means + slack >= (means - slack).max()]
    if len(close) == 1 or not exact:
        return int(close[0])
    anew = [state.values[state.left(segment)].mean() for segment in close.tolist()]
    return int(close[np.argmax(anew)])
