"""What made the hybrid network say what it says of a voxel: atoms, and through them measurements.

Integrated gradients (Sundararajan, Taly and Yan 2017) along the line from no weights to those of
the sparse projection tell what each atom added. As long as the same atoms have weight the
projection is linear, w_S = (A_SᵀA_S)⁻¹A_Sᵀ y: what an atom added is then shared out among the
measurements exactly, by what each contributed to its weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ...errors import ParameterError
from ...microstructure.dictionary import Dictionary
from ...microstructure.gradient_table import GradientTable
from ...microstructure.search.nnls import nnls_weights
from ...networks.tissue.tissue_network import TissueNetwork

#: Points on the line, of a midpoint rule.
STEPS = 256

#: Parameters in the order of the networks' outputs, and what they are told in.
PARAMETERS, UNITS = ("share", "radius", "density"), ("", "µm", "")


@dataclass(frozen=True, eq=False)
class HybridAttribution:
    """Attribution of one output in one voxel.

    Attributes
    ----------
    population, parameter : int
        From 0; parameters are ν, r and f.
    value, baseline : float
        The output for the voxel, and for no weights at all; ν before both are made to add up to 1.
    active : ndarray of int, shape (A,)
        Atoms with weight, of both sub-dictionaries: N and more belong to the second population.
    atoms : ndarray, shape (A,)
        What each added.
    measurements : ndarray, shape (M,)
        The same, carried to the measurements.
    gap : float
        ``|Σ atoms - (value - baseline)|``: what the sum over the line misses.
    """

    population: int
    parameter: int
    value: float
    baseline: float
    active: npt.NDArray[np.intp]
    atoms: npt.NDArray[np.float64]
    measurements: npt.NDArray[np.float64]
    gap: float


def hybrid_attribution(
    network: TissueNetwork,
    dictionary: Dictionary,
    table: GradientTable,
    signals: npt.ArrayLike,
    directions: npt.ArrayLike,
    population: int,
    parameter: int,
    *,
    steps: int = STEPS,
) -> HybridAttribution:
    """Attribute one output of the hybrid to atoms and measurements.

    Parameters
    ----------
    network : TissueNetwork
        A hybrid.
    signals : array_like, shape (M,)
        As networks are fed them (`network_maps.scaled_signals`).
    directions : array_like, shape (2, 3)
        (0, 0, 0) for a population that is not there.
    population, parameter : int
        0 or 1; 0, 1 or 2.

    Raises
    ------
    ParameterError
        The network is no hybrid, or no atom has weight.
    """
    if network.card.kind != "hybrid":
        raise ParameterError(
            "only a hybrid network reads atoms", where="hybrid attribution",
            remedy="Give a network of the kind hybrid",
        )  # fmt: skip
    y = np.asarray(signals, dtype=np.float64)
    ways = np.asarray(directions, dtype=np.float64)
    bases = np.stack([dictionary.basis(table, way) for way in ways])
    bases[~ways.any(axis=1)] = 0.0
    weights = nnls_weights(y[None], bases[None], dictionary.atoms)[0].reshape(-1)
    active = np.flatnonzero(weights)
    if not active.size:
        raise ParameterError("no atom has weight", where="hybrid attribution",
                             remedy="Choose a voxel of white matter")  # fmt: skip
    slope = _mean_gradient(network, weights, population, parameter, steps)
    score = network.score(population, parameter)
    with torch.inference_mode():
        ends = torch.from_numpy(np.stack([weights, np.zeros_like(weights)]).astype(np.float32))
        value, baseline = score(ends).double().tolist()
    atoms = slope[active] * weights[active]
    stacked = np.concatenate([basis @ dictionary.atoms for basis in bases], axis=1)[:, active]
    inverse = np.linalg.pinv(stacked)
    return HybridAttribution(
        population,
        parameter,
        value,
        baseline,
        active,
        atoms,
        (slope[active] @ inverse) * y,
        abs(float(atoms.sum()) - (value - baseline)),
    )


def _mean_gradient(
    network: TissueNetwork,
    weights: npt.NDArray[np.float64],
    population: int,
    parameter: int,
    steps: int,
) -> npt.NDArray[np.float64]:
    """Mean of the gradient along the line from 0 to the weights."""
    places = (np.arange(steps) + 0.5) / steps
    line = torch.from_numpy((places[:, None] * weights).astype(np.float32)).requires_grad_()
    total = network.score(population, parameter)(line).sum()
    (gradient,) = torch.autograd.grad(total, line)
    return gradient.double().mean(dim=0).numpy()
