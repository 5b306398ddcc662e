"""One phantom's geometry: how much of each tissue there is in every voxel, and the labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..volumes.grid import Grid
from .anatomy import Anatomy, distance_inside, load_anatomy
from .deformation import push_aside, template_coordinates
from .noise import FloatArray, smooth_noise, soft_step
from .tumour import Tumour, draw_tumours, tumour_fields

#: Order of the tissues along the first axis of `PhantomGeometry.fractions`. The last two replace
#: white matter where a rendering shows them; they are distractors and carry no label.
TISSUES = (
    "wm",
    "gm",
    "csf",
    "ventricle",
    "enhancing",
    "necrosis",
    "oedema",
    "periventricular",
    "punctate",
)

#: BraTS 2021 labels.
NECROSIS_LABEL, OEDEMA_LABEL, ENHANCING_LABEL = 1, 2, 4

#: A voxel belongs to the lesion when more than this much of it does.
LESION_FRACTION = 0.3

_PAD_MM = 10.0


@dataclass(frozen=True, eq=False)
class PhantomGeometry:
    """Tissues of one phantom on a grid in display order.

    Attributes
    ----------
    grid : Grid
        The whole field of view.
    box : tuple of slice
        The part of it around the brain that the arrays below cover.
    fractions : ndarray of float32, shape (len(TISSUES), s, p, l)
        Fraction of a voxel; the first seven add to 1 in the brain and to 0 outside.
    texture : ndarray of float32, shape (s, p, l)
        The T1 average's own texture, standard deviation about 1.
    depth_mm : ndarray of float32, shape (s, p, l)
        Millimetres below the brain's surface, negative outside.
    labels : ndarray of uint8, shape ``grid.shape``
        0, 1 necrotic and non-enhancing core, 2 oedema, 4 enhancing.
    tumours : tuple of Tumour
    """

    grid: Grid
    box: tuple[slice, slice, slice]
    fractions: FloatArray
    texture: FloatArray
    depth_mm: FloatArray
    labels: npt.NDArray[np.uint8]
    tumours: tuple[Tumour, ...]

    @property
    def spacing_mm(self) -> float:
        """Isotropic voxel spacing."""
        return self.grid.spacing[0]

    @property
    def brain(self) -> npt.NDArray[np.bool_]:
        """The brain within the box."""
        return self.depth_mm > 0


def phantom_grid(spacing_mm: float, shape: tuple[int, int, int]) -> Grid:
    """Grid placed as BraTS places its own: right, anterior, inferior corner at the origin's axes.

    A file in array order (L, P, S) then has the affine diag(-s, -s, s) with the posterior
    extent as offset.
    """
    affine = np.array(
        [
            [0.0, 0.0, -spacing_mm, 0.0],
            [0.0, -spacing_mm, 0.0, spacing_mm * (shape[1] - 1)],
            [spacing_mm, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )
    return Grid(shape, affine)


def make_geometry(
    rng: np.random.Generator,
    *,
    spacing_mm: float = 1.0,
    shape: tuple[int, int, int] = (155, 240, 240),
    tumours: int | None = None,
) -> PhantomGeometry:
    """Bend the template, sharpen and vary its tissues, grow tumours and distractors.

    Parameters
    ----------
    rng : numpy Generator
        The same state gives the same geometry.
    spacing_mm : float
        Isotropic.
    shape : tuple of int
        (S, P, L); the brain lies in the middle.
    tumours : int, optional
        How many; drawn (8 % none, 15 % of the rest two) when not given.

    Raises
    ------
    SparseExplainError
        nilearn's ICBM152 maps are missing.
    """
    anatomy = load_anatomy(0.4 * spacing_mm if spacing_mm > 1.2 else 0.0)
    coordinates = template_coordinates(rng, shape, spacing_mm, anatomy.centre)
    brain = ndimage.map_coordinates(anatomy.brain, coordinates, order=1, prefilter=False) > 0.5
    box = _padded_box(brain, round(_PAD_MM / spacing_mm))
    brain = brain[box]
    start = np.array([c.start for c in box])
    origin = (start - (np.asarray(shape) - 1) / 2.0) * spacing_mm
    inside = coordinates[(slice(None), *box)][:, brain]
    points = (np.argwhere(brain).T * spacing_mm + origin[:, None]).astype(np.float32)

    wm, gm = _sample(anatomy.wm, inside), _sample(anatomy.gm, inside)
    drawn = draw_tumours(rng, wm, gm, points, tumours)
    for tumour in drawn:
        if tumour.push > 0:
            inside = push_aside(
                inside,
                points,
                _sample(anatomy.depth, inside),
                centre_mm=tumour.centre_mm,
                radius_mm=tumour.radius_mm,
                strength=tumour.push,
            )
    healthy = _tissues(rng, anatomy, inside, brain, spacing_mm)

    fractions = np.zeros((len(TISSUES), *brain.shape), dtype=np.float32)
    for row, values in zip(fractions[:4], healthy, strict=True):
        row[brain] = values
    lesion = fractions[4:7]
    wm_map, csf_map = fractions[0].copy(), fractions[2] + fractions[3]
    for tumour in drawn:
        fields = tumour_fields(rng, tumour, wm_map, csf_map, brain, origin, spacing_mm)
        part = (slice(None), *fields.where)
        _add_lesion(lesion[part], fields.enhancing, fields.necrosis, fields.oedema)
    to_ventricle = np.zeros(brain.shape, dtype=np.float32)
    to_ventricle[brain] = _sample(anatomy.to_ventricle, inside)
    fractions[7] = _periventricular(rng, wm_map, to_ventricle, spacing_mm)
    fractions[8] = _punctate(rng, wm_map, spacing_mm)
    total = lesion.sum(axis=0)
    fractions[[0, 1, 2, 3, 7, 8]] *= 1.0 - total

    texture = np.zeros(brain.shape, dtype=np.float32)
    texture[brain] = _sample(anatomy.texture, inside)
    depth = distance_inside(brain) - distance_inside(~brain)
    labels = np.zeros(shape, dtype=np.uint8)
    labels[box] = _labels(lesion, brain)
    return PhantomGeometry(
        grid=phantom_grid(spacing_mm, shape),
        box=box,
        fractions=fractions,
        texture=texture,
        depth_mm=(depth * spacing_mm).astype(np.float32),
        labels=labels,
        tumours=tuple(drawn),
    )


def _sample(volume: FloatArray, coordinates: FloatArray) -> FloatArray:
    return ndimage.map_coordinates(volume, coordinates, order=1, prefilter=False)


def _padded_box(mask: npt.NDArray[np.bool_], pad: int) -> tuple[slice, slice, slice]:
    cuts = []
    for axis in range(3):
        hit = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        cuts.append(slice(max(int(hit[0]) - pad, 0), min(int(hit[-1]) + 1 + pad, mask.shape[axis])))
    return cuts[0], cuts[1], cuts[2]


def _tissues(
    rng: np.random.Generator,
    anatomy: Anatomy,
    coordinates: FloatArray,
    brain: npt.NDArray[np.bool_],
    spacing: float,
) -> FloatArray:
    """Fractions of white matter, grey matter, CSF and ventricle (4, n) at the brain's voxels.

    The template is an average of many heads, so its maps are soft. A softmax over their
    logarithms sharpens them by a random power, smooth noise moves the borders, and biases give
    wide or narrow sulci and ventricles.
    """
    wm, gm = _sample(anatomy.wm, coordinates), _sample(anatomy.gm, coordinates)
    csf, ventricle = _sample(anatomy.csf, coordinates), _sample(anatomy.ventricle, coordinates)
    # Only the neighbourhood of the ventricles may become ventricle.
    near = np.exp(-0.5 * (_sample(anatomy.to_ventricle, coordinates) / 4.0) ** 2)
    power = rng.uniform(1.2, 2.5)
    amplitude = rng.uniform(0.2, 1.2)
    length = rng.uniform(5.0, 6.0)
    steps = (spacing,) * 3

    def noise() -> FloatArray:
        return smooth_noise(rng, brain.shape, steps, length)[brain]

    between = 0.5 * amplitude * noise()
    scores = np.stack(
        [
            power * np.log(wm + 0.03) + between,
            power * np.log(gm + 0.03) - between,
            power * np.log(csf + 0.03) + amplitude * noise() + rng.uniform(-0.6, 0.8),
            power * np.log(ventricle + 0.03 * near + 1e-4)
            + 0.5 * amplitude * noise()
            + rng.uniform(-0.5, 1.2),
        ]
    )
    scores -= scores.max(axis=0)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=0)
    return scores


def _add_lesion(
    lesion: FloatArray, enhancing: FloatArray, necrosis: FloatArray, oedema: FloatArray
) -> None:
    """Put one tumour over what is there already: core over oedema, never more than 1 in all."""
    core = enhancing + necrosis
    lesion *= 1.0 - core
    lesion[0] += enhancing
    lesion[1] += necrosis
    room = 1.0 - lesion[0] - lesion[1]
    np.maximum(lesion[2], np.minimum(oedema, room), out=lesion[2])


def _labels(lesion: FloatArray, brain: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    codes = np.array([ENHANCING_LABEL, NECROSIS_LABEL, OEDEMA_LABEL], dtype=np.uint8)
    inside = (lesion.sum(axis=0) > LESION_FRACTION) & brain
    return np.where(inside, codes[lesion.argmax(axis=0)], np.uint8(0))


def _periventricular(
    rng: np.random.Generator, wm: FloatArray, to_ventricle: FloatArray, spacing: float
) -> FloatArray:
    """Caps and bands of white-matter hyperintensity along the ventricles."""
    width = rng.uniform(1.5, 6.0)
    noise = smooth_noise(rng, wm.shape, (spacing,) * 3, 8.0)
    return wm * soft_step(width * (1.0 + 0.5 * noise) - to_ventricle, 2.5).astype(np.float32)


def _punctate(rng: np.random.Generator, wm: FloatArray, spacing: float) -> FloatArray:
    """Small scattered spots of white-matter hyperintensity."""
    spots = np.zeros_like(wm)
    weight = np.cumsum(wm.ravel(), dtype=np.float64)
    for _ in range(int(rng.integers(3, 30))):
        flat = min(int(np.searchsorted(weight, rng.random() * weight[-1])), wm.size - 1)
        centre = np.unravel_index(flat, wm.shape)
        radius = rng.uniform(1.0, 3.5)
        reach = int(np.ceil(2.0 * radius / spacing)) + 1
        cut = tuple(slice(max(int(c) - reach, 0), int(c) + reach + 1) for c in centre)
        axes = [np.arange(c.start, min(c.stop, n)) for c, n in zip(cut, wm.shape, strict=True)]
        stretch = rng.uniform(0.7, 1.4, 3)
        squared = sum(
            ((axis - c) * spacing / s).reshape([-1 if i == j else 1 for j in range(3)]) ** 2
            for i, (axis, c, s) in enumerate(zip(axes, centre, stretch, strict=True))
        )
        spot = soft_step(np.asarray(radius - np.sqrt(squared), dtype=np.float32), 1.5)
        spots[cut] = np.maximum(spots[cut], spot)
    return wm * spots
