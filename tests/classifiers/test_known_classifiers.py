"""The nine classifiers of the study: built, run one step forward and back."""

from __future__ import annotations

import importlib
import re
import sys
from importlib.util import find_spec
from typing import Any

import pytest
import torch

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.networks.modules import known_classifier
from napari_sparseexplain.networks.modules.architectures import build_network, weight_shapes_of
from napari_sparseexplain.networks.modules.known_classifier import (
    KNOWN_CLASSIFIERS,
    depth_of,
    load_timm,
)

#: Millions of weights with one channel and three classes, of the papers' networks.
MILLIONS = {
    "vgg16": 134.3, "vgg19": 139.6, "resnet50": 23.5, "resnet50v2": 23.5, "inceptionv3": 21.8,
    "xception": 20.8, "efficientnet-b0": 4.0, "densenet121": 7.0, "inceptionresnetv2": 54.3,
}  # fmt: skip

MONAI = [name for name, known in KNOWN_CLASSIFIERS.items() if known.source == "monai"]
TIMM = [name for name, known in KNOWN_CLASSIFIERS.items() if known.source == "timm"]


@pytest.fixture(scope="module")
def timm() -> Any:
    """timm, with operators that a torchvision of another torch misses declared and not made."""
    if find_spec("timm") is None:
        pytest.skip("timm, of the extra [classifiers], is not installed")
    for _ in range(40):
        try:
            return importlib.import_module("timm")
        except RuntimeError as error:
            missing = re.search(r"torchvision::(\w+) does not exist", str(error))
            if missing is None:
                raise
            torch.library.define(f"torchvision::{missing[1]}", "(Tensor x) -> Tensor")
            for name in [n for n in sys.modules if n.split(".")[0] in ("torchvision", "timm")]:
                del sys.modules[name]
    raise AssertionError("torchvision misses more than forty operators")


def step(name: str) -> torch.nn.Module:
    """One step forward and back at the paper's size."""
    torch.manual_seed(0)
    network = build_network("known-classifier", {"network": name}).train()
    probabilities, logits = network(torch.randn(2, 1, 225, 225))
    assert probabilities.shape == logits.shape == (2, 3)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(2))
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 2])).backward()
    assert all(weight.grad is not None for weight in network.parameters())
    return network


def counted(network: torch.nn.Module) -> float:
    return round(sum(weight.numel() for weight in network.parameters()) / 1e6, 1)


@pytest.mark.parametrize("name", ["efficientnet-b0", "densenet121"])
def test_monais_take_one_step(name: str) -> None:
    network = step(name)
    assert counted(network) == MILLIONS[name]
    assert depth_of(network) == {"efficientnet-b0": 82, "densenet121": 121}[name]


def test_resnet50_has_its_weights() -> None:
    """Seconds to draw, so that it is looked at without."""
    shapes = weight_shapes_of("known-classifier", {"network": "resnet50"})
    weights = sum(
        torch.Size(shape).numel() for name, shape in shapes.items() if "running" not in name
    )
    assert round(weights / 1e6, 1) == MILLIONS["resnet50"]


@pytest.mark.parametrize(("dims", "side"), [(2, 64), (3, 32)])
def test_resnet50_takes_one_step(monkeypatch: pytest.MonkeyPatch, dims: int, side: int) -> None:
    """Its weights are set and not drawn, which takes seconds; all else is as it is."""
    for name in ("kaiming_normal_", "kaiming_uniform_", "uniform_", "normal_"):
        monkeypatch.setattr(torch.nn.init, name, lambda tensor, *_, **__: tensor)
    arguments = {"network": "resnet50", "spatial_dims": dims, "size": side}
    network = build_network("known-classifier", arguments).train()
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.linspace(-0.05, 0.05, weight.numel()).reshape(weight.shape))
    probabilities, logits = network(torch.randn(2, 1, *(side,) * dims))
    assert probabilities.shape == (2, 3)
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 2])).backward()
    assert all(weight.grad is not None for weight in network.parameters())


@pytest.mark.parametrize("name", ["efficientnet-b0", "densenet121"])
def test_monais_take_volumes(name: str) -> None:
    network = build_network("known-classifier", {"network": name, "spatial_dims": 3}).eval()
    with torch.no_grad():
        assert network(torch.randn(1, 1, 48, 48, 48))[1].shape == (1, 3)


@pytest.mark.parametrize("name", TIMM)
def test_timms_take_one_step(timm: Any, name: str) -> None:
    assert counted(step(name)) == MILLIONS[name]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"network": "alexnet"}, "vgg16, vgg19"),
        ({"network": "vgg16", "size": 100}, "VGG16 needs at least 224 pixels"),
        ({"network": "xception", "spatial_dims": 3}, "Xception takes 2 dimensions"),
    ],
)
def test_what_cannot_be_built_says_why(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        build_network("known-classifier", arguments)


def test_a_torchvision_of_another_torch_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(name: str) -> Any:
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(known_classifier, "import_module", fails)
    with pytest.raises(ModelError, match=r"made for this torch.*Install the one that is: pip"):
        load_timm("VGG16")


def test_without_timm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(name: str) -> Any:
        raise ImportError("No module named 'timm'")

    monkeypatch.setattr(known_classifier, "import_module", fails)
    with pytest.raises(ModelError, match=r"napari-sparseexplain\[classifiers\]"):
        build_network("known-classifier", {"network": "vgg16"})
