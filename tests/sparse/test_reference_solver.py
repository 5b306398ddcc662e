"""The reference solver finds the minimum of Eq. 5, whatever finds it too."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.progress import drain
from napari_sparseexplain.sparse.convolutional_dictionary import project_to_unit_norm, synthesis
from napari_sparseexplain.sparse.fista import fista
from napari_sparseexplain.sparse.jf_ml_ista import ClassModel, effective_thresholds, jf_ml_ista
from napari_sparseexplain.sparse.reference_solver import (
    equation_5,
    gap_to_reference,
    layers_of,
    multipliers_of,
    solve_equation_5,
)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def model(channels: int, widths: tuple[int, ...], seed: int = 0, step: float = 1.0) -> ClassModel:
    sizes = [channels, *widths]
    weights = [
        project_to_unit_norm(drawn(sizes[i + 1], sizes[i], 3, 3, seed=seed * 31 + i))
        for i in range(len(widths))
    ]
    depth = len(widths) - 1
    number = torch.tensor(1.0, dtype=torch.float64)
    return ClassModel(
        weights[0],
        weights[1:],
        0.15 * number,
        step * number,
        [0.05 * number] * depth,
        [number] * depth,
    )


def dense(apply, shape: tuple[int, ...]) -> np.ndarray:
    """The matrix of a linear map of (1, *shape), a column a unit."""
    count = int(np.prod(shape))
    unit = torch.eye(count, dtype=torch.float64).view(count, *shape)
    return apply(unit).reshape(count, -1).T.numpy()


def test_one_layer_of_one_class_is_fista():
    one, x = model(2, (4,)), drawn(2, 2, 8, 7, seed=9)
    found = drain(solve_equation_5(x, [one], tolerance=1e-8))
    other = drain(fista(x, one.phi, 0.15, iterations=5000, tolerance=1e-10))
    assert found.gap <= 1e-8
    assert found.objective == pytest.approx(other.trace[-1].objective, rel=1e-8)


def test_one_layer_of_several_classes_is_fista_with_their_dictionaries_side_by_side():
    many, x = [model(2, (3,), seed=s) for s in (1, 2, 3)], drawn(1, 2, 8, 7, seed=9)
    found = drain(solve_equation_5(x, many, tolerance=1e-7))
    whole = torch.cat([c.phi for c in many])
    other = drain(fista(x, whole, 0.15, iterations=5000, tolerance=1e-10))
    least = other.trace[-1].objective
    assert found.objective == pytest.approx(least, rel=1e-5)
    assert found.bound <= least
    assert found.objective >= least * (1 - 1e-9)


@pytest.mark.parametrize(
    ("classes", "modalities", "widths"), [(1, 1, (2, 2)), (2, 2, (2, 1)), (1, 2, (1, 2, 2))]
)
def test_a_tiny_problem_agrees_with_a_general_solver(classes, modalities, widths):
    """Eq. 5 as a quadratic program with bounds on absolute values, given to SLSQP."""
    size = (2, 3)
    many = [model(modalities, widths, seed=s + 1) for s in range(classes)]
    x = drawn(1, modalities, *size, seed=5)
    shape = (widths[-1], *size)
    rows = multipliers_of(many)
    painted = np.hstack(
        [dense(lambda g, c=c: synthesis(layers_of(c, g)[0], c.phi), shape) for c in many]
    )
    count = painted.shape[1] // classes
    terms, weights = [], []
    for i, (c, row) in enumerate(zip(many, rows, strict=True)):
        for place, level in enumerate(row):
            matrix = dense(lambda g, c=c, place=place: layers_of(c, g)[place], shape)
            wide = np.zeros((len(matrix), painted.shape[1]))
            wide[:, i * count : (i + 1) * count] = matrix
            terms.append(wide)
            weights.append(np.full(len(matrix), level))
    stacked, level = np.vstack(terms), np.concatenate(weights)
    signal, unknown = x.numpy().ravel(), painted.shape[1]
    both = np.vstack(
        [
            np.hstack([stacked, np.eye(len(stacked))]),
            np.hstack([-stacked, np.eye(len(stacked))]),
        ]
    )

    def value(v: np.ndarray) -> tuple[float, np.ndarray]:
        error = painted @ v[:unknown] - signal
        slope = np.concatenate([painted.T @ error, level])
        return 0.5 * float(error @ error) + float(level @ v[unknown:]), slope

    solved = minimize(
        value,
        np.zeros(unknown + len(stacked)),
        jac=True,
        method="SLSQP",
        constraints={"type": "ineq", "fun": lambda v: both @ v, "jac": lambda v: both},
        options={"maxiter": 2000, "ftol": 1e-13},
    )
    assert solved.success
    found = drain(solve_equation_5(x, many, tolerance=1e-7))
    assert found.gap <= 1e-7
    assert found.objective == pytest.approx(float(solved.fun), rel=1e-6)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_gap_is_certified_from_the_first_look_on(depth):
    many, x = [model(2, (4, 3, 3)[:depth], seed=s) for s in (1, 2)], drawn(2, 2, 8, 7, seed=9)
    least = drain(solve_equation_5(x, many, tolerance=1e-5))
    assert least.gap <= 1e-5
    for iterations in (1, 5, 50):
        found = drain(solve_equation_5(x, many, tolerance=0.0, iterations=iterations))
        assert found.bound <= least.objective * (1 + 1e-12)
        assert found.objective >= least.bound
        assert found.iterations == iterations


def test_no_other_codes_are_below_the_minimum():
    many, x = [model(2, (4, 3), seed=s) for s in (1, 2)], drawn(1, 2, 8, 7, seed=9)
    found = drain(solve_equation_5(x, many, tolerance=1e-5))
    assert equation_5(x, many, found.codes) == pytest.approx(found.objective, rel=1e-12)
    for seed in range(20):
        moved = [
            c + 10 ** (-seed / 4) * drawn(*c.shape, seed=seed + i)
            for i, c in enumerate(found.codes)
        ]
        assert equation_5(x, many, moved) >= found.bound


def test_an_unrolled_pursuit_is_above_the_minimum_and_more_rounds_bring_it_closer():
    many = [model(2, (4,), seed=s) for s in (1, 2, 3)]
    x = drawn(2, 2, 8, 7, seed=9)
    least = drain(solve_equation_5(x, many, tolerance=1e-9))
    gaps = [
        gap_to_reference(
            x, many, jf_ml_ista(x, many, outer=t, salience=0, prox="soft").codes, least
        )
        for t in (1, 4, 100)
    ]
    assert gaps[0] > gaps[1] > gaps[2] >= -least.gap
    assert gaps[2] < 1e-3


def test_layers_shrunk_one_after_the_other_do_not_reach_the_minimum_of_the_sum():
    """Eq. 7 is no proximal step of Eq. 6 with a threshold in the middle; here is how far it is."""
    one, x = model(2, (4, 3)), drawn(1, 2, 8, 7, seed=9)
    least = drain(solve_equation_5(x, [one], tolerance=1e-5))
    ended = jf_ml_ista(x, [one], outer=1, inner=3000, prox="soft").codes
    assert gap_to_reference(x, [one], ended, least) > 10 * least.gap


def test_the_effective_multipliers_are_those_of_eq_7():
    one, x = model(2, (4, 3), step=0.5), drawn(1, 2, 8, 7, seed=9)
    rows = multipliers_of([one])
    assert rows[0] == tuple(float(t) for t in effective_thresholds(one))
    assert rows[0][1] == pytest.approx(0.05 / 0.5)
    plain = [(0.0, rows[0][1])]
    least = drain(solve_equation_5(x, [one], multipliers=plain, tolerance=1e-6))
    quiet = ClassModel(
        one.phi, one.layers, 0 * one.step, one.step, one.layer_thresholds, one.layer_steps
    )
    ended = jf_ml_ista(x, [quiet], outer=1, inner=3000, prox="soft").codes
    assert abs(gap_to_reference(x, [one], ended, least)) < 1e-4


def test_large_multipliers_give_zero_codes_and_the_bound_is_exact():
    many, x = [model(2, (4, 3), seed=s) for s in (1, 2)], drawn(1, 2, 8, 7, seed=9)
    found = drain(solve_equation_5(x, many, multipliers=[(9.0, 9.0)] * 2))
    assert not any(c.any() for c in found.codes)
    assert found.objective == pytest.approx(0.5 * float(x.square().sum()))
    assert found.gap == pytest.approx(0.0, abs=1e-8)


@pytest.mark.parametrize(
    ("x", "many", "options", "said"),
    [
        (drawn(1, 2, 5, 5), [], {}, "at least one class"),
        (drawn(1, 3, 5, 5), [model(2, (3,))], {}, "2 modalities and there are 3"),
        (drawn(1, 2, 5, 5), [model(2, (3,))], {"multipliers": [(1.0, 1.0)]}, "every class"),
        (drawn(1, 2, 5, 5), [model(2, (3,))], {"multipliers": [(-1.0,)]}, "multiplier"),
        (drawn(1, 2, 5, 5), [model(2, (3,))], {"iterations": 0}, "iterations"),
    ],
)
def test_what_has_no_minimum_to_find_is_refused(x, many, options, said):
    with pytest.raises(SparseExplainError, match=said):
        drain(solve_equation_5(x, many, **options))
