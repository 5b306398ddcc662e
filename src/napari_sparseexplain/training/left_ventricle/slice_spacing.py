"""Slices at the pixel size that a network is served at, and its masks on their own pixels again.

A study is brought to the pixel size in the model's card before the network sees it (`prepare`).
Where files tell the pixel size, training and evaluation do the same: what is judged is what is
served.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ...networks.bundle.model import Model
from ...networks.running.in_plane_resampling import resample_in_plane, shape_at
from .short_axis_slices import ShortAxisSlices
from .train_ventricle import probabilities

#: Pixel size in mm that networks are trained at: that of most scans of the Sunnybrook set, whose
#: pictures tell none.
SPACING_MM = 1.25

Spacing = tuple[float, float] | None


def served_probabilities(
    model: Model, images: npt.NDArray[np.float32], spacings: Sequence[Spacing]
) -> npt.NDArray[np.float32]:
    """Probability of the ventricle on the slices' own pixels, by the network as it is served.

    Parameters
    ----------
    images : ndarray, shape (N, rows, columns)
        Normalised on their own pixels.
    spacings : sequence of (float, float) or None, length N
        Pixel sizes in mm; a slice that does not tell is fed as it is.
    """
    wanted = model.card.inputs.display_spacing[1:]
    own = images.shape[1], images.shape[2]
    found = np.empty(images.shape, dtype=np.float32)
    for shape, rows in _by_shape(own, spacings, wanted).items():
        fed = np.ascontiguousarray(resample_in_plane(images[rows], shape))
        found[rows] = resample_in_plane(probabilities(model.network, fed), own)
    return found


def as_trained(slices: ShortAxisSlices, millimetres: float = SPACING_MM) -> ShortAxisSlices:
    """Slices at the pixel size that networks are trained at; as they are where one tells none.

    Those that come out smaller than others are padded with their edge, as networks pad them.
    """
    if not slices.calibrated:
        return slices
    own = slices.images.shape[1], slices.images.shape[2]
    by_shape = _by_shape(own, slices.spacings, (millimetres, millimetres))
    rows, columns = (max(shape[axis] for shape in by_shape) for axis in (0, 1))
    images = np.empty((len(slices), rows, columns), dtype=np.float32)
    masks = np.zeros(images.shape, dtype=np.bool_)
    for shape, chosen in by_shape.items():
        missing = rows - shape[0], columns - shape[1]
        sides = ((0, 0), *((m // 2, m - m // 2) for m in missing))
        fed = resample_in_plane(slices.images[chosen], shape)
        drawn = resample_in_plane(slices.masks[chosen], shape) > 0.5
        images[chosen] = np.pad(fed, sides, mode="edge")
        masks[chosen] = np.pad(drawn, sides)
    size = millimetres, millimetres
    return replace(slices, images=images, masks=masks, spacings=(size,) * len(slices))


def _by_shape(
    own: tuple[int, int], spacings: Sequence[Spacing], wanted: tuple[float, float]
) -> dict[tuple[int, int], list[int]]:
    """Which slices have which rows and columns at another pixel size."""
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for index, size in enumerate(spacings):
        found[own if size is None else shape_at(own, size, wanted)].append(index)
    return found
