"""A torch module that is being trained: evaluated as one that is not, and given back as it was.

Kinds reported of pytorch-grad-cam (12), captum (830) and MONAI (1728): maps that differ from run to
run, and batch-norm statistics that move with every explanation.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import napari_sparseexplain as se
from napari_sparseexplain.explanation.target import Target
from napari_sparseexplain.explanation.trust.faithfulness import faithfulness_work
from napari_sparseexplain.explanation.trust.map_figures import Effort
from napari_sparseexplain.explanation.trust.table import trust_work
from napari_sparseexplain.networks.bundle.external_model import wrap_callable
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.modules.unet import UNet
from napari_sparseexplain.progress import drain

INPUTS = Inputs(("flair",), "brain-range", 1.0, 32)
CARD = ModelCard("x", "X", "callable", {}, "segmentation", INPUTS, {"0": "none", "1": "lesion"})
LESION = Target.parse("lesion")


@pytest.fixture(scope="module")
def study() -> se.Study:
    x = np.zeros((4, 32, 32), np.float32)
    x[:, 5:27, 5:27] = 1 + np.random.default_rng(1).random((4, 22, 22))
    return se.study_of_arrays({"flair": x})


def trained() -> nn.Sequential:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Conv2d(8, 2, 3, padding=1),
    ).train()
    net[1].eval()  # a frozen statistic, as people fine-tune
    with torch.no_grad():
        net[-1].bias[1] += 0.3
    return net


def state(net: nn.Module) -> tuple[Any, ...]:
    """All that could be changed: modes, flags, weights and statistics."""
    return (
        [m.training for m in net.modules()],
        [p.requires_grad for p in net.parameters()],
        [p.grad is None for p in net.parameters()],
        {k: v.clone() for k, v in net.state_dict().items()},
    )


def same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return one[:3] == other[:3] and all(torch.equal(one[3][k], other[3][k]) for k in one[3])


class Holder:
    """An object that runs a module it holds, as a pipeline does."""

    def __init__(self, net: nn.Module) -> None:
        self.parts = {"net": net}

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return self.parts["net"](x)

    def run(self, x: torch.Tensor) -> torch.Tensor:
        return self(x)


class Ensemble(nn.Module):
    """A module that holds others without registering them."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.nets = [net]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.nets[0](x)


class Slotted:
    """An object without a dictionary."""

    __slots__ = ("net",)

    def __init__(self, net: nn.Module) -> None:
        self.net = net

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)


def with_keyword(net: nn.Module) -> Any:
    def run(x: torch.Tensor, *, m: nn.Module = net) -> torch.Tensor:
        return m(x)

    return run


def called(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return net(x)


WAYS: dict[str, Any] = {
    "the module": lambda net: net,
    "its method": lambda net: net.forward,
    "a function around it": lambda net: lambda x: net(x),
    "a partial": lambda net: partial(called, net),
    "an object that holds it": Holder,
    "a method of such an object": lambda net: Holder(net).run,
    "a module that holds it in a list": Ensemble,
    "an object with slots": Slotted,
    "a keyword's default": with_keyword,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_map_repeats_and_the_module_is_as_it_was(way: str, study: se.Study) -> None:
    net = trained()
    net[1].train()
    before = state(net)
    model = wrap_callable(WAYS[way](net), CARD)
    found = [
        se.explain(study, model, "integrated-gradients", target="lesion", slices=2, n_steps=4)
        for _ in range(2)
    ]
    assert np.array_equal(found[0]["heatmap"].data, found[1]["heatmap"].data)
    assert same(before, state(net))
    evaluated = copy.deepcopy(net).eval()
    x = torch.rand(1, 1, 8, 8)
    with torch.no_grad():
        assert torch.equal(model.network(x)[1], evaluated(x))


def test_every_use_leaves_the_module_alone(study: se.Study) -> None:
    net = trained()
    before = state(net)
    model = wrap_callable(net, CARD)
    found = se.explain(study, model, "vanilla-gradient", target="lesion", slices=slice(1, 3))
    effort = Effort(steps=4, perturbations=4, neighbours=1, stages=2)
    trusted = drain(trust_work(study, model, found, effort, count=1))
    drain(faithfulness_work([study], model, ["occlusion"], LESION, count=1, effort=effort))
    se.explain(study, model, "segmentation")
    se.explain(study, model, "grad-cam", target="lesion", slices=1)
    assert same(before, state(net))
    again = drain(trust_work(study, model, found, effort, count=1))
    assert trusted.text() == again.text()


def test_a_loaded_model_that_was_set_to_train_is_left_alone(study: se.Study) -> None:
    net = UNet(classes=2, maps=2, levels=1)
    card = ModelCard("u", "U", "unet", {}, "segmentation", INPUTS, {"0": "none", "1": "lesion"})
    model = Model(card, net.eval(), torch.device("cpu"))
    wanted = se.explain(study, model, "segmentation")
    model.network.train()
    before = state(model.network)
    found = se.explain(study, model, "segmentation")
    assert np.array_equal(found["mask"].data, wanted["mask"].data)
    assert same(before, state(model.network))


def test_a_module_that_fails_is_as_it_was(study: se.Study) -> None:
    net = nn.Sequential(nn.Dropout(0.5), nn.Conv2d(3, 2, 3))  # three channels, and there is one
    with pytest.raises(se.SparseExplainError, match="fails on an input"):
        se.explain(study, wrap_callable(net, CARD), "segmentation", slices=1)
    assert all(m.training for m in net.modules())


def test_a_network_of_our_own_architectures_goes_on_being_trained(study: se.Study) -> None:
    net = UNet().train()
    before = state(net)
    card = ModelCard("u", "U", "unet", {}, "segmentation", INPUTS, {"1": "lesion"})
    for model in (Model.of_network(card, net), Model(card, net, torch.device("cpu"))):
        assert not any(m.training for m in model.network.modules())
        se.explain(study, model, "segmentation", slices=1)
        se.explain(study, model, "effective-response", target=Target("voxel", "", (1, 15, 15)))
    assert same(before, state(net))
