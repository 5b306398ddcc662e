"""The scanner's noise in a diffusion scan, and the scan without most of it (dipy)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from .dipy_extra import dipy_module

#: Share of a slice's voxels that must hold noise alone for the background to tell σ.
_BACKGROUND_SHARE = 0.02

#: By how much the means of the background may differ between volumes, as a share.
_UNEVEN = 0.25

#: Values that σ is measured in, at most, and slices at least.
_MOST_VALUES, _LEAST_SLICES = 40_000_000, 9

#: MP-PCA needs patches with more voxels than there are measurements, about.
_MOST_RADIUS = 4


@dataclass(frozen=True)
class NoiseLevel:
    """σ of the noise in each of the two channels, in the scan's own unit.

    Attributes
    ----------
    sigma : float
    how : {"piesno", "mppca"}
    share : float
        Of the voxels it was measured in.
    """

    sigma: float
    how: Literal["piesno", "mppca"]
    share: float


def noise_level(
    signals: npt.ArrayLike, *, coils: int = 1, mask: npt.ArrayLike | None = None
) -> NoiseLevel:
    """σ from the background where there is one (PIESNO [1]_), else from patches (MP-PCA [2]_).

    Parameters
    ----------
    signals : array_like, shape (S, P, L, M)
        Of few volumes (below some 20) MP-PCA takes part of the signal for noise, and σ is too high.
    coils : int
        Channels that were combined as a sum of squares; 1 for Rician noise.
    mask : array_like of bool, shape (S, P, L), optional
        Where patches lie; default all voxels with signal.

    Raises
    ------
    ParameterError
        It is no such array, or neither way finds noise in it.
    SparseExplainError
        dipy is not installed.

    References
    ----------
    .. [1] C. G. Koay, E. Özarslan, C. Pierpaoli, Probabilistic identification and estimation of
       noise (PIESNO), Journal of Magnetic Resonance 199, 2009.
    .. [2] J. Veraart et al., Denoising of diffusion MRI using random matrix theory, NeuroImage 142,
       2016.
    """
    array = _block(_middle(np.asarray(signals)))
    background = _background_level(array, coils)
    if background is not None:
        return background
    inside = array.max(axis=-1) > 0 if mask is None else _middle(np.asarray(mask, bool), signals)
    _, sigmas = _mppca(array, inside)
    found = sigmas[inside & np.isfinite(sigmas) & (sigmas > 0)]
    if not found.size:
        raise ParameterError(
            "no noise can be measured in the scan: it has no background, and its patches tell none",
            where="signals",
            remedy="Give σ yourself, or a scan that was not masked and denoised before",
        )
    return NoiseLevel(float(np.median(found)), "mppca", float(found.size / inside.size))


def _middle(block: npt.NDArray[Any], like: npt.ArrayLike | None = None) -> npt.NDArray[Any]:
    """The slices in the middle, where a scan has more values than are needed."""
    shape = block.shape if like is None else np.shape(like)
    if len(shape) != 4:
        return block
    count = int(max(_LEAST_SLICES, _MOST_VALUES // max(1, int(np.prod(shape[1:])))))
    start = max(0, (shape[0] - count) // 2)
    return block[start : start + count]


def _background_level(array: npt.NDArray[np.float64], coils: int) -> NoiseLevel | None:
    """The median over slices of what the background of each tells; None where there is none."""
    by_slice = np.moveaxis(array, 0, 2)  # dipy goes through the third axis
    with np.errstate(all="ignore"):
        sigma, noise = dipy_module("denoise.noise_estimate").piesno(
            by_slice, N=coils, return_mask=True
        )
    # A background that was set to zero holds no noise.
    noise = noise & (by_slice.min(axis=-1) > 0)
    if not noise.any():
        return None
    # In a scan without background tissue is taken for noise; noise is the same in every volume.
    means = by_slice[noise].mean(axis=0)
    if np.ptp(means) > _UNEVEN * means.mean():
        return None
    shares = noise.mean(axis=(0, 1))
    usable = (shares >= _BACKGROUND_SHARE) & np.isfinite(sigma) & (np.asarray(sigma) > 0)
    if not usable.any():
        return None
    return NoiseLevel(float(np.median(sigma[usable])), "piesno", float(noise.mean()))


def denoised(
    signals: npt.ArrayLike, *, mask: npt.ArrayLike | None = None
) -> npt.NDArray[np.float32]:
    """The scan with components of small patches left out that are no more than noise (MP-PCA).

    To be done before anything that interpolates (motion, eddy currents). Same shape; voxels outside
    the mask stay as they are.
    """
    array = _block(signals)
    inside = np.ones(array.shape[:3], dtype=bool) if mask is None else np.asarray(mask, bool)
    clean, _ = _mppca(array, inside)
    return np.where(inside[..., None], clean, array).astype(np.float32)


def _mppca(
    array: npt.NDArray[np.float64], inside: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    radius = 1
    while (2 * radius + 1) ** 3 < array.shape[-1] and radius < _MOST_RADIUS:
        radius += 1
    # An axis shorter than a patch, as of a slab, takes what there is.
    radii = np.array([min(radius, (n - 1) // 2) for n in array.shape[:3]])
    if np.prod(2 * radii + 1) < 2:
        raise ParameterError(
            "the scan is too small to tell noise from signal",
            where="signals",
            remedy="Give a block of at least 3 × 3 × 3 voxels",
        )
    return dipy_module("denoise.localpca").mppca(
        array, mask=inside, patch_radius=radii, return_sigma=True, suppress_warning=True
    )


def _block(signals: npt.ArrayLike) -> npt.NDArray[np.float64]:
    array = np.nan_to_num(np.asarray(signals, dtype=np.float64))
    if array.ndim != 4 or array.shape[-1] < 2 or not array.any():
        raise ParameterError(
            f"noise is measured in a block of voxels with several volumes, not in {array.shape}",
            where="signals",
            remedy="Give an array (S, P, L, M) that is not zero everywhere",
        )
    return array
