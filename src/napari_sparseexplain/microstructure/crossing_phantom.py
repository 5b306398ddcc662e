"""A small diffusion scan of two bundles that cross, with its truth, written as a scanner's files.

One bundle runs from right to left, one from front to back, of other axons; they cross in the
middle, and about them is nothing but noise.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt

from .dictionary import Dictionary
from .gradient_table import GradientTable

#: Slices, rows and columns, and the millimetres of a voxel.
SHAPE, SPACING = (3, 14, 14), 2.0

#: (r in µm, f) of the bundle from right to left, and of the one from front to back.
AXONS = ((1.75, 0.7), (4.0, 0.35))

#: (S, P, L) of both.
_DIRECTIONS = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0))

#: Signal of water without relaxation, in the scan's unit.
_SCALE = 1000.0


@dataclass(frozen=True, eq=False)
class CrossingPhantom:
    """Signals of two crossing bundles.

    Attributes
    ----------
    table : GradientTable
    signals : ndarray, shape (S, P, L, M)
        With Rician noise.
    share : ndarray, shape (2, S, P, L)
        ν of the bundle from right to left, and of the other; 0 outside.
    axons : ndarray, shape (2, 2)
        (r, f) of both, as the dictionary has them.
    sigma : float
        Of the noise in each of the two channels.
    """

    table: GradientTable
    signals: npt.NDArray[np.float64]
    share: npt.NDArray[np.float64]
    axons: npt.NDArray[np.float64]
    sigma: float


def crossing_phantom(
    dictionary: Dictionary,
    table: GradientTable,
    *,
    shape: tuple[int, int, int] = SHAPE,
    snr: float = 50.0,
    seed: int = 0,
) -> CrossingPhantom:
    """Signals of two crossing bundles; where they cross, their share changes from column to column.

    Parameters
    ----------
    dictionary : Dictionary
        With the b-values of the protocol; the atoms nearest to `AXONS` are taken.
    table : GradientTable
        Directions are (S, P, L).
    shape : tuple of int
        Slices, rows, columns.
    snr : float
        Signal without diffusion weighting over σ.
    """
    known = dictionary.tissue.atoms
    atoms = [int(np.linalg.norm((known - axons) / (1.0, 0.1), axis=1).argmin()) for axons in AXONS]
    share = _share(shape)
    clean = np.zeros((*shape, len(table)))
    for k, direction in enumerate(_DIRECTIONS):
        signal = dictionary.basis(table, direction) @ dictionary.atoms[:, atoms[k]]
        clean += share[k][..., None] * signal
    b0 = float(np.exp(-dictionary.timings.echo_time / dictionary.tissue.t2))
    sigma = b0 / snr
    noise = np.random.default_rng(seed).normal(0.0, sigma, (2, *clean.shape))
    signals = np.hypot(clean + noise[0], noise[1])
    return CrossingPhantom(table, _SCALE * signals, share, known[atoms], _SCALE * sigma)


def _share(shape: tuple[int, int, int]) -> npt.NDArray[np.float64]:
    """ν of both bundles, shape (2, S, P, L)."""
    _, rows, columns = shape
    share = np.zeros((2, *shape))
    across, along = _middle(rows), _middle(columns)
    share[0, :, across, :] = 1.0
    share[1, :, :, along] = 1.0
    steps = np.linspace(0.65, 0.35, along.stop - along.start)
    share[0, :, across, along] = steps
    share[1, :, across, along] = 1.0 - steps
    return share


def _middle(count: int) -> slice:
    """The three middle sevenths."""
    width = max(round(3 * count / 7), 1)
    start = (count - width) // 2
    return slice(start, start + width)


def write_crossing_phantom(phantom: CrossingPhantom, folder: Path, name: str = "dwi") -> Path:
    """Write the scan as NIfTI with FSL's bval and bvec and a sidecar with the timings.

    Parameters
    ----------
    folder : Path
        Made when it is not there.

    Returns
    -------
    Path
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # From (S, P, L) to a file along right, anterior, superior.
    file = phantom.signals[:, ::-1, ::-1].transpose(2, 1, 0, 3)
    affine = np.diag([SPACING, SPACING, SPACING, 1.0])
    nib.save(nib.Nifti1Image(file.astype(np.float32), affine), folder / f"{name}.nii.gz")
    superior, posterior, left = phantom.table.directions.T
    # FSL turns the first component round where the affine's determinant is positive.
    bvecs = np.stack([left, -posterior, superior])
    np.savetxt(folder / f"{name}.bval", phantom.table.b[None], fmt="%g")
    np.savetxt(folder / f"{name}.bvec", bvecs, fmt="%.8f")
    timings = phantom.table.known_timings
    sidecar = {
        "EchoTime": timings.echo_time,
        "SmallDelta": timings.small_delta,
        "BigDelta": timings.big_delta,
    }
    (folder / f"{name}.json").write_text(json.dumps(sidecar, indent=2), encoding="utf-8")
    return folder
