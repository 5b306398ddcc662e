"""R L A P S I: which way the edges of a picture point in the patient, from the true affine.

The letters are read from the affine of the study's own grid, never assumed, and follow which
axes are displayed and which way they run on the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from .grid import Grid

Plane = Literal["axial", "coronal", "sagittal"]

#: Order of the three spatial axes (S, P, L) for each plane: the last two are rows and columns.
PLANES: dict[Plane, tuple[int, int, int]] = {
    "axial": (0, 1, 2),
    "coronal": (1, 0, 2),
    "sagittal": (2, 0, 1),
}

_NEGATIVE, _POSITIVE = "LPI", "RAS"

#: An axis tilted by more than this against its nearest patient axis gets a second letter.
SECOND_LETTER_DEGREES = 15.0


def direction_letters(direction: npt.ArrayLike) -> str:
    """Where a direction in RAS+ millimetres points, the strongest letter first.

    ``(-1, 0, 0)`` is ``"L"``; a direction tilted by more than 15° gets a second letter
    (``"LA"``), as DICOM writes Patient Orientation.
    """
    vector = np.asarray(direction, dtype=np.float64)
    vector = vector / np.linalg.norm(vector)
    order = np.argsort(-np.abs(vector))
    limit = np.sin(np.radians(SECOND_LETTER_DEGREES))
    letters = ""
    for rank, axis in enumerate(order[:2]):
        if rank == 0 or abs(vector[axis]) > limit:
            letters += (_POSITIVE if vector[axis] > 0 else _NEGATIVE)[int(axis)]
    return letters


def edge_letters(
    grid: Grid,
    displayed: Sequence[int],
    *,
    down: bool = True,
    right: bool = True,
) -> dict[str, str]:
    """Letters for the four edges of the picture.

    Parameters
    ----------
    grid : Grid
        Its true affine decides.
    displayed : sequence of two int
        Spatial axes (0 S, 1 P, 2 L) shown along rows and along columns.
    down, right : bool
        Whether the index along the rows' axis grows downwards on the screen, and that along the
        columns' axis to the right; False when the camera is flipped.

    Returns
    -------
    dict
        ``{"left": .., "right": .., "top": .., "bottom": ..}``; empty when the file gave no
        patient orientation: letters are then not shown at all.
    """
    if not grid.oriented:
        return {}
    rows, columns = (grid.affine[:3, axis] for axis in displayed)
    bottom = rows if down else -rows
    rightward = columns if right else -columns
    return {
        "left": direction_letters(-rightward),
        "right": direction_letters(rightward),
        "top": direction_letters(-bottom),
        "bottom": direction_letters(bottom),
    }
