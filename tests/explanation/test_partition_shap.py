"""Partition SHAP: Owen values against their definition, and what holds however few the scores."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.explanation.attribution.partition_shap.owen_values import owen_values
from napari_sparseexplain.explanation.attribution.partition_shap.region_tree import (
    RegionTree,
    halved_box,
    halved_segments,
)
from napari_sparseexplain.explanation.attribution.partition_shap.slices import partition_shap
from napari_sparseexplain.progress import drain

from .linear_score import Linear, Smooth, images, score_of

ROWS = np.arange(2)


def by_definition(value, tree: RegionTree) -> np.ndarray:
    """Mean contribution of each leaf over all orders in which no other comes into a region."""
    total = np.zeros(tree.count)
    regions = list(tree.middles)
    turns = list(product((False, True), repeat=len(regions)))
    for turned in turns:
        flipped = dict(zip(regions, turned, strict=True))

        def order(span, flipped=flipped) -> list[int]:
            if span not in tree.middles:
                return list(range(*span))
            halves = [(span[0], tree.middles[span]), (tree.middles[span], span[1])]
            return [leaf for half in halves[:: -1 if flipped[span] else 1] for leaf in order(half)]

        shown = np.zeros((tree.count + 1, tree.count), dtype=bool)
        places = order((0, tree.count))
        for n, leaf in enumerate(places):
            shown[n + 1 :, leaf] = True
        total[places] += np.diff(value(shown))
    return total / len(turns)


def game(count: int, seed: int = 0):
    """A score with interactions between all leaves."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=2**count)
    return lambda leaves: scores[leaves @ (1 << np.arange(count))]


