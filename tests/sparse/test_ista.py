"""ISTA, FISTA and ML-ISTA: their minima, their rates, and what each is a case of."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.progress import Progress, drain
from napari_sparseexplain.sparse.convolutional_dictionary import (
    analysis,
    norm_bound,
    project_to_unit_norm,
    synthesis,
)
from napari_sparseexplain.sparse.fista import fista
from napari_sparseexplain.sparse.ista import ista
from napari_sparseexplain.sparse.jf_ml_ista import ClassModel, effective_thresholds, jf_ml_ista
from napari_sparseexplain.sparse.ml_ista import ml_ista
from napari_sparseexplain.sparse.pursuit_trace import Pursuit

LEVEL = 0.15


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def problem(images: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    return drawn(images, 2, 11, 10, seed=1), project_to_unit_norm(drawn(4, 2, 3, 3))


def best(prox: str) -> Pursuit:
    x, weight = problem()
    return drain(fista(x, weight, LEVEL, iterations=5000, tolerance=1e-12, prox=prox))


@pytest.mark.parametrize("prox", ["soft", "relu"])
def test_the_minimum_satisfies_the_optimality_conditions(prox):
    _, weight = problem()
    found = best(prox)
    assert found.converged
    codes, slope = found.codes[0], analysis(found.residual, weight)
    assert 0 < float((codes != 0).double().mean()) < 1
    on = codes != 0
    torch.testing.assert_close(slope[on], LEVEL * codes[on].sign(), rtol=0, atol=1e-5)
    if prox == "soft":
        assert float(slope.abs().max()) <= LEVEL + 1e-5
    else:
        assert float(codes.min()) >= 0
        assert float(slope.max()) <= LEVEL + 1e-5


@pytest.mark.parametrize("method", [ista, fista])
def test_one_step_from_zero_is_the_layered_threshold(method):
    x, weight = problem()
    step = 1 / norm_bound(weight)
    z = step * analysis(x, weight)
    expected = z.sign() * (z.abs() - step * LEVEL).clamp_min(0)
    found = drain(method(x, weight, LEVEL, iterations=1)).codes[0]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("prox", ["soft", "relu"])
def test_ista_never_rises_and_falls_as_fast_as_it_must(prox):
    x, weight = problem()
    least = best(prox)
    found = drain(ista(x, weight, LEVEL, iterations=150, prox=prox))
    values = np.array([row.objective for row in found.trace])
    assert (np.diff(values) <= 1e-12).all()
    # Beck & Teboulle 2009, Theorem 3.1: F(z_k) - F* <= L ‖z_0 - z*‖² / (2 k).
    start = float(norm_bound(weight)) * float(least.codes[0].square().sum())
    k = np.arange(1, 151)
    assert (values - least.trace[-1].objective <= start / (2 * k) + 1e-9).all()


@pytest.mark.parametrize("prox", ["soft", "relu"])
def test_fista_falls_with_the_square_and_is_ahead_of_ista(prox):
    x, weight = problem()
    least = best(prox)
    found = drain(fista(x, weight, LEVEL, iterations=150, prox=prox, restart=False))
    values = np.array([row.objective for row in found.trace])
    # Theorem 4.4: F(z_k) - F* <= 2 L ‖z_0 - z*‖² / (k + 1)².
    start = float(norm_bound(weight)) * float(least.codes[0].square().sum())
    k = np.arange(1, 151)
    assert (values - least.trace[-1].objective <= 2 * start / (k + 1) ** 2 + 1e-9).all()
    slow = drain(ista(x, weight, LEVEL, iterations=60, prox=prox)).trace[-1].objective
    quick = drain(fista(x, weight, LEVEL, iterations=60, prox=prox)).trace[-1].objective
    assert quick <= slow


@pytest.mark.parametrize("prox", ["soft", "relu"])
@pytest.mark.parametrize("method", [ista, fista])
def test_the_certified_gap_is_never_below_the_true_one(method, prox):
    x, weight = problem()
    least = best(prox).trace[-1].objective
    found = drain(method(x, weight, LEVEL, iterations=80, prox=prox))
    for row in found.trace:
        assert row.gap >= (row.objective - least) / row.objective - 1e-11
    assert found.trace[-1].gap < 0.3 * found.trace[0].gap


@pytest.mark.parametrize("method", [ista, fista])
def test_trace_and_parts_say_what_the_codes_say(method):
    x, weight = problem()
    found = drain(method(x, weight, LEVEL, iterations=12))
    codes, row = found.codes[0], found.trace[-1]
    torch.testing.assert_close(found.reconstruction, synthesis(codes, weight), rtol=0, atol=1e-13)
    torch.testing.assert_close(found.reconstruction + found.residual, x, rtol=0, atol=1e-14)
    value = 0.5 * float(found.residual.square().sum()) + LEVEL * float(codes.abs().sum())
    assert [r.iteration for r in found.trace] == list(range(1, 13))
    assert row.objective == pytest.approx(value, rel=1e-12)
    assert row.residual == pytest.approx(float(found.residual.norm()))
    assert row.nonzero == pytest.approx(float((codes != 0).double().mean()))


@pytest.mark.parametrize("method", [ista, fista])
def test_images_of_a_batch_do_not_know_of_each_other(method):
    x, weight = problem(3)
    whole = drain(method(x, weight, LEVEL, iterations=30)).codes[0]
    for i in range(3):
        alone = drain(method(x[i : i + 1], weight, LEVEL, iterations=30)).codes[0]
        torch.testing.assert_close(alone[0], whole[i], rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", [ista, fista])
def test_it_yields_its_progress_stops_at_its_tolerance_and_may_be_stopped(method):
    x, weight = problem()
    work = method(x, weight, LEVEL, iterations=1000, tolerance=0.01)
    first = next(work)
    assert isinstance(first, Progress)
    assert (first.done, first.total) == (1, 1000)
    found = drain(work)
    assert found.converged
    assert found.trace[-1].gap <= 0.01
    assert all(row.gap > 0.01 for row in found.trace[:-1])
    cancelled = method(x, weight, LEVEL)
    next(cancelled)
    cancelled.close()


def layered(channels: int = 2, *, threshold: float = 0.02, level: float = 0.01) -> ClassModel:
    one = torch.tensor(1.0, dtype=torch.float64)
    return ClassModel(
        project_to_unit_norm(drawn(5, channels, 3, 3)),
        [project_to_unit_norm(drawn(4, 5, 3, 3, seed=2))],
        threshold * one,
        0.8 * one,
        [level * one],
        [0.9 * one],
    )


@pytest.mark.parametrize("prox", ["soft", "relu"])
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_ml_ista_is_joint_feature_ml_ista_with_one_class(prox, channels):
    x, one = drawn(2, channels, 9, 8, seed=4), layered(channels)
    found = drain(ml_ista(x, one, iterations=6, prox=prox))
    other = jf_ml_ista(x, [one], outer=1, inner=6, prox=prox)
    assert float(found.codes[-1].abs().max()) > 1e-3
    for mine, theirs in zip(found.codes, other.layer_codes[0], strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-13)
    torch.testing.assert_close(found.residual, other.residual, rtol=0, atol=1e-13)


def test_ml_ista_without_layers_is_ista():
    x, weight = problem()
    one = torch.tensor(1.0, dtype=torch.float64)
    step = 1 / norm_bound(weight)
    model = ClassModel(weight, [], LEVEL * one, step, [], [])
    found = drain(ml_ista(x, model, iterations=20, prox="soft"))
    other = drain(ista(x, weight, LEVEL, iterations=20))
    torch.testing.assert_close(found.codes[0], other.codes[0], rtol=0, atol=1e-13)
    assert found.trace[-1].objective == pytest.approx(other.trace[-1].objective, rel=1e-12)


def test_ml_ista_traces_the_objective_with_the_effective_multipliers_and_falls_where_it_must():
    x, one = drawn(1, 2, 9, 8, seed=4), layered(threshold=0.0)
    found = drain(ml_ista(x, one, iterations=50, prox="soft"))
    multipliers = effective_thresholds(one)
    value = 0.5 * found.residual.square().sum()
    for multiplier, codes in zip(multipliers, found.codes, strict=True):
        value = value + multiplier * codes.abs().sum()
    values = np.array([row.objective for row in found.trace])
    assert values[-1] == pytest.approx(float(value))
    assert (np.diff(values) <= 1e-12).all()
    assert values[-1] < values[0]


def test_ml_ista_stops_when_its_codes_do():
    x, one = drawn(1, 2, 9, 8, seed=4), layered()
    found = drain(ml_ista(x, one, iterations=5000, tolerance=1e-6))
    assert found.converged
    assert len(found.trace) < 5000
    more = drain(ml_ista(x, one, iterations=len(found.trace) + 1)).codes[-1]
    change = float((more - found.codes[-1]).norm() / more.norm())
    assert change <= 2e-6


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"x": torch.zeros(2, 11, 10)}, "shape"),
        ({"x": torch.zeros(1, 3, 11, 10)}, "2 modalities and there are 3"),
        ({"x": torch.full((1, 2, 5, 5), float("nan"))}, "NaN"),
        ({"weight": torch.zeros(4, 2, 3, 3)}, "zeros"),
        ({"weight": torch.zeros(4, 2, 2, 2)}, "dictionary"),
        ({"multiplier": -0.1}, "multiplier"),
        ({"multiplier": float("nan")}, "multiplier"),
        ({"iterations": 0}, "iterations"),
    ],
)
@pytest.mark.parametrize("method", [ista, fista])
def test_what_cannot_be_coded_is_refused(method, changes, said):
    x, weight = problem()
    given = {"x": x, "weight": weight, "multiplier": LEVEL} | changes
    with pytest.raises(SparseExplainError, match=said):
        drain(method(**given))


def test_layers_that_do_not_follow_each_other_are_refused():
    x, one = drawn(1, 2, 9, 8), layered()
    wrong = ClassModel(
        one.phi, [drawn(4, 6, 3, 3)], one.threshold, one.step, one.layer_thresholds, one.layer_steps
    )
    with pytest.raises(SparseExplainError, match="cannot follow"):
        drain(ml_ista(x, wrong))
    with pytest.raises(SparseExplainError, match="cannot follow"):
        jf_ml_ista(x, [wrong])
