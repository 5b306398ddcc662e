"""NIfTI files for tests, written by nibabel, the independent implementation."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np


def all_orientations(spacing: tuple[float, float, float] = (1.1, 2.0, 3.2)) -> Iterator[np.ndarray]:
    """Affines of the 48 ways in which an array can lie along a patient's axes."""
    for axes in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            affine = np.zeros((4, 4))
            for index, axis in enumerate(axes):
                affine[axis, index] = signs[index] * spacing[index]
            affine[:, 3] = (3.25, -4.75, 9.125, 1.0)
            yield affine


def tilted(degrees: float, spacing: tuple[float, float, float] = (1.0, 1.0, 2.0)) -> np.ndarray:
    """LPS-wise affine, turned about the left-right axis."""
    angle = np.deg2rad(degrees)
    turn = np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    )
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([-1.0, -1.0, 1.0]) @ np.diag(spacing)
    affine[:3, 3] = (5.0, 6.0, 7.0)
    return affine


def write(
    path: Path,
    array: np.ndarray,
    affine: np.ndarray | None = None,
    *,
    endian: str = "<",
    version: int = 1,
    sform: int = 1,
    qform: int = 0,
    unit: str = "mm",
    slope: tuple[float, float] | None = None,
    **fields: Any,
) -> Path:
    """Save an array with exactly these header fields; LPS orientation unless told otherwise."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) if affine is None else affine
    kind = nib.Nifti1Header if version == 1 else nib.Nifti2Header
    header = kind(endianness=endian)
    header.set_data_dtype(
        array.dtype.newbyteorder(endian) if array.dtype.fields is None else array.dtype
    )
    image = (nib.Nifti1Image if version == 1 else nib.Nifti2Image)(array, affine, header)
    image.header.set_xyzt_units(unit)
    image.set_sform(affine, sform)
    image.set_qform(affine, qform)
    if slope is None:
        image.header.set_slope_inter(1, 0)
    nib.save(image, path)
    patch: dict[str, Any] = dict(fields)
    if slope is not None:
        patch |= {"scl_slope": slope[0], "scl_inter": slope[1]}
    if sform == 0 and qform == 0:
        patch |= {"sform_code": 0, "qform_code": 0}
    if patch:
        patch_header(path, **patch)
    return path


def patch_header(path: Path, **fields: Any) -> None:
    """Overwrite header fields on disk, past every check that a library makes."""
    import gzip

    raw = path.read_bytes()
    packed = raw[:2] == b"\x1f\x8b"
    content = bytearray(gzip.decompress(raw) if packed else raw)
    kind = nib.Nifti2Header if content[4:8] == b"n+2\0" else nib.Nifti1Header
    size = kind.template_dtype.itemsize
    header = kind(bytes(content[:size]), check=False)
    for name, value in fields.items():
        header[name] = value
    content[:size] = header.binaryblock
    path.write_bytes(gzip.compress(bytes(content)) if packed else bytes(content))
