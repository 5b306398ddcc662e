"""Tumours: an irregular core with necrosis and a patchy enhancing rim, and oedema around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .noise import FloatArray, blur, log_uniform, smooth_noise, soft_step

NO_TUMOUR = 0.08
TWO_TUMOURS = 0.15
SECOND_RADIUS = 0.6
RADIUS_MM = (6.0, 26.0)
AXES = (0.7, 1.4)
HARDLY_ENHANCING = 0.28
NO_OEDEMA = 0.08
OEDEMA_MM = (3.0, 32.0)
OEDEMA_EDGE_MM = 2.0
MASS_EFFECT = 0.7


@dataclass(frozen=True, eq=False)
class Tumour:
    """One tumour's drawn properties, before it meets the anatomy.

    ``centre_mm`` in the phantom's centred millimetres, ``shape`` (3, 3) maps millimetres from the
    centre to units of the radius; ``push`` is the mass effect's strength (0 for none).
    """

    centre_mm: npt.NDArray[np.float64]
    radius_mm: float
    shape: npt.NDArray[np.float64]
    coarse: float
    fine: float
    necrosis: float
    enhancing: float
    patchy: float
    oedema_mm: float
    oedema_noise: float
    push: float


@dataclass(frozen=True, eq=False)
class TumourFields:
    """Fractions (0, 1) of one tumour within the box ``where`` of the grid."""

    where: tuple[slice, slice, slice]
    necrosis: FloatArray
    enhancing: FloatArray
    oedema: FloatArray


def draw_tumours(
    rng: np.random.Generator,
    wm: FloatArray,
    gm: FloatArray,
    points_mm: FloatArray,
    number: int | None = None,
) -> list[Tumour]:
    """None, one or two tumours, seeded where there is white matter (or some grey).

    Parameters
    ----------
    wm, gm : ndarray, shape (n,)
        Tissue probabilities at the brain's voxels.
    points_mm : ndarray, shape (3, n)
        Where these voxels lie, in centred millimetres.
    number : int, optional
        How many; drawn when not given.
    """
    if number is None:
        number = 0 if rng.random() < NO_TUMOUR else 1 + int(rng.random() < TWO_TUMOURS)
    weight = np.cumsum((wm + 0.35 * gm).astype(np.float64))
    tumours = []
    for which in range(number):
        seed = int(np.searchsorted(weight, rng.random() * weight[-1]))
        seed = min(seed, weight.size - 1)
        tumours.append(
            _draw_tumour(rng, points_mm[:, seed].astype(np.float64), SECOND_RADIUS**which)
        )
    return tumours


def _draw_tumour(
    rng: np.random.Generator, centre_mm: npt.NDArray[np.float64], size: float
) -> Tumour:
    radius = log_uniform(rng, *RADIUS_MM) * size
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    axes = rng.uniform(*AXES, 3)
    weak = rng.random() < HARDLY_ENHANCING
    return Tumour(
        centre_mm=centre_mm,
        radius_mm=radius,
        shape=np.diag(1.0 / (radius * axes)) @ turn,
        coarse=rng.uniform(0.1, 0.35),
        fine=rng.uniform(0.05, 0.22),
        necrosis=rng.uniform(0.3, 0.9),
        enhancing=rng.uniform(0.0, 0.2) if weak else rng.uniform(0.6, 1.0),
        patchy=rng.uniform(0.2, 1.0),
        oedema_mm=0.0 if rng.random() < NO_OEDEMA else log_uniform(rng, *OEDEMA_MM),
        oedema_noise=rng.uniform(0.1, 0.35),
        push=rng.uniform(0.1, 0.45) if rng.random() < MASS_EFFECT else 0.0,
    )


def tumour_fields(
    rng: np.random.Generator,
    tumour: Tumour,
    wm: FloatArray,
    csf: FloatArray,
    brain: npt.NDArray[np.bool_],
    origin_mm: npt.NDArray[np.float64],
    spacing: float,
) -> TumourFields:
    """Fractions of necrosis, enhancing rim and oedema around one tumour.

    Parameters
    ----------
    wm, csf : ndarray, shape (S, P, L)
        White matter, and all CSF, of the deformed anatomy.
    brain : ndarray of bool, shape (S, P, L)
    origin_mm : ndarray, shape (3,)
        Centred millimetres of voxel (0, 0, 0).
    spacing : float
        Millimetres, isotropic.
    """
    reach = 1.9 * tumour.radius_mm + 1.3 * tumour.oedema_mm + 4.0
    where, axes = _box(tumour.centre_mm, reach, origin_mm, spacing, wm.shape)
    shape = tuple(a.size for a in axes)
    steps = (spacing,) * 3

    def noise(length_mm: float) -> FloatArray:
        return smooth_noise(rng, shape, steps, length_mm)

    radius = tumour.radius_mm
    offset = [a - c for a, c in zip(axes, tumour.centre_mm, strict=True)]
    squared = np.zeros(shape, dtype=np.float32)
    for row in tumour.shape:
        along = row[0] * offset[0][:, None, None] + row[1] * offset[1][:, None] + row[2] * offset[2]
        squared += along.astype(np.float32) ** 2
    plain = np.sqrt(squared)
    d = plain + tumour.coarse * noise(0.9 * radius) + tumour.fine * noise(0.4 * radius)
    inside = brain[where]
    # A tumour does not fill the ventricles: it stops where there is clear CSF.
    solid = inside * (1.0 - 0.85 * csf[where])
    edge = max(1.2, 0.8 * spacing)
    core = soft_step((1.0 - d) * radius, edge) * solid
    dead = soft_step((tumour.necrosis - d - 0.25 * noise(0.5 * radius)) * radius, edge)
    rim = np.clip(
        tumour.enhancing * (1.0 - tumour.patchy * soft_step(noise(0.45 * radius) - 0.6, 0.8)), 0, 1
    )
    enhancing = core * (1.0 - dead) * rim
    # Rim tissue that does not enhance is non-enhancing tumour: one class with the necrosis.
    necrosis = core - enhancing

    if tumour.oedema_mm == 0.0:
        oedema = np.zeros_like(core)
    else:
        extent = tumour.oedema_mm
        distance = (0.5 * d + 0.5 * plain - 1.0) * radius / extent
        white = blur(wm[where], 3.0, spacing)
        reach_field = (
            distance
            + tumour.oedema_noise * noise(max(0.7 * extent, 4.0))
            + 0.6 * tumour.oedema_noise * noise(max(0.25 * extent, 3.0))
            + 0.5 * (1.0 - np.clip(1.5 * white, 0.0, 1.0))
        )
        room = np.clip(1.2 - 1.6 * csf[where], 0.0, 1.0) * inside
        oedema = soft_step((1.0 - reach_field) * extent, OEDEMA_EDGE_MM) * room * (1.0 - core)
    return TumourFields(where, necrosis, enhancing, oedema.astype(np.float32))


def _box(
    centre_mm: npt.NDArray[np.float64],
    reach_mm: float,
    origin_mm: npt.NDArray[np.float64],
    spacing: float,
    shape: tuple[int, ...],
) -> tuple[tuple[slice, slice, slice], list[FloatArray]]:
    """The part of the grid within ``reach_mm`` of a centre, and its axes in millimetres."""
    low = np.floor((centre_mm - reach_mm - origin_mm) / spacing).astype(int)
    high = np.ceil((centre_mm + reach_mm - origin_mm) / spacing).astype(int) + 1
    cuts = [slice(max(int(a), 0), min(int(b), n)) for a, b, n in zip(low, high, shape, strict=True)]
    axes = [
        (origin_mm[i] + spacing * np.arange(c.start, c.stop)).astype(np.float32)
        for i, c in enumerate(cuts)
    ]
    return (cuts[0], cuts[1], cuts[2]), axes
