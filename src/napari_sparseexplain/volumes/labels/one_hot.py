"""Masks with one channel a class, as networks write them, become label maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .values import FEW_VALUES, ROUNDING, smallest_integer


@dataclass(frozen=True)
class OneHotMask:
    """A label map made of channels.

    Attributes
    ----------
    labels : ndarray of uint8, shape (S, P, L)
        The number of the channel in each voxel; 0 where it is background.
    background : int or None
        Which channel is the background, counted from 0; None where no channel is.
    overlapping : int
        Voxels in several channels; the smallest of them is shown.
    """

    labels: npt.NDArray[Any]
    background: int | None
    overlapping: int

    def as_text(self, channels: int) -> str:
        """What was made of what, for a person."""
        if self.background == 0:
            text = f"the mask has {channels} channels, one a class: label k is channel k, 0 is none"
        elif self.background is None:
            text = f"the mask has {channels} channels, one a class: label k + 1 is channel k"
        else:
            text = (
                f"the mask has {channels} channels, one a class: label k + 1 is channel k, and "
                f"channel {self.background}, which is the background, is none"
            )
        if self.overlapping:
            text += (
                f"; {self.overlapping:,} voxels lie in several channels and show the smallest "
                "of these"
            )
        return text


def from_one_hot(data: Any) -> OneHotMask | None:
    """Channels of zeros and ones as a label map, None when they are something else.

    Parameters
    ----------
    data : array-like, shape (channels, S, P, L)
        A channel is read at a time. NaN counts as 0.

    Notes
    -----
    Where every voxel is in exactly one channel, one of the channels is the background: the one
    that holds most of the volume's outer faces. Label k is then channel k when that is channel 0
    (the usual order), else channel k - 1. Regions within each other (whole tumour, core,
    enhancing) overlap: the smallest is drawn last.
    """
    channels = int(data.shape[0])
    if not 2 <= channels <= FEW_VALUES or data.dtype.kind not in "iubf":
        return None
    shape = tuple(int(n) for n in data.shape[1:])
    count = np.zeros(shape, dtype=np.uint8)
    sizes, on_faces = [], []
    edge = np.ones(shape, dtype=bool)
    edge[tuple(slice(1, -1) if n > 2 else slice(None) for n in shape)] = False
    faces = edge if edge.any() else np.ones(shape, dtype=bool)
    for number in range(channels):
        inside = _zeros_and_ones(np.asarray(data[number]))
        if inside is None:
            return None
        count += inside
        sizes.append(int(np.count_nonzero(inside)))
        on_faces.append(int(np.count_nonzero(inside & faces)))
    if not any(sizes):
        return None
    everywhere = bool((count == 1).all())
    background = int(np.argmax(on_faces)) if everywhere else None
    labels = np.zeros(shape, dtype=smallest_integer(0, channels))
    first = 0 if background == 0 else 1
    for number in sorted(range(channels), key=lambda n: -sizes[n]):
        if number != background:
            inside = _zeros_and_ones(np.asarray(data[number]))
            labels[inside] = number + first
    labels.setflags(write=False)
    return OneHotMask(labels, background, int(np.count_nonzero(count > 1)))


def _zeros_and_ones(channel: npt.NDArray[Any]) -> npt.NDArray[np.bool_] | None:
    """A channel as a mask; None when it holds anything but zeros and ones (or 255)."""
    values = np.unique(channel)
    values = values[np.isfinite(values)]
    highest = float(values.max()) if values.size else 0.0
    one = 255.0 if highest == 255 else 1.0
    if values.size and (np.abs(values / one - np.rint(values / one)) > ROUNDING).any():
        return None
    if values.size and (values.min() < -ROUNDING or highest > one * (1 + ROUNDING)):
        return None
    return np.nan_to_num(channel) > 0.5 * one
