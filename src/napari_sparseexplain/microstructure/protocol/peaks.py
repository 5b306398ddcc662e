"""Directions of the fibre populations of each voxel: spherical deconvolution, or the tensor's."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from ...progress import Progress, Work, drain
from ..gradient_table import GradientTable, Shell
from .dipy_extra import dipy_gradients, dipy_module, rows_of
from .scan_signals import checked_signals, head_of, voxels_of
from .tensor import TensorMaps, fit_tensor, fit_tensor_work

#: Fewest directions in a shell for deconvolution of harmonic order 6 (28 coefficients) and 8 (45).
CSD_DIRECTIONS, ORDER_8_DIRECTIONS = 28, 60

#: Shells with a lower b-value, s/mm², hardly tell crossing fibres.
CSD_B_LEAST = 700.0

#: Voxels taken for those of one fibre population, by FA; the most anisotropic where none has it.
_ONE_FIBRE_FA, _ONE_FIBRE_COUNT = 0.7, 100

#: Tensors of tissue have less anisotropy than noise can have, and these diffusivities, mm²/s.
_MOST_FA, _TISSUE_MD = 0.95, (0.3e-3, 1.5e-3)

#: Voxels among which those of one fibre population are looked for, about.
_RESPONSE_SAMPLE = 10_000

#: Voxels deconvolved at a time: about a second.
_BATCH = 1_000


@dataclass(frozen=True, eq=False)
class FibrePeaks:
    """Peaks by voxel, largest first.

    Attributes
    ----------
    directions : ndarray, shape (..., K, 3)
        Unit vectors in the axes of the gradient table; zero beyond the last peak.
    sizes : ndarray, shape (..., K)
        Size of each against the voxel's largest (deconvolution), or FA (tensor); 0 beyond.
    how : {"csd", "tensor"}
    why : str
        Which measurements, and why no deconvolution where it is the tensor.
    """

    directions: npt.NDArray[np.float32]
    sizes: npt.NDArray[np.float32]
    how: Literal["csd", "tensor"]
    why: str

    @property
    def count(self) -> npt.NDArray[np.intp]:
        """Peaks a voxel, shape (...)."""
        return (self.sizes > 0).sum(axis=-1)


def csd_shell(table: GradientTable) -> Shell | None:
    """The shell that tells crossing fibres: the nearest to 3000 with directions enough."""
    fit = [s for s in table.shells if s.b >= CSD_B_LEAST and _lines(table, s) >= CSD_DIRECTIONS]
    return min(fit, key=lambda s: abs(s.b - 3000.0)) if fit else None


def _lines(table: GradientTable, shell: Shell) -> int:
    """How many of its directions lie on lines of their own."""
    vectors = table.directions[shell.rows]
    same = abs(vectors @ vectors.T) > np.cos(np.radians(2.0))
    return int((np.tril(same, -1).sum(axis=1) == 0).sum())


def find_peaks(
    table: GradientTable,
    signals: npt.ArrayLike,
    *,
    mask: npt.ArrayLike | None = None,
    most: int = 3,
    least_size: float = 0.3,
    least_angle: float = 25.0,
    tensor: TensorMaps | None = None,
    response_mask: npt.ArrayLike | None = None,
) -> FibrePeaks:
    """Peaks of the fibre orientation distribution [1]_, or of the tensor.

    Parameters
    ----------
    table : GradientTable
    signals : array_like, shape (..., M)
    mask : array_like of bool, shape (...), optional
        Default: voxels with signal without diffusion weighting.
    most : int
        Peaks a voxel.
    least_size : float
        Of a peak against the voxel's largest.
    least_angle : float
        Between two peaks, in degrees.
    tensor : TensorMaps, optional
        Where it was fitted already.
    response_mask : array_like of bool, shape (...), optional
        Voxels among which those of one fibre are looked for, whose signals are the response; those
        of ``mask`` when not given. With all of the head here, a slice is deconvolved alone as it is
        among others.

    Returns
    -------
    FibrePeaks
        One peak a voxel, the tensor's, where no shell has 28 directions.

    Raises
    ------
    ParameterError
        ``most`` is below 1, the directions tell not even a tensor, or shapes do not go together.
    SparseExplainError
        dipy is not installed.

    References
    ----------
    .. [1] J.-D. Tournier, F. Calamante, A. Connelly, Robust determination of the fibre orientation
       distribution in diffusion MRI: non-negativity constrained super-resolved spherical
       deconvolution, NeuroImage 35, 2007; as in dipy, whose fibre response is measured here in
       the most anisotropic voxels of the mask.
    """
    given = None if response_mask is None else (signals, response_mask)
    return drain(
        find_peaks_work(
            table, signals, mask=mask, most=most, least_size=least_size, least_angle=least_angle,
            tensor=tensor, response=given,
        )
    )  # fmt: skip


def find_peaks_work(
    table: GradientTable,
    signals: npt.ArrayLike,
    *,
    mask: npt.ArrayLike | None = None,
    most: int = 3,
    least_size: float = 0.3,
    least_angle: float = 25.0,
    tensor: TensorMaps | None = None,
    response: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
) -> Work[FibrePeaks]:
    """`find_peaks` with its progress, a batch of voxels a step.

    Parameters
    ----------
    response : tuple of array_like, optional
        Signals and mask of the scan in which voxels of one fibre are looked for, where ``signals``
        are a part of it.
    """
    if most < 1:
        raise ParameterError(f"{most} peaks a voxel cannot be found", where="peaks")
    array = checked_signals(table, signals)
    where = head_of(table, array, mask)
    shell = csd_shell(table)
    if shell is None or (tensor is None and response is None):
        if tensor is None:
            tensor = yield from fit_tensor_work(table, array, mask=where)
        if shell is None:
            return _tensor_peaks(tensor, most, table)
    rows = np.sort(np.concatenate([table.b0_rows, shell.rows]))
    gradients = dipy_gradients(rows_of(table, rows))
    places = np.flatnonzero(where)
    if response is None:
        assert tensor is not None
        whole, single = array, _one_fibre_voxels(tensor, places)
    else:
        whole = checked_signals(table, response[0])
        yield Progress(0, 0, "Finding voxels of one fibre")
        single = _one_fibre_sample(table, whole, np.asarray(response[1], dtype=bool))
    of_one = dipy_module("reconst.csdeconv").response_from_mask_ssst(
        gradients,
        np.nan_to_num(voxels_of(whole, single, rows))[:, None, None, :],
        np.ones((len(single), 1, 1), dtype=bool),
    )[0]
    order = 8 if _lines(table, shell) >= ORDER_8_DIRECTIONS else 6
    with warnings.catch_warnings():
        # Of its own basis, which no coefficient here leaves.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        found = yield from _deconvolved(
            gradients, of_one, order, array, rows, places, most, least_size, least_angle
        )
    directions, sizes = (part.reshape(*where.shape, *part.shape[1:]) for part in found)
    used = f"{len(shell.rows)} volumes at b = {shell.b:.0f}"
    why = f"spherical deconvolution of order {order} on {used}"
    return FibrePeaks(directions, sizes, "csd", why)


def _deconvolved(
    gradients: Any,
    response: Any,
    order: int,
    array: npt.NDArray[Any],
    rows: npt.NDArray[np.intp],
    places: npt.NDArray[np.intp],
    most: int,
    least_size: float,
    least_angle: float,
) -> Work[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Directions (N, K, 3) and sizes (N, K) of all voxels; zero where none was asked for."""
    model = dipy_module("reconst.csdeconv").ConstrainedSphericalDeconvModel(
        gradients, response, sh_order_max=order
    )
    count = int(np.prod(array.shape[:-1]))
    directions = np.zeros((count, most, 3), dtype=np.float32)
    sizes = np.zeros((count, most), dtype=np.float32)
    sphere = dipy_module("data").default_sphere
    for start in range(0, len(places), _BATCH):
        yield Progress(start, len(places), "Finding the fibre directions")
        part = places[start : start + _BATCH]
        found = dipy_module("direction.peaks").peaks_from_model(
            model, np.nan_to_num(voxels_of(array, part, rows)), sphere, least_size, least_angle,
            npeaks=most, return_sh=False, sh_order_max=order,
        )  # fmt: skip
        largest = np.maximum(found.peak_values[:, :1], 1e-12)
        directions[part] = found.peak_dirs
        sizes[part] = np.clip(found.peak_values / largest, 0, 1)
    return directions, sizes


