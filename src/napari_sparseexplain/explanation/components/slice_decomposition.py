"""One or a few slices decomposed, with everything a click or a slider asks about afterwards."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ...networks.bundle.model import Model
from ...networks.running.inference import network_tensor
from ...sparse.jf_ml_ista import Stage
from .sparse_parameters import sparse_network

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SliceDecomposition:
    """What the pursuit found, on the network's pixels.

    Attributes
    ----------
    input : ndarray, shape (N, n, H, W)
        In (0, 1).
    components : ndarray, shape (N, m, n, H, W)
        Φ_c⁽ⁱ⁾ γ_c; they and the residual add to the input.
    residual : ndarray, shape (N, n, H, W)
    logits : ndarray, shape (N, m, H, W)
    silent_logits : ndarray, shape (m,)
        A class's logit where its codes are all 0.
    active : ndarray, shape (m, layers + 1)
        Share of non-zero codes of every layer.
    infeasibility : ndarray, shape (m,)
        ‖min(h_l, 0)‖ / ‖h_l‖ over the layers above the deepest: with ReLU every layer's code
        should be at least 0, and one that is synthesised from below need not be.
    codes : ndarray, shape (N, m, F, H, W), or None
        Deepest codes, when asked for.
    rounds : tuple of (components, residual, logits)
        After every round t, when asked for: the pursuit from salient to fine.
    """

    input: Array
    components: Array
    residual: Array
    logits: Array
    silent_logits: Array
    active: Array
    infeasibility: Array
    codes: Array | None = None
    rounds: tuple[tuple[Array, Array, Array], ...] = ()

    def class_channels(self, without: Collection[int] = ()) -> npt.NDArray[np.intp]:
        """Likeliest class of every pixel (N, H, W), with the codes of some classes set to 0."""
        return self.logits_without(without).argmax(axis=1)

    def logits_without(self, without: Collection[int]) -> Array:
        """Logits (N, m, H, W) with the codes of some classes set to 0."""
        if not without:
            return self.logits
        logits = self.logits.copy()
        for c in without:
            logits[:, c] = self.silent_logits[c]
        return logits

    def shares(self, item: int, row: int, column: int) -> Array:
        """Every class's share of a pixel's energy, summed over modalities, shape (m,)."""
        energy = np.square(self.components[item, :, :, row, column]).sum(axis=1)
        total = float(energy.sum())
        return energy / total if total > 0 else np.zeros_like(energy)


def decompose_slices(
    model: Model,
    array: Array,
    *,
    alpha: float = 1.0,
    outer: int = 0,
    codes: bool = False,
    rounds: bool = False,
) -> SliceDecomposition:
    """Decompose slices in one call.

    Parameters
    ----------
    array : ndarray, shape (N, n, H, W)
        As `prepare` gives it.
    alpha : float
        Factor on every threshold.
    outer : int
        Rounds; 0 for as many as the network was trained with.
    codes : bool
        Keep the deepest codes.
    rounds : bool
        Keep components, residual and logits after every round.

    Raises
    ------
    ModelError
        The model has no components.
    """
    network = sparse_network(model)
    kept: list[tuple[Array, Array, Array]] = []
    last = network.order[-1]

    def observe(stage: Stage) -> None:
        if stage.which == last and stage.inner == network.inner - 1 and all(stage.layer_codes):
            present = [p for p in stage.components if p is not None]
            if len(present) == network.classes and stage.outer < (outer or network.outer):
                logits = network.classify([h[-1] for h in stage.layer_codes])
                kept.append((_stacked(present), _numpy(stage.residual), _numpy(logits)))

    with torch.inference_mode():
        found, logits = network.decompose(
            network_tensor(array, model.device),
            alpha,
            outer=outer or None,
            observe=observe if rounds and not network.separate else None,
        )
        active = [[float((h != 0).float().mean()) for h in codes_] for codes_ in found.layer_codes]
        below = [_infeasibility(codes_[:-1]) for codes_ in found.layer_codes]
        bias = network.bias.detach().cpu().numpy()
        silent = bias if bias.size == network.classes else np.repeat(bias, network.classes)
        return SliceDecomposition(
            input=array,
            components=_stacked(found.components),
            residual=_numpy(found.residual),
            logits=_numpy(logits),
            silent_logits=silent.astype(np.float32),
            active=np.asarray(active, dtype=np.float32),
            infeasibility=np.asarray(below, dtype=np.float32),
            codes=_stacked(found.codes) if codes else None,
            rounds=tuple(kept),
        )


def _infeasibility(layers: tuple[torch.Tensor, ...]) -> float:
    total = sum(float(h.square().sum()) for h in layers)
    if total == 0:
        return 0.0
    return float(np.sqrt(sum(float(h.clamp(max=0).square().sum()) for h in layers) / total))


def _stacked(parts: tuple[torch.Tensor, ...] | list[torch.Tensor]) -> Array:
    return _numpy(torch.stack(list(parts), dim=1))


def _numpy(tensor: torch.Tensor) -> Array:
    return tensor.float().cpu().contiguous().numpy()
