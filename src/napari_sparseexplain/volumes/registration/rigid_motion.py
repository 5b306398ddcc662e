"""A rigid motion of millimetres in the patient: turned about a point, shifted, and how far that is.

Every matrix here is 4 × 4 and maps RAS+ millimetres, as `Grid.affine` has them. *Of the prior to
the current* is the direction that places a prior; ITK's files hold the other one, from the fixed
image's points (the current's) to those of the moving one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

Matrix = npt.NDArray[np.floating[Any]]

#: From RAS+ to LPS+ millimetres and back: ITK's and DICOM's axes.
RAS_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])

#: How far a rotation read from a file may be off: what single precision and six digits leave.
_ROUNDING = 1e-3


def rigid_motion(
    degrees: Sequence[float], shift_mm: Sequence[float], centre_mm: Sequence[float] = (0, 0, 0)
) -> Matrix:
    """Turned about a centre, then shifted.

    Parameters
    ----------
    degrees : three floats
        About the axes R, A, S, one after the other (each right-handed).
    shift_mm : three floats
        Along R, A, S.
    centre_mm : three floats
        What stays in its place by the turn.

    Returns
    -------
    ndarray, shape (4, 4)

    Examples
    --------
    >>> rigid_motion((0, 0, 90), (0, 0, 5)).round(3).tolist()[0]
    [0.0, -1.0, 0.0, 0.0]
    """
    matrix = np.eye(4)
    turned = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    centre = np.asarray(centre_mm, dtype=float)
    matrix[:3, :3] = turned
    matrix[:3, 3] = centre - turned @ centre + np.asarray(shift_mm, dtype=float)
    return matrix


def rigidity_fault(matrix: Matrix) -> str:
    """What keeps a matrix from being rigid, in words; empty of a rigid one."""
    linear = np.asarray(matrix)[:3, :3]
    determinant = float(np.linalg.det(linear))
    if determinant <= 0:
        return "mirrors the patient" if determinant < 0 else "cannot be undone"
    if np.abs(linear @ linear.T - np.eye(3)).max() <= _ROUNDING:
        return ""
    scales = np.linalg.svd(linear, compute_uv=False)
    low, high = (100 * (float(v) - 1) for v in (scales.min(), scales.max()))
    return f"stretches the patient ({low:+.1f} % to {high:+.1f} %)"


def moved(points_mm: npt.NDArray[np.float64], matrix: Matrix) -> npt.NDArray[np.float64]:
    """Points (n, 3) taken along."""
    return points_mm @ matrix[:3, :3].T + matrix[:3, 3]


def mean_distance(matrix: Matrix, points_mm: npt.NDArray[np.float64]) -> float:
    """How far points (n, 3) are moved on the average, in mm."""
    return float(np.linalg.norm(moved(points_mm, matrix) - points_mm, axis=1).mean())


def turn_degrees(matrix: Matrix) -> float:
    """Angle of the turn, 0 to 180."""
    cosine = (np.trace(np.asarray(matrix)[:3, :3]) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def itk_text(prior_to_current: Matrix) -> str:
    """A motion as an ITK text file (``.tfm``): fixed (current) to moving (prior) points, LPS [1]_.

    References
    ----------
    .. [1] ITK Software Guide, "Transforms"; itkMatrixOffsetTransformBase.h.
    """
    inverse = RAS_LPS @ np.linalg.inv(np.asarray(prior_to_current, dtype=float)) @ RAS_LPS
    numbers = [*inverse[:3, :3].ravel(), *inverse[:3, 3]]
    return (
        "#Insight Transform File V1.0\n#Transform 0\nTransform: AffineTransform_double_3_3\n"
        f"Parameters: {' '.join(repr(float(v)) for v in numbers)}\nFixedParameters: 0 0 0\n"
    )
