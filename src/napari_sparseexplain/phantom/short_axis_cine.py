"""A synthetic short-axis cine of a beating heart whose volumes are known.

The cavity of the left ventricle is half an ellipsoid with its flat side at the base; its radius and
length follow the cycle. About it lie the wall, the right ventricle, lungs, chest, liver, spine and
aorta with the grey values of a bright-blood (bSSFP) cine, and noise. Papillary muscles and
trabeculae count as cavity. It is no model of a heart's motion: the wall neither twists nor moves
sideways, and the base stays in its plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt

from .noise import FloatArray as Array
from .noise import blur, smooth_noise

#: Slices, rows, columns; their sizes in mm; images a cycle and seconds from one to the next.
SHAPE, SPACING = (7, 192, 192), (12.0, 1.6, 1.6)
POINTS, SECONDS = 14, 0.065

#: Cavity at the base, radius and length in mm, at end-diastole and at end-systole.
_RADIUS, _LENGTH = (26.0, 17.5), (84.0, 76.0)

#: Thickness of the wall at the base at end-diastole in mm; its area stays the same over the cycle.
_WALL = 8.5

#: Thickness in mm of the trabeculae, half muscle and half blood, which contours by hand count as
#: cavity.
_TRABECULAE = 2.5

#: Share of the cycle in which the ventricle empties.
_SYSTOLE = 0.38

#: Centre of the left ventricle from the middle of the image in mm: rows, columns.
_HEART = (-8.0, 26.0)

_BLOOD, _MUSCLE, _FAT, _LUNG, _LIVER, _BONE, _AIR = 215.0, 82.0, 190.0, 24.0, 104.0, 92.0, 5.0


@dataclass(frozen=True, eq=False)
class ShortAxisCine:
    """A cine and its truth.

    Attributes
    ----------
    image : ndarray, shape (time, slices, rows, columns), float32
        Slices from the apex to the base.
    cavity, outer : ndarray of bool, same shape
        Pixels whose centres lie in the cavity, papillary muscles inside, and within the wall's
        outer border.
    volumes : ndarray, shape (time,)
        Of the cavity in ml, by the formula of its shape.
    spacing : tuple of float
        Slices, rows, columns in mm.
    """

    image: npt.NDArray[np.float32]
    cavity: npt.NDArray[np.bool_]
    outer: npt.NDArray[np.bool_]
    volumes: Array
    spacing: tuple[float, float, float] = SPACING


def short_axis_cine(
    *,
    shape: tuple[int, int, int] = SHAPE,
    spacing: tuple[float, float, float] = SPACING,
    points: int = POINTS,
    size: float = 1.0,
    noise: float = 6.0,
    seed: int = 0,
) -> ShortAxisCine:
    """Draw a cine.

    Parameters
    ----------
    shape : tuple of int
        Slices, rows, columns.
    spacing : tuple of float
        In mm; of the slices their distance.
    points : int
        Images a cycle; the first is end-diastole.
    size : float
        Radius of the cavity and its wall relative to the usual.
    noise : float
        σ of the noise in each of the two channels; blood is 215.
    """
    rng = np.random.default_rng(seed)
    slices, rows, columns = shape
    y, x = np.meshgrid(
        (np.arange(rows) - (rows - 1) / 2) * spacing[1],
        (np.arange(columns) - (columns - 1) / 2) * spacing[2],
        indexing="ij",
    )
    heart = np.asarray(_HEART) + rng.uniform(-4, 4, 2)
    texture = smooth_noise(rng, (slices, rows, columns), spacing, 7.0)
    shading = np.exp(-(y + 60) / 260) * np.exp(
        smooth_noise(rng, (1, rows, columns), spacing, 90) / 9
    )
    still = np.stack([_chest(y, x, spacing, slices - 1 - s) for s in range(slices)])
    filled = _filling(points)
    image = np.empty((points, *shape), dtype=np.float32)
    cavity = np.empty((points, *shape), dtype=np.bool_)
    outer = np.empty_like(cavity)
    volumes = np.empty(points)
    for t in range(points):
        radius = size * (_RADIUS[1] + filled[t] * (_RADIUS[0] - _RADIUS[1]))
        length = _LENGTH[1] + filled[t] * (_LENGTH[0] - _LENGTH[1])
        volumes[t] = 2 / 3 * np.pi * radius**2 * length / 1000
        for s in range(slices):
            depth = (slices - 1 - s + 0.5) * spacing[0]  # below the base
            r, wall = _radii(radius, length, depth, size)
            drawn = still[s].copy()
            cavity[t, s], outer[t, s] = _paint_heart(drawn, y, x, heart, r, wall, spacing[1])
            signal = blur(drawn * (1 + 0.05 * texture[s]) * shading, 0.75, 1.0)
            channels = rng.normal(0.0, noise, (2, rows, columns))
            image[t, s] = np.hypot(signal + channels[0], channels[1])
    return ShortAxisCine(image, cavity, outer, volumes, spacing)


def write_short_axis_cine(cine: ShortAxisCine, folder: Path) -> Path:
    """Write the cine as ``folder/cine.nii.gz`` and give the folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    # From (time, S, P, L) to a file along right, anterior, superior, time.
    file = cine.image[:, :, ::-1, ::-1].transpose(3, 2, 1, 0)
    s, p, q = cine.spacing
    image = nib.Nifti1Image(np.round(file).astype(np.int16), np.diag([q, p, s, 1.0]))
    image.header.set_zooms((q, p, s, SECONDS))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, folder / "cine.nii.gz")
    return folder


