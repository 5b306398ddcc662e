"""Insertion and deletion: what must hold on a model whose every pixel's share is known."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.explanation.trust.insertion_deletion import (
    InsertionDeletion,
    insertion_deletion,
    ranking,
)
from napari_sparseexplain.progress import drain

RNG = np.random.default_rng(0)
WEIGHTS = RNG.random((2, 12, 11))
IMAGE = RNG.random((2, 12, 11)).astype(np.float32)
IMAGE[:, :4] = 0.0  # background
PERFECT = (WEIGHTS * IMAGE).sum(axis=0)
ZERO = np.zeros_like(IMAGE)


def linear(images: np.ndarray) -> np.ndarray:
    return (images * WEIGHTS).sum(axis=(1, 2, 3))


def run(heat: np.ndarray, **options: object) -> InsertionDeletion:
    given = {"steps": 30, "insertion_from": ZERO, "deletion_to": ZERO, **options}
    return drain(insertion_deletion(linear, IMAGE, heat, **given))  # type: ignore[arg-type]


def test_no_order_beats_the_true_shares_on_a_linear_model() -> None:
    best = run(PERFECT).figures()
    worst = run(-PERFECT).figures()
    for seed in range(20):
        other = run(np.random.default_rng(seed).random(PERFECT.shape)).figures()
        assert worst["insertion AUC"] < other["insertion AUC"] < best["insertion AUC"]
        assert best["deletion AUC"] < other["deletion AUC"] < worst["deletion AUC"]


def test_on_a_linear_model_the_two_curves_mirror_each_other() -> None:
    found = run(PERFECT)
    assert found.insertion.scaled is not None
    assert found.deletion.scaled is not None
    assert np.allclose(found.insertion.scaled + found.deletion.scaled, 1)
    assert found.insertion.scores[-1] == pytest.approx(linear(IMAGE[None])[0])
    assert found.deletion.scores[-1] == 0


def test_background_is_left_out_of_the_order() -> None:
    """A map that is high on the background, where nothing can change, loses nothing."""
    heat = PERFECT.copy()
    heat[:4] = 100.0
    assert run(heat).figures() == run(PERFECT).figures()
    assert run(PERFECT).insertion.shares.size == 31


def test_batches_change_nothing_and_the_seed_orders_only_ties() -> None:
    one, four = run(PERFECT, batch=1), run(PERFECT, batch=4)
    assert np.array_equal(one.insertion.scores, four.insertion.scores)
    assert run(PERFECT, seed=1).figures() == one.figures()
    flat = [run(np.ones(PERFECT.shape), seed=k).insertion.auc for k in range(5)]
    assert len(set(flat)) == 5
    assert np.mean([a for a in flat if a is not None]) == pytest.approx(0.5, abs=0.06)


def test_ranking_takes_each_pixel_once() -> None:
    heat = np.round(np.random.default_rng(5).random((6, 7)) * 3)
    chosen = np.random.default_rng(6).random((6, 7)) < 0.5
    order = ranking(heat, chosen, 0)
    assert sorted(order) == list(np.flatnonzero(chosen))
    assert (np.diff(heat.ravel()[order]) <= 0).all()


def test_an_image_that_scores_no_higher_than_its_baseline_gives_none() -> None:
    found = drain(insertion_deletion(lambda x: -linear(x), IMAGE, PERFECT, insertion_from=ZERO))
    assert found.figures() == {"insertion AUC": None, "deletion AUC": None}
    same = drain(
        insertion_deletion(linear, IMAGE, PERFECT, insertion_from=IMAGE, deletion_to=IMAGE)
    )
    assert same.figures() == {"insertion AUC": None, "deletion AUC": None}


def test_insertion_starts_from_the_blurred_image_unless_told() -> None:
    started = []

    def watched(images: np.ndarray) -> np.ndarray:
        started.append(images[0])
        return linear(images)

    drain(insertion_deletion(watched, IMAGE, PERFECT))
    assert not np.allclose(started[0], IMAGE)
    assert np.allclose(started[0].mean(), IMAGE.mean(), rtol=0.1)


def test_a_signed_map_counts_by_size_and_shapes_are_checked() -> None:
    assert run(-PERFECT, signed=True).figures() == run(PERFECT).figures()
    with pytest.raises(ValueError, match="shape"):
        run(PERFECT[1:])
