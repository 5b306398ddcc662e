"""Gradient SHAP: exact on a linear model, and elsewhere within the error that it states."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import GradientShap

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.explanation.attribution.gaussian_blur import gaussian_blur
from napari_sparseexplain.explanation.attribution.gradient_shap import (
    drawn_baseline,
    gradient_shap,
)
from napari_sparseexplain.explanation.attribution.integrated_gradients import integrated_gradients
from napari_sparseexplain.explanation.trust.table import trust_of
from napari_sparseexplain.progress import drain

from .linear_score import Linear, Smooth, images, score_of

ROWS = np.arange(2)


def test_on_a_linear_model_every_sample_adds_up() -> None:
    network, x = Linear(), images()
    found = drain(gradient_shap(score_of(network), x, ROWS, ROWS, samples=6, noise=0.0))
    torch.testing.assert_close(found.values, network.weight.detach() * x)
    noisy = drain(gradient_shap(score_of(network), x, ROWS, ROWS, samples=6, noise=0.3))
    assert (noisy.values - found.values).abs().max() > 1e-3
    assert noisy.gaps().max() < 1e-10
    assert noisy.error.max() < 1e-10


@pytest.mark.parametrize("background", ["zero", "blurred"])
def test_the_sum_is_within_the_error_that_is_stated(background: str) -> None:
    """Over many runs the gap is as large as its standard error says: neither twice nor half."""
    score, x = score_of(Smooth()), images()
    runs = [
        drain(
            gradient_shap(
                score, x, ROWS, ROWS, samples=10, background=background, max_sigma=5.0, seed=seed
            )
        )
        for seed in range(60)
    ]
    missed = torch.stack(
        [run.values.flatten(1).sum(dim=1) - run.change.to(run.values) for run in runs]
    )
    stated = torch.stack([run.error for run in runs]).square().mean(dim=0).sqrt()
    assert ((missed.mean(dim=0) / stated).abs() < 4 / np.sqrt(60)).all()  # on average none
    ratio = missed.square().mean(dim=0).sqrt() / stated
    assert ((ratio > 0.75) & (ratio < 1.33)).all()


def test_without_noise_about_zero_it_becomes_integrated_gradients() -> None:
    score, x = score_of(Smooth()), images()
    exact = drain(integrated_gradients(score, x, x * 0, ROWS, n_steps=40)).values
    off = [
        float(
            (
                drain(gradient_shap(score, x, ROWS, ROWS, samples=samples, noise=0.0)).values
                - exact
            ).norm()
            / exact.norm()
        )
        for samples in (20, 320)
    ]
    assert off[1] < off[0] / 3
    assert off[1] < 0.02


def test_the_mean_is_that_of_captum() -> None:
    """Both draw: they agree within the standard errors of two large samples, pixel by pixel."""
    score, x = score_of(Smooth()), images(1)
    samples = 1500
    start = torch.stack(
        [
            drawn_baseline(
                x[0],
                np.random.default_rng((1, k)),
                background="zero",
                max_sigma=1.0,
                noise=0.15,
            )
            for k in range(200)
        ]
    )
    np.random.seed(0)  # noqa: NPY002 - captum draws from the global generators
    torch.manual_seed(0)
    peer = GradientShap(lambda image: score.model.network(image)[:, 0])
    wanted = peer.attribute(x, baselines=start, n_samples=samples)
    found = drain(gradient_shap(score, x, ROWS[:1], ROWS[:1], samples=samples)).values
    assert float((found - wanted).norm() / wanted.norm()) < 0.06
    halves = [
        drain(gradient_shap(score, x, ROWS[:1], ROWS[:1], samples=samples, seed=k)).values
        for k in (1, 2)
    ]
    spread = float((halves[0] - halves[1]).norm() / wanted.norm())
    assert float((found - wanted).norm() / wanted.norm()) < 3 * spread


def test_baselines_are_the_image_without_its_detail_or_nothing() -> None:
    x = images()[0]

    def drawn(**how) -> torch.Tensor:
        generator = np.random.default_rng(4)
        return drawn_baseline(x, generator, **{"max_sigma": 3.0, "noise": 0.0, **how})

    sigma = 3.0 * np.random.default_rng(4).random()
    torch.testing.assert_close(drawn(background="blurred"), gaussian_blur(x, sigma))
    assert not drawn(background="zero").any()
    noise = drawn(background="zero", noise=0.1)
    assert float(noise.std()) == pytest.approx(0.1 * float(x.max() - x.min()), rel=0.1)


def test_a_score_that_is_not_finite_ends_with_its_sample() -> None:
    class Log(Smooth):
        def forward(self, x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
            return x.log().flatten(1).sum(dim=1, keepdim=True)

    with pytest.raises(ModelError, match=r"NaN or infinite at the baseline of sample 1 of 50"):
        drain(gradient_shap(score_of(Log()), images() + 0.1, ROWS, ROWS, noise=0.0))


def test_the_error_of_the_sum_stands_in_the_table_and_tells_what_helps() -> None:
    rng = np.random.default_rng(0)
    study = se.study_of_arrays({"flair": rng.random((16, 16)).astype(np.float32)})
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3, padding=1), torch.nn.Tanh())
    found = se.explain(
        study, module, "gradient-shap", roles="flair", target="class:1", samples=2, noise=1.0
    )
    error = found.scores["standard error of the sum"]
    assert error is not None
    row = trust_of(study, found)["standard error of the sum"]
    assert (row.value, row.failed) == (error, False)
    assert trust_of(study, found)["completeness error"].failed
    assert any("take more samples" in note for note in found.notes)
    plain = se.explain(study, module, "ig", roles="flair", target="class:1")
    assert "standard error of the sum" not in [row.name for row in trust_of(study, plain).rows]
