"""MRtrix's gradient table: one volume a line, direction in scanner axes and b-value [1]_.

References
----------
.. [1] J.-D. Tournier et al., MRtrix3, NeuroImage 202, 2019; its documentation, "Diffusion gradient
   scheme handling": axes x to the patient's right, y to the front, z to the head. Where a vector is
   no unit vector its squared length scales the b-value.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...errors import ReadError
from ...volumes.finding import Finding
from ..gradient_table import B0_MOST
from .number_table import read_number_table
from .written_gradients import UNIT, WrittenGradients, checked_gradients


def read_mrtrix(path: str | Path) -> WrittenGradients:
    """The gradients of a ``.b`` file.

    Parameters
    ----------
    path : str or Path
        Lines of ``x y z b``; lines that start with ``#`` are passed over.

    Returns
    -------
    WrittenGradients
        In scanner axes. b-values are scaled by the squared length of vectors that are no unit
        vectors, as MRtrix itself does, and a finding says so.

    Raises
    ------
    ReadError, ParameterError
        The file is missing, empty, no text or no such table.
    """
    path = Path(path)
    values = read_number_table(path, what="gradients (x y z b)").array
    if values.shape[1] != 4:
        raise ReadError(
            f"its lines hold {values.shape[1]} numbers, and a gradient table of MRtrix has four "
            "(x y z b)",
            where=path,
            remedy="Write it again (mrinfo -export_grad_mrtrix)",
        )
    vectors, b = values[:, :3], values[:, 3].copy()
    length = np.linalg.norm(np.nan_to_num(vectors), axis=1)
    findings = []
    scaled = (b > B0_MOST) & (length > 0) & (abs(length - 1) > UNIT)
    if scaled.any():
        b[scaled] *= length[scaled] ** 2
        vectors = np.where(
            scaled[:, None], vectors / np.where(length > 0, length, 1.0)[:, None], vectors
        )
        findings.append(
            Finding(
                "info",
                "b-values-scaled",
                f"{int(scaled.sum())} directions are not unit vectors; their b-values were "
                "multiplied by the squared length, as MRtrix does",
                path.name,
            )
        )
    return checked_gradients(b, vectors, "scanner", (path,), findings=findings)