def _one_fibre_voxels(maps: TensorMaps, places: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The most anisotropic voxels, without those at the edge of the head whose tensor is noise."""
    fa, md = maps.fa.ravel()[places], maps.md.ravel()[places]
    tissue = (fa < _MOST_FA) & (md > _TISSUE_MD[0]) & (md < _TISSUE_MD[1])
    chosen = places[tissue] if tissue.any() else places
    fa = maps.fa.ravel()[chosen]
    enough = max(int((fa > _ONE_FIBRE_FA).sum()), _ONE_FIBRE_COUNT)
    return chosen[np.argsort(-fa, kind="stable")][: min(enough, 3 * _ONE_FIBRE_COUNT)]


def _one_fibre_sample(
    table: GradientTable, array: npt.NDArray[np.floating], mask: npt.NDArray[np.bool_]
) -> npt.NDArray[np.intp]:
    """The same among voxels spread evenly over a mask, at most so many."""
    places = np.flatnonzero(mask)
    places = places[:: max(len(places) // _RESPONSE_SAMPLE, 1)]
    signals = voxels_of(array, places, np.arange(len(table)))
    maps = fit_tensor(table, signals, mask=np.ones(len(places), dtype=bool))
    return places[_one_fibre_voxels(maps, np.arange(len(places)))]


def _tensor_peaks(maps: TensorMaps, most: int, table: GradientTable) -> FibrePeaks:
    directions = np.zeros((*maps.fa.shape, most, 3), dtype=np.float32)
    sizes = np.zeros((*maps.fa.shape, most), dtype=np.float32)
    directions[..., 0, :], sizes[..., 0] = maps.principal, maps.fa
    largest = max((_lines(table, shell) for shell in table.shells), default=0)
    why = (
        f"the tensor's principal direction, one a voxel: no shell from b = {CSD_B_LEAST:.0f} has "
        f"{CSD_DIRECTIONS} directions (the largest has {largest}), so crossings cannot be told"
    )
    return FibrePeaks(directions, sizes, "tensor", why)
