"""How fibre orientations are distributed in a voxel: spherical deconvolution, as for the peaks."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from ..gradient_table import GradientTable
from .dipy_extra import dipy_gradients, dipy_module, rows_of
from .peaks import CSD_DIRECTIONS, ORDER_8_DIRECTIONS, csd_shell
from .scan_signals import checked_signals, voxels_of
from .tensor import fit_tensor

#: Voxels that the response is measured in: the most anisotropic of those with one population.
_RESPONSE_VOXELS = 200


@dataclass(frozen=True, eq=False)
class Orientations:
    """Distributions of V voxels over D directions.

    Attributes
    ----------
    directions : ndarray, shape (D, 3)
        Unit vectors in the axes of the gradient table.
    amplitudes : ndarray, shape (V, D)
        At least 0.
    """

    directions: npt.NDArray[np.float64]
    amplitudes: npt.NDArray[np.float64]


def orientation_distributions(
    table: GradientTable,
    signals: npt.ArrayLike,
    mask: npt.ArrayLike,
    one_fibre: npt.ArrayLike,
) -> Orientations:
    """Deconvolve some voxels with the response of those that have one fibre population.

    Parameters
    ----------
    table : GradientTable
    signals : array_like, shape (..., M)
    mask : array_like of bool, shape (...)
        The V voxels.
    one_fibre : array_like of bool, shape (...)
        Voxels of one fibre population.

    Raises
    ------
    ParameterError
        No shell has directions enough, when there is one direction a voxel, the tensor's; or no
        voxel has one population.
    SparseExplainError
        dipy is not installed.
    """
    array = checked_signals(table, signals)
    shell = csd_shell(table)
    if shell is None:
        raise ParameterError(
            f"no shell has {CSD_DIRECTIONS} directions, so orientations cannot be told apart",
            where="fibre orientations",
            remedy="Show the directions, which are the tensor's",
        )
    rows = np.sort(np.concatenate([table.b0_rows, shell.rows]))
    gradients = dipy_gradients(rows_of(table, rows))
    single = np.flatnonzero(np.asarray(one_fibre, dtype=bool))
    if not single.size:
        raise ParameterError(
            "no voxel has one fibre population, in which the response could be measured",
            where="fibre orientations", remedy="Run a slice that has some",
        )  # fmt: skip
    fa = fit_tensor(
        table, voxels_of(array, single, np.arange(len(table))), mask=np.ones(len(single), bool)
    ).fa
    single = single[np.argsort(-fa, kind="stable")[:_RESPONSE_VOXELS]]
    csd = dipy_module("reconst.csdeconv")
    response = csd.response_from_mask_ssst(
        gradients,
        np.nan_to_num(voxels_of(array, single, rows))[:, None, None, :],
        np.ones((len(single), 1, 1), dtype=bool),
    )[0]
    # Finer than that of the peaks: outlines are drawn of it.
    sphere = dipy_module("data").default_sphere.subdivide(n=1)
    order = 8 if len(shell.rows) >= ORDER_8_DIRECTIONS else 6
    places = np.flatnonzero(np.asarray(mask, dtype=bool))
    with warnings.catch_warnings():
        # Of its own basis, which no coefficient here leaves.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        model = csd.ConstrainedSphericalDeconvModel(gradients, response, sh_order_max=order)
        fit = model.fit(np.nan_to_num(voxels_of(array, places, rows)))
        found = np.asarray(fit.odf(sphere), dtype=np.float64)
    return Orientations(np.asarray(sphere.vertices), np.maximum(found, 0.0))
