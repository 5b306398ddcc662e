"""The unrolled pursuit as a network: its constraints, its special cases and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from napari_sparseexplain.errors import ModelError, SparseExplainError
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.bundle.saving import save_bundle
from napari_sparseexplain.networks.modules.jf_ml_ista_network import JfMlIstaNetwork
from napari_sparseexplain.sparse.convolutional_dictionary import operator_norm


def network(**arguments: object) -> JfMlIstaNetwork:
    torch.manual_seed(0)
    settings = {"modalities": 2, "classes": 3, "features": 4, "layers": 2, **arguments}
    return JfMlIstaNetwork(**settings)  # type: ignore[arg-type]


def images(count: int = 2) -> torch.Tensor:
    return torch.rand((count, 2, 20, 17), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("prox", ["relu", "soft"])
def test_components_and_residual_add_to_the_input(separate: bool, prox: str) -> None:
    found = network(separate=separate, prox=prox).decompose(images()).decomposition
    total = sum(found.components) + found.residual
    torch.testing.assert_close(total, images(), atol=1e-6, rtol=0)


def test_merged_and_separate_have_the_same_parameters() -> None:
    shapes = [
        {n: tuple(p.shape) for n, p in network(separate=s).named_parameters()}
        for s in (False, True)
    ]
    assert shapes[0] == shapes[1]


def test_probabilities_add_to_one_and_follow_the_logits() -> None:
    mask, logits = network()(images())
    torch.testing.assert_close(mask.sum(dim=1), torch.ones(2, 20, 17))
    assert torch.equal(mask.argmax(dim=1), logits.argmax(dim=1))


def test_a_shared_classifier_cannot_tell_classes_of_equal_codes_apart() -> None:
    codes = [torch.rand(1, 4, 5, 5)] * 3
    logits = network().classify(codes)
    assert torch.equal(logits[:, 0], logits[:, 1])
    apart = network(shared_classifier=False).classify(codes)
    assert not torch.equal(apart[:, 0], apart[:, 1])


def test_training_steps_never_leave_the_constraints() -> None:
    net = network()
    net.initialise(images())
    optimizer = torch.optim.SGD(net.parameters(), lr=5.0)
    for _ in range(4):
        optimizer.zero_grad()
        net.signal(images()).square().mean().backward()
        optimizer.step()
        with torch.no_grad():
            net.thresholds -= 0.01  # as a gradient might
        net.constrain()
        assert float(net.thresholds.detach().min()) >= 0
        assert float(net.steps.detach().min()) > 0
        assert float(net.norm_bounds().max()) <= 1.0
    weight = net.class_models()[0].phi.detach().double()
    assert operator_norm(weight, (30, 30)) <= float(net.norm_bounds()[0, 0]) + 1e-6


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("prox", ["relu", "soft"])
@pytest.mark.parametrize("shared", [False, True])
def test_a_model_of_norm_1_computes_what_the_parameters_do(
    separate: bool, prox: str, shared: bool
) -> None:
    """Norms, steps, thresholds and codes go together: written with norms of 1, all is the same."""
    net = network(separate=separate, prox=prox, shared_classifier=shared).double()
    net.initialise(images().double())
    with torch.no_grad():
        for place, stack in enumerate((net.phi, *net.dictionaries)):
            stack.mul_(1.3 + 0.2 * place)
        net.thresholds.mul_(
            torch.linspace(0.5, 2.0, net.thresholds.numel()).view_as(net.thresholds)
        )
        net.steps.mul_(0.8)
    before = net.decompose(images().double())
    assert float(net.norm_bounds().max()) > 1
    net.constrain()
    assert float(net.norm_bounds().max()) <= 1
    during = net.decompose(images().double())
    net.normalise()
    assert float(net.norm_bounds().max()) <= 1
    assert torch.equal(net.scales, torch.ones_like(net.scales))
    after = net.decompose(images().double())
    assert bool(before.decomposition.codes[0].any())
    for found in (during, after):
        torch.testing.assert_close(found.logits, before.logits)
        torch.testing.assert_close(found.decomposition.residual, before.decomposition.residual)
        for one, other in zip(
            found.decomposition.components, before.decomposition.components, strict=True
        ):
            torch.testing.assert_close(one, other)


def test_an_unconstrained_network_is_left_as_it_is() -> None:
    net = network(constrained=False)
    with torch.no_grad():
        net.thresholds.fill_(-0.5)
        net.phi.mul_(3)
    net.constrain()
    assert float(net.thresholds.detach().max()) == -0.5
    assert float(net.norm_bounds()[:, 0].min()) > 8


def test_thresholds_from_data_leave_codes_alive() -> None:
    net = network()
    with torch.no_grad():
        net.thresholds.fill_(100.0)
    assert all(not bool(c.any()) for c in net.decompose(images()).decomposition.codes)
    net.initialise(images())
    assert all(bool(c.any()) for c in net.decompose(images()).decomposition.codes)


def test_alpha_scales_every_threshold() -> None:
    net = network()
    scaled = network()
    with torch.no_grad():
        scaled.thresholds.mul_(0.3)
    assert torch.allclose(net.signal(images(), 0.3), scaled.signal(images()), atol=1e-6)


def test_another_number_of_modalities_is_refused() -> None:
    with pytest.raises(ModelError, match="takes 2 modalities and was given 3"):
        network().decompose(torch.rand(1, 3, 8, 8))


def test_a_threshold_that_is_not_finite_is_refused() -> None:
    net = network()
    with torch.no_grad():
        net.thresholds[1, 1] = float("nan")
    with pytest.raises(SparseExplainError, match="not finite"):
        net.signal(images())


def test_a_bundle_keeps_the_network(tmp_path: Path) -> None:
    net = network()
    inputs = Inputs(("t1", "flair"), "unit", 1.0, 20)
    classes = {"0": "healthy tissue", "2": "oedema", "1": "core"}
    arguments = {"modalities": 2, "classes": 3, "features": 4, "layers": 2}
    card = ModelCard("x", "X", "jf-ml-ista", arguments, "segmentation", inputs, classes)
    save_bundle(tmp_path / "x", card, net)
    loaded = load_model(tmp_path / "x")
    with torch.inference_mode():
        torch.testing.assert_close(loaded.network(images())[1], net(images())[1])
