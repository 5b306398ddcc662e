"""The order and direction of axes in which a network takes a scan, and the exact way back.

Studies lie in display order: slices to superior, rows to posterior, columns to the patient's left
(``"SPL"``). A network trained elsewhere may take ``"RAS"`` or ``"LPS"``. Letters name the direction
in which an axis's index grows, as nibabel does [1]_. Axes are exchanged and flipped, never
interpolated, so what comes back lies on the very voxels it came from.

References
----------
.. [1] nibabel, Coordinate systems and affines (``nibabel.aff2axcodes``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations, product
from typing import Any

import numpy as np
import numpy.typing as npt

#: Display order; a study whose orientation is not known has it by its pictures.
DISPLAY = "SPL"

_OPPOSITE = {"S": "I", "P": "A", "L": "R"}

#: The 48 orders there are.
ORIENTATIONS = tuple(
    "".join(letters)
    for order in permutations(DISPLAY)
    for letters in product(*((letter, _OPPOSITE[letter]) for letter in order))
)


@dataclass(frozen=True)
class PlaneOrder:
    """Rows and columns of a network that takes slices, from those of the display.

    Attributes
    ----------
    transposed : bool
        Whether its rows run from side to side.
    flips : (bool, bool)
        Whether its rows and columns, as it takes them, run against the display's.
    """

    transposed: bool = False
    flips: tuple[bool, bool] = (False, False)

    def to_network(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Slices (..., P, L) as the network takes them."""
        turned = array.swapaxes(-1, -2) if self.transposed else array
        return self._flipped(turned)

    def to_study(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The inverse: (..., P, L) from slices as the network takes them."""
        back = self._flipped(array)
        return back.swapaxes(-1, -2) if self.transposed else back

    def shape(self, rows: int, columns: int) -> tuple[int, int]:
        """Rows and columns of the other order; its own inverse."""
        return (columns, rows) if self.transposed else (rows, columns)

    def index(self, row: int, column: int, shape: tuple[int, int]) -> tuple[int, int]:
        """Where a pixel of the display lies for the network, whose slices have ``shape``."""
        places = (column, row) if self.transposed else (row, column)
        flipped = (n - 1 - i if f else i for i, n, f in zip(places, shape, self.flips, strict=True))
        first, second = flipped
        return first, second

    def _flipped(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        steps = tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)
        return array[(..., *steps)] if any(self.flips) else array


#: Slices as they are shown.
AS_SHOWN = PlaneOrder()


@dataclass(frozen=True)
class AxisOrder:
    """The axes of a volume as a network takes them.

    Attributes
    ----------
    letters : str
        One of `ORIENTATIONS`.

    Raises
    ------
    ValueError
        No such orientation.

    Examples
    --------
    >>> AxisOrder("RAS").axes, AxisOrder("RAS").flips
    ((2, 1, 0), (True, True, False))
    """

    letters: str = DISPLAY

    def __post_init__(self) -> None:
        if self.letters not in ORIENTATIONS:
            raise ValueError(
                f"{self.letters!r} is no orientation: three letters, one each of R or L, A or P, "
                "S or I"
            )

    @cached_property
    def axes(self) -> tuple[int, int, int]:
        """For each axis of the network, which one of (S, P, L) it is."""
        found = [
            next(i for i, forward in enumerate(DISPLAY) if letter in (forward, _OPPOSITE[forward]))
            for letter in self.letters
        ]
        return found[0], found[1], found[2]

    @cached_property
    def flips(self) -> tuple[bool, bool, bool]:
        """For each axis of the network, whether it runs against the display's."""
        found = [letter not in DISPLAY for letter in self.letters]
        return found[0], found[1], found[2]

    @cached_property
    def plane(self) -> PlaneOrder:
        """For slices, which are the axial ones: the two axes that are left."""
        left = [(axis, flip) for axis, flip in zip(self.axes, self.flips, strict=True) if axis]
        (first, flip_rows), (_, flip_columns) = left
        return PlaneOrder(first == 2, (flip_rows, flip_columns))

    def to_network(self, volume: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A volume (..., S, P, L) as the network takes it: a view."""
        lead = volume.ndim - 3
        turned = volume.transpose(*range(lead), *(lead + axis for axis in self.axes))
        return turned[(..., *self._steps)]

    def to_study(self, volume: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The inverse: a view (..., S, P, L)."""
        lead = volume.ndim - 3
        places = (int(place) for place in np.argsort(self.axes))
        return volume[(..., *self._steps)].transpose(*range(lead), *(lead + p for p in places))

    @property
    def _steps(self) -> tuple[slice, ...]:
        return tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)
