"""Embeddings of activations, and what a point's neighbours tell."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from napari_sparseexplain.errors import ParameterError, SparseExplainError
from napari_sparseexplain.explanation.embedding import tsne
from napari_sparseexplain.explanation.embedding.tsne import (
    principal_components,
    tsne_embedding,
    tsne_work,
)
from napari_sparseexplain.training.evaluate.tissue_layers import told_by_neighbours


@pytest.fixture(scope="module")
def groups() -> tuple[np.ndarray, np.ndarray]:
    """Three groups of points in 60 dimensions."""
    rng = np.random.default_rng(0)
    of = np.repeat(np.arange(3), 30)
    centres = rng.normal(0, 5, (3, 60))
    return centres[of] + rng.normal(0, 0.5, (90, 60)), of


def test_what_lies_together_stays_together(groups) -> None:
    points, of = groups
    places = tsne_embedding(points, seed=1)
    assert places.shape == (90, 2)
    assert np.array_equal(places, tsne_embedding(points, seed=1)), "same seed, same places"
    distance = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(distance, np.inf)
    assert (of[distance.argmin(axis=1)] == of).all()


def test_neighbours_tell_what_they_share(groups) -> None:
    points, of = groups
    noise = np.random.default_rng(1).normal(size=len(of))
    told = told_by_neighbours(points, np.column_stack([of, noise]))
    assert told[0] == pytest.approx(1.0)
    assert told[1] < 0.2


def test_principal_components_keep_the_distances(groups) -> None:
    points, _ = groups
    few = principal_components(points, 55)
    assert few.shape == (90, 55)
    one, other = (np.linalg.norm(p[0] - p[1:], axis=1) for p in (points, few))
    assert np.corrcoef(one, other)[0, 1] > 0.999


def test_what_cannot_be_embedded_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (np.zeros((5, 3)), np.zeros(40), np.full((40, 2), np.nan)):
        with pytest.raises(ParameterError, match="cannot be embedded"):
            tsne_embedding(wrong)
    monkeypatch.setattr(tsne, "find_spec", lambda _: None)
    with pytest.raises(SparseExplainError, match="openTSNE"):
        tsne_embedding(np.random.default_rng(0).normal(size=(30, 3)))


def test_it_can_be_cancelled_while_it_computes() -> None:
    pytest.importorskip("openTSNE")
    before = threading.active_count()
    work = tsne_work(np.random.default_rng(0).normal(size=(200, 5)), title="the pictures")
    steps = [next(work) for _ in range(3)]
    work.close()
    assert [step.done for step in steps] == [0, 25, 50]
    assert steps[1].total == 750
    assert "the pictures" in steps[1].message
    assert threading.active_count() == before, "openTSNE was stopped"
