"""What the figures of a map against a mask must satisfy, and what they agree with."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.evidence.attribution_scores import (
    LOCALISATION,
    centre_map,
    edge_map,
    localisation,
    localisation_figures,
    mean_figures,
    mean_localisation,
    random_map,
)


def disc(size: int = 40, radius: float = 8.0) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size]
    return np.hypot(rows - 22, columns - 15) <= radius


def test_the_mask_itself_scores_one_everywhere() -> None:
    mask = disc()
    assert localisation_figures(mask.astype(float), mask) == dict.fromkeys(LOCALISATION, 1.0)


def test_the_opposite_of_the_mask_scores_lowest() -> None:
    mask = disc()
    found = localisation_figures(1.0 - mask, mask)
    assert found["pointing game"] == 0
    assert found["relevance mass"] == 0
    assert found["relevance rank"] == 0
    assert found["AUPRC"] == pytest.approx(mask.mean())


@pytest.mark.parametrize("levels", [3, 40, None])
@pytest.mark.parametrize("seed", range(5))
def test_auprc_is_that_of_sklearn_with_and_without_ties(seed: int, levels: int | None) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((25, 31)) < 0.2
    heat = rng.normal(size=mask.shape) + mask
    if levels is not None:
        heat = np.round(heat * levels / 4)
    ours = localisation_figures(heat, mask)["AUPRC"]
    assert ours == pytest.approx(average_precision_score(mask.ravel(), heat.ravel()), abs=1e-12)


@pytest.mark.parametrize("name", LOCALISATION)
def test_random_maps_score_the_prevalence(name: str) -> None:
    mask = disc()
    draws = [localisation_figures(random_map(mask.shape, k), mask) for k in range(300)]
    assert mean_figures(draws)[name] == pytest.approx(mask.mean(), abs=0.06)


def test_order_of_pixels_in_memory_gains_nothing() -> None:
    """With ties, a turned picture scores the same, and the rank is the mean over random orders."""
    rng = np.random.default_rng(3)
    mask, heat = disc(), rng.integers(0, 4, (40, 40)).astype(float)
    assert localisation_figures(heat, mask) == localisation_figures(
        heat[::-1, ::-1], mask[::-1, ::-1]
    )
    drawn = []
    for _ in range(400):
        noise = 1e-6 * rng.random(mask.shape)
        drawn.append(localisation_figures(heat + noise, mask))
    means, tied = mean_figures(drawn), localisation_figures(heat, mask)
    assert tied["relevance rank"] == pytest.approx(means["relevance rank"], abs=0.01)
    assert tied["pointing game"] == pytest.approx(means["pointing game"], abs=0.06)


def test_ranks_do_not_depend_on_the_scale_of_a_map() -> None:
    rng = np.random.default_rng(1)
    mask, heat = disc(), rng.random((40, 40))
    one, other = localisation_figures(heat, mask), localisation_figures(np.exp(5 * heat), mask)
    for name in ("pointing game", "relevance rank", "AUPRC"):
        assert one[name] == other[name]


@pytest.mark.parametrize("mask", [np.zeros((9, 9)), np.ones((9, 9))], ids=["empty", "full"])
def test_a_mask_that_tells_nothing_apart_gives_none(mask: np.ndarray) -> None:
    heat = np.random.default_rng(0).random(mask.shape)
    assert localisation_figures(heat, mask) == dict.fromkeys(LOCALISATION)
    both = localisation(heat, mask, heat[None])
    assert set(both.random.values()) == set(both.edge.values()) == {None}


def test_a_constant_map_gives_none_and_a_negative_one_has_no_mass() -> None:
    mask = disc()
    assert localisation_figures(np.full(mask.shape, 2.0), mask) == dict.fromkeys(LOCALISATION)
    found = localisation_figures(mask - 2.0, mask)
    assert found["relevance mass"] is None
    assert found["AUPRC"] == 1.0


def test_a_signed_map_counts_by_its_size() -> None:
    mask = disc()
    found = localisation(-1.0 * mask, mask, signed=True)
    assert found.map == dict.fromkeys(LOCALISATION, 1.0)
    assert set(found.edge.values()) == {None}
    assert found.prevalence == pytest.approx(mask.mean())


def test_a_map_that_is_not_finite_is_refused_with_its_count() -> None:
    heat = np.zeros((5, 5))
    heat[1, 1:3] = np.nan
    with pytest.raises(SparseExplainError, match="2 NaN"):
        localisation_figures(heat, np.eye(5))


def test_edges_are_where_the_image_changes_and_random_maps_stay_in_the_head() -> None:
    head = disc(60, 14).astype(float)
    edges = edge_map(head)
    assert edges[22, 15] == 0
    assert edges[22, 15 + 14] > 0
    assert np.allclose(edge_map(3 * head), 3 * edges)
    assert np.allclose(edge_map(head[None])[0], edges)  # a volume of one slice is that slice
    assert not random_map(head.shape, 0, head != 0)[head == 0].any()
    # Knowing where the head is lifts the random map above the prevalence in the whole picture.
    lesion = disc(60, 5)
    known = localisation(head, lesion, head[None])
    blind = localisation(head, lesion)
    assert (known.random["AUPRC"] or 0) > 2 * (blind.random["AUPRC"] or 1)


def test_same_seed_same_figures_and_means_leave_out_what_does_not_apply() -> None:
    mask, heat = disc(), np.random.default_rng(2).random((40, 40))
    assert localisation(heat, mask, heat[None]) == localisation(heat, mask, heat[None])
    empty = localisation(heat, np.zeros_like(mask), heat[None])
    full = localisation(heat, mask, heat[None])
    assert mean_localisation([empty, full]) == full


def test_a_volume_scores_like_any_array() -> None:
    mask = np.stack([disc(), disc(radius=4.0)])
    heat = np.random.default_rng(4).random(mask.shape) + mask
    assert localisation_figures(heat, mask) == localisation_figures(
        heat.reshape(2, -1), mask.reshape(2, -1)
    )
    edges = localisation(heat, mask, heat[None]).edge
    assert edges["AUPRC"] is not None


def test_the_centre_map_is_a_gaussian_on_the_head_and_on_the_picture_without_one() -> None:
    rows, columns = np.ogrid[:60, :80]
    head = ((rows - 20) / 15) ** 2 + ((columns - 50) / 20) ** 2 <= 1
    found = centre_map(head)
    assert np.unravel_index(int(found.argmax()), found.shape) == (20, 50)
    assert not found[~head].any()
    # σ is half the radius: two of them at the rim, in both directions.
    assert found[20 + 15, 50] == pytest.approx(np.exp(-2), rel=0.05)
    assert found[20, 50 + 20] == pytest.approx(np.exp(-2), rel=0.05)
    whole = centre_map(np.zeros((41, 61), dtype=bool))
    assert np.unravel_index(int(whole.argmax()), whole.shape) == (20, 30)
    assert (whole > 0).all()
    assert centre_map(np.ones((1, 5), dtype=bool))[0].argmax() == 2
