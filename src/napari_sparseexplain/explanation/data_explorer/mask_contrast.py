"""Whether a mask lies on what it means: contrast of inside and ring, where it lies and moved."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

#: Width of the ring around a mask, in pixels.
_RING = 5

#: Pixels to either side that a patient's masks are moved by.
_REACH = 18

#: A patient's masks are said to be displaced where moving them by at least so many pixels …
_LEAST = 5.0

#: … raises their contrast by this factor, and by this much: of masks beside what they mean little
#: is left of it.
_FACTOR, _GAIN = 1.5, 0.05


#: Masks of a patient below which nothing is told: of a few one finds a better place by chance.
_MASKS = 5

#: Patients of whom this share must agree on whether the target is bright, and the fewest.
_AGREEING, _FEWEST = 0.75, 4

#: What is darker than this share of the brightest is air, and how much more of a moved mask and its
#: ring may lie on it.
_AIR, _MORE_AIR = 0.1, 0.1


@dataclass(frozen=True)
class Displacement:
    """Masks of a patient that fit better elsewhere.

    Attributes
    ----------
    patient : str
    slices : int
    shift : (int, int)
        Rows and columns by which the masks would have to be moved: positive down and right.
    contrast, moved : float
        Mean contrast where they lie, and moved.
    """

    patient: str
    slices: int
    shift: tuple[int, int]
    contrast: float
    moved: float

    @property
    def words(self) -> str:
        """For a person."""
        rows, columns = self.shift
        pixels = "1 pixel" if abs(rows) == 1 else f"{abs(rows)} pixels"
        down = f"{pixels} {'up' if rows < 0 else 'down'}" if rows else ""
        right = f"{abs(columns)} to the {'left' if columns < 0 else 'right'}" if columns else ""
        way = " and ".join(part for part in (down, right) if part)
        masks = "mask" if self.slices == 1 else f"{self.slices} masks"
        fit = "fits" if self.slices == 1 else "fit"
        return (
            f"the {masks} of {self.patient} {fit} better moved {way}: the contrast of "
            f"inside and ring rises from {self.contrast:.2f} to {self.moved:.2f}"
        )


def mask_contrast(image: npt.NDArray[np.floating], mask: npt.NDArray[np.bool_]) -> float:
    """(mean inside - mean of the ring) / (their sum): 0 where the mask is on nothing.

    Of intensities from 0 up; absolute, since a structure may be dark.
    """
    ring = _ring(mask)
    if not ring.any() or not mask.any():
        return 0.0
    low = min(float(image.min()), 0.0)
    inside, around = float(image[mask].mean()) - low, float(image[ring].mean()) - low
    return abs(inside - around) / max(inside + around, 1e-12)


def _ring(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """What lies around a mask, its edge left out."""
    wide = np.asarray(ndimage.binary_dilation(mask, iterations=_RING), dtype=np.bool_)
    return wide & ~np.asarray(ndimage.binary_dilation(mask), dtype=np.bool_)


class PatientContrast:
    """Adds up, slice by slice, how a patient's masks would fit at every shift.

    By correlation: the mean inside of the mask and of the ring at all shifts at once, over the
    pixels that lie in the image. Where a part of the mask would leave the image, or where it would
    lie on more air than it does, it counts as on nothing: beside a body everything has contrast.
    """

    def __init__(self, patient: str) -> None:
        self.patient = patient
        self.slices = 0
        self._total = np.zeros((2 * _REACH + 1, 2 * _REACH + 1))
        self._signed = np.zeros((2 * _REACH + 1, 2 * _REACH + 1))

    def add(self, image: npt.NDArray[np.floating], mask: npt.NDArray[np.bool_]) -> None:
        """A slice whose mask holds something."""
        rows, columns = np.nonzero(mask)
        margin = _RING + 2
        top, left = int(rows.min()) - margin, int(columns.min()) - margin
        height = int(rows.max()) + margin + 1 - top
        width = int(columns.max()) + margin + 1 - left
        part = np.zeros((height, width), dtype=np.bool_)
        part[rows - top, columns - left] = True
        ring = _ring(part)
        values = image - min(float(image.min()), 0.0)
        offset = _REACH + margin + max(height, width)
        dark = values < _AIR * np.percentile(values, 99.5)
        there, inside_image, air = (
            np.pad(array, offset)[
                offset + top - _REACH : offset + top + height + _REACH,
                offset + left - _REACH : offset + left + width + _REACH,
            ]
            for array in (values, np.ones(values.shape), dark.astype(float))
        )
        (inside, drawn), (around, ring_pixels) = (
            (_correlated(there, shape), np.rint(_correlated(inside_image, shape)))
            for shape in (part.astype(float), ring.astype(float))
        )
        inside, around = inside / np.maximum(drawn, 1), around / np.maximum(ring_pixels, 1)
        signed = np.clip((inside - around) / np.maximum(inside + around, 1e-12), -1.0, 1.0)
        on_air = _correlated(air, (part | ring).astype(float)) / np.maximum(drawn + ring_pixels, 1)
        whole = (drawn >= part.sum()) & (ring_pixels > 0)
        whole &= on_air <= on_air[_REACH, _REACH] + _MORE_AIR
        self._total += np.where(whole, np.abs(signed), 0.0)
        self._signed += np.where(whole, signed, 0.0)
        self.slices += 1

    @property
    def sign(self) -> int:
        """1 where what is masked is brighter than what is around it, -1 where it is darker."""
        return 1 if self._signed[_REACH, _REACH] >= 0 else -1

    def displacement(self, sign: int = 0) -> Displacement | None:
        """Where the masks fit better, if they do so clearly.

        Parameters
        ----------
        sign : {0, 1, -1}
            Whether what is meant is brighter (1) or darker (-1) than what is around it; 0 where
            that is not known.
        """
        if not self.slices:
            return None
        mean = self._total / self.slices
        here = float(mean[_REACH, _REACH])
        fitting = np.where(sign * self._signed > 0, mean, 0.0) if sign else mean
        best = np.unravel_index(int(fitting.argmax()), fitting.shape)
        shift = int(best[0]) - _REACH, int(best[1]) - _REACH
        there = float(fitting[best])
        if np.hypot(*shift) < _LEAST or there < max(_FACTOR * here, here + _GAIN):
            return None
        return Displacement(self.patient, self.slices, shift, here, there)


class ManyContrasts:
    """What the contrasts of patients come to once all are known; little is kept of each.

    Where most masks lie on what is brighter than what is around it, a mask that would fit better on
    something darker fits there by chance, and the other way round.
    """

    def __init__(self) -> None:
        self._found: list[dict[int, Displacement | None]] = []
        self._signs: Counter[int] = Counter()

    def add(self, patient: PatientContrast) -> None:
        """A patient whose slices are all in."""
        self._signs[patient.sign] += 1
        if patient.slices < _MASKS:
            return
        found = {sign: patient.displacement(sign) for sign in (0, 1, -1)}
        if any(found.values()):
            self._found.append(found)

    def displaced(self) -> list[Displacement]:
        """Patients whose masks fit better elsewhere, the clearest first."""
        sign, count = self._signs.most_common(1)[0] if self._signs else (0, 0)
        total = self._signs.total()
        usual = sign if total >= _FEWEST and count >= _AGREEING * total else 0
        found = [one for each in self._found if (one := each[usual]) is not None]
        return sorted(found, key=lambda d: d.contrast - d.moved)


def _correlated(
    window: npt.NDArray[np.floating], shape: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """Sum of the window under a shape at every shift."""
    size = [a + b - 1 for a, b in zip(window.shape, shape.shape, strict=True)]
    product = np.fft.irfft2(
        np.fft.rfft2(window, size) * np.fft.rfft2(shape[::-1, ::-1], size), size
    )
    rows, columns = shape.shape[0] - 1, shape.shape[1] - 1
    return product[rows : rows + 2 * _REACH + 1, columns : columns + 2 * _REACH + 1]
