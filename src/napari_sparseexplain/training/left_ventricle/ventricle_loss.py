"""Cross-entropy with a soft Dice: small ventricles count as much as large ones."""

from __future__ import annotations

import torch
from torch.nn import functional


def soft_dice(
    probability: torch.Tensor, target: torch.Tensor, dims: tuple[int, ...]
) -> torch.Tensor:
    """2 Σ p t / (Σ p + Σ t) with 1 added above and below, so that empty slices have one too."""
    overlap = (probability * target).sum(dims)
    return (2 * overlap + 1) / (probability.sum(dims) + target.sum(dims) + 1)


def ventricle_loss(signal: torch.Tensor, target: torch.Tensor, dice: float) -> torch.Tensor:
    """Mean cross-entropy and ``dice`` times the mean of 1 − Dice by slice and by batch.

    Parameters
    ----------
    signal : Tensor, shape (B, 2, H, W)
        Before the softmax.
    target : Tensor, shape (B, H, W)
        1 in the ventricle.
    """
    loss = functional.cross_entropy(signal, target.long())
    if dice == 0:
        return loss
    probability = torch.softmax(signal, dim=1)[:, 1]
    wanted = target.to(probability.dtype)
    by_slice = soft_dice(probability, wanted, (1, 2)).mean()
    by_batch = soft_dice(probability, wanted, (0, 1, 2))
    return loss + dice * (1 - 0.5 * by_slice - 0.5 * by_batch)
