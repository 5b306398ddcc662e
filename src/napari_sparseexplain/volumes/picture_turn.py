"""From a picture as its file holds it to the way in which it is shown, and how the two lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .edge_letters import PLANES, Plane


@dataclass(frozen=True)
class PictureTurn:
    """Rows and columns exchanged, then flipped; what was drawn on a file turns with it.

    Attributes
    ----------
    transposed : bool
    flips : (bool, bool)
        Whether rows and columns, as they are shown, run against those of the file.
    """

    transposed: bool = False
    flips: tuple[bool, bool] = (False, False)

    def shown(self, stored: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A picture (rows, columns) of the file as it is shown: a view."""
        turned = stored.T if self.transposed else stored
        rows, columns = (slice(None, None, -1 if flip else 1) for flip in self.flips)
        return turned[rows, columns]

    def stored_shape(self, rows: int, columns: int) -> tuple[int, int]:
        """Rows and columns of the file, of a picture that is shown with these."""
        return (columns, rows) if self.transposed else (rows, columns)


#: Of pictures whose files do not tell how they lie in the patient.
AS_STORED = PictureTurn()


def plane_of(to_display: npt.NDArray[np.float64]) -> tuple[Plane, PictureTurn]:
    """The plane that is nearest to that of an image, and its turn to the viewer's order.

    Superior is up and the patient's left, or the back of a sagittal image, to the right.

    Parameters
    ----------
    to_display : ndarray, shape (3, 2)
        nibabel's transform of the file's axes (column, row, slice) to (S, P, L); `Source`.
    """
    axes = to_display[:, 0].astype(int)
    through = int(axes[2])
    plane: Plane = next(name for name, order in PLANES.items() if order[0] == through)
    _, *order = PLANES[plane]
    # Slices grow to superior; down a picture they would stand it on its head.
    against = [bool(to_display[list(axes).index(axis), 1] < 0) != (axis == 0) for axis in order]
    return plane, PictureTurn(int(axes[1]) != order[0], (against[0], against[1]))
