"""Losses of networks with exclusive classes, and of decompositions into classes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as functional

from ..tumour_classes import REGION_CHANNELS

#: Keeps a region's soft Dice finite where it is absent, in pixels.
DICE_SMOOTHING = 10.0


#: Weight of every class in the cross-entropy: healthy tissue fills most of any crop.
CLASS_WEIGHTS = (0.5, 1.5, 2.0, 3.0)


def region_dice_loss(probability: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """One minus the soft Dice of ET, WT and TC, over the whole batch, averaged over the three.

    Parameters
    ----------
    probability : Tensor, shape (B, 4, H, W)
        Of the exclusive classes in `TUMOUR_CLASSES`.
    truth : Tensor of int64, shape (B, H, W)
        Channel numbers.
    """
    losses = []
    for parts in REGION_CHANNELS.values():
        p = probability[:, list(parts)].sum(dim=1)
        m = torch.zeros_like(p)
        for part in parts:
            m = m + (truth == part)
        both = (p * m).sum()
        losses.append(1.0 - (2.0 * both + DICE_SMOOTHING) / (p.sum() + m.sum() + DICE_SMOOTHING))
    return torch.stack(losses).mean()


def class_loss(
    logits: torch.Tensor, truth: torch.Tensor, inside: torch.Tensor, *, balance: float = 1.0
) -> torch.Tensor:
    """Cross-entropy over the brain plus `region_dice_loss`.

    Parameters
    ----------
    logits : Tensor, shape (B, 4, H, W)
    truth : Tensor of int64, shape (B, H, W)
    inside : Tensor of bool, shape (B, H, W)
        The brain: outside it there is nothing to learn.
    balance : float
        The cross-entropy is weighted by `CLASS_WEIGHTS` to this power: 1 in full, 0 not at all.
    """
    weight = torch.tensor(CLASS_WEIGHTS, device=logits.device) ** balance
    entropy = functional.cross_entropy(logits, truth, reduction="none")
    share = weight[truth] * inside
    entropy = (entropy * share).sum() / share.sum().clamp(min=1)
    return entropy + region_dice_loss(torch.softmax(logits, dim=1) * inside[:, None], truth)


def residual_loss(residual: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Energy that no class explains, as a share of the input's."""
    return residual.square().sum() / x.square().sum().clamp(min=1e-6)


def specificity_loss(
    components: Sequence[torch.Tensor], truth: torch.Tensor, x: torch.Tensor
) -> torch.Tensor:
    """Energy of components outside their own class, as a share of the input's (not in the paper).

    Parameters
    ----------
    components : sequence of Tensor, shape (B, n, H, W)
        One a class.
    truth : Tensor of int64, shape (B, H, W)
    """
    stray = torch.zeros((), device=x.device)
    for c, component in enumerate(components):
        stray = stray + (component.square() * (truth != c)[:, None]).sum()
    return stray / x.square().sum().clamp(min=1e-6)
