"""The diffusion tensor by weighted least squares (dipy), its anisotropy, direction and colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from ...progress import Progress, Work, drain
from ..gradient_table import GradientTable
from .dipy_extra import dipy_gradients, dipy_module, rows_of
from .scan_signals import checked_signals, head_of, voxels_of

#: Measurements with a higher b-value, s/mm², do not follow a tensor in tissue.
TENSOR_B_MOST = 1600.0

#: Directions that a tensor needs.
TENSOR_DIRECTIONS = 6

#: Voxels fitted at a time: about a second.
_BATCH = 10_000


@dataclass(frozen=True, eq=False)
class TensorMaps:
    """Tensors of voxels, 0 where there was nothing to fit.

    Attributes
    ----------
    eigenvalues : ndarray, shape (..., 3)
        From large to small, mm²/s.
    directions : ndarray, shape (..., 3, 3)
        ``directions[..., k, :]`` belongs to ``eigenvalues[..., k]``; unit vectors in the axes of
        the gradient table.
    fa : ndarray, shape (...)
        Fractional anisotropy, 0 to 1.
    md : ndarray, shape (...)
        Mean diffusivity, mm²/s.
    rows : ndarray of int
        Measurements used.
    """

    eigenvalues: npt.NDArray[np.float32]
    directions: npt.NDArray[np.float32]
    fa: npt.NDArray[np.float32]
    md: npt.NDArray[np.float32]
    rows: npt.NDArray[np.intp]

    @property
    def principal(self) -> npt.NDArray[np.float32]:
        """Direction of the largest eigenvalue, shape (..., 3)."""
        return self.directions[..., 0, :]

    @property
    def colours(self) -> npt.NDArray[np.float32]:
        """FA times the direction's components: see `direction_colours`."""
        return direction_colours(self.principal, self.fa)


def tensor_rows(table: GradientTable) -> npt.NDArray[np.intp]:
    """Measurements that a tensor is fitted to: b0, and shells up to `TENSOR_B_MOST`.

    Of a scan that has no such shell with directions enough, its lowest that has.

    Raises
    ------
    ParameterError
        There are fewer than six directions, or they lie in a plane.
    """
    rows = np.flatnonzero(table.b <= TENSOR_B_MOST)
    if not _tells_tensor(table, rows):
        for shell in table.shells:
            rows = np.sort(np.concatenate([table.b0_rows, shell.rows]))
            if _tells_tensor(table, rows):
                break
        else:
            rows = np.arange(len(table))
    if not _tells_tensor(table, rows) or not len(table.b0_rows):
        raise ParameterError(
            "a tensor needs a volume without diffusion weighting and six directions that do not "
            f"lie in a plane or on a cone (there are {len(table.b0_rows)} such volumes and "
            f"{len(table) - len(table.b0_rows)} weighted ones)",
            where="gradient table",
            remedy="Choose a scan with more directions",
        )
    return rows


def _tells_tensor(table: GradientTable, rows: npt.NDArray[np.intp]) -> bool:
    """Whether directions determine the six components of a tensor."""
    return tensor_condition(table, rows) < 200


def tensor_condition(table: GradientTable, rows: npt.NDArray[np.intp]) -> float:
    """By how much more the directions tell one component of a tensor than another [1]_.

    The ratio of the largest to the smallest singular value of the equations for the six components;
    1.3 to 3 for directions that are spread over the sphere, infinite where they lie in a plane.

    References
    ----------
    .. [1] S. Skare, M. Hedehus, M. E. Moseley, T.-Q. Li, Condition number as a measure of noise
       performance of diffusion tensor data acquisition schemes with MRI, Journal of Magnetic
       Resonance 147, 2000.
    """
    x, y, z = table.directions[rows].T
    design = np.stack([x * x, y * y, z * z, 2 * x * y, 2 * x * z, 2 * y * z], axis=1)
    if len(rows) < TENSOR_DIRECTIONS:
        return float("inf")
    values = np.linalg.svd(design, compute_uv=False)
    return float(values[0] / values[-1]) if values[-1] > 1e-9 else float("inf")


def fit_tensor(
    table: GradientTable, signals: npt.ArrayLike, *, mask: npt.ArrayLike | None = None
) -> TensorMaps:
    """Tensors of all voxels of a mask, by weighted least squares [1]_.

    Parameters
    ----------
    table : GradientTable
    signals : array_like, shape (..., M)
        Measurements last (`signals_of`). Values that are zero, negative or no number are taken as
        the smallest positive one of the scan.
    mask : array_like of bool, shape (...), optional
        Default: voxels with signal without diffusion weighting.

    Raises
    ------
    ParameterError
        The directions tell no tensor, or shapes do not go together.
    SparseExplainError
        dipy is not installed.

    References
    ----------
    .. [1] P. J. Basser, J. Mattiello, D. LeBihan, MR diffusion tensor spectroscopy and imaging,
       Biophysical Journal 66, 1994; dipy's ``TensorModel(fit_method="WLS")``.
    """
    return drain(fit_tensor_work(table, signals, mask=mask))


def fit_tensor_work(
    table: GradientTable, signals: npt.ArrayLike, *, mask: npt.ArrayLike | None = None
) -> Work[TensorMaps]:
    """`fit_tensor` with its progress, a batch of voxels a step."""
    array = checked_signals(table, signals)
    where = head_of(table, array, mask)
    rows = tensor_rows(table)
    model = dipy_module("reconst.dti").TensorModel(
        dipy_gradients(rows_of(table, rows)), fit_method="WLS"
    )
    shape = array.shape[:-1]
    values = np.zeros((*shape, 3), dtype=np.float32)
    vectors = np.zeros((*shape, 3, 3), dtype=np.float32)
    places = np.flatnonzero(where)
    for start in range(0, len(places), _BATCH):
        yield Progress(start, len(places), "Fitting tensors")
        part = places[start : start + _BATCH]
        fit = model.fit(_positive(voxels_of(array, part, rows)))
        values.reshape(-1, 3)[part] = fit.evals
        # dipy's eigenvectors are columns.
        vectors.reshape(-1, 3, 3)[part] = np.swapaxes(fit.evecs, -1, -2)
    return TensorMaps(values, vectors, _anisotropy(values), values.mean(axis=-1), rows)


def _positive(signals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    good = np.isfinite(signals) & (signals > 0)
    least = signals[good].min() if good.any() else 1.0
    return np.where(good, signals, least)


def _anisotropy(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """FA = sqrt(3/2) |λ - mean| / |λ|, 0 where there is no diffusion."""
    length = np.linalg.norm(values, axis=-1)
    off = np.linalg.norm(values - values.mean(axis=-1, keepdims=True), axis=-1)
    return np.clip(np.sqrt(1.5) * off / np.where(length > 0, length, 1), 0, 1).astype(np.float32)


def direction_colours(directions: npt.ArrayLike, fa: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """The usual colours of fibre directions, darker where there is less anisotropy [1]_.

    Parameters
    ----------
    directions : array_like, shape (..., 3)
        Unit vectors (S, P, L).
    fa : array_like, shape (...)

    Returns
    -------
    ndarray, shape (..., 3)
        Red left-right, green front-back, blue head-foot; each FA times the component's size.

    References
    ----------
    .. [1] S. Pajevic, C. Pierpaoli, Color schemes to represent the orientation of anisotropic
       tissues from diffusion tensor data, Magnetic Resonance in Medicine 42, 1999.
    """
    vectors = abs(np.asarray(directions, dtype=np.float32))[..., ::-1]
    return np.clip(vectors * np.asarray(fa, dtype=np.float32)[..., None], 0, 1)
