"""A head with anatomy for tests of registration, and the same patient lying elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from napari_sparseexplain.volumes import Grid, Study, Volume, study_of_arrays
from napari_sparseexplain.volumes.registration.rigid_motion import Matrix
from napari_sparseexplain.volumes.resampling import resample_to

SHAPE, SPACING = (34, 44, 40), (4.0, 4.0, 4.0)


def head_study(name: str = "current") -> Study:
    """Smooth random anatomy in an ellipsoid of 150 mm with a bright ball, which ``seg`` marks."""
    rng = np.random.default_rng(4)
    texture = ndimage.gaussian_filter(rng.standard_normal(SHAPE), 2.0)
    texture = (texture - texture.min()) / np.ptp(texture)
    place = (np.indices(SHAPE).T - (np.array(SHAPE) - 1) / 2) * SPACING
    inside = (np.square(place / (55, 75, 62)).sum(axis=-1) < 1).T
    lesion = (np.square((place - (10, 20, -15)) / 14).sum(axis=-1) < 1).T
    flair = (inside * (200 + 500 * texture) + 300 * lesion).astype(np.float32)
    return study_of_arrays(
        {"flair": flair}, {"seg": lesion.astype(np.uint8)}, spacing=SPACING, name=name
    )


def lying_elsewhere(study: Study, prior_to_current: Matrix) -> Study:
    """The patient as an earlier scan shows them, whom ``prior_to_current`` lays over ``study``."""

    def moved(volume: Volume) -> Volume:
        grid = volume.grid
        place = Grid(grid.shape, np.linalg.inv(prior_to_current) @ grid.affine)
        return replace(resample_to(replace(volume, grid=place), grid), source=volume.source)

    return replace(
        study,
        name="earlier",
        images={r: moved(v) for r, v in study.images.items()},
        labels={r: moved(v) for r, v in study.labels.items()},
    )
