"""Where each voxel of a phantom looks into the template: pose, shape of the head, mass effect."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .noise import FloatArray, smooth_noise

ROTATION_DEGREES = 10.0
SCALE = (0.85, 1.08)
SHEAR = 0.06
SHIFT_MM = 7.0
#: Feature length and amplitude range of the smooth displacement, in millimetres.
DISPLACEMENTS = ((35.0, (1.0, 5.0)), (14.0, (0.5, 2.0)))


def random_affine(
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Matrix (3, 3) and shift (3,) in mm, from the phantom's centred mm to the template's."""
    a, b, c = np.radians(rng.uniform(-ROTATION_DEGREES, ROTATION_DEGREES, 3))
    turn_s = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn_p = np.array([[np.cos(b), 0, -np.sin(b)], [0, 1, 0], [np.sin(b), 0, np.cos(b)]])
    turn_l = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    size = rng.uniform(*SCALE) * rng.uniform(0.97, 1.03, 3)
    shear = np.eye(3)
    shear[np.triu_indices(3, 1)] = rng.uniform(-SHEAR, SHEAR, 3)
    matrix = turn_s @ turn_p @ turn_l @ shear @ np.diag(1.0 / size)
    return matrix, rng.uniform(-SHIFT_MM, SHIFT_MM, 3)


def template_coordinates(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    spacing: float,
    centre: npt.NDArray[np.float64],
) -> FloatArray:
    """Template index (3, S, P, L) that each voxel of a grid of ``shape`` shows.

    The middle of the grid lies at the template's ``centre``, up to the random shift.
    """
    matrix, shift = random_affine(rng)
    axes = [(np.arange(n) - (n - 1) / 2.0) * spacing for n in shape]
    coordinates = np.empty((3, *shape), dtype=np.float32)
    for i in range(3):
        terms = [matrix[i, j] * axes[j] for j in range(3)]
        offset = centre[i] + float(matrix[i] @ -shift)
        coordinates[i] = ((terms[0] + offset)[:, None, None] + terms[1][:, None] + terms[2]).astype(
            np.float32
        )
    for length, amplitudes in DISPLACEMENTS:
        amplitude = rng.uniform(*amplitudes)
        for i in range(3):
            field = smooth_noise(rng, shape, (spacing,) * 3, length)
            coordinates[i] += np.float32(amplitude / np.sqrt(3.0)) * field
    return coordinates


def push_aside(
    coordinates: FloatArray,
    points_mm: FloatArray,
    depth_mm: FloatArray,
    *,
    centre_mm: npt.NDArray[np.float64],
    radius_mm: float,
    strength: float,
) -> FloatArray:
    """Template coordinates (3, n) after a mass has pushed the tissue around it outward.

    A voxel at distance rho shows what lay at rho - delta, where delta falls off over twice the
    mass's radius and fades towards the brain's surface, which the skull holds in place.
    ``strength`` is delta at the mass's edge over its radius; below 0.6 the map stays one to one.
    """
    away = points_mm - centre_mm[:, None].astype(np.float32)
    distance = np.sqrt((away**2).sum(axis=0)) + np.float32(1e-3)
    relative = distance / radius_mm
    delta = strength * radius_mm * np.exp(-0.5 * ((relative - 1.0) / 0.9) ** 2)
    delta = np.where(relative < 1.0, strength * distance, delta)
    delta = delta * (1.0 - np.exp(-np.clip(depth_mm, 0.0, None) / 8.0))
    return (coordinates - away / distance * delta).astype(np.float32)