def _filling(points: int) -> Array:
    """1 at end-diastole, 0 at end-systole: out quickly, in slowly."""
    phase = np.arange(points) / points
    out = 0.5 * (1 + np.cos(np.pi * phase / _SYSTOLE))
    back = 0.5 * (1 - np.cos(np.pi * (phase - _SYSTOLE) / (1 - _SYSTOLE)))
    return np.where(phase < _SYSTOLE, out, back)


def _radii(radius: float, length: float, depth: float, size: float) -> tuple[float, float]:
    """Of the cavity and of the wall's outer border, at a depth below the base, in mm."""

    def at(r: float, long: float) -> float:
        return r * float(np.sqrt(max(0.0, 1 - (depth / long) ** 2)))

    rest = at(size * _RADIUS[0], _LENGTH[0])
    # The apex has a wall of its own.
    around = at(size * (_RADIUS[0] + _WALL), _LENGTH[0] + _WALL)
    r = at(radius, length)
    return r, float(np.sqrt(r**2 + max(around**2 - rest**2, 0.0)))


def _chest(y: Array, x: Array, spacing: tuple[float, ...], low: int) -> Array:
    """All that does not move, ``low`` slices below the base."""
    edge = spacing[1]
    picture = np.full(y.shape, _AIR)
    for semi, value in (((112, 150), _FAT), ((100, 138), _MUSCLE)):
        _paint(picture, _ellipse(y, x, (0, 0), semi), value, edge)
    _paint(picture, _ellipse(y, x, (6, -74), (76, 52)), _LUNG, edge)
    _paint(picture, _ellipse(y, x, (6, 84), (76, 46)), _LUNG, edge)
    # The mediastinum, with fat about the heart.
    _paint(picture, _ellipse(y, x, (-26, -2), (62, 46)), 130.0, edge)
    if low > 2:
        _paint(picture, _ellipse(y, x, (34, -62), (44 + 4 * low, 60)), _LIVER, edge)
    _paint(picture, _ellipse(y, x, (74, 0), (22, 24)), _BONE, edge)
    _paint(picture, _ellipse(y, x, (96, 0), (7, 9)), _FAT, edge)
    _paint(picture, _ellipse(y, x, (52, 24), (10, 10)), _BLOOD, edge)
    _paint(picture, _ellipse(y, x, (50, -22), (9, 12)), 0.85 * _BLOOD, edge)
    return picture


def _paint_heart(
    picture: Array, y: Array, x: Array, centre: Array, r: float, wall: float, edge: float
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """A slice with both ventricles, and the masks of the left one."""
    far = np.hypot(y - centre[0], x - centre[1])
    inside, outside = far - r, far - wall
    # Fat and pericardium about both, then the right ventricle to the patient's right and in front.
    right = (centre[0] - 0.45 * wall, centre[1] - 1.0 * wall)
    semi = (0.95 * wall + 3, 0.92 * wall + 3 + 0.2 * r)
    for grown, value in ((9.0, 0.9 * _FAT), (4.0, _MUSCLE), (0.0, 0.93 * _BLOOD)):
        if wall > 12:
            _paint(picture, _ellipse(y, x, right, (semi[0] + grown, semi[1] + grown)), value, edge)
    _paint(picture, outside - 2.5, 0.6 * _FAT, edge)
    _paint(picture, outside, _MUSCLE, edge)
    if r > 0:
        _paint(picture, inside, 0.5 * (_BLOOD + _MUSCLE), edge)
        _paint(picture, inside + min(_TRABECULAE, 0.5 * r), _BLOOD, 2 * edge)
    if r > 9:  # papillary muscles
        for angle in (0.75, 2.3):
            place = centre + 0.62 * r * np.array([np.sin(angle), np.cos(angle)])
            _paint(picture, _ellipse(y, x, place, (0.14 * r, 0.17 * r)), 1.25 * _MUSCLE, edge)
    return inside < 0, outside < 0


def _ellipse(
    y: Array,
    x: Array,
    centre: tuple[float, float] | Array,
    semi: tuple[float, float],
) -> Array:
    """About the distance from an ellipse's border in mm, negative inside."""
    far = np.hypot((y - centre[0]) / semi[0], (x - centre[1]) / semi[1])
    return (far - 1) * min(semi)


def _paint(picture: Array, signed: Array, value: float, edge: float) -> None:
    """Lay a value where ``signed`` is negative, in part where the border cuts a pixel."""
    share = np.clip(0.5 - signed / edge, 0.0, 1.0)
    picture += share * (value - picture)
