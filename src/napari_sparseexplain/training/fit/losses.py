"""Losses of the SUM paper, and the share of pixels that its output layer silences."""

from __future__ import annotations

import torch

#: Keeps the soft IoU finite on a batch without a lesion, in squared pixels.
IOU_SMOOTHING = 5.0


def soft_iou_loss(
    mask: torch.Tensor, truth: torch.Tensor, miss_weight: float = 1.0
) -> torch.Tensor:
    """Segmentation term of Eq. 13: one minus the soft IoU over the whole batch.

    ``1 - Σ p m / (Σ (p + m - p m) + 5)`` with the sums over all pixels of all images (Huang et
    al., *Batching soft IoU*, 2020): small lesions do not weigh more than large ones, and a batch
    without a lesion has no gradient from its empty slices alone.

    Parameters
    ----------
    mask : Tensor, shape (B, C, H, W)
        Estimate p in (0, 1).
    truth : Tensor, same shape
        Reference segmentation m, 0 or 1. With several classes the loss is the mean over classes.
    miss_weight : float
        w in ``Σ (p m + p (1 - m) + w (1 - p) m)``, the denominator; 1 is the paper's loss. Above 1
        a missed lesion costs more than a false alarm of the same size (an asymmetric Tversky index,
        Salehi et al. 2017).

    Returns
    -------
    Tensor, shape ()
    """
    over = (0, 2, 3)
    both = (mask * truth).sum(dim=over)
    either = (mask + miss_weight * truth).sum(dim=over) - miss_weight * both
    return (1.0 - both / (either + IOU_SMOOTHING)).mean()


def reconstruction_loss(linear: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Reconstruction term of Eq. 13 to 15: mean ``|x - ED(x; α = 0)|``.

    Parameters
    ----------
    linear : Tensor, shape (B, C, H, W)
        ED at ``alpha = 0``.
    x : Tensor, shape (B, 1 or C, H, W)
        The images; one image must be rebuilt by every class's signal.
    """
    if x.shape[1] not in (1, linear.shape[1]):
        raise ValueError(f"{linear.shape[1]} signals cannot rebuild {x.shape[1]} images")
    return (x - linear).abs().mean()


def denoising_loss(denoised: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
    """L1 between the network's output and the image without noise (experiment 2)."""
    return (denoised - clean).abs().mean()


def clipped_share(unclipped: torch.Tensor) -> float:
    """Share of pixels outside (0, 1) before the clip, from which the clip takes the gradient."""
    z = unclipped.detach()
    return float(((z <= 0) | (z >= 1)).float().mean())


def is_silent(mask: torch.Tensor, truth: torch.Tensor) -> bool:
    """Whether the mask is 0 on every pixel although there is a lesion: the sign of a dead output.

    On a batch without a lesion this is right and says nothing, so the answer is False.
    """
    return bool(truth.any()) and not bool(mask.any())
