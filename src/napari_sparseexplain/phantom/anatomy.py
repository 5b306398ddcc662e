"""The healthy anatomy that every phantom is bent from: the ICBM152 average brain.

The T1, grey matter and white matter maps (1 mm) come inside the nilearn wheel; nothing is
downloaded. See `ICBM_NOTICE` for where they are from and their licence.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import nibabel as nib
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..errors import SparseExplainError
from .noise import FloatArray, blur

ICBM_NOTICE = """\
These images are synthetic. No patient was scanned for them. For research and testing only.

The anatomy is deformed from the ICBM 152 2009a nonlinear average brain, T1, grey matter and white
matter maps, as converted to 1 mm and shipped inside the nilearn package (BSD-3-Clause).
The template comes with this notice:

  Copyright (C) 1993-2009 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological
  Institute, McGill University. Permission to use, copy, modify, and distribute this software
  and its documentation for any purpose and without fee is hereby granted, provided that the
  above copyright notice appear in all copies. The authors and McGill University make no
  representations about the suitability of this software for any purpose. It is provided "as
  is" without express or implied warranty. The authors are not responsible for any data loss,
  equipment damage, property loss, or injury to subjects or patients resulting from the use or
  misuse of this software package.

Please cite:
  V.S. Fonov, A.C. Evans, K. Botteron, C.R. Almli, R.C. McKinstry, D.L. Collins, Unbiased average
    age-appropriate atlases for pediatric studies, NeuroImage 54, 2011.
  V.S. Fonov, A.C. Evans, R.C. McKinstry, C.R. Almli, D.L. Collins, Unbiased nonlinear average
    age-appropriate brain templates from birth to adulthood, NeuroImage 47, 2009.
"""

_FILE = "mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"

#: CSF deeper than this below the brain's surface is looked at as ventricle.
VENTRICLE_DEPTH_MM = 18.0
VENTRICLES = 4

#: Air added around the template, so that deformed coordinates stay inside the array.
_MARGIN = 6


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Template maps at 1 mm in display order (S, P, L), all float32 of one shape.

    ``wm, gm, csf, ventricle`` are tissue probabilities in (0, 1) that add to 1 in the brain;
    ``brain`` is 1 inside; ``depth`` is millimetres below the brain's surface; ``to_ventricle``
    millimetres to the nearest ventricle; ``texture`` what the T1 average shows beyond its tissue
    means, in units of its standard deviation.
    """

    brain: FloatArray
    wm: FloatArray
    gm: FloatArray
    csf: FloatArray
    ventricle: FloatArray
    depth: FloatArray
    to_ventricle: FloatArray
    texture: FloatArray

    @property
    def centre(self) -> npt.NDArray[np.float64]:
        """Array index of the middle of the brain's bounding box."""
        return (np.asarray(self.brain.shape, dtype=np.float64) - 1.0) / 2.0


def template_folder() -> Path:
    """Folder of the ICBM152 maps inside the installed nilearn, without importing nilearn.

    Raises
    ------
    SparseExplainError
        nilearn is not installed, or its wheel holds no such maps.
    """
    remedy = "Install the extra: pip install 'napari-sparseexplain[phantom]'"
    spec = find_spec("nilearn")
    if spec is None or spec.origin is None:
        raise SparseExplainError(
            "phantoms are made from the ICBM152 maps inside nilearn, which is not installed",
            where="nilearn",
            remedy=remedy,
        )
    folder = Path(spec.origin).parent / "datasets" / "data"
    missing = [n for n in ("t1", "gm", "wm") if not (folder / _FILE.format(n)).is_file()]
    if missing:
        raise SparseExplainError(
            f"this nilearn does not hold the ICBM152 maps ({', '.join(missing)})",
            where=folder,
            remedy=remedy,
        )
    return folder


@lru_cache(maxsize=2)
def load_anatomy(smoothing_mm: float = 0.0) -> Anatomy:
    """The template maps, smoothed for grids coarser than 1 mm so that they do not alias.

    Raises
    ------
    SparseExplainError
        As `template_folder`.
    """
    if smoothing_mm <= 0:
        return _template()
    maps = (getattr(_template(), f.name) for f in fields(Anatomy))
    return Anatomy(*(blur(m, smoothing_mm, 1.0).astype(np.float32) for m in maps))


