"""The clip: hard forward; backward it leaks only where a descent step brings the value back."""

from __future__ import annotations

import torch

from napari_sparseexplain.networks.modules.clip_head import OUTSIDE_SLOPE, ClipHead
from napari_sparseexplain.training.fit.losses import soft_iou_loss

Z = torch.tensor([-0.5, 0.5, 1.5, -0.5, 0.5, 1.5]).view(1, 1, 1, 6)
LESION = torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]).view(1, 1, 1, 6)


def gradient(training: bool) -> torch.Tensor:
    head = ClipHead().train(training)
    z = Z.clone().requires_grad_()
    soft_iou_loss(head(z), LESION).backward()
    assert z.grad is not None
    return z.grad.flatten()


def test_forward_is_a_hard_clip_while_training_and_after():
    for training in (True, False):
        assert torch.equal(ClipHead().train(training)(Z).detach(), Z.clamp(0, 1))


def test_training_gradient_leaks_below_0_on_the_lesion_and_above_1_off_it_alone():
    below_on, _, above_on, below_off, _, above_off = gradient(training=True).tolist()
    assert below_on < 0 < above_off
    assert above_on == below_off == 0


def test_the_leak_is_the_slope_times_the_gradient_inside():
    grad = gradient(training=True)
    torch.testing.assert_close(grad[0], OUTSIDE_SLOPE * grad[1])
    torch.testing.assert_close(grad[5], OUTSIDE_SLOPE * grad[4])


def test_after_training_nothing_leaks():
    grad = gradient(training=False)
    assert grad[[0, 2, 3, 5]].abs().max() == 0
    assert (grad[[1, 4]] != 0).all()
