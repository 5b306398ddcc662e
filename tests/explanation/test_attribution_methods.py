"""Attribution methods: what their papers promise, on models where the answer is known."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

from napari_sparseexplain.errors import ModelError, StudyError
from napari_sparseexplain.explanation.attribution.baselines import baseline_images
from napari_sparseexplain.explanation.attribution.blur_integrated_gradients import (
    blur_integrated_gradients,
)
from napari_sparseexplain.explanation.attribution.gaussian_blur import gaussian_blur
from napari_sparseexplain.explanation.attribution.grad_cam import grad_cam
from napari_sparseexplain.explanation.attribution.grad_cam_plus_plus import grad_cam_plus_plus
from napari_sparseexplain.explanation.attribution.gradient_shap import gradient_shap
from napari_sparseexplain.explanation.attribution.guided_integrated_gradients import (
    guided_integrated_gradients,
)
from napari_sparseexplain.explanation.attribution.integrated_gradients import integrated_gradients
from napari_sparseexplain.explanation.attribution.occlusion import occlusion
from napari_sparseexplain.explanation.attribution.partition_shap.slices import partition_shap
from napari_sparseexplain.explanation.attribution.smooth_blur_ig import (
    smooth_blur_gig,
    smooth_blur_ig,
)
from napari_sparseexplain.explanation.attribution.smoothgrad import smoothgrad
from napari_sparseexplain.explanation.attribution.vanilla_gradient import vanilla_gradient
from napari_sparseexplain.progress import drain

from .linear_score import Linear, Smooth, images, score_of

ROWS = np.arange(2)


def zero(x: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(x)


def gap(found) -> np.ndarray:
    return found.gaps() / found.change.abs().numpy()


def guided(score, x, **more):
    return drain(guided_integrated_gradients(score, x, zero(x), ROWS, **more)).values


# ------------------------------------------------------------------ exact on a linear model


@pytest.mark.parametrize("rule", ["adaptive", "gauss-legendre"])
@pytest.mark.parametrize("nodes", [1, 3, 20])
def test_on_a_linear_model_integrated_gradients_is_weight_times_input(
    nodes: int, rule: str
) -> None:
    network, x = Linear(), images()
    start = torch.full_like(x, 0.25)
    found = drain(integrated_gradients(score_of(network), x, start, ROWS, n_steps=nodes, rule=rule))
    torch.testing.assert_close(found.values, network.weight * (x - start))
    assert found.gaps().max() < 1e-12


@pytest.mark.parametrize("max_dist", [0.0, 0.02, 1.0])
@pytest.mark.parametrize("over", ["movable", "all"])
@pytest.mark.parametrize("rule", ["equal", "adaptive"])
def test_on_a_linear_model_every_path_gives_the_same(max_dist: float, over: str, rule: str) -> None:
    network, x = Linear(), images(foreground=0.6)
    found = guided(
        score_of(network), x, n_steps=20, max_dist=max_dist, quantile_over=over, rule=rule
    )
    torch.testing.assert_close(found, network.weight.detach() * x)


def test_on_a_linear_model_blur_ig_is_weight_times_what_the_blur_takes_away() -> None:
    network, x = Linear(), images()
    found = drain(blur_integrated_gradients(score_of(network), x, ROWS, max_sigma=5, n_steps=7))
    torch.testing.assert_close(found.values, network.weight * (x - gaussian_blur(x, 5.0)))
    assert found.gaps().max() < 1e-12


def test_on_a_linear_model_the_gradient_is_the_weight_with_noise_or_without() -> None:
    network, x = Linear(), images()
    plain = drain(vanilla_gradient(score_of(network), x, ROWS)).values
    smooth = drain(smoothgrad(score_of(network), x, ROWS, ROWS, samples=3)).values
    squared = drain(smoothgrad(score_of(network), x, ROWS, ROWS, samples=3, squared=True)).values
    for found in (plain, smooth):
        torch.testing.assert_close(found, network.weight.expand_as(x))
    torch.testing.assert_close(squared, network.weight.square().expand_as(x))


def test_windows_that_do_not_overlap_share_out_a_linear_score() -> None:
    network, x = Linear(), images()
    found = drain(occlusion(score_of(network), x, zero(x), ROWS, window=1, stride=1)).values
    torch.testing.assert_close(found, network.weight * x)


def test_a_window_at_the_border_is_whole_and_every_pixel_is_covered() -> None:
    network, x = Linear(), images()
    found = drain(occlusion(score_of(network), x, zero(x), ROWS, window=6, stride=6)).values
    assert (found != 0).all()


# ------------------------------------------------------------------------- completeness


def test_gauss_legendre_adds_up_with_fewer_nodes_than_equal_weights() -> None:
    score, x = score_of(Smooth()), images()
    gaps = {
        rule: gap(drain(integrated_gradients(score, x, zero(x), ROWS, n_steps=30, rule=rule))).max()
        for rule in ("gauss-legendre", "peer")
    }
    assert gaps["gauss-legendre"] < 1e-6 < gaps["peer"]


def test_guided_and_blur_paths_add_up_as_their_steps_grow() -> None:
    score, x = score_of(Smooth()), images()
    for run in (
        lambda steps: guided_integrated_gradients(score, x, zero(x), ROWS, n_steps=steps),
        lambda steps: blur_integrated_gradients(score, x, ROWS, max_sigma=6, n_steps=steps),
    ):
        coarse, fine = (drain(run(steps)).gaps().max() for steps in (20, 640))
        assert fine < coarse / 8


def test_the_secants_of_blur_ig_add_up_better_than_the_peers_rule() -> None:
    score, x = score_of(Smooth()), images()
    ours, peer = (
        drain(blur_integrated_gradients(score, x, ROWS, max_sigma=6, n_steps=60, rule=rule))
        for rule in ("secant", "peer")
    )
    assert ours.gaps().max() < peer.gaps().max() / 4


# ------------------------------------------------------------------------------ guided IG


def test_a_path_that_may_not_leave_the_line_is_integrated_gradients() -> None:
    score, x = score_of(Smooth()), images()
    left = torch.zeros_like(x)
    for step in range(25):  # the straight path's left Riemann sum
        left += score.gradient(x * step / 25, ROWS)[1] * x / 25
    torch.testing.assert_close(guided(score, x, n_steps=25, max_dist=0.0), left)


def test_where_few_pixels_can_move_the_authors_quantile_gives_integrated_gradients() -> None:
    score, x = score_of(Smooth()), images(foreground=0.2)
    line = guided(score, x, n_steps=25, max_dist=0.0)
    torch.testing.assert_close(guided(score, x, n_steps=25, quantile_over="all"), line)
    assert (guided(score, x, n_steps=25, quantile_over="movable") - line).abs().max() > 1e-6


def test_pixels_equal_to_the_baseline_get_nothing() -> None:
    score, x = score_of(Smooth()), images(foreground=0.5)
    for found in (
        guided(score, x, n_steps=10),
        drain(integrated_gradients(score, x, zero(x), ROWS, n_steps=5)).values,
        drain(occlusion(score, x, zero(x), ROWS, window=1, stride=1)).values,
    ):
        assert not found[x == 0].any()


def test_an_image_equal_to_its_baseline_gets_nothing() -> None:
    score, x = score_of(Smooth()), images()
    found = drain(guided_integrated_gradients(score, x, x.clone(), ROWS, n_steps=3))
    assert not found.values.any()


def test_the_fraction_one_moves_all_together() -> None:
    score, x = score_of(Smooth()), images()
    line = guided(score, x, n_steps=10, max_dist=0.0)
    torch.testing.assert_close(guided(score, x, n_steps=10, fraction=1.0), line)


# ------------------------------------------------------------- seeds, batches, cancelling


@pytest.mark.parametrize(
    "method",
    [
        partial(smoothgrad, samples=3),
        partial(smooth_blur_ig, samples=2, n_steps=4, max_sigma=4.0),
        partial(smooth_blur_gig, samples=2, n_steps=4, max_sigma=4.0),
        partial(gradient_shap, samples=4),
        partial(gradient_shap, samples=4, background="blurred", max_sigma=4.0),
    ],
)
def test_the_same_seed_gives_the_same_map_alone_or_among_others(method) -> None:
    score, x = score_of(Smooth()), images(3)
    numbers = np.array([7, 8, 9])
    together = drain(method(score, x, np.arange(3), numbers, seed=5)).values
    alone = drain(method(score, x[1:2], np.array([1]), numbers[1:2], seed=5)).values
    other = drain(method(score, x, np.arange(3), numbers, seed=6)).values
    torch.testing.assert_close(together[1:2], alone, rtol=1e-12, atol=1e-14)
    assert (together - other).abs().max() > 1e-6


def test_the_two_smooth_blur_methods_are_not_one() -> None:
    score, x = score_of(Smooth()), images()
    first = drain(smooth_blur_ig(score, x, ROWS, ROWS, samples=2, n_steps=4, max_sigma=4.0))
    second = drain(smooth_blur_gig(score, x, ROWS, ROWS, samples=2, n_steps=4, max_sigma=4.0))
    assert (first.values - second.values).abs().max() > 1e-3
    assert first.change is second.change is None  # an average adds up to nothing


@pytest.mark.parametrize("how", [{"n_steps": 12}, {"rule": "adaptive", "tolerance": 0.004}])
def test_a_batch_gives_what_its_images_give_alone(how: dict[str, Any]) -> None:
    score, x = score_of(Smooth()), images(foreground=0.7)
    together = guided(score, x, **how)
    for n in ROWS:
        one = drain(
            guided_integrated_gradients(
                score, x[n : n + 1], zero(x[n : n + 1]), ROWS[n : n + 1], **how
            )
        )
        torch.testing.assert_close(together[n : n + 1], one.values, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(
    "start",
    [
        lambda s, x: integrated_gradients(s, x, zero(x), ROWS, n_steps=500),
        lambda s, x: integrated_gradients(s, x, zero(x), ROWS, n_steps=500, rule="adaptive"),
        lambda s, x: guided_integrated_gradients(s, x, zero(x), ROWS),
        lambda s, x: guided_integrated_gradients(s, x, zero(x), ROWS, rule="adaptive"),
        lambda s, x: blur_integrated_gradients(s, x, ROWS),
        lambda s, x: occlusion(s, x, zero(x), ROWS, window=1, stride=1),
        lambda s, x: smooth_blur_gig(s, x, ROWS, ROWS),
        lambda s, x: gradient_shap(s, x, ROWS, ROWS, samples=2000),
        lambda s, x: partition_shap(s, x, zero(x), ROWS),
    ],
)
def test_every_method_can_be_cancelled_after_its_first_step(start) -> None:
    calls = []
    network = Smooth()
    network.register_forward_hook(lambda *_: calls.append(1))
    work = start(score_of(network), images())
    step = next(work)
    assert 0 < step.done < step.total
    work.close()
    assert len(calls) <= 3


# -------------------------------------------------------------------------------- the rest


class Bad(Smooth):
    """Its gradient is infinite where a pixel is exactly 0."""

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
        return x.sqrt().flatten(1).sum(dim=1, keepdim=True)


@pytest.mark.parametrize(
    ("start", "step"),
    [
        (lambda s, x: vanilla_gradient(s, x * 0, ROWS), "the image itself"),
        (
            lambda s, x: integrated_gradients(s, x, zero(x), ROWS, n_steps=4, rule="peer"),
            r"node 1 of 4 \(t = 0\)",
        ),
        (
            lambda s, x: integrated_gradients(s, x, zero(x), ROWS, n_steps=4, rule="adaptive"),
            "the path's place t = 0",
        ),
        (
            lambda s, x: guided_integrated_gradients(s, x, zero(x), ROWS, n_steps=9),
            "step 1 of 9 of the guided path",
        ),
        (
            lambda s, x: blur_integrated_gradients(s, x * 0, ROWS, n_steps=9),
            r"step 1 of 9 \(blur 0",
        ),
        (lambda s, x: smoothgrad(s, x * 0, ROWS, ROWS), "noisy sample 1 of 25"),
        (lambda s, x: gradient_shap(s, x * 0, ROWS, ROWS), "sample 1 of 50"),
    ],
)
def test_a_gradient_that_is_not_finite_ends_with_its_step(start, step: str) -> None:
    with pytest.raises(ModelError, match="NaN or infinite at " + step):
        drain(start(score_of(Bad()), images()))


def test_the_blur_is_that_of_scipy() -> None:
    x = images()
    for sigma in (0.01, 0.7, 3.0, 50.0):
        wanted = ndimage.gaussian_filter(x.numpy(), (0, 0, sigma, sigma), mode="constant")
        np.testing.assert_allclose(gaussian_blur(x, sigma), wanted, atol=1e-14)


def test_grad_cam_looks_at_the_coarsest_layer_and_weighs_its_maps_by_their_gradient() -> None:
    network, x = Smooth(), images()
    found = drain(grad_cam(score_of(network), x, ROWS)).values
    activation = network.second(torch.tanh(3 * network.first(x))).detach().requires_grad_(True)
    score = network.last(torch.tanh(2 * activation).flatten(1)).sum()
    (gradient,) = torch.autograd.grad(score, activation)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    coarse = (weights * activation).sum(dim=1, keepdim=True).clamp(min=0)
    wanted = nn.functional.interpolate(coarse, size=x.shape[2:], mode="bilinear")
    torch.testing.assert_close(found, wanted.detach())
    with pytest.raises(ModelError, match=r"no layer called 'third'.*It has first, second"):
        drain(grad_cam(score_of(network), x, ROWS, layer="third"))
    with pytest.raises(ModelError, match=r"sees no convolutional layer.*occlusion"):
        drain(grad_cam(score_of(Linear()), x, ROWS))


class OffCentre(nn.Module):
    """A layer whose pixel (i, j) is the image's (i + 2, j + 2), then what the mask is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.cut = nn.Conv2d(2, 3, 5, bias=False)
        self.shown = nn.ReLU(inplace=True)
        self.last = nn.ConvTranspose2d(3, 1, 5)
        nn.init.zeros_(self.cut.weight)
        nn.init.ones_(self.last.weight)
        with torch.no_grad():
            self.cut.weight[:, 0, 2, 2] = 1.0

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
        return self.last(self.shown(self.cut(x))).mean(dim=(1, 2, 3), keepdim=True)[:, :, 0, 0]


