"""JF-ML-ISTA against its equations, against what it generalises, and against its theory."""

from __future__ import annotations

import importlib.util
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as functional

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.sparse.convolutional_dictionary import project_to_unit_norm, synthesis
from napari_sparseexplain.sparse.jf_ml_ista import (
    ClassModel,
    Stage,
    effective_thresholds,
    jf_ml_ista,
    objective,
)

DIRECT = Path(__file__).resolve().parents[2] / "benchmarks" / "direct_jf_ml_ista.py"


@pytest.fixture(scope="module")
def direct():
    """The slow transcription of the equations that the benchmark times."""
    spec = importlib.util.spec_from_file_location("direct_jf_ml_ista", DIRECT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.direct_jf_ml_ista


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def model(
    channels: int = 2,
    atoms: tuple[int, ...] = (5, 4, 3),
    k: int = 3,
    *,
    threshold: float = 0.03,
    level: float = 0.004,
    step: float = 0.9,
    seed: int = 0,
) -> ClassModel:
    """One class: ``atoms[0]`` in Φ, the others layer by layer; unit norm, unlike steps."""
    widths = [channels, *atoms]
    weights = [
        project_to_unit_norm(drawn(f, n, k, k, seed=97 * seed + i))
        for i, (n, f) in enumerate(pairwise(widths))
    ]
    depth = len(atoms) - 1
    return ClassModel(
        weights[0],
        weights[1:],
        torch.tensor(threshold, dtype=torch.float64),
        torch.tensor(step, dtype=torch.float64),
        [torch.tensor(level * (1 + i), dtype=torch.float64) for i in range(depth)],
        [torch.tensor(1.0 - 0.1 * i, dtype=torch.float64) for i in range(depth)],
    )


def classes(count: int = 3, **kwargs) -> list[ClassModel]:
    return [model(seed=c + 1, **kwargs) for c in range(count)]


def picture(channels: int = 2, size: tuple[int, int] = (14, 13), images: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.rand((images, channels, *size), generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("prox", ["relu", "soft"])
@pytest.mark.parametrize("outer", [1, 3])
@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_it_is_the_equations_to_the_letter(direct, prox, outer, separate, depth):
    many = classes(3, atoms=(5, 4, 6, 4)[: depth + 1], threshold=0.003, level=1e-4)
    x = picture()
    options = {"outer": outer, "inner": 2, "prox": prox, "separate": separate}
    ours = jf_ml_ista(x, many, **options)
    codes, components, residual = direct(x, many, **options)
    # Agreement on codes of nothing but zeros would say nothing.
    assert all(float(c.abs().max()) > 1e-3 for c in ours.codes)
    for mine, theirs in zip(
        [*ours.codes, *ours.components, ours.residual], [*codes, *components, residual], strict=True
    ):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("outer", [1, 2, 3])
def test_components_and_residual_add_to_the_input(separate, outer):
    x = picture()
    for many in (classes(1), classes(4), classes(2, atoms=(6,))):
        found = jf_ml_ista(x, many, outer=outer, separate=separate)
        torch.testing.assert_close(sum(found.components) + found.residual, x, rtol=0, atol=1e-13)


def test_every_stage_adds_to_the_input_and_codes_of_layers_belong_together():
    many, x = classes(3), picture()
    seen: list[tuple[int, int, int]] = []

    def look(stage: Stage) -> None:
        seen.append((stage.outer, stage.which, stage.inner))
        there = [c for c in stage.components if c is not None]
        torch.testing.assert_close(sum(there) + stage.residual, x, rtol=0, atol=1e-13)
        for one, codes in zip(many, stage.layer_codes, strict=True):
            for weight, upper, lower in zip(one.layers, codes[:-1], codes[1:], strict=False):
                torch.testing.assert_close(upper, synthesis(lower, weight), rtol=0, atol=1e-13)

    jf_ml_ista(x, many, outer=2, inner=2, observe=look)
    assert seen == [(t, c, k) for t in range(2) for c in range(3) for k in range(2)]


def test_the_last_stage_of_t_rounds_is_what_t_rounds_return():
    many, x, last = classes(2), picture(), []
    found = jf_ml_ista(x, many, outer=3, observe=last.append)
    assert torch.equal(last[-1].residual, found.residual)
    assert all(
        torch.equal(a[-1], b) for a, b in zip(last[-1].layer_codes, found.codes, strict=True)
    )


def test_rounds_go_from_salient_to_fine():
    left: list[float] = []
    active: list[int] = []

    def look(stage: Stage) -> None:
        if stage.which == 1 and stage.inner == 1:
            left.append(float(stage.residual.norm()))
            active.append(sum(int((h[0] != 0).sum()) for h in stage.layer_codes))

    jf_ml_ista(picture(), classes(2, atoms=(6,)), outer=4, salience=0.9, observe=look)
    assert left == sorted(set(left), reverse=True)
    assert active == sorted(set(active))


def test_one_round_of_one_class_is_the_layered_cnn():
    """M = T = 1, m = 1: ``relu(conv(x, μ W) - μ λ)`` layer after layer, exactly."""
    one, x = model(), picture()
    z = torch.relu(functional.conv2d(x, one.step * one.phi, padding=1) - one.step * one.threshold)
    rows = zip(one.layers, one.layer_steps, one.layer_thresholds, strict=True)
    for weight, step, threshold in rows:
        bias = (-(step * threshold)).expand(len(weight))
        z = torch.relu(functional.conv2d(z, step * weight, bias, padding=1))
    assert torch.equal(jf_ml_ista(x, [one], outer=1, inner=1).codes[0], z)


def dense(weight: torch.Tensor, size: tuple[int, int]) -> np.ndarray:
    """The matrix of D on images of one size, a column a unit code."""
    count = weight.shape[0] * size[0] * size[1]
    unit = torch.eye(count, dtype=weight.dtype).view(count, weight.shape[0], *size)
    return synthesis(unit, weight).reshape(count, -1).T.numpy()


@pytest.mark.parametrize("prox", ["relu", "soft"])
@pytest.mark.parametrize("channels", [1, 3])
def test_one_class_is_an_independent_ml_ista_with_matrices(prox, channels):
    """n = m = 1 is ML-ISTA (Sulam et al. 2020, Alg. 1), here with dense matrices in NumPy."""
    one, size = model(channels, atoms=(4, 3), threshold=0.02), (6, 5)
    x = picture(channels, size, images=1)
    first, second = dense(one.phi, size), dense(one.layers[0], size)
    step, deeper = float(one.step), float(one.layer_steps[0])

    def shrink(z: np.ndarray, t: float) -> np.ndarray:
        if prox == "relu":
            return np.maximum(z - t, 0)
        return np.where(z > t, z - t, np.where(z < -t, z + t, 0.0))

    signal, gamma = x.numpy().ravel(), np.zeros(second.shape[1])
    for _ in range(7):
        upper = second @ gamma
        z = shrink(upper - step * first.T @ (first @ upper - signal), step * float(one.threshold))
        gamma = shrink(
            gamma - deeper * second.T @ (upper - z), deeper * float(one.layer_thresholds[0])
        )
    found = jf_ml_ista(x, [one], outer=1, inner=7, prox=prox).codes[0]
    assert np.abs(gamma).max() > 1e-3
    np.testing.assert_allclose(found.numpy().ravel(), gamma, rtol=0, atol=1e-12)


def test_effective_multiplier_without_a_threshold_in_the_middle_it_is_ista():
    """λ_eff: step μ μ_1, threshold μ_1 λ_1, so it minimises with λ_1 / μ."""
    one, x = model(atoms=(5, 4), threshold=0.0, level=0.01, step=0.7), picture()
    step = one.step * one.layer_steps[0]
    multiplier = effective_thresholds(one)[1]
    torch.testing.assert_close(multiplier, one.layer_thresholds[0] / one.step)
    gamma = torch.zeros(2, 4, 14, 13, dtype=torch.float64)
    for _ in range(9):
        error = synthesis(synthesis(gamma, one.layers[0]), one.phi) - x
        slope = functional.conv2d(
            functional.conv2d(error, one.phi, padding=1), one.layers[0], padding=1
        )
        z = gamma - step * slope
        gamma = torch.sign(z) * torch.relu(z.abs() - step * multiplier)
    found = jf_ml_ista(x, [one], outer=1, inner=9, prox="soft").codes[0]
    torch.testing.assert_close(found, gamma, rtol=0, atol=1e-12)


def trace(x: torch.Tensor, many: list[ClassModel], prox: str, inner: int = 40) -> np.ndarray:
    """Objective of the first image after every inner iteration, thresholds fixed (T = 1)."""
    values: list[float] = []

    def look(stage: Stage) -> None:
        codes = [h if h else [torch.zeros(1)] for h in stage.layer_codes]
        empty = [not h for h in stage.layer_codes]
        used = [m for m, e in zip(many, empty, strict=True) if not e]
        have = [h for h, e in zip(codes, empty, strict=True) if not e]
        values.append(float(objective(x, used, have, stage.residual)[0]))

    jf_ml_ista(x, many, outer=1, inner=inner, prox=prox, observe=look)
    return np.array(values)


@pytest.mark.parametrize("prox", ["relu", "soft"])
def test_descent_is_monotone_for_one_layer(prox):
    x = picture()
    for many in (classes(1, atoms=(6,), step=1.0), classes(3, atoms=(6,), step=1.0)):
        values = trace(x, many, prox)
        start = float(0.5 * x[0].square().sum())
        assert values[0] <= start
        assert (np.diff(values) <= 1e-12 * start).all()
        assert values[-1] < 0.9 * start


def test_descent_is_monotone_for_layers_with_soft_thresholds_and_none_in_the_middle():
    x = picture()
    one = model(atoms=(5, 4), threshold=0.0, level=0.02, step=1.0)
    values = trace(x, [one], "soft")
    assert (np.diff(values) <= 1e-12).all()
    assert values[-1] < values[0]


def test_the_objective_is_eq_5_with_the_effective_multipliers():
    many, x = classes(2), picture()
    found = jf_ml_ista(x, many)
    expected = 0.5 * found.residual.square().sum((1, 2, 3))
    for one, codes in zip(many, found.layer_codes, strict=True):
        multipliers = effective_thresholds(one)
        assert len(multipliers) == len(codes) == 3
        for multiplier, code in zip(multipliers, codes, strict=True):
            expected = expected + multiplier * code.abs().sum((1, 2, 3))
    torch.testing.assert_close(objective(x, many, found.layer_codes, found.residual), expected)


@pytest.mark.parametrize("prox", ["relu", "soft"])
@pytest.mark.parametrize("separate", [False, True])
def test_a_large_threshold_gives_zero_codes_and_the_input_is_all_residual(prox, separate):
    x = picture()
    for many in (classes(2, threshold=1e3), classes(2, level=1e3)):
        found = jf_ml_ista(x, many, prox=prox, separate=separate)
        assert not any(c.any() for c in found.codes)
        assert torch.equal(found.residual, x)


def test_the_order_of_classes_matters_since_they_are_coded_in_turn():
    many, x = classes(2), picture()
    forth = jf_ml_ista(x, many)
    back = jf_ml_ista(x, many[::-1])
    assert float((forth.codes[0] - back.codes[1]).abs().max()) > 1e-3


def test_one_image_at_a_time_gives_what_a_batch_gives():
    many, x = classes(2), picture(images=3)
    whole = jf_ml_ista(x, many)
    for i in range(3):
        alone = jf_ml_ista(x[i : i + 1], many)
        torch.testing.assert_close(alone.residual[0], whole.residual[i], rtol=0, atol=1e-13)


def test_gradients_reach_every_parameter_and_are_right():
    one = model(1, atoms=(3, 2))
    leaves = [one.phi, one.layers[0], one.threshold, one.step]
    leaves += [one.layer_thresholds[0], one.layer_steps[0]]
    x = picture(1, (5, 4), images=1)

    def run(phi, deeper, threshold, step, level, deeper_step):
        many = [ClassModel(phi, [deeper], threshold, step, [level], [deeper_step])]
        return jf_ml_ista(x, many, outer=1, inner=2).codes[0]

    inputs = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    assert torch.autograd.gradcheck(run, inputs)
    with torch.no_grad():
        plain = run(*inputs)
    # Without gradients work is done in place: the numbers stay.
    torch.testing.assert_close(run(*inputs).detach(), plain, rtol=0, atol=1e-14)


def test_inputs_are_left_as_they_were():
    many, x = classes(2), picture()
    before = [x.clone(), *(m.phi.clone() for m in many)]
    jf_ml_ista(x, many)
    assert all(torch.equal(a, b) for a, b in zip(before, [x, *(m.phi for m in many)], strict=True))


def broken(**changes) -> ClassModel:
    one = model()
    fields = {name: getattr(one, name) for name in ClassModel.__dataclass_fields__} | changes
    return ClassModel(**fields)


@pytest.mark.parametrize(
    ("x", "many", "said"),
    [
        (picture(), [], "at least one class"),
        (picture()[0], classes(2), "shape"),
        (picture(3), classes(2), "2 modalities and there are 3"),
        (picture() * float("nan"), classes(2), "images hold NaN"),
        (picture(), [broken(threshold=torch.tensor(float("inf")))], "not finite"),
        (picture(), [broken(phi=torch.zeros(3, 2, 4, 4))], "dictionary"),
    ],
)
def test_what_cannot_be_decomposed_is_refused(x, many, said):
    with pytest.raises(SparseExplainError, match=said):
        jf_ml_ista(x, many)


@pytest.mark.parametrize("options", [{"outer": 0}, {"inner": 0}])
def test_no_rounds_and_no_iterations_are_refused(options):
    with pytest.raises(SparseExplainError, match="at least"):
        jf_ml_ista(picture(), classes(1), **options)
