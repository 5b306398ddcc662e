"""What the scanner and the preprocessing do to a phantom: one draw, and its steps.

There is no bias field and no gamma: both made networks under-segment real tumours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from .noise import FloatArray, smooth_noise, soft_step

BLUR_VOXELS = (0.2, 1.0)
ANISOTROPIC = 0.30
COARSEST = 2.2
MIXED = 0.50
MIXING = (0.05, 0.33)
NOISE = (0.005, 0.06)
GAIN_SPREAD = 0.12
CROPPED = 0.15
REMNANTS = 0.35
RIM = 0.50
CSF_ARTEFACTS = 0.45


@dataclass(frozen=True, eq=False)
class Acquisition:
    """One draw of the acquisition.

    ``blur`` in voxels, ``coarse_axis`` 0-2 with ``coarseness`` (spacings, 1 for none), ``mixing``
    the share that each neighbouring slice has, ``noise`` relative to the brain's median signal,
    ``crop`` the shares of the brain's extent cut off at (low, high) of each axis; the strengths
    are 0 where an effect is absent.
    """

    blur: float
    coarse_axis: int
    coarseness: float
    mixing: float
    noise: float
    gain_spread: float
    crop: tuple[tuple[float, float], ...]
    remnants: float
    remnant_reach_mm: float
    rim: float
    rim_mm: float
    csf_artefacts: float


def draw_acquisition(rng: np.random.Generator) -> Acquisition:
    """Draw the effects with the probabilities and ranges above."""

    def sometimes(probability: float, low: float, high: float) -> float:
        strength = rng.uniform(low, high)
        return strength if rng.random() < probability else 0.0

    crop = [[0.0, 0.0] for _ in range(3)]
    if rng.random() < CROPPED:
        for _ in range(int(rng.integers(1, 3))):
            crop[int(rng.integers(3))][int(rng.integers(2))] = rng.uniform(0.05, 0.3)
    return Acquisition(
        blur=rng.uniform(*BLUR_VOXELS),
        coarse_axis=int(rng.integers(3)),
        coarseness=max(1.0, sometimes(ANISOTROPIC, 1.0, COARSEST)),
        mixing=sometimes(MIXED, *MIXING),
        noise=rng.uniform(*NOISE),
        gain_spread=GAIN_SPREAD,
        crop=tuple((a, b) for a, b in crop),
        remnants=sometimes(REMNANTS, 0.3, 1.6),
        remnant_reach_mm=rng.uniform(3.0, 9.0),
        rim=sometimes(RIM, 0.2, 1.2),
        rim_mm=rng.uniform(1.0, 3.0),
        csf_artefacts=sometimes(CSF_ARTEFACTS, 0.3, 1.2),
    )


def visible(
    acquisition: Acquisition, box: tuple[int, ...], slices: npt.NDArray[np.intp]
) -> npt.NDArray[np.bool_]:
    """Part of a ``box`` (s, p, l), at ``slices``, that the cropped field of view still shows."""
    shown = np.ones((slices.size, *box[1:]), dtype=bool)
    axes = (slices, np.arange(box[1]), np.arange(box[2]))
    for axis, ((low, high), index) in enumerate(zip(acquisition.crop, axes, strict=True)):
        n = box[axis]
        keep = (index >= low * n) & (index < (1.0 - high) * n)
        shown &= keep.reshape([-1 if i == axis else 1 for i in range(3)])
    return shown


def through_scanner(
    rng: np.random.Generator, image: FloatArray, acquisition: Acquisition, noise_sigma: float
) -> FloatArray:
    """Blur a block (n, p, l) and add Rician noise of standard deviation ``noise_sigma``.

    Slices are blurred in plane; a coarse axis is blurred as a voxel ``coarseness`` spacings wide
    would be. (The coarse slice axis is a matter of `slice_weights`.)
    """
    sigma = [0.0, acquisition.blur, acquisition.blur]
    if acquisition.coarse_axis > 0 and acquisition.coarseness > 1.0:
        # A box of width w has standard deviation w / sqrt(12); the reconstruction doubles it.
        wide = acquisition.coarseness / np.sqrt(6.0)
        sigma[acquisition.coarse_axis] = float(np.hypot(acquisition.blur, wide))
    for axis in (1, 2):
        image = ndimage.gaussian_filter1d(image, sigma[axis], axis=axis, truncate=3.0)
    real = image + noise_sigma * rng.standard_normal(image.shape, dtype=np.float32)
    imaginary = noise_sigma * rng.standard_normal(image.shape, dtype=np.float32)
    return np.sqrt(real**2 + imaginary**2)


def slice_weights(acquisition: Acquisition) -> tuple[float, float, float]:
    """Shares of the slice below, of the slice itself, and of the one above."""
    side = acquisition.mixing
    if acquisition.coarse_axis == 0 and acquisition.coarseness > 1.0:
        side = max(side, (acquisition.coarseness - 1.0) / (2.0 * acquisition.coarseness))
    return side, 1.0 - 2.0 * side, side


def skull_strip_rim(
    rng: np.random.Generator, depth_mm: FloatArray, acquisition: Acquisition, spacing: float
) -> FloatArray:
    """Share (0, 1) of bright tissue that a generous skull strip leaves at the brain's edge."""
    patches = soft_step(smooth_noise(rng, depth_mm.shape, (spacing,) * 3, 18.0) + 0.2, 0.8)
    return np.where(depth_mm > 0, soft_step(acquisition.rim_mm - depth_mm, 1.0) * patches, 0.0)


def remnants(
    rng: np.random.Generator, depth_mm: FloatArray, acquisition: Acquisition, spacing: float
) -> FloatArray:
    """Share (0, 1) of skull and eyes left outside the brain, in a band around it."""
    outside = (depth_mm <= 0) & (depth_mm > -acquisition.remnant_reach_mm)
    lumps = smooth_noise(rng, depth_mm.shape, (spacing,) * 3, 7.0)
    return np.where(outside & (lumps > 1.1), np.float32(1.0), np.float32(0.0))
