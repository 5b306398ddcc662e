"""Where a slice lies in a picture: from pixels to voxels and back, with its letters and scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...review.review import Camera, Convention
from ...volumes import Grid, Study
from ...volumes.captions import axis_captions
from ...volumes.edge_letters import PLANES, Plane, edge_letters
from ...volumes.head_box import box_in_plane

#: Share of a picture left free about what is fitted into it.
FIT_MARGIN = 0.04

_LEFT_AXIS = 2

#: A camera that sees what is fitted.
WHOLE = Camera()

#: Tilt of a slice, in degrees, from which its caption says so.
OBLIQUE_SAID_FROM = 1.0


@dataclass(frozen=True, eq=False)
class PlaneView:
    """One slice in a rectangle of pixels.

    Superior and anterior are kept up. In the radiological convention columns grow to the right,
    so that the patient's left is on the right; in the neurological one they are mirrored.

    Attributes
    ----------
    grid : Grid
    plane, index : str, int
    size : pair of int
        Height and width in pixels.
    camera : Camera
        What is seen; of a screen with other proportions all that was seen there.
    convention : str
    fitted : pair of ndarray, shape (2,), or None
        What a camera without a zoom sees: lower and upper corner in millimetres along rows and
        columns, as `volumes.head_box.box_in_plane` gives it; the whole slice where None.
    """

    grid: Grid
    plane: Plane
    index: int
    size: tuple[int, int]
    camera: Camera = WHOLE
    convention: Convention = "radiological"
    fitted: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None = None

    @classmethod
    def of(
        cls,
        study: Study,
        plane: Plane,
        index: int,
        size: tuple[int, int],
        camera: Camera = WHOLE,
        convention: Convention = "radiological",
    ) -> PlaneView:
        """A slice of a study, of which a camera without a zoom sees what a window is fitted to."""
        box = box_in_plane(study, PLANES[plane][1:])
        return cls(study.grid, plane, index, size, camera, convention, box)

    @property
    def axes(self) -> tuple[int, int]:
        """Spatial axes (0 S, 1 P, 2 L) along rows and columns."""
        _, rows, columns = PLANES[self.plane]
        return rows, columns

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the slice, in voxels."""
        rows, columns = self.axes
        return self.grid.shape[rows], self.grid.shape[columns]

    @property
    def spacing(self) -> tuple[float, float]:
        """Millimetres between rows and between columns."""
        rows, columns = self.axes
        return self.grid.spacing[rows], self.grid.spacing[columns]

    @property
    def down(self) -> bool:
        """Whether the row index grows downwards in the picture."""
        return self.axes[0] != 0

    @property
    def right(self) -> bool:
        """Whether the column index grows to the right."""
        mirrored = self.convention == "neurological" and self.grid.oriented
        return not (mirrored and self.axes[1] == _LEFT_AXIS)

    @property
    def zoom(self) -> float:
        """Pixels per millimetre."""
        height, width = self.size
        if self.camera.zoom is not None and self.camera.canvas is not None:
            seen_height, seen_width = self.camera.canvas
            return self.camera.zoom * min(height / seen_height, width / seen_width)
        low, high = self._box
        rows, columns = (float(v) for v in high - low)
        return (1 - FIT_MARGIN) * min(height / rows, width / columns)

    @property
    def centre(self) -> tuple[float, float]:
        """Millimetres along rows and columns of what lies in the middle of the picture."""
        if self.camera.centre is not None:
            return self.camera.centre
        low, high = self._box
        rows, columns = (float(v) for v in (low + high) / 2)
        return rows, columns

    @property
    def _box(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """What is fitted into the picture."""
        if self.fitted is not None:
            return self.fitted
        spacing = np.asarray(self.spacing)
        return -spacing / 2, (np.asarray(self.shape) - 0.5) * spacing

    @property
    def letters(self) -> dict[str, str]:
        """Letters of the four edges; empty when the file gave no orientation."""
        return edge_letters(self.grid, self.axes, down=self.down, right=self.right)

    def row_indices(self) -> npt.NDArray[np.float64]:
        """Fractional row index in the middle of each pixel row, shape (height,)."""
        return self._indices(0)

    def column_indices(self) -> npt.NDArray[np.float64]:
        """Fractional column index in the middle of each pixel column, shape (width,)."""
        return self._indices(1)

    def pixels(self, world: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Picture coordinates (x, y) of points (..., 3) in RAS+ millimetres.

        The middle of the first pixel is (0.5, 0.5). Points beside the slice are projected on it.
        """
        return self.pixels_of_index(self.grid.index(world))

    def pixels_of_index(self, index: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Picture coordinates (x, y) of display indices (..., 3)."""
        place = np.asarray(index, dtype=np.float64)
        found = []
        for side in (1, 0):
            mm = place[..., self.axes[side]] * self.spacing[side]
            sign = 1 if (self.down, self.right)[side] else -1
            found.append(self.size[side] / 2 + sign * (mm - self.centre[side]) * self.zoom)
        return np.asarray(np.stack(found, axis=-1), np.float64)

    def _indices(self, side: int) -> npt.NDArray[np.float64]:
        count = self.size[side]
        sign = 1 if (self.down, self.right)[side] else -1
        mm = self.centre[side] + sign * (np.arange(count) + 0.5 - count / 2) / self.zoom
        return np.asarray(mm / self.spacing[side], np.float64)

    def position(self) -> str:
        """Where the slice lies, for a person (``"S 23.5 mm"``); empty without millimetres.

        Of an oblique slice: of its middle, along the patient's nearest axis, and how far the slice
        is tilted against it (``"I 54.4 mm, oblique 51°"``).
        """
        if not (self.grid.oriented and self.grid.calibrated):
            return ""
        axis = PLANES[self.plane][0]
        place = (np.asarray(self.grid.shape, dtype=float) - 1) / 2
        place[axis] = self.index
        nearest = int(np.abs(self.grid.affine[:3, axis]).argmax())
        words = f"{axis_captions(self.grid.world(place))[nearest]} mm"
        through = self.grid.affine[:3, axis] / self.grid.spacing[axis]
        tilt = float(np.degrees(np.arccos(min(abs(float(through[nearest])), 1.0))))
        return f"{words}, oblique {tilt:.0f}°" if tilt >= OBLIQUE_SAID_FROM else words
