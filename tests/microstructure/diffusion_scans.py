"""Small diffusion scans for tests: written by nibabel, with gradients by each file's convention.

Everything is made in the scanner's axes (RAS) and brought to the file's by the conventions' own
words, not by the package's code.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np

from napari_sparseexplain.microstructure.gradient_table import spread_directions

#: Radial and axial diffusivity of white matter, mm²/s.
AXIAL, RADIAL = 1.7e-3, 0.3e-3


def gradients(
    shells: tuple[tuple[float, int], ...] = ((1000.0, 12),), b0: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """b-values and unit vectors in RAS, b0 first."""
    b, vectors = [np.zeros(b0)], [np.zeros((b0, 3))]
    for number, (value, count) in enumerate(shells):
        b.append(np.full(count, value))
        vectors.append(_spread(count, number + 3))
    return np.concatenate(b), np.concatenate(vectors)


@cache
def _spread(count: int, seed: int) -> np.ndarray:
    return spread_directions(count, seed=seed)


def fibre_signals(
    fibres: np.ndarray, b: np.ndarray, vectors: np.ndarray, s0: float = 1000.0
) -> np.ndarray:
    """Signals (..., M) of tensors along fibres (..., 3); both in the same axes."""
    along = np.einsum("...i,mi->...m", fibres, vectors) ** 2
    length = np.linalg.norm(fibres, axis=-1)[..., None] > 0
    rate = np.where(length, RADIAL + (AXIAL - RADIAL) * along, 0.8e-3)
    return s0 * np.exp(-b * rate)


def fsl_vectors(vectors: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """RAS vectors as FSL writes them: along the voxel axes, x turned round if det > 0."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    out = np.array([np.linalg.solve(axes, v) for v in vectors])
    if np.linalg.det(affine[:3, :3]) > 0:
        out[:, 0] = -out[:, 0]
    return out


def write_scan(
    folder: Path, signals: np.ndarray, affine: np.ndarray, name: str = "scan_dwi"
) -> Path:
    """The NIfTI file alone, float32."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.nii"
    image = nib.Nifti1Image(signals.astype(np.float32), affine)
    image.set_sform(affine, 1)
    nib.save(image, path)
    return path


def write_fsl(folder: Path, b: np.ndarray, bvecs: np.ndarray, name: str = "scan_dwi") -> None:
    np.savetxt(folder / f"{name}.bval", b[None], fmt="%g")
    np.savetxt(folder / f"{name}.bvec", bvecs.T, fmt="%.9f")


def write_mrtrix(folder: Path, b: np.ndarray, vectors: np.ndarray, name: str = "scan_dwi") -> None:
    np.savetxt(
        folder / f"{name}.b", np.column_stack([vectors, b]), fmt="%.9f", header="command_history: x"
    )


def write_sidecar(folder: Path, name: str = "scan_dwi", **fields: object) -> None:
    (folder / f"{name}.json").write_text(json.dumps(fields))


def rotation(axis: tuple[float, float, float], degrees: float) -> np.ndarray:
    """Turn about an axis (Rodrigues)."""
    x, y, z = np.array(axis) / np.linalg.norm(axis)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k


def spl(ras: np.ndarray) -> np.ndarray:
    """Components towards superior, posterior, left of vectors in RAS."""
    return np.stack([ras[..., 2], -ras[..., 1], -ras[..., 0]], axis=-1)
