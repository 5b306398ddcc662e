"""Which pixels belong to which of many overlapping segments, as one sparse matrix.

XRAI grows regions out of hundreds of segments that overlap: every scale of a segmentation covers
the whole image, and each segment is dilated over its border. As boolean masks that is segments x
pixels; here it is one list of pixels a segment (compressed sparse rows), and the dilation touches
nothing but the border.

Source of the dilation: Kapishnikov et al., "XRAI: Better attributions through regions" (ICCV
2019), Section 3.1 ("dilated to include the edges", a disk of 5 pixels).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class SegmentMembership:
    """Pixels of K segments of one image.

    Attributes
    ----------
    starts : ndarray, shape (K + 1,), int64
        Segment k owns ``pixels[starts[k]:starts[k + 1]]``.
    pixels : ndarray, shape (memberships,), int32
        Flat indices into the image (C order), ascending within a segment.
    shape : tuple of int
        Shape of the image, (H, W) or (D, H, W).
    """

    starts: npt.NDArray[np.int64]
    pixels: npt.NDArray[np.int32]
    shape: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def size(self) -> int:
        """Number of pixels of the image."""
        return int(np.prod(self.shape))

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Pixels in each segment, shape (K,)."""
        return np.diff(self.starts)

    def members(self, segment: int) -> npt.NDArray[np.int32]:
        """Flat indices of a segment's pixels, ascending."""
        return self.pixels[self.starts[segment] : self.starts[segment + 1]]

    @cached_property
    def by_pixel(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """The other way about: pixel p lies in segments ``owners[starts[p]:starts[p + 1]]``."""
        from .segment_kernels import turned

        return turned(self.starts, self.pixels, self.size)

    @classmethod
    def of_lists(
        cls, lists: Sequence[npt.NDArray[np.integer]], shape: Sequence[int]
    ) -> SegmentMembership:
        """From one ascending array of flat indices a segment."""
        starts = np.zeros(len(lists) + 1, dtype=np.int64)
        np.cumsum([len(item) for item in lists], out=starts[1:])
        pixels = np.concatenate([np.zeros(0, np.int32), *lists]).astype(np.int32)
        return cls(starts, pixels, tuple(int(n) for n in shape))

    @classmethod
    def of_masks(cls, masks: Iterable[npt.NDArray[np.bool_]]) -> SegmentMembership:
        """From boolean masks of one shape, one a segment."""
        arrays = [np.asarray(mask, dtype=bool) for mask in masks]
        if not arrays:
            raise ValueError("no masks, so the image's shape is not known")
        return cls.of_lists([np.flatnonzero(mask) for mask in arrays], arrays[0].shape)

    @classmethod
    def of_labels(
        cls, scales: Sequence[Labels], offsets: npt.NDArray[np.integer] | None = None
    ) -> SegmentMembership:
        """From label images of one shape, one a scale; segments in order of scale, then label.

        Parameters
        ----------
        scales : sequence of ndarray of int
            Every label is a segment, 0 too.
        offsets : ndarray, shape (M, ndim), optional
            Dilate every segment by this neighbourhood (`ball_offsets`); not at all when None.
        """
        from .segment_kernels import gathered, turned

        if not scales:
            raise ValueError("no label images, so the image's shape is not known")
        own = np.empty((len(scales), scales[0].size), dtype=np.int32)
        pairs = [(np.zeros(0, dtype=np.int32),) * 2]
        total = 0
        reach = None if offsets is None else _Reach.of(offsets, scales[0].shape)
        for scale, labels in enumerate(scales):
            numbers = labels - labels.min()
            held = np.bincount(numbers.ravel()) > 0  # numbers that no pixel has: no segment
            segments = (np.cumsum(held) - 1 + total).astype(np.int32)[numbers]
            own[scale] = segments.ravel()
            total += int(held.sum())
            if reach is not None:
                pairs.append(_reached(segments, reach))
        pixels, reached = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        begins, owners = gathered(own, pixels, reached)
        found = cls(*turned(begins, owners, total), scales[0].shape)
        # It is known already, though not in order of the segments within a pixel.
        found.__dict__["by_pixel"] = (begins, owners)
        return found


def ball_offsets(radius: float, spacing: Sequence[float]) -> npt.NDArray[np.int64]:
    """Offsets of all grid points within ``radius`` of the origin, in units of ``spacing``.

    ``ball_offsets(5, (1, 1))`` is the disk of 5 pixels of the paper; ``ball_offsets(2, mm)`` a
    ball of 2 mm, flattened where slices are thick.

    Returns
    -------
    ndarray, shape (M, ndim), int64
    """
    reach = [int(np.floor(radius / step)) for step in spacing]
    axes = np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij")
    points = np.stack([axis.ravel() for axis in axes], axis=1)
    distance = ((points * np.asarray(spacing, dtype=float)) ** 2).sum(axis=1)
    return points[distance <= radius**2]


@dataclass(frozen=True, eq=False)
class _Reach:
    """What a pixel reaches that an earlier neighbour of its does not; the same for every scale.

    Attributes
    ----------
    before : ndarray, shape (N, ndim)
        Neighbours that come earlier in C order; those that leave the least come first.
    parts : list of N + 1 ndarrays, shape (·, ndim)
        What each of them leaves; last the whole neighbourhood.
    margin : list of (int, int)
        As wide as the reach, and at least one: it holds every stamp, so no index is checked.
    place : ndarray of int32
        Index in the image of every pixel of the image with its margin, flat; -1 in the margin.
    """

    before: npt.NDArray[np.int64]
    parts: list[npt.NDArray[np.integer]]
    margin: list[tuple[int, int]]
    place: npt.NDArray[np.int32]

    @classmethod
    def of(cls, offsets: npt.NDArray[np.integer], shape: tuple[int, ...]) -> _Reach:
        ndim = offsets.shape[1]
        axes = np.meshgrid(*([-1, 0, 1],) * ndim, indexing="ij")
        steps = np.stack([axis.ravel() for axis in axes], axis=1)
        steps = steps[: len(steps) // 2]  # those before the origin
        radius = int(np.abs(offsets).max()) + 1
        inside = np.zeros((2 * radius + 1,) * ndim, dtype=bool)
        inside[tuple(offsets.T + radius)] = True
        # What the neighbour at ``step`` reaches lies, seen from the pixel, further by ``step``.
        parts = [offsets[~inside[tuple((offsets - step).T + radius)]] for step in steps]
        order = np.argsort([len(part) for part in parts], kind="stable")
        width = [max(int(r), 1) for r in np.abs(offsets).max(axis=0)]
        margin = [(w, w) for w in width]
        place = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
        place = np.pad(place, margin, constant_values=-1).ravel()
        return cls(steps[order], [*(parts[n] for n in order), offsets], margin, place)


def _reached(
    segments: npt.NDArray[np.int32], reach: _Reach
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Pixels that each segment's dilation adds to it, and the segment, one entry a pair.

    A pixel that dilation adds lies within reach of a border pixel: on the monotone grid path from
    an inner pixel to it every step comes nearer, and the last step inside is on the border. So
    the neighbourhood is stamped on border pixels alone.
    """
    from .segment_kernels import grouped, stamped

    owner = np.pad(segments, reach.margin, constant_values=-1)
    strides = np.array(owner.strides) // owner.itemsize
    edges = np.flatnonzero(np.pad(_border(segments), reach.margin)).astype(np.int32)
    flat = owner.ravel()
    first = int(segments.min())
    return stamped(
        flat,
        reach.place,
        grouped(edges, flat, first, int(segments.max()) - first + 1),
        (reach.before @ strides).astype(np.int32),
        np.cumsum([0, *(len(part) for part in reach.parts)]),
        (np.concatenate(reach.parts) @ strides).astype(np.int32),
    )


def _border(labels: Labels) -> npt.NDArray[np.bool_]:
    """Pixels with a neighbour of another label along an axis."""
    border = np.zeros(labels.shape, dtype=bool)
    for axis in range(labels.ndim):
        ahead = (slice(None),) * axis + (slice(1, None),)
        behind = (slice(None),) * axis + (slice(None, -1),)
        differs = labels[ahead] != labels[behind]
        border[ahead] |= differs
        border[behind] |= differs
    return border