@pytest.mark.parametrize("method", [grad_cam, grad_cam_plus_plus])
@pytest.mark.parametrize("layer", ["cut", "shown", "inner.shown"])
def test_grad_cam_at_any_layer_lies_where_the_layer_looks(layer: str, method: Any) -> None:
    x = torch.zeros(2, 2, 24, 32, dtype=torch.float64)
    x[:, 0, 9, 17] = 1.0
    network = OffCentre().double().eval()
    found = drain(method(score_of(network), x, ROWS, layer=layer)).values[0, 0]
    assert np.unravel_index(int(found.argmax()), found.shape) == (9, 17)
    assert int((found > 1e-3 * found.max()).sum()) == 1


class TwiceThrough(nn.Module):
    """A layer that is called twice, with half the pixels the second time."""

    def __init__(self) -> None:
        super().__init__()
        self.step = nn.Conv2d(2, 2, 3, stride=2, padding=1)

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
        return self.step(self.step(x)).sum(dim=(1, 2, 3))[:, None]


def test_grad_cam_at_one_call_of_a_layer_that_is_called_twice() -> None:
    """Without a number the last call, as ever; whatever another thread runs is not looked at."""
    x = images()
    score = score_of(TwiceThrough().double().eval())
    last = drain(grad_cam(score, x, ROWS, layer="step")).values
    second = drain(grad_cam(score, x, ROWS, layer="step (2)")).values
    first = drain(grad_cam(score, x, ROWS, layer="step (1)")).values
    torch.testing.assert_close(last, second)
    assert not torch.allclose(first, second)
    with pytest.raises(ModelError, match=r"'step \(3\)' has no maps that move the score"):
        drain(grad_cam(score, x, ROWS, layer="step (3)"))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("zero", lambda x: np.zeros_like(x)),
        ("minimum", lambda x: np.broadcast_to(x.min((2, 3), keepdims=True), x.shape)),
        ("maximum", lambda x: np.broadcast_to(x.max((2, 3), keepdims=True), x.shape)),
        ("mean", lambda x: np.broadcast_to(x.mean((2, 3), keepdims=True), x.shape)),
        ("blurred", lambda x: ndimage.gaussian_filter(x, (0, 0, 50, 50), mode="constant")),
    ],
)
def test_baselines_are_of_each_image_and_modality(name: str, wanted) -> None:
    x = images() * torch.tensor([1.0, 0.5]).view(1, 2, 1, 1)
    np.testing.assert_allclose(baseline_images(name, x), wanted(x.numpy()), atol=1e-14)


def test_baselines_that_are_not_there_are_said() -> None:
    with pytest.raises(StudyError, match="needs an image"):
        baseline_images("user", images())
    with pytest.raises(StudyError, match="no baseline 'black'"):
        baseline_images("black", images())


def test_windows_that_leave_pixels_out_are_refused() -> None:
    x = images()
    with pytest.raises(StudyError, match="never covered"):
        drain(occlusion(score_of(Linear()), x, zero(x), ROWS, window=2, stride=3))
