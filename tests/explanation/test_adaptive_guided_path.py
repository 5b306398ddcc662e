"""Guided paths whose steps are as long as the gradient allows: as exact as many, for fewer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_sparseexplain.explanation.attribution.adaptive_guided_path import (
    LONGEST,
    GuidedAttribution,
    adaptive_guided_path,
    step_ends,
)
from napari_sparseexplain.explanation.attribution.guided_integrated_gradients import (
    guided_integrated_gradients,
)
from napari_sparseexplain.explanation.attribution.guided_path import GuidedPath
from napari_sparseexplain.explanation.score_function import ScoreFunction
from napari_sparseexplain.progress import drain

from .linear_score import Smooth, images, score_of

ROWS = np.arange(2)


class Threshold(torch.nn.Module):
    """Answers nothing until the image is bright enough; then its gradient jumps pixel by pixel."""

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
        return torch.relu(3 * x - 2 * x.roll(1, dims=-1) - 0.4).flatten(1).sum(1, keepdim=True)


def adaptive(score: ScoreFunction, x: torch.Tensor, tolerance: float) -> GuidedAttribution:
    path = GuidedPath(x, torch.zeros_like(x), 0.25, 0.02, "movable")
    return drain(adaptive_guided_path(score, path, ROWS, 200, tolerance))


def equal(score: ScoreFunction, x: torch.Tensor, steps: int) -> torch.Tensor:
    work = guided_integrated_gradients(score, x, torch.zeros_like(x), ROWS, n_steps=steps)
    return drain(work).values


def away(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.linalg.vector_norm(one - other) / torch.linalg.vector_norm(other))


@pytest.mark.parametrize("network", [Smooth(), Threshold()])
def test_a_few_steps_come_as_near_to_many_as_was_asked(network: torch.nn.Module) -> None:
    score, x = score_of(network), images(foreground=0.7)
    many = equal(score, x, 1000)
    found = adaptive(score, x, 0.05)
    assert max(found.gradients) <= 60
    assert away(found.values, many) < 0.05


def test_a_finer_tolerance_takes_more_gradients_and_keeps_its_word() -> None:
    score, x = score_of(Threshold()), images(foreground=0.7)
    coarse, fine = adaptive(score, x, 0.2), adaptive(score, x, 0.01)
    assert max(coarse.error) <= 0.2
    assert max(fine.error) <= 0.01
    assert min(fine.gradients) > max(coarse.gradients)
    gaps = (fine.values.flatten(1).sum(dim=1) - fine.change).abs() / fine.change.abs()
    assert float(gaps.max()) < 0.01


def test_the_change_is_that_of_the_score_from_the_baseline_to_the_image() -> None:
    score, x = score_of(Smooth()), images()
    with torch.no_grad():
        change = score(x, ROWS) - score(torch.zeros_like(x), ROWS)
    torch.testing.assert_close(adaptive(score, x, 0.05).change, change.double())


def test_an_image_that_is_its_baseline_gets_nothing() -> None:
    score, x = score_of(Smooth()), torch.zeros_like(images())
    assert not adaptive(score, x, 0.05).values.any()


def test_steps_end_where_the_gradient_changes_and_none_is_long() -> None:
    places, differences = np.linspace(0, 1, 11), np.zeros(10)
    differences[6] = 1.0
    ends = step_ends(places, differences, 24)
    assert (ends[0], ends[-1], len(ends)) == (0.0, 1.0, 25)
    assert np.diff(ends).max() <= LONGEST * (1 + 1e-9)
    inside = (ends >= 0.6) & (ends <= 0.7)
    assert inside.sum() > 15
    np.testing.assert_allclose(np.diff(step_ends(places, np.zeros(10), 8)), 1 / 8)
