"""Where voxels lie in the patient: the grid that every volume of a study shares.

Display order is (S, P, L): the slice index grows towards the patient's superior, the row
towards posterior, the column towards the patient's left, so that the plain picture of a
slice is the radiological one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import nibabel.orientations as nio
import numpy as np
import numpy.typing as npt

from ..errors import ReadError

#: The axis codes of display order, in nibabel's convention (direction in which an index grows).
DISPLAY_CODES = ("S", "P", "L")

#: Largest angle between a grid axis and its nearest patient axis before a scan counts as oblique.
OBLIQUE_DEGREES = 0.5


@dataclass(frozen=True, eq=False)
class Grid:
    """A three-dimensional voxel grid in display order.

    Attributes
    ----------
    shape : tuple of int
        Voxels along (slice, row, column).
    affine : ndarray, shape (4, 4)
        From index (s, p, l, 1) to RAS+ millimetres.
    calibrated : bool
        False when the file gave no spacing (a PNG): lengths are then in pixels.
    oriented : bool
        False when the file gave no patient orientation: no letters may then be shown.
    """

    shape: tuple[int, int, int]
    affine: npt.NDArray[np.float64]
    calibrated: bool = True
    oriented: bool = True
    spacing: tuple[float, float, float] = field(init=False)

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        lengths = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
        object.__setattr__(self, "spacing", tuple(float(v) for v in lengths))

    @property
    def obliquity_degrees(self) -> float:
        """Largest angle between a grid axis and its nearest patient axis, in degrees."""
        directions = self.affine[:3, :3] / np.asarray(self.spacing)
        cosines = np.clip(np.abs(directions).max(axis=0), 0.0, 1.0)
        return float(np.degrees(np.arccos(cosines)).max())

    @property
    def is_oblique(self) -> bool:
        """Whether the slices are tilted against the patient's axes."""
        return self.oriented and self.obliquity_degrees > OBLIQUE_DEGREES

    @property
    def display_affine(self) -> npt.NDArray[np.float64]:
        """Diagonal affine for napari (index to millimetres along the grid's own axes).

        napari drops the out-of-slice part of an oblique affine in 2-D, so layers never carry
        the true one; the true one stays here and goes into every saved file.
        """
        return np.diag([*self.spacing, 1.0])

    def world(self, index: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """RAS+ millimetres of voxel indices (..., 3) in display order."""
        points = np.asarray(index, dtype=np.float64)
        return points @ self.affine[:3, :3].T + self.affine[:3, 3]

    def index(self, world: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Fractional display index (..., 3) of points in RAS+ millimetres."""
        inverse = np.linalg.inv(self.affine)
        points = np.asarray(world, dtype=np.float64)
        return points @ inverse[:3, :3].T + inverse[:3, 3]

    def matches(self, other: Grid, tolerance_mm: float = 1e-2) -> bool:
        """Whether both grids put every voxel at the same place, to ``tolerance_mm``."""
        if self.shape != other.shape:
            return False
        top = np.asarray(self.shape, dtype=np.float64) - 1
        corners = np.stack(np.meshgrid(*[(0.0, n) for n in top], indexing="ij"), -1).reshape(-1, 3)
        gap = np.linalg.norm(self.world(corners) - other.world(corners), axis=1)
        return bool(gap.max() <= tolerance_mm)


def orientation_to_display(
    affine: npt.ArrayLike, *, where: str | None = None
) -> npt.NDArray[np.float64]:
    """nibabel orientation transform from a file's array axes to display order (S, P, L).

    Raises
    ------
    ReadError
        The affine is not finite or does not span three dimensions.
    """
    matrix = np.asarray(affine, dtype=np.float64)
    remedy = "Repair the file's header, or export it again from its source"
    if not np.isfinite(matrix).all():
        raise ReadError("the affine holds NaN or infinite values", where=where, remedy=remedy)
    linear = matrix[:3, :3]
    scale = np.linalg.norm(linear, axis=0)
    if (scale == 0).any() or abs(np.linalg.det(linear / np.where(scale == 0, 1, scale))) < 1e-6:
        raise ReadError(
            "the affine is singular, so positions in the patient are not defined",
            where=where,
            remedy=remedy,
        )
    start = nio.io_orientation(matrix)
    if np.isnan(start).any():
        raise ReadError("the affine gives no orientation for an axis", where=where, remedy=remedy)
    return nio.ornt_transform(start, nio.axcodes2ornt(DISPLAY_CODES))
