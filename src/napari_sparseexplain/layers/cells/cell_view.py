"""From the pixels of a cell to places of the slice, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class CellView:
    """What a cell sees of the slice.

    Attributes
    ----------
    size : pair of int
        Height and width in pixels.
    zoom : float
        Pixels for one of the viewer's unit.
    centre : pair of float
        (row, column) in that unit of what lies in the middle.
    down, right : bool
        Whether rows grow downwards, and columns to the right.
    """

    size: tuple[int, int]
    zoom: float
    centre: tuple[float, float]
    down: bool = True
    right: bool = True

    def row_places(self) -> npt.NDArray[np.float64]:
        """Place in the middle of each pixel row, shape (height,)."""
        return self._places(0, self.down)

    def column_places(self) -> npt.NDArray[np.float64]:
        """Place in the middle of each pixel column, shape (width,)."""
        return self._places(1, self.right)

    def pixels(self, places: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """(x, y) from the cell's corner of places (row, column), shape (n, 2)."""
        moved = (np.asarray(places, np.float64).reshape(-1, 2) - self.centre) * self._signs
        return (moved * self.zoom + np.asarray(self.size) / 2)[:, ::-1]

    def place(self, x: float, y: float) -> tuple[float, float]:
        """(row, column) of a point of the cell."""
        moved = (np.array([y, x]) - np.asarray(self.size) / 2) / self.zoom * self._signs
        row, column = moved + self.centre
        return float(row), float(column)

    @property
    def _signs(self) -> npt.NDArray[np.float64]:
        return np.array([1.0 if self.down else -1.0, 1.0 if self.right else -1.0])

    def _places(self, side: int, forward: bool) -> npt.NDArray[np.float64]:
        count = self.size[side]
        from_middle = (np.arange(count) + 0.5 - count / 2) / self.zoom
        places = self.centre[side] + (from_middle if forward else -from_middle)
        return np.asarray(places, np.float64)
