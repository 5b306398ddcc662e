"""Texture and size bias of a shrinkage network, by masking feature maps greedily.

Source: Zavala-Mondragón et al., "Segmentation CNNs are denoising models", Section 6 names it
as future work: find the feature maps that matter most to the segmentation, and look at what
the network is tuned to with the others masked.

Maps are taken away a few at a time, those first whose gates matter least to the fit: the
derivative with respect to a gate on each map, averaged while all gates open together (the
derivative at open gates alone is nearly zero for a map that does its work well). It is taken
anew, and the IoU truly measured, after every step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...errors import StudyError
from ...evidence import ExplanationMap
from ...networks.bundle.model import Model
from ...networks.running.inference import network_tensor
from ...networks.running.preparation import Resolution, prepare
from ...progress import Progress, Work
from ...volumes import Study
from ..method_result import MethodResult
from ..segmentation import true_mask
from ..target import Target
from .band_signals import pictured_bands
from .tuning import Tuning, disc_tuning, grating_tuning, half_octaves

Gates = dict[str, Tensor]

#: Slices that the fit is measured on, those with the largest lesion.
SLICES = 4
#: Slope of the logistic through which a signal's distance from one half is felt by the gates.
_SLOPE = 8.0
#: How far the gates stand open where the derivative is taken; the last is the network itself.
_OPENINGS = (0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, eq=False)
class MaskingCurve:
    """How the segmentation fades as feature maps are masked.

    Attributes
    ----------
    kept : ndarray, shape (K,)
        Maps left, falling.
    iou : ndarray, shape (K,)
        IoU with the reference mask, measured with those maps only.
    essential : mapping of str to ndarray of bool
        Per shrinkage, the maps of the smallest set found that keeps ``share`` of the full IoU.
    levels : mapping of int to float
        Share of the essential maps' relevance at each level; adds up to 1.
    """

    kept: npt.NDArray[np.int64]
    iou: npt.NDArray[np.float64]
    essential: Mapping[str, npt.NDArray[np.bool_]]
    levels: Mapping[int, float]

    @property
    def essential_count(self) -> int:
        """How many maps are essential."""
        return sum(int(mask.sum()) for mask in self.essential.values())


@contextmanager
def masked(network: nn.Module, gates: Mapping[str, Tensor]) -> Iterator[None]:
    """Run a network with its feature maps multiplied by gates, (maps,) for each shrinkage."""
    shrinkages = cast(Any, network).shrinkages()

    def gate(values: Tensor) -> Any:
        return lambda module, inputs, output: output * values[None, :, None, None]

    handles = [shrinkages[name].register_forward_hook(gate(v)) for name, v in gates.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def masking_curve_work(
    network: nn.Module,
    x: Tensor,
    reference: Tensor,
    *,
    alpha: float = 1.0,
    output: int = 0,
    drop: float = 0.1,
    share: float = 0.9,
    inside: Tensor | None = None,
) -> Work[MaskingCurve]:
    """Mask the feature maps of the encoder and of the bottom, the least needed first.

    Parameters
    ----------
    x : Tensor, shape (N, C, H, W)
        Network input.
    reference : Tensor of bool, shape (N, H, W)
        Mask to keep.
    drop : float
        Share of the maps left that each step masks, at least one.
    share : float
        Share of the full IoU that the essential maps keep.
    inside : Tensor of bool, shape (N, H, W), optional
        Where a mask means anything; everywhere when not given.

    Raises
    ------
    StudyError
        The reference mask is empty, or the network finds nothing of it.
    """
    names = pictured_bands(network)
    gates = {
        name: torch.ones(cast(Any, network).shrinkages()[name].raw.numel(), device=x.device)
        for name in names
    }
    total = sum(int(g.numel()) for g in gates.values())
    kept: list[int] = []
    iou: list[float] = []
    history: list[tuple[Gates, Gates]] = []
    while (left := sum(int(g.sum()) for g in gates.values())) > 0:
        measured, relevance = _fit(network, gates, x, reference, alpha, output, inside)
        if not kept and measured == 0:
            raise StudyError(
                "the network marks nothing of the lesion in these slices, so nothing can be masked",
                remedy="Choose slices on which it finds the lesion",
            )
        kept.append(left)
        iou.append(measured)
        history.append(({n: g.clone() for n, g in gates.items()}, relevance))
        yield Progress(total - left, total, f"{left} maps kept, IoU {measured:.2f}")
        _drop_least(gates, relevance, max(1, int(drop * left)))
    enough = [n for n, value in enumerate(iou) if value >= share * iou[0]]
    chosen, weights = history[enough[-1]]
    essential = {n: g.bool().cpu().numpy() for n, g in chosen.items()}
    return MaskingCurve(
        np.array(kept), np.array(iou), essential, _level_shares(network, chosen, weights)
    )


def feature_bias_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    alpha: float,
    share: float,
    reference: str,
    resolution: Resolution,
) -> Work[MethodResult]:
    """The method ``feature-bias``: which maps matter, and what they are tuned to.

    Returns
    -------
    MethodResult
        Maps ``masking-curve`` (K, 2: maps kept, IoU), ``grating-tuning`` (K, 2: period in mm,
        answer) and ``disc-tuning`` (K, 2: diameter in mm, answer) of the essential maps alone.
        Scores: how many are essential, dominant period and diameter, share of every level.

    Raises
    ------
    StudyError
        There is no lesion in the slices by the chosen reference.
    """
    yield Progress(0, 0, "Preparing the slices")
    prepared = prepare(study, model.card, slices, resolution=resolution)
    wanted = _reference(study, model, prepared.array, prepared, reference, alpha)
    area = wanted.sum(axis=(1, 2))
    chosen = np.sort(np.argsort(-area)[:SLICES])
    chosen = chosen[area[chosen] > 0]
    if not chosen.size:
        raise StudyError(
            "these slices hold no lesion by the chosen reference",
            where=study.name,
            remedy="Choose slices through the lesion, or the other reference",
        )
    x = network_tensor(prepared.array[chosen], model.device)
    truth = torch.from_numpy(wanted[chosen]).to(model.device)
    fed = torch.from_numpy(prepared.inside_network[chosen]).to(model.device)
    curve = yield from masking_curve_work(
        model.network, x, truth, alpha=alpha, share=share, inside=fed
    )
    yield Progress(0, 0, "Planting gratings and discs")
    gratings, discs = essential_tuning(model.network, curve, x.shape[1], alpha=alpha)
    pixel = float(np.mean(prepared.spacing))
    unit = "mm" if prepared.grid.calibrated else "px"
    scores: dict[str, float | None] = {
        "maps": float(curve.kept[0]),
        "essential maps": float(curve.essential_count),
        f"dominant period ({unit})": _times(gratings.dominant, pixel),
        f"dominant diameter ({unit})": _times(discs.dominant, pixel),
    }
    scores |= {f"level {level}: relevance": value for level, value in curve.levels.items()}
    return MethodResult(
        maps=(
            _table("masking-curve", "IoU against maps kept", curve.kept, curve.iou),
            _table("grating-tuning", "Gratings", gratings.sizes * pixel, gratings.answers),
            _table("disc-tuning", "Discs", discs.sizes * pixel, discs.answers),
        ),
        scores=scores,
        notes=(
            *prepared.notes,
            "The order of masking rests on an estimate; the IoU at each step is measured.",
        ),
        region=prepared.region,
    )


def essential_tuning(
    network: nn.Module, curve: MaskingCurve, channels: int, *, alpha: float = 1.0
) -> tuple[Tuning, Tuning]:
    """Grating and disc tuning of a network with its essential maps only."""
    device = next(network.parameters()).device
    gates = {n: torch.from_numpy(m).float().to(device) for n, m in curve.essential.items()}
    with masked(network, gates):
        gratings = grating_tuning(network, half_octaves(2.0, 64.0), channels=channels, alpha=alpha)
        discs = disc_tuning(network, half_octaves(2.0, 64.0), channels=channels, alpha=alpha)
    return gratings, discs


def _fit(
    network: nn.Module,
    gates: Gates,
    x: Tensor,
    reference: Tensor,
    alpha: float,
    output: int,
    inside: Tensor | None,
) -> tuple[float, Gates]:
    """IoU with some maps masked, and what each of those left adds to the fit."""
    relevance = {name: torch.zeros_like(gate) for name, gate in gates.items()}
    found = reference
    for opening in _OPENINGS:
        live = {name: (opening * gate).requires_grad_(True) for name, gate in gates.items()}
        with torch.enable_grad(), masked(network, live):
            mask, signal = network(x, alpha)
            loss = _misfit(network, signal, reference, output)
            grads = torch.autograd.grad(loss, list(live.values()), allow_unused=True)
        for name, grad in zip(live, grads, strict=True):
            if grad is not None:
                relevance[name] -= grad / len(_OPENINGS)
        found = mask.detach()[:, output] > 0.5  # the last opening is the whole one
    if inside is not None:
        found = found & inside
    union = int((found | reference).sum())
    return int((found & reference).sum()) / union if union else 0.0, relevance


def _misfit(network: nn.Module, signal: Tensor, reference: Tensor, output: int) -> Tensor:
    """Logistic loss of the scaled signal about one half.

    The clip would give no derivative outside (0, 1). Lesion and background weigh the same,
    however small the lesion is.
    """
    head = getattr(network, "head", None)
    z = signal if head is None else cast(Any, head).unclipped(signal)
    inside = reference.float()
    outside = 1 - inside
    weight = inside / inside.sum() + outside / outside.sum().clamp(min=1)
    return functional.binary_cross_entropy_with_logits(
        _SLOPE * (z[:, output] - 0.5), inside, weight, reduction="sum"
    )


def _drop_least(gates: Gates, relevance: Gates, count: int) -> None:
    """Close the gates of the ``count`` least relevant maps that are open."""
    flat = torch.cat([torch.where(g > 0, relevance[n], torch.inf) for n, g in gates.items()])
    worst = set(flat.argsort(stable=True)[:count].tolist())
    start = 0
    for gate in gates.values():
        for index in range(gate.numel()):
            if start + index in worst:
                gate[index] = 0.0
        start += gate.numel()


def _level_shares(network: nn.Module, gates: Gates, relevance: Gates) -> dict[int, float]:
    shrinkages = cast(Any, network).shrinkages()
    sums: dict[int, float] = {}
    for name, gate in gates.items():
        level = int(shrinkages[name].level)
        useful = float((relevance[name].clamp(min=0) * gate).sum())
        sums[level] = sums.get(level, 0.0) + useful
    total = sum(sums.values())
    return {level: value / total if total else 0.0 for level, value in sorted(sums.items())}


def _reference(
    study: Study, model: Model, array: Any, prepared: Any, reference: str, alpha: float
) -> npt.NDArray[np.bool_]:
    """The mask to keep, on the network's pixels (N, H, W)."""
    if reference == "truth":
        true, _ = true_mask(study, prepared.slices)
        if true is None:
            raise StudyError(
                "the study has no reference segmentation",
                where=study.name,
                remedy="Take the model's own as the reference",
            )
        return prepared.to_network(true.astype(np.float32)) > 0.5
    masks = []
    with torch.inference_mode():
        for one in array:
            mask, _ = model.network(network_tensor(one[None], model.device), alpha)
            masks.append((mask[0, 0] > 0.5).cpu().numpy())
    return np.stack(masks) & prepared.inside_network


def _table(name: str, title: str, first: Any, second: Any) -> ExplanationMap:
    data = np.stack([np.asarray(first, float), np.asarray(second, float)], axis=1)
    return ExplanationMap(name, data.astype(np.float32), "response", title, space="dictionary")


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
