"""Label images for tests, and the sparse membership as boolean masks."""

from __future__ import annotations

import numpy as np

from napari_sparseexplain.explanation.attribution.xrai.segment_membership import SegmentMembership


def patches(shape: tuple[int, ...], count: int, seed: int) -> np.ndarray:
    """A label image of ``count`` cells about random seeds."""
    rng = np.random.default_rng(seed)
    places = np.stack([rng.integers(0, n, count) for n in shape], axis=1)
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)
    distance = ((grid[..., None, :] - places) ** 2).sum(axis=-1)
    return distance.argmin(axis=-1)


def masks_of(membership: SegmentMembership) -> list[np.ndarray]:
    """Back to boolean masks."""
    masks = np.zeros((len(membership), membership.size), dtype=bool)
    for segment, mask in enumerate(masks):
        mask[membership.members(segment)] = True
    return list(masks.reshape(-1, *membership.shape))
