"""What the scans measure in a drawn region: mean, standard deviation, min, max."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from skimage.draw import polygon

from ..volumes import Grid, Study
from ..volumes.edge_letters import PLANES
from ..volumes.reading_order import ordered_roles, role_title
from .annotation import Annotation
from .frames import frame_points
from .reading import volume_slice


@dataclass(frozen=True)
class RegionValues:
    """One scan in one region.

    Attributes
    ----------
    role : str
        Of the scan.
    voxels : int
        How many were measured; those that are not finite, or padding, are left out.
    mean, sd, minimum, maximum : float
        In the scan's unit; ``sd`` is the standard deviation of the voxels themselves (divided by
        their number). NaN without voxels.
    unit : str
        Of `Volume.unit`, empty when arbitrary.
    """

    role: str
    voxels: int
    mean: float
    sd: float
    minimum: float
    maximum: float
    unit: str = ""

    @property
    def numbers(self) -> tuple[float, float, float, float]:
        """Mean, standard deviation, min and max."""
        return self.mean, self.sd, self.minimum, self.maximum

    @property
    def title(self) -> str:
        """The scan for a person."""
        return role_title(self.role)


def region_voxels(region: Annotation, grid: Grid) -> npt.NDArray[np.bool_]:
    """Voxels of the slice whose centres lie in a region, shape (rows, columns) of its plane.

    An ellipse is taken as itself, not as the polygon that is drawn for it.

    Raises
    ------
    ValueError
        The annotation encloses nothing (an arrow, a distance, a text).
    """
    if not region.closed:
        raise ValueError(f"{region.kind} encloses no voxels")
    axis = PLANES[region.plane][0]
    shape = tuple(int(n) for n in np.delete(grid.shape, axis))
    # Rounded: a corner on a voxel's centre must not fall to one side by the last digit.
    corners = np.delete(np.round(grid.index(region.points), 6), axis, axis=-1)
    inside = np.zeros(shape, dtype=bool)
    if region.kind == "polygon":
        inside[polygon(corners[:, 0], corners[:, 1], shape)] = True
        return inside
    middle = corners.mean(axis=0)
    half_axes = np.stack([corners[1] - corners[0], corners[3] - corners[0]], axis=-1) / 2
    if abs(np.linalg.det(half_axes)) < 1e-12:
        return inside
    centres = np.moveaxis(np.indices(shape), 0, -1) - middle
    return np.square(centres @ np.linalg.inv(half_axes).T).sum(axis=-1) <= 1


def region_values(region: Annotation, study: Study) -> tuple[RegionValues, ...]:
    """Every grey scan of a study in a region, in reading order; none of what encloses nothing.

    Of a series (time, directions) the frame that the region was drawn on is measured, of a region
    of every frame the first.

    Parameters
    ----------
    region : Annotation
        On a slice of this study; voxels outside the picture are not counted.
    """
    if not region.closed:
        return ()
    inside = region_voxels(region, study.grid)
    axis = PLANES[region.plane][0]
    found = []
    for role in ordered_roles(study):
        volume = study[role]
        if volume.kind == "label" or volume.colour:
            continue
        plane = volume_slice(volume, frame_points(volume, region.leading), axis, region.index)
        values = plane[inside]
        values = values[volume.measured(values)].astype(np.float64)
        told = (np.nan,) * 4
        if values.size:
            told = (values.mean(), values.std(), values.min(), values.max())
        found.append(RegionValues(role, values.size, *map(float, told), unit=volume.unit))
    return tuple(found)
