"""FSL's two text files of gradients: b-values, and directions in voxel axes.

Directions stand as three rows, or one a row (as the Human Connectome Project writes them); both
are told by the count of b-values. They are components along the axes of the voxel array, the first
of them turned round where the affine's determinant is positive [1]_.

References
----------
.. [1] FSL wiki, FDT user guide: "What conventions do the bvecs use?".
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from .number_table import read_number_table
from .written_gradients import WrittenGradients, checked_gradients


def read_fsl(bvals: str | Path, bvecs: str | Path) -> WrittenGradients:
    """b-values and directions of the two files.

    Parameters
    ----------
    bvals : str or Path
        b-values in s/mm², in one row or one a row.
    bvecs : str or Path
        Directions, 3 × M or M × 3.

    Raises
    ------
    ReadError, ParameterError
        A file is missing, empty, no text or no such table; counts disagree; a direction is no
        unit vector.
    """
    b = _values(Path(bvals))
    return checked_gradients(b, _vectors(Path(bvecs), len(b)), "fsl", (Path(bvals), Path(bvecs)))


def _values(path: Path) -> npt.NDArray[np.float64]:
    table = read_number_table(path, what="b-values")
    if len(table.rows) > 1 and max(len(row) for row in table.rows) > 1:
        raise ReadError(
            f"it holds {len(table.rows)} rows of {max(map(len, table.rows))} numbers, and b-values "
            "stand in one row, or one a row",
            where=path,
            remedy="Check that this is not the file of directions",
        )
    return np.array([value for row in table.rows for value in row], dtype=np.float64)


def _vectors(path: Path, count: int) -> npt.NDArray[np.float64]:
    values = read_number_table(path, what="directions").array
    rows, columns = values.shape
    # Three by three is read as FSL writes it; of one number a row in triples there is no file.
    if rows == 3 and (columns == count or columns != 3):
        return values.T
    if columns == 3:
        return values
    raise ReadError(
        f"it holds {rows} rows of {columns} numbers, and directions are 3 rows, or 3 numbers a row",
        where=path,
        remedy="Check that this is the file of directions (.bvec)",
    )
