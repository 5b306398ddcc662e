"""XRAI after the gradients and without the segmentation: dilation and growth, against `saliency`.

Both start from the same label images and the same attribution. The peer makes them boolean masks,
dilates each and grows over these; ours stamps borders and grows over sparse memberships. Timed in
CPU time of one thread. The peer's map is compared bit for bit before anything is timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from saliency.core.xrai import XRAI
from scipy.ndimage import gaussian_filter, zoom
from skimage.morphology import ball, dilation, disk

from napari_sparseexplain.explanation.attribution.xrai.segment_growth import Growth, grow
from napari_sparseexplain.explanation.attribution.xrai.segment_membership import (
    SegmentMembership,
    ball_offsets,
)
from napari_sparseexplain.explanation.attribution.xrai.segment_scales import (
    DISK,
    slice_scales,
    volume_scales_work,
)
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes import open_study
from napari_sparseexplain.volumes.opening.sample import sample_path
from paired_timing import Row, milliseconds, paired

_BALL_MM = 2.0


def _attribution(shape: tuple[int, ...]) -> np.ndarray:
    """Smooth noise: many regions, none of them equal."""
    return gaussian_filter(np.random.default_rng(0).standard_normal(shape), 2)


def _slice(size: int) -> np.ndarray:
    """A FLAIR slice of the sample study, shape (1, size, size)."""
    plane = np.asarray(open_study(sample_path())["flair"].data[78], np.float64)
    return zoom(plane, [size / n for n in plane.shape], order=1)[None]


def _block() -> np.ndarray:
    """64 x 64 x 64 voxels of 1 mm from the middle of the sample study."""
    volume = np.asarray(open_study(sample_path())["flair"].data, np.float64)
    middle = tuple(slice(n // 2 - 32, n // 2 + 32) for n in volume.shape)
    return volume[middle][None]


def _masks(scales: tuple[np.ndarray, ...], footprint: np.ndarray) -> list[np.ndarray]:
    """What the peer makes of label images: a dilated boolean mask a segment."""
    masks = [labels == n for labels in scales for n in np.unique(labels)]
    return [dilation(mask, footprint=footprint) for mask in masks]


def measure(repeats: int) -> list[Row]:
    """A row for each size and way of growing."""
    rows = []
    flat, round_ = disk(DISK), ball(2)
    cases = [
        ("240²", slice_scales(_slice(240)), ball_offsets(DISK, (1, 1)), flat, (12.0, 25.0)),
        ("512²", slice_scales(_slice(512)), ball_offsets(DISK, (1, 1)), flat, (20.0, 40.0)),
        (
            "64³, four sizes",
            drain(volume_scales_work(_block(), (1, 1, 1))),
            ball_offsets(_BALL_MM, (1, 1, 1)),
            round_,
            (60.0, 60.0),
        ),
    ]
    for name, scales, offsets, footprint, wanted in cases:
        attribution = _attribution(scales[0].shape)

        def peer(s=scales, f=footprint, a=attribution) -> tuple[np.ndarray, np.ndarray]:
            return XRAI._xrai(a, _masks(s, f))

        gains, ranks = peer()
        for exact, least in zip((True, False), wanted, strict=True):

            def ours(e=exact, s=scales, o=offsets, a=attribution) -> Growth:
                return grow(a, SegmentMembership.of_labels(s, o), exact=e)

            said = _compared(ours(), gains, ranks, exact)
            mine, other, ratio = _timed(ours, peer, repeats)
            count = sum(len(np.unique(labels)) for labels in scales)
            rows.append(
                Row(
                    f"XRAI {'exact' if exact else 'incremental'}, {name}, {count} segments",
                    milliseconds(mine),
                    f"saliency {other:.2f} s",
                    f"{ratio:.0f}× faster, {said}",
                    f"≥ {least:g}×, {'same map' if exact else 'same ranks'}",
                    ratio >= least,
                )
            )
    return rows


def _compared(growth: Growth, gains: np.ndarray, ranks: np.ndarray, exact: bool) -> str:
    if not np.array_equal(growth.ranks, ranks):
        raise AssertionError("the ranks are not the peer's")
    same = np.array_equal(growth.gains, gains)
    if exact and not same:
        raise AssertionError("the map is not the peer's, bit for bit")
    return "map bitwise equal" if same else "ranks equal"


def _timed(
    ours: Callable[[], object], peer: Callable[[], object], repeats: int
) -> tuple[float, float, float]:
    return paired(ours, peer, repeats, warmup=0, clock=time.process_time)
