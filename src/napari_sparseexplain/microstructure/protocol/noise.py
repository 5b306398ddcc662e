"""The scanner's noise in a diffusion scan, and the scan without most of it (dipy)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from ...progress import Progress, Work, drain
from .dipy_extra import dipy_module

#: Share of a slice's voxels that must hold noise alone for the background to tell σ.
_BACKGROUND_SHARE = 0.02

#: By how much the means of the background may differ between volumes, as a share.
_UNEVEN = 0.25

#: Values that σ is measured in, at most, and slices at least.
_MOST_VALUES, _LEAST_SLICES = 40_000_000, 9

#: Patches that σ is measured in, about, where a scan has more.
_MOST_PATCHES = 2000

#: Patches that are denoised at a time.
_PATCHES_A_STEP = 50

_MEASURING = "Measuring the noise"

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
    return drain(noise_level_work(signals, coils=coils, mask=mask))


def noise_level_work(
    signals: npt.ArrayLike, *, coils: int = 1, mask: npt.ArrayLike | None = None
) -> Work[NoiseLevel]:
    """`noise_level` with its progress, a slice a step."""
    array = _block(_middle(np.asarray(signals)))
    background = yield from _background_work(array, coils)
    if background is not None:
        return background
    inside = array.max(axis=-1) > 0 if mask is None else _middle(np.asarray(mask, bool), signals)
    sigmas = yield from _patch_sigmas_work(array, inside)
    found = sigmas[np.isfinite(sigmas) & (sigmas > 0)]
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


def _background_work(array: npt.NDArray[np.float64], coils: int) -> Work[NoiseLevel | None]:
    """The median over slices of what the background of each tells; None where there is none."""
    by_slice = np.moveaxis(array, 0, 2)  # dipy goes through the third axis
    count = by_slice.shape[2]
    sigma, noise = np.zeros(count), np.zeros(by_slice.shape[:3], dtype=bool)
    for k in range(count):
        yield Progress(k, count, _MEASURING)
        with np.errstate(all="ignore"):
            one, mask = dipy_module("denoise.noise_estimate").piesno(
                by_slice[:, :, k : k + 1], N=coils, return_mask=True
            )
        sigma[k], noise[:, :, k] = np.asarray(one).item(), mask[:, :, 0]
    # A background that was set to zero holds no noise.
    noise &= by_slice.min(axis=-1) > 0
    if not noise.any():
        return None
    # In a scan without background tissue is taken for noise; noise is the same in every volume.
    means = by_slice[noise].mean(axis=0)
    if np.ptp(means) > _UNEVEN * means.mean():
        return None
    shares = noise.mean(axis=(0, 1))
    usable = (shares >= _BACKGROUND_SHARE) & np.isfinite(sigma) & (sigma > 0)
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
    array = np.asarray(signals)
    return drain(denoised_work(array, slice(0, len(array)), mask=mask))


def denoised_work(
    signals: npt.ArrayLike, rows: slice, *, mask: npt.ArrayLike | None = None
) -> Work[npt.NDArray[np.float32]]:
    """Some slices of a scan as `denoised` gives them, some patches a step.

    Parameters
    ----------
    signals : array_like, shape (S, P, L, M)
        The whole scan: what lies around the slices takes part.
    rows : slice
        Of the result, shape (rows, P, L, M).
    mask : array_like of bool, shape (S, P, L), optional
    """
    array = _checked(np.asarray(signals))
    inside = np.ones(array.shape[:3], dtype=bool) if mask is None else np.asarray(mask, bool)
    radii = _patch_radii(array.shape)
    found = np.zeros((rows.stop - rows.start, *array.shape[1:]), dtype=np.float32)
    weights = np.zeros(found.shape[:3], dtype=np.float32)
    centres = _patch_centres(inside, radii, rows)
    for number, centre in enumerate(centres):
        if number % _PATCHES_A_STEP == 0:
            yield Progress(number, len(centres), "Denoising")
        patch = tuple(slice(c - r, c + r + 1) for c, r in zip(centre, radii, strict=True))
        clean, weight = _without_noise(np.nan_to_num(array[patch].astype(np.float64)))
        # Of the patch what lies in the slices that are wanted.
        first, last = max(patch[0].start, rows.start), min(patch[0].stop, rows.stop)
        into = (slice(first - rows.start, last - rows.start), *patch[1:])
        part = clean[first - patch[0].start : last - patch[0].start]
        found[into] += weight * part
        weights[into] += weight
    for k, row in enumerate(range(rows.start, rows.stop)):
        told = inside[row] & (weights[k] > 0)
        found[k] /= np.where(told, weights[k], 1.0)[..., None]
        np.clip(found[k], 0.0, None, out=found[k])
        found[k][~told] = array[row][~told]
    return found


def _patch_centres(
    inside: npt.NDArray[np.bool_], radii: npt.NDArray[np.intp], rows: slice
) -> npt.NDArray[np.intp]:
    """Voxels of a mask whose patch lies in the scan and reaches into some slices, shape (N, 3)."""
    chosen = np.zeros_like(inside)
    within = tuple(slice(r, n - r) for r, n in zip(radii, inside.shape, strict=True))
    chosen[within] = inside[within]
    chosen[: max(rows.start - radii[0], 0)] = False
    chosen[rows.stop + radii[0] :] = False
    return np.argwhere(chosen)


def _without_noise(patch: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
    """A patch without the components that are no more than noise, and its weight.

    As dipy's ``mppca`` has it: the eigenvalues of noise alone lie as Marchenko and Pastur say
    (Veraart et al. 2016), and patches with fewer components count more (Manjón et al. 2013).
    """
    count, volumes = int(np.prod(patch.shape[:3])), patch.shape[-1]
    flat = patch.reshape(count, volumes)
    mean = flat.mean(axis=0)
    centred = flat - mean
    values, vectors = np.linalg.eigh(centred.T @ centred / count)
    variance = _noise_variance(values, count)
    kept = values >= (1 + np.sqrt(volumes / count)) ** 2 * variance
    signal = vectors[:, kept]
    clean = (centred @ signal) @ signal.T + mean
    return clean.reshape(patch.shape), 1.0 / (1.0 + kept.sum())


def _noise_variance(values: npt.NDArray[np.float64], count: int) -> float:
    """σ² by the widest run of small eigenvalues that noise alone explains; values go upwards."""
    values = values[-(count - 1) :] if len(values) > count - 1 else values
    variance = float(values.mean())
    last = len(values) - 1
    while last > 0 and values[last] - values[0] > 4 * np.sqrt((last + 1) / count) * variance:
        variance = float(values[:last].mean())
        last -= 1
    return variance


def _patch_sigmas_work(
    array: npt.NDArray[np.float64], inside: npt.NDArray[np.bool_]
) -> Work[npt.NDArray[np.float64]]:
    """σ of patches: of all where there are few, else of some that are spread evenly."""
    radii = _patch_radii(array.shape)
    places = np.flatnonzero(inside)
    if len(places) <= _MOST_PATCHES:
        yield Progress(0, 0, _MEASURING)
        return _mppca(array, inside, radii)[1][inside]
    chosen = np.zeros(inside.shape, dtype=bool)
    chosen.reshape(-1)[places[:: len(places) // _MOST_PATCHES]] = True
    reach, found = int(radii[0]), []
    for k in range(reach, len(array) - reach):
        yield Progress(k, len(array), _MEASURING)
        centres = np.zeros((2 * reach + 1, *inside.shape[1:]), dtype=bool)
        centres[reach] = chosen[k]
        if centres.any():
            sigmas = _mppca(array[k - reach : k + reach + 1], centres, radii)[1]
            found.append(sigmas[centres])
    return np.concatenate(found) if found else np.zeros(0)


def _patch_radii(shape: tuple[int, ...]) -> npt.NDArray[np.intp]:
    """Of patches along each axis."""
    radius = 1
    while (2 * radius + 1) ** 3 < shape[-1] and radius < _MOST_RADIUS:
        radius += 1
    # An axis shorter than a patch, as of a slab, takes what there is.
    radii = np.array([min(radius, (n - 1) // 2) for n in shape[:3]])
    if np.prod(2 * radii + 1) < 2:
        raise ParameterError(
            "the scan is too small to tell noise from signal",
            where="signals",
            remedy="Give a block of at least 3 × 3 × 3 voxels",
        )
    return radii


def _mppca(
    array: npt.NDArray[np.float64], centres: npt.NDArray[np.bool_], radii: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Denoised voxels and σ; not a number where no patch lies."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return dipy_module("denoise.localpca").mppca(
            array, mask=centres, patch_radius=radii, return_sigma=True, suppress_warning=True
        )


def _block(signals: npt.ArrayLike) -> npt.NDArray[np.float64]:
    array = _checked(np.asarray(signals))
    found = array.astype(np.float64)
    return np.nan_to_num(found, copy=False)


def _checked(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.ndim != 4 or array.shape[-1] < 2 or not array.any():
        raise ParameterError(
            f"noise is measured in a block of voxels with several volumes, not in {array.shape}",
            where="signals",
            remedy="Give an array (S, P, L, M) that is not zero everywhere",
        )
    return array
