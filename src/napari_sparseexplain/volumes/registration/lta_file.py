"""FreeSurfer's linear transforms (``.lta``): source to destination, in voxels or in millimetres.

Beside the matrix stand the geometries of both volumes: voxel sizes, direction cosines and the RAS
position of the middle, from which voxels are placed [1]_.

References
----------
.. [1] FreeSurfer, utils/transform.cpp (``LTAreadEx``) and mri.h (``LINEAR_VOX_TO_VOX`` is 0,
   ``LINEAR_RAS_TO_RAS`` is 1); https://surfer.nmr.mgh.harvard.edu/fswiki/CoordinateSystems.
"""

from __future__ import annotations

import re

import numpy as np

from .rigid_motion import Matrix

#: Kinds of an LTA.
_VOXELS, _RAS = 0, 1

_GEOMETRY = re.compile(r"(?i)(src|dst)\s+volume\s+info([^\n]*\n(?:(?!src |dst ).*\n?)*)")
_FIELD = re.compile(r"(?m)^\s*(valid|volume|voxelsize|[xyzc]ras)\s*=\s*([^#\n]*)")
_ROWS = re.compile(r"(?m)^\s*1 4 4\s*\n((?:[^\n]*\n){4})")


def looks_like_lta(content: bytes) -> bool:
    """Whether a text is an LTA."""
    return b"nxforms" in content and b"volume info" in content


def lta_matrix(text: str) -> Matrix:
    """RAS+ millimetres of the source (moving) volume to those of the destination.

    Raises
    ------
    ValueError
        The text is damaged, holds several transforms, or one of another kind.
    """
    kind = re.search(r"(?m)^\s*type\s*=\s*(\d+)", text)
    count = re.search(r"(?m)^\s*nxforms\s*=\s*(\d+)", text)
    rows = _ROWS.search(text)
    if kind is None or count is None or rows is None or int(count[1]) != 1:
        raise ValueError("not one transform")
    matrix = np.array([[float(v) for v in line.split()] for line in rows[1].splitlines()])
    if matrix.shape != (4, 4) or not np.allclose(matrix[3], (0, 0, 0, 1)):
        raise ValueError("no affine matrix")
    if int(kind[1]) == _RAS:
        return matrix
    if int(kind[1]) != _VOXELS:
        raise ValueError("another kind")
    places = {name.lower(): _voxels_to_ras(fields) for name, fields in _GEOMETRY.findall(text)}
    return places["dst"] @ matrix @ np.linalg.inv(places["src"])


def _voxels_to_ras(text: str) -> Matrix:
    fields = {name: value.split() for name, value in _FIELD.findall(text)}
    if (fields.get("valid") or ["0"])[0] != "1":
        raise ValueError("a geometry is not valid")
    sizes = np.array([float(v) for v in fields["voxelsize"]])
    shape = np.array([float(v) for v in fields["volume"]])
    matrix = np.eye(4)
    matrix[:3, :3] = (
        np.array([[float(v) for v in fields[f"{axis}ras"]] for axis in "xyz"]).T * sizes
    )
    matrix[:3, 3] = np.array([float(v) for v in fields["cras"]]) - matrix[:3, :3] @ (shape / 2)
    return matrix
