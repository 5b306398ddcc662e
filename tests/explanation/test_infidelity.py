"""Infidelity and max-sensitivity: exact where theory says so, and as in Captum."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.metrics import infidelity as captum_infidelity
from captum.metrics import sensitivity_max

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.explanation.trust.infidelity import (
    Infidelity,
    infidelity,
    max_sensitivity,
)
from napari_sparseexplain.progress import drain

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(2, 14, 13)).astype(np.float32)
IMAGE = RNG.random((2, 14, 13)).astype(np.float32)
SAMPLES = 12


def linear(images: np.ndarray) -> np.ndarray:
    return (images.astype(np.float64) * WEIGHTS).sum(axis=(1, 2, 3))


def curved(images: np.ndarray) -> np.ndarray:
    return np.sin(linear(images)) + linear(images) ** 2


class Recording:
    """A score that remembers the images it was asked about."""

    def __init__(self) -> None:
        self.images: list[np.ndarray] = []

    def __call__(self, images: np.ndarray) -> np.ndarray:
        self.images.append(images.copy())
        return curved(images)


@pytest.mark.parametrize("perturbation", ["squares", "noise"])
def test_slopes_of_a_linear_model_foretell_everything(perturbation: str) -> None:
    found = drain(
        infidelity(linear, IMAGE, WEIGHTS, meaning="gradient", perturbation=perturbation)  # type: ignore[arg-type]
    )
    assert found.value == pytest.approx(0, abs=1e-8)
    assert found.scaled == pytest.approx(0, abs=1e-8)
    assert found.factor == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("by_channel", [True, False])
def test_shares_of_a_linear_model_foretell_everything_also_added_up(by_channel: bool) -> None:
    shares = WEIGHTS * IMAGE if by_channel else (WEIGHTS * IMAGE).sum(axis=0)
    found = drain(infidelity(linear, IMAGE, shares, side=5))
    assert found.scaled == pytest.approx(0, abs=1e-8)
    tripled = drain(infidelity(linear, IMAGE, 3 * shares, side=5))
    assert tripled.scaled == pytest.approx(0, abs=1e-8)
    assert tripled.factor == pytest.approx(1 / 3)
    assert tripled.value > 0.1


def test_a_map_of_zeros_foretells_nothing_and_a_dead_model_has_nothing_to_foretell() -> None:
    zeros = drain(infidelity(linear, IMAGE, np.zeros(IMAGE.shape)))
    assert (zeros.scaled, zeros.factor) == (1.0, 0.0)
    dead = drain(infidelity(lambda x: np.ones(len(x)), IMAGE, WEIGHTS))
    assert dead.scaled is None


@pytest.mark.parametrize("meaning", ["gradient", "contribution"])
def test_infidelity_is_that_of_captum(meaning: str) -> None:
    phi = np.random.default_rng(4).normal(size=IMAGE.shape)
    score = Recording()
    work = infidelity(
        score,
        IMAGE,
        phi,
        meaning=meaning,
        samples=SAMPLES,
        batch=5,
        side=6,  # type: ignore[arg-type]
    )
    ours = drain(work)
    images = torch.from_numpy(np.concatenate(score.images[1:])).double()
    x = torch.from_numpy(IMAGE[None]).double()
    moved = x - images
    if meaning == "contribution":
        moved = (moved != 0).double()

    def forward(inputs: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(curved(inputs.numpy()))

    peers = [
        captum_infidelity(
            forward,
            lambda _: (moved, images),
            x,
            torch.from_numpy(phi[None]),
            n_perturb_samples=SAMPLES,
            normalize=normalize,
        ).item()
        for normalize in (False, True)
    ]
    assert ours.value == pytest.approx(peers[0], rel=1e-6)
    changes = curved(IMAGE[None]) - curved(images.numpy())
    assert ours.scaled is not None
    assert ours.scaled * np.mean(changes**2) == pytest.approx(peers[1], rel=1e-6)


def test_max_sensitivity_is_that_of_captum() -> None:
    asked: list[np.ndarray] = []

    def explain(images: np.ndarray) -> np.ndarray:
        asked.append(images.copy())
        return np.cos(images * WEIGHTS) * curved(images)[:, None, None, None]

    ours = drain(max_sensitivity(explain, IMAGE, samples=6, batch=4))
    noisy = torch.from_numpy(np.concatenate(asked[1:]))

    def peer_explain(inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
        return (torch.from_numpy(explain(inputs[0].numpy())),)

    peer = sensitivity_max(
        peer_explain,
        (torch.from_numpy(IMAGE[None]),),
        perturb_func=lambda *_: (noisy,),
        n_perturb_samples=6,
    )
    assert ours == pytest.approx(peer.item(), rel=1e-5)
    assert np.abs(noisy.numpy() - IMAGE).max() <= 0.02 + 1e-6


def test_a_map_that_ignores_the_image_holds_still_and_one_of_zeros_has_no_size() -> None:
    assert drain(max_sensitivity(lambda x: np.repeat(WEIGHTS[None], len(x), 0), IMAGE)) == 0
    assert drain(max_sensitivity(lambda x: 0 * x, IMAGE)) is None


def test_same_seed_same_figure_whatever_the_batch() -> None:
    one = drain(infidelity(curved, IMAGE, WEIGHTS, batch=1, samples=6, seed=3))
    other = drain(infidelity(curved, IMAGE, WEIGHTS, batch=6, samples=6, seed=3))
    assert one == other
    assert drain(infidelity(curved, IMAGE, WEIGHTS, samples=6, seed=4)) != one


def test_what_has_no_meaning_is_refused() -> None:
    with pytest.raises(SparseExplainError, match="channel"):
        drain(infidelity(linear, IMAGE, WEIGHTS.sum(axis=0), meaning="gradient"))
    with pytest.raises(SparseExplainError, match="noise"):
        drain(infidelity(linear, IMAGE, WEIGHTS, perturbation="noise"))
    assert Infidelity.of(np.zeros(3), np.zeros(3)).scaled is None
