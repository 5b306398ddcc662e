"""The two networks of Rensonnet et al. 2021, Fig. 2 and Table 1, on single voxels.

Both give (ν, r, f) of two fibre populations, each as a share of its largest value. A ReLU follows
every layer, the last one too.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

#: (ν, r, f) of two populations.
OUTPUTS = 6

#: What the last layer starts at: a ReLU that starts below 0 would never learn.
_MIDDLE = 0.5


class LearnedModule(nn.Module):
    """Measurements to tissue, without a model of the signal between.

    The paper's sizes are the defaults: 2,935,806 parameters and 3,600 hidden units for 552
    measurements.

    Parameters
    ----------
    measurements : int
        M.
    width, layers : int
        Hidden units a layer, hidden layers.
    dropout : float
        Share of hidden units left out in training.
    """

    mean: torch.Tensor
    spread: torch.Tensor

    def __init__(
        self, measurements: int = 552, width: int = 900, layers: int = 4, dropout: float = 0.05
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(measurements))
        self.register_buffer("spread", torch.ones(measurements))
        self.hidden = _layers(measurements, [width] * layers)
        self.last = _last(width)
        self.dropout = nn.Dropout(dropout)

    def standardise(self, mean: npt.NDArray[np.floating], spread: npt.NDArray[np.floating]) -> None:
        """Take signals as so many standard deviations from the mean of each measurement."""
        self.mean = torch.from_numpy(np.asarray(mean, dtype=np.float32))
        self.spread = torch.from_numpy(np.asarray(spread, dtype=np.float32))

    def forward(self, signals: torch.Tensor) -> torch.Tensor:
        """Signals (P, M), of the size of those in training, to shares of the largest (P, 2, 3)."""
        return self.activations(signals)[-1].unflatten(1, (2, 3))

    def activations(self, signals: torch.Tensor) -> list[torch.Tensor]:
        """Output of every layer after its ReLU, the last one (P, 6) at the end."""
        now, found = (signals - self.mean) / self.spread, []
        for layer in self.hidden:
            now = self.dropout(torch.relu(layer(now)))
            found.append(now)
        return [*found, torch.relu(self.last(now))]


class HybridModule(nn.Module):
    """Weights of the sparse projection to tissue: a branch for each population, then one for both.

    The paper's sizes are the defaults: 460,056 parameters and 1,700 hidden units for two
    sub-dictionaries of 782 atoms.

    Parameters
    ----------
    atoms : int
        N of each sub-dictionary.
    split : tuple of int
        Hidden units of the layers of a branch.
    joint, joint_layers : int
        Hidden units a layer behind the branches, and how many such layers.
    dropout : float
    """

    def __init__(
        self,
        atoms: int = 782,
        split: tuple[int, ...] = (175, 75, 75, 75),
        joint: int = 150,
        joint_layers: int = 6,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.atoms = atoms
        self.branches = nn.ModuleList(_layers(atoms, list(split)) for _ in (0, 1))
        self.branch_layers = len(split)
        self.joint = _layers(2 * split[-1], [joint] * joint_layers)
        self.last = _last(joint)
        self.dropout = nn.Dropout(dropout)

    def forward(self, weights: torch.Tensor) -> torch.Tensor:
        """Weights (P, 2 N) to shares of the largest values (P, 2, 3)."""
        return self.activations(weights)[-1].unflatten(1, (2, 3))

    def activations(self, weights: torch.Tensor) -> list[torch.Tensor]:
        """Output of every layer after its ReLU: those of both branches together, then the rest."""
        parts = [weights[:, : self.atoms], weights[:, self.atoms :]]
        found = []
        for layers in zip(*self.branches, strict=True):
            parts = [
                self.dropout(torch.relu(layer(part)))
                for layer, part in zip(layers, parts, strict=True)
            ]
            found.append(torch.cat(parts, dim=1))
        now = found[-1]
        for layer in self.joint:
            now = self.dropout(torch.relu(layer(now)))
            found.append(now)
        return [*found, torch.relu(self.last(now))]


def _layers(inputs: int, widths: list[int]) -> nn.ModuleList:
    found = nn.ModuleList()
    for width in widths:
        layer = nn.Linear(inputs, width)
        if not layer.weight.is_meta:
            # Of what is read from a file no numbers are drawn: there torch loads its compiler, for
            # which it takes seconds.
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)
        found.append(layer)
        inputs = width
    return found


def _last(inputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, OUTPUTS)
    if not layer.weight.is_meta:
        nn.init.normal_(layer.weight, std=0.1 / inputs**0.5)
    nn.init.constant_(layer.bias, _MIDDLE)
    return layer
