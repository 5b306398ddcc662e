"""Convolutional sparse coding by ADMM reaches the minimum of its own objective, and says so."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.progress import drain
from napari_sparseexplain.sparse.csc_admm import csc_admm, largest_multiplier
from napari_sparseexplain.sparse.pursuit_trace import write_traces


def problem(count: int = 6, size: tuple[int, int] = (18, 21), k: tuple[int, int] = (4, 3)):
    generator = torch.Generator().manual_seed(3)
    filters = torch.randn(count, *k, generator=generator, dtype=torch.float64)
    filters /= filters.norm(dim=(1, 2), keepdim=True)
    return torch.randn(size, generator=generator, dtype=torch.float64), filters


@functools.cache
def least_objective() -> tuple[float, float]:
    """A multiplier for `problem` and the least objective there, to ten digits."""
    x, filters = problem()
    multiplier = 0.1 * largest_multiplier(x, filters)
    best = drain(csc_admm(x, filters, multiplier, iterations=4000, tolerance=1e-10))
    return multiplier, best.trace[-1].objective


def painted(codes: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """Σ_k d_k ∗ z_k going round at the borders, by adding shifted maps: no transform."""
    total = np.zeros(codes.shape[1:])
    for code, weight in zip(codes, filters, strict=True):
        for (i, j), value in np.ndenumerate(weight):
            total += value * np.roll(code, (i, j), axis=(0, 1))
    return total


def correlated(image: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """Dᵀ x by the same shifts backwards."""
    out = np.zeros((len(filters), *image.shape))
    for k, weight in enumerate(filters):
        for (i, j), value in np.ndenumerate(weight):
            out[k] += value * np.roll(image, (-i, -j), axis=(0, 1))
    return out


@pytest.mark.parametrize("count", [1, 5, 6])
@pytest.mark.parametrize("size", [(18, 21), (16, 16), (4, 9)])
def test_reconstruction_is_the_codes_painted_and_residual_the_rest(count, size):
    x, filters = problem(count, size)
    found = drain(csc_admm(x, filters, 0.3, iterations=20, tolerance=0))
    codes = found.codes[0][0].numpy()
    assert codes.shape == (count, *size)
    expected = painted(codes, filters.numpy())
    np.testing.assert_allclose(found.reconstruction[0, 0].numpy(), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(found.reconstruction + found.residual, x[None, None])
    value = 0.5 * np.square(x.numpy() - expected).sum() + 0.3 * np.abs(codes).sum()
    row = found.trace[-1]
    assert row.iteration == 20
    assert row.objective == pytest.approx(value, rel=1e-12)
    assert row.residual == pytest.approx(float(found.residual.norm()))
    assert row.nonzero == pytest.approx(np.count_nonzero(codes) / codes.size)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
def test_it_ends_where_the_optimality_conditions_hold(share):
    x, filters = problem()
    multiplier = share * largest_multiplier(x, filters)
    found = drain(csc_admm(x, filters, multiplier, iterations=4000, tolerance=1e-9))
    assert found.converged
    codes = found.codes[0][0].numpy()
    slope = correlated(found.residual[0, 0].numpy(), filters.numpy())
    # 0 ∈ -Dᵀ r + λ ∂‖z‖₁
    assert np.abs(slope).max() <= multiplier * (1 + 1e-4)
    on = codes != 0
    assert on.any()
    np.testing.assert_allclose(slope[on], multiplier * np.sign(codes[on]), atol=1e-4 * multiplier)


def test_the_certified_gap_is_never_below_the_true_one():
    x, filters = problem()
    multiplier, least = least_objective()
    found = drain(csc_admm(x, filters, multiplier, iterations=60, tolerance=0, trace_every=1))
    for row in found.trace:
        assert row.gap >= (row.objective - least) / row.objective - 1e-10
    assert found.trace[-1].gap < found.trace[0].gap


def test_it_agrees_with_ista_by_shifts_alone():
    x, filters = problem(3, (9, 8))
    weights, image = filters.numpy(), x.numpy()
    multiplier = 0.2 * largest_multiplier(x, filters)
    bound = float(np.square(np.abs(weights).sum(axis=(1, 2))).sum())
    z = np.zeros((3, 9, 8))
    for _ in range(1500):
        z = z + correlated(image - painted(z, weights), weights) / bound
        z = np.sign(z) * np.maximum(np.abs(z) - multiplier / bound, 0)
    value = 0.5 * np.square(image - painted(z, weights)).sum() + multiplier * np.abs(z).sum()
    found = drain(csc_admm(x, filters, multiplier, iterations=4000, tolerance=1e-9))
    assert found.trace[-1].objective == pytest.approx(value, rel=1e-6)
    assert found.trace[-1].objective <= value * (1 + 1e-9)


@pytest.mark.parametrize("rho", [None, 0.05, 1.0, 300.0])
@pytest.mark.parametrize("relaxation", [1.0, 1.8])
def test_the_minimum_does_not_depend_on_the_penalty_or_the_relaxation(rho, relaxation):
    x, filters = problem()
    multiplier, least = least_objective()
    options = {"rho": rho, "relaxation": relaxation, "iterations": 3000, "tolerance": 1e-6}
    found = drain(csc_admm(x, filters, multiplier, **options))
    assert found.trace[-1].objective == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_an_image_in_other_units_takes_the_same_way(scale):
    x, filters = problem()
    multiplier = 0.1 * largest_multiplier(x, filters)
    one = drain(csc_admm(x, filters, multiplier, iterations=40, tolerance=0))
    other = drain(csc_admm(scale * x, filters, scale * multiplier, iterations=40, tolerance=0))
    torch.testing.assert_close(other.codes[0], scale * one.codes[0], rtol=1e-9, atol=1e-12 * scale)


def test_single_precision_finds_what_double_does():
    x, filters = problem(6, (40, 36))
    multiplier = 0.1 * largest_multiplier(x, filters)
    options = {"iterations": 150, "tolerance": 0.0}
    exact = drain(csc_admm(x, filters, multiplier, **options))
    found = drain(csc_admm(x.float(), filters.float(), multiplier, **options))
    assert found.codes[0].dtype == torch.float32
    assert found.trace[-1].objective == pytest.approx(exact.trace[-1].objective, rel=1e-5)


def test_at_the_largest_multiplier_every_code_is_zero_and_just_below_one_is_not():
    x, filters = problem()
    highest = largest_multiplier(x, filters)
    assert highest == pytest.approx(np.abs(correlated(x.numpy(), filters.numpy())).max())
    above = drain(csc_admm(x, filters, 1.0001 * highest, iterations=500, tolerance=1e-8))
    below = drain(csc_admm(x, filters, 0.98 * highest, iterations=500, tolerance=1e-8))
    assert not above.codes[0].any()
    assert below.codes[0].any()


def test_a_planted_code_is_found():
    _, filters = problem(4, (30, 30), (5, 5))
    planted = torch.zeros(4, 30, 30, dtype=torch.float64)
    planted[0, 4, 25], planted[2, 15, 9], planted[3, 28, 28] = 3.0, -2.0, 4.0
    x = torch.from_numpy(painted(planted.numpy(), filters.numpy()))
    found = drain(csc_admm(x, filters, 0.01, iterations=2000, tolerance=1e-6)).codes[0][0]
    assert torch.equal(found.abs() > 0.1, planted != 0)
    torch.testing.assert_close(found, planted, rtol=0, atol=0.1)


def test_an_image_of_nothing_needs_no_code():
    _, filters = problem()
    found = drain(csc_admm(torch.zeros(18, 21), filters.float(), 0.1))
    assert not found.codes[0].any()
    assert found.converged
    assert found.trace[-1].gap == 0


def test_progress_ends_in_the_result_and_the_trace_is_written(tmp_path):
    x, filters = problem()
    work = csc_admm(x, filters, 0.3, iterations=35, tolerance=0)
    done = [next(work).done for _ in range(4)]
    assert done == [10, 20, 30, 35]
    found = drain(csc_admm(x, filters, 0.3, iterations=35, tolerance=0))
    write_traces({"flair 78": found.trace}, tmp_path / "trace.csv")
    lines = (tmp_path / "trace.csv").read_text().splitlines()
    assert lines[0] == "image,iteration,objective,residual,nonzero,gap"
    assert len(lines) == 5
    assert float(lines[-1].split(",")[2]) == found.trace[-1].objective


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"x": torch.zeros(3, 18, 21)}, "shape"),
        ({"x": torch.full((18, 21), math.nan)}, "NaN"),
        ({"filters": torch.zeros(3, 3)}, "filters of shape"),
        ({"filters": torch.zeros(0, 3, 3)}, "filters of shape"),
        ({"filters": torch.full((2, 3, 3), math.inf)}, "infinite"),
        ({"filters": torch.zeros(2, 19, 3)}, "larger than the image"),
        ({"multiplier": -1.0}, "multiplier"),
        ({"multiplier": math.nan}, "multiplier"),
        ({"iterations": 0}, "iterations"),
        ({"relaxation": 2.0}, "relaxation"),
    ],
)
def test_what_cannot_be_coded_is_refused(changes, said):
    x, filters = problem()
    given = {"x": x, "filters": filters, "multiplier": 0.1} | changes
    with pytest.raises(SparseExplainError, match=said):
        drain(csc_admm(**given))
