"""How specific components are to their classes: measured, where the paper showed one picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional

from ...networks.modules.jf_ml_ista_network import JfMlIstaNetwork


def in_class_energy(
    energy: npt.NDArray[np.floating], channels: npt.NDArray[np.integer], which: int
) -> float | None:
    """Share of a component's energy that lies in its own class.

    Parameters
    ----------
    energy : ndarray
        Squared component, summed over modalities.
    channels : ndarray of int, same shape
        Class of every pixel.

    Returns
    -------
    float or None
        None where the component has no energy, or the class no pixel.
    """
    total, inside = float(energy.sum()), channels == which
    if total <= 0 or not inside.any():
        return None
    return float(energy[inside].sum()) / total


def mutual_coherence(network: JfMlIstaNetwork, deepest: bool = False) -> npt.NDArray[np.float64]:
    """Largest normalised correlation between atoms of two classes over all shifts.

    Parameters
    ----------
    deepest : bool
        Of the atoms ``Φ_c D_1 … D_L`` that one deepest code stands for, not of Φ_c's own.

    Returns
    -------
    ndarray, shape (m, m)
        1 on the diagonal; 0 would be classes whose atoms have nothing in common.
    """
    atoms = effective_atoms(network) if deepest else network.phi.detach().cpu().double()
    classes, count = atoms.shape[:2]
    side = atoms.shape[-1]
    unit = atoms / atoms.flatten(2).norm(dim=2)[:, :, None, None, None].clamp(min=1e-12)
    found = np.eye(classes)
    for a in range(classes):
        for b in range(a + 1, classes):
            shifts = functional.conv2d(unit[a], unit[b], padding=side - 1)
            found[a, b] = found[b, a] = float(shifts.abs().max()) if count else 0.0
    return found


def effective_atoms(network: JfMlIstaNetwork) -> torch.Tensor:
    """The picture that one deepest code stands for, in every modality.

    Returns
    -------
    Tensor of float64, shape (m, F_L, n, K, K)
        ``Φ_c D_1 … D_L`` applied to a unit impulse; K grows by k - 1 with every layer.
    """
    stacks = [network.phi, *network.dictionaries]
    kernel = network.phi.shape[-1]
    side = 1 + len(stacks) * (kernel - 1)
    found = []
    with torch.no_grad():
        for c in range(network.classes):
            weights = [s[c].detach().cpu().double() for s in stacks]
            count = weights[-1].shape[0]
            codes = torch.zeros(count, count, side, side, dtype=torch.float64)
            codes[range(count), range(count), side // 2, side // 2] = 1.0
            for weight in reversed(weights):
                codes = functional.conv_transpose2d(codes, weight, padding=kernel // 2)
            found.append(codes)
    return torch.stack(found)
