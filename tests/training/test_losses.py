"""Eq. 13 to 15 of the SUM paper."""

from __future__ import annotations

import pytest
import torch

from napari_sparseexplain.training.fit.losses import (
    IOU_SMOOTHING,
    clipped_share,
    denoising_loss,
    is_silent,
    reconstruction_loss,
    soft_iou_loss,
)


def masks() -> tuple[torch.Tensor, torch.Tensor]:
    p, m = torch.zeros(2, 2, 1, 8, 8)
    m[0, 0, :4, :4] = 1
    p[0, 0, :4, 2:6] = 1
    return p, m


def test_soft_iou_of_binary_masks_is_the_iou_but_for_the_smoothing():
    p, m = masks()
    assert float(soft_iou_loss(p, m)) == pytest.approx(1 - 8 / (24 + IOU_SMOOTHING))


def test_a_missed_lesion_may_weigh_more_than_a_false_alarm():
    p, m = masks()  # 8 pixels in both, 16 in one alone
    missed, false = float((m * (1 - p)).sum()), float((p * (1 - m)).sum())
    expected = 1 - 8 / (8 + false + 3 * missed + IOU_SMOOTHING)
    assert float(soft_iou_loss(p, m, 3.0)) == pytest.approx(expected)
    assert expected > float(soft_iou_loss(p, m))


def test_soft_iou_is_over_the_batch_not_the_mean_of_slices():
    p, m = masks()
    alone = soft_iou_loss(p[:1], m[:1])
    torch.testing.assert_close(soft_iou_loss(p, m), alone)


def test_a_mask_above_one_would_cheat_which_is_why_the_clip_is_hard():
    p, m = masks()
    assert soft_iou_loss(3 * p, m) < soft_iou_loss(p, m)


def test_an_empty_batch_has_a_finite_loss_and_gradient():
    p = torch.full((1, 1, 8, 8), 0.1, requires_grad=True)
    soft_iou_loss(p, torch.zeros(1, 1, 8, 8)).backward()
    assert torch.isfinite(p.grad).all()


def test_several_classes_weigh_the_same():
    p, m = masks()
    both = soft_iou_loss(torch.cat((p, m), 1), torch.cat((m, m), 1))
    torch.testing.assert_close(both, (soft_iou_loss(p, m) + soft_iou_loss(m, m)) / 2)


def test_reconstruction_and_denoising_are_mean_absolute_errors():
    x = torch.rand(2, 1, 4, 4)
    assert float(reconstruction_loss(x + 0.25, x)) == pytest.approx(0.25)
    assert float(denoising_loss(x - 0.5, x)) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="cannot rebuild"):
        reconstruction_loss(torch.zeros(1, 3, 4, 4), torch.zeros(1, 2, 4, 4))


def test_the_clipped_share_and_a_silent_output():
    assert clipped_share(torch.tensor([-1.0, 0.5, 0.6, 2.0])) == 0.5
    p, m = masks()
    assert is_silent(torch.zeros_like(p), m)
    assert not is_silent(p, m)
    assert not is_silent(torch.zeros_like(p), torch.zeros_like(m))