@pytest.mark.parametrize(
    "tree",
    [
        halved_box(np.ones((1, 2, 4), dtype=bool), 1),
        halved_box(np.ones((1, 1, 5), dtype=bool), 1),
        halved_segments(np.ones((1, 4, 4), dtype=bool), np.arange(16).reshape(4, 4) // 2),
    ],
)
def test_with_all_scores_they_are_the_owen_values(tree: RegionTree) -> None:
    value = game(tree.count)
    found = drain(owen_values(value, tree, evaluations=1000))
    np.testing.assert_allclose(found.leaves, by_definition(value, tree), atol=1e-12)
    assert found.evaluations <= 44


@pytest.mark.parametrize("evaluations", [2, 3, 10, 21, 44])
def test_they_add_up_after_any_number_of_scores(evaluations: int) -> None:
    asked = []
    tree = halved_box(np.ones((1, 2, 4), dtype=bool), 1)

    def value(leaves: np.ndarray) -> np.ndarray:
        asked.append(len(leaves))
        return game(8)(leaves)

    found = drain(owen_values(value, tree, evaluations=evaluations))
    assert found.leaves.sum() == pytest.approx(found.change, abs=1e-12)
    assert sum(asked) == found.evaluations <= evaluations


def test_scores_go_where_most_is_at_stake() -> None:
    """Of an additive score where one leaf matters, it is found and the others get nothing."""
    tree = halved_box(np.ones((1, 32, 32), dtype=bool), 1)
    leaf = tree.labels[0, 13, 21]
    found = drain(owen_values(lambda leaves: 3.0 * leaves[:, leaf], tree, evaluations=2500))
    assert np.flatnonzero(found.leaves).tolist() == [leaf]
    assert found.leaves[leaf] == pytest.approx(3.0)


def test_boxes_are_cut_back_to_what_differs_and_cover_it() -> None:
    differs = np.zeros((2, 20, 16), dtype=bool)
    differs[0, 3:9, 2:14] = True
    differs[1, 8:12, 5] = True
    together, apart = halved_box(differs, 3), halved_box(differs, 3, apart=True)
    np.testing.assert_array_equal(together.labels[0] >= 0, differs.any(axis=0))
    np.testing.assert_array_equal(apart.labels >= 0, differs)
    for tree in (together, apart):
        assert len(tree.middles) == tree.count - 1
        assert (tree.sizes > 0).all()
        for leaf in range(tree.count):
            channels, rows, columns = np.nonzero(tree.labels == leaf)
            assert np.ptp(channels) == 0
            assert max(np.ptp(rows), np.ptp(columns)) < 3
    assert apart.middles[0, apart.count] == apart.labels[0].max() + 1  # channels are parted first


def test_segments_stay_whole_also_about_one_centre() -> None:
    segments = np.zeros((9, 9), dtype=int)
    segments[2:7, 2:7] = 1
    segments[4, 4] = 2
    differs = np.ones((3, 9, 9), dtype=bool)
    differs[:, 0] = False
    tree = halved_segments(differs, segments)
    assert tree.count == 3
    for leaf in range(3):
        assert len(np.unique(segments[tree.labels[0] == leaf])) == 1
    apart = halved_segments(differs, segments, apart=True)
    assert apart.count == 9
    assert len(apart.middles) == 8
    np.testing.assert_array_equal(apart.labels >= 0, differs)


@pytest.mark.parametrize("modalities", ["together", "apart"])
def test_on_a_linear_model_a_region_gets_what_its_pixels_add(modalities: str) -> None:
    network, x = Linear(), images(1, foreground=0.7)
    apart = modalities == "apart"
    found = drain(
        partition_shap(
            score_of(network),
            x,
            x * 0,
            ROWS[:1],
            evaluations=5000,
            smallest=6,
            modalities=modalities,
        )
    )
    wanted = (network.weight * x)[0].detach().numpy()
    tree = halved_box((x[0] != 0).numpy(), 6, apart=apart)
    labels = np.broadcast_to(tree.labels, wanted.shape)
    inside = labels >= 0
    sums = np.bincount(labels[inside], wanted[inside])
    each = (sums / tree.sizes)[tree.labels] * (tree.labels >= 0)
    np.testing.assert_allclose(found.values[0], each, atol=1e-12)
    assert found.gaps().max() < 1e-12


@pytest.mark.parametrize("modalities", ["together", "apart"])
def test_segments_of_the_image_can_be_its_regions(modalities: str) -> None:
    x = torch.zeros(1, 2, 64, 64, dtype=torch.float64)
    x[:, 0, 8:56, 8:56] = 0.3
    x[:, :, 20:40, 20:44] = 1.0
    network = Linear()
    network.weight = nn.Parameter(torch.ones(2, 64, 64, dtype=torch.float64))
    found = drain(
        partition_shap(
            score_of(network), x, x * 0, ROWS[:1], regions="segments", modalities=modalities
        )
    ).values
    bright = found[0, :, 30, 30].sum()
    assert bright == pytest.approx(2.0, rel=0.15)
    assert bright > 3 * found[0, :, 12, 12].sum() > 0
    assert not found[..., :6].any()


def test_an_image_of_few_regions_is_that_of_the_definition() -> None:
    """Eight boxes of a picture, through the network, against every order of hiding them."""
    score, x = score_of(Smooth()), images(1)
    start = x.mean(dim=(2, 3), keepdim=True).expand_as(x).clone()
    found = drain(partition_shap(score, x, start, ROWS[:1], evaluations=30, smallest=6)).values
    tree = halved_box(np.ones((2, 14, 11), dtype=bool), 6)
    assert tree.count == 8

    def value(leaves: np.ndarray) -> np.ndarray:
        shown = torch.from_numpy(leaves[:, tree.labels[0]])[:, None]
        return score.scores(torch.where(shown, x, start).numpy(), np.zeros(len(leaves), dtype=int))

    wanted = by_definition(value, tree)
    whole = drain(partition_shap(score, x, start, ROWS[:1], evaluations=44, smallest=6)).values
    sums = np.bincount(tree.labels.ravel(), whole.numpy().ravel())
    np.testing.assert_allclose(sums, wanted, atol=1e-10)
    assert float(found.sum()) == pytest.approx(float(whole.sum()), abs=1e-10)


def test_a_batch_gives_what_its_images_give_alone() -> None:
    score, x = score_of(Smooth()), images(foreground=0.8)
    together = drain(partition_shap(score, x, x * 0, ROWS, evaluations=40)).values
    alone = drain(partition_shap(score, x[1:], x[1:] * 0, ROWS[1:], evaluations=40)).values
    torch.testing.assert_close(together[1:], alone)


class NotDifferentiable(nn.Module):
    """Its output has lost its gradient, as that of a model in another process."""

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
        return torch.from_numpy(x.detach().numpy().sum(axis=(1, 2, 3), keepdims=True)[:, :, 0, 0])


def test_it_needs_no_gradient_and_an_image_like_its_baseline_gets_nothing() -> None:
    score, x = score_of(NotDifferentiable()), images()
    found = drain(partition_shap(score, x, x * 0, ROWS, evaluations=100))
    assert found.values.abs().max() > 0
    assert found.gaps().max() < 1e-10
    same = drain(partition_shap(score, x, x.clone(), ROWS, evaluations=100))
    assert not same.values.any()
    assert not same.change.any()


def test_a_score_that_is_not_finite_is_refused() -> None:
    class Log(Smooth):
        def forward(self, x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
            return x.log().flatten(1).sum(dim=1, keepdim=True)

    with pytest.raises(ModelError, match="with a part of the image hidden"):
        drain(partition_shap(score_of(Log()), images() + 0.1, images() * 0, ROWS))


@pytest.mark.parametrize("modalities", ["together", "apart"])
def test_modalities_have_one_map_or_one_each(modalities: str) -> None:
    rng = np.random.default_rng(0)
    study = se.study_of_arrays({r: rng.random((1, 20, 20)) for r in ("t1", "flair")})
    torch.manual_seed(0)
    module = nn.Conv2d(2, 2, 3, padding=1)
    how: dict[str, Any] = {"evaluations": 60, "modalities": modalities, "roles": ("t1", "flair")}
    found = se.explain(study, module, "partition-shap", target="class:1", **how)
    names = ["heatmap", "heatmap-t1", "heatmap-flair"]
    assert [m.name for m in found.maps] == (names if modalities == "apart" else names[:1])
    assert found.scores["completeness error"] == pytest.approx(0, abs=1e-5)
    assert any("adds up by construction" in note for note in found.notes)
