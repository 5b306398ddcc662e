"""Smooth random fields: the one ingredient of every irregular thing in a phantom."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

#: Real fields; float32 wherever a whole grid is held.
FloatArray = npt.NDArray[np.floating[Any]]

#: A cubic B-spline over a lattice of pitch h has a kernel of standard deviation h / sqrt(3).
#: With a pitch of 1.2 lengths the field's kernel is 0.7 lengths wide.
PITCH_PER_LENGTH = 1.2


def smooth_noise(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    spacing_mm: tuple[float, ...],
    length_mm: float,
) -> FloatArray:
    """Gaussian noise of mean 0, standard deviation 1 and a given feature length.

    White noise on a coarse lattice, interpolated by cubic B-splines: a few matrix products, so
    the price does not grow with the feature length as that of a filter would.

    Parameters
    ----------
    rng : numpy Generator
    shape : tuple of int
        Voxels along every axis; an axis of one voxel is allowed (a single slice).
    spacing_mm : tuple of float
        Millimetres between voxels along every axis.
    length_mm : float
        Feature length; detail finer than a voxel becomes white noise along that axis.

    Returns
    -------
    ndarray of float32, shape ``shape``
        Standardised by the *expected* variance, so that parts of a field keep their level.
    """
    weights = [
        _spline_weights(n, step / (PITCH_PER_LENGTH * length_mm), rng.random())
        for n, step in zip(shape, spacing_mm, strict=True)
    ]
    field = rng.standard_normal([w.shape[1] for w in weights], dtype=np.float32)
    for axis, matrix in enumerate(weights):
        field = np.moveaxis(np.tensordot(matrix, field, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(field)


def _spline_weights(samples: int, step: float, offset: float) -> FloatArray:
    """Interpolation matrix (samples, lattice points) with rows of unit Euclidean norm.

    ``step`` is the sample spacing in lattice pitches; at one pitch or more the samples are
    independent. The random ``offset`` keeps the lattice from showing at the same place.
    """
    if step >= 1.0 or samples == 1:
        return np.eye(samples, dtype=np.float32)
    position = offset + 1.0 + step * np.arange(samples)
    lattice = int(np.ceil(position[-1])) + 3
    distance = np.abs(position[:, None] - np.arange(lattice))
    near = 2.0 / 3.0 - distance**2 + 0.5 * distance**3
    far = np.clip(2.0 - distance, 0.0, None) ** 3 / 6.0
    matrix = np.where(distance < 1.0, near, far)
    return (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)


def soft_step(signed_mm: FloatArray, width_mm: float) -> FloatArray:
    """Smooth step from 0 (far negative) to 1 (far positive) about ``width_mm`` wide."""
    return 0.5 + 0.5 * np.tanh(np.clip(2.0 * signed_mm / width_mm, -20.0, 20.0))


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A draw whose logarithm is uniform between those of ``low`` and ``high``."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def blur(array: FloatArray, sigma_mm: float, spacing_mm: float) -> FloatArray:
    """Gaussian blur by ``sigma_mm``, cut at three standard deviations."""
    return ndimage.gaussian_filter(array, sigma_mm / spacing_mm, truncate=3.0)