@lru_cache(maxsize=1)
def _template() -> Anatomy:
    """The maps as they are, with what is derived from them: some seconds, so done once."""
    t1, gm, wm = (_display_map(name) for name in ("t1", "gm", "wm"))
    # The T1's support is the brain; its lowest values are the blurred outer edge of the average.
    brain = t1 > 0.16
    gm, wm = gm * brain, wm * brain
    csf = np.clip(1.0 - gm - wm, 0.0, 1.0) * brain
    depth = _depth(brain)
    to_ventricle = _distance_to(_ventricle_mask(csf, depth))
    # A little more than the mask: the partial volume at the wall belongs to the ventricle too.
    ventricle = csf * (to_ventricle <= 2.0)
    maps = [brain.astype(np.float32), wm, gm, csf - ventricle, ventricle, depth, to_ventricle]
    maps.append(_texture(t1, wm, gm, csf, brain))
    return Anatomy(*(m.astype(np.float32) for m in maps))


def _display_map(name: str) -> FloatArray:
    """One map scaled to (0, 1), in display order, cropped to the brain and padded with air."""
    image = nib.load(template_folder() / _FILE.format(name))
    stored = np.asarray(image.dataobj)  # type: ignore[attr-defined]
    # The file is right, anterior, superior; display order is superior, posterior, left.
    display = stored.transpose(2, 1, 0)[:, ::-1, ::-1]
    box = display[0:157, 24:208, 16:174]
    return np.pad(box.astype(np.float32) / 255.0, _MARGIN)


def distance_inside(mask: npt.NDArray[np.bool_]) -> FloatArray:
    """Voxels from every voxel of a mask to the nearest one outside it; 0 outside."""
    return cast(FloatArray, ndimage.distance_transform_edt(mask))


def _depth(brain: npt.NDArray[np.bool_]) -> FloatArray:
    """Millimetres below the surface, measured on every second voxel: a tenth of the time."""
    coarse = 2.0 * distance_inside(brain[::2, ::2, ::2])
    # Twice the coarse grid, cut to the fine one: index 2i of the fine grid is i of the coarse.
    at = [np.arange(n, dtype=np.float32) / 2.0 for n in brain.shape]
    fine = coarse.astype(np.float32)
    for axis, position in enumerate(at):
        lower = np.floor(position).astype(int)
        upper = np.minimum(lower + 1, fine.shape[axis] - 1)
        weight = (position - lower).reshape([-1 if i == axis else 1 for i in range(3)])
        fine = (1.0 - weight) * fine.take(lower, axis) + weight * fine.take(upper, axis)
    return fine.astype(np.float32) * brain


def _distance_to(mask: npt.NDArray[np.bool_], reach_mm: int = 24) -> FloatArray:
    """Millimetres to the nearest voxel of ``mask``, not measured beyond ``reach_mm``."""
    distance = np.full(mask.shape, np.float32(reach_mm))
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    near = tuple(
        slice(max(c.start - reach_mm, 0), min(c.stop + reach_mm, n))
        for c, n in zip(box, mask.shape, strict=True)
    )
    inner = distance_inside(~mask[near])
    distance[near] = np.minimum(inner, reach_mm)
    return distance


def _ventricle_mask(csf: FloatArray, depth: FloatArray) -> npt.NDArray[np.bool_]:
    """The largest components of deep CSF."""
    deep = (csf > 0.5) & (depth > VENTRICLE_DEPTH_MM)
    labels, count = cast(tuple[npt.NDArray[np.int32], int], ndimage.label(deep))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    return np.isin(labels, np.argsort(sizes)[-min(VENTRICLES, count) :])


def _texture(
    t1: FloatArray, wm: FloatArray, gm: FloatArray, csf: FloatArray, brain: npt.NDArray[np.bool_]
) -> FloatArray:
    """Residual of the T1 average after a least-squares mix of its tissues, standardised."""
    design = np.stack([wm[brain], gm[brain], csf[brain]], axis=1)
    coefficients, *_ = np.linalg.lstsq(design, t1[brain], rcond=None)
    residual = np.zeros_like(t1)
    residual[brain] = t1[brain] - design @ coefficients.astype(np.float32)
    spread = residual[brain].std()
    return np.clip(residual / spread, -2.5, 2.5) * (wm + gm)
