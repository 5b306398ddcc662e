"""Inference in micro-batches is the plain call, only faster, and can be stopped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.networks import device as devices
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.modules.sum_network import SumNetwork
from napari_sparseexplain.networks.modules.unet import UNet
from napari_sparseexplain.networks.running.cpu_fallback import with_cpu_fallback
from napari_sparseexplain.networks.running.inference import predict_array
from napari_sparseexplain.progress import Progress, drain

CARD = ModelCard(
    name="small",
    title="Small",
    architecture="sum",
    arguments={"maps": 2, "levels": 2},
    task="segmentation",
    inputs=Inputs(("flair",), "brain-range", 1.875, 128),
    classes={"1": "lesion"},
)


def random_sum() -> SumNetwork:
    torch.manual_seed(0)
    network = SumNetwork(maps=2, levels=2)
    for shrinkage in network.shrinkages().values():
        shrinkage.raw.data.normal_(0, 0.05)
    return network


def random_unet() -> UNet:
    torch.manual_seed(0)
    network = UNet(maps=2, levels=2)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return network


@pytest.fixture
def slices() -> np.ndarray:
    """Seven slices of odd size, three of them empty."""
    array = np.random.default_rng(0).random((7, 1, 21, 34)).astype(np.float32)
    array[[0, 3, 6]] = 0
    return array


@pytest.mark.parametrize("make", [random_sum, random_unet])
@pytest.mark.parametrize("micro_batch", [None, 1, 3])
def test_micro_batches_give_what_one_plain_call_gives(make, micro_batch, slices) -> None:
    """Also on empty slices, where a U-Net with biases does not answer 0."""
    model = Model.of_network(CARD, make())
    with torch.inference_mode():
        mask, signal = model.network(torch.from_numpy(slices))
    found = drain(predict_array(model, slices, micro_batch=micro_batch))
    assert np.abs(found.mask - mask.numpy()).max() < 1e-5
    assert np.abs(found.signal - signal.numpy()).max() < 1e-5


def test_empty_slices_are_run_once(slices) -> None:
    model = Model.of_network(CARD, random_sum())
    seen = []
    model.network.register_forward_hook(lambda module, given, result: seen.append(len(given[0])))
    drain(predict_array(model, slices, micro_batch=1))
    assert sum(seen) == 5  # four with something in them, and one empty one for all


def test_alpha_reaches_the_thresholds(slices) -> None:
    model = Model.of_network(CARD, random_sum())
    with torch.inference_mode():
        linear = model.network.linear(torch.from_numpy(slices)).numpy()
    found = drain(predict_array(model, slices, alpha=0.0))
    assert np.abs(found.signal - linear).max() < 1e-5
    assert np.abs(drain(predict_array(model, slices)).signal - linear).max() > 1e-3


def test_a_closed_run_stops_and_leaves_the_mode_of_torch_alone(slices) -> None:
    model = Model.of_network(CARD, random_sum())
    calls = []
    model.network.register_forward_hook(lambda *_: calls.append(1))
    work = predict_array(model, slices, micro_batch=1)
    next(work)
    assert not torch.is_inference_mode_enabled()
    work.close()
    assert len(calls) == 1


def test_inputs_are_left_as_they_were(slices) -> None:
    before = slices.copy()
    drain(predict_array(Model.of_network(CARD, random_sum()), slices))
    assert (slices == before).all()


def test_arrays_and_models_that_do_not_fit_are_refused(slices) -> None:
    model = Model.of_network(CARD, random_sum())
    with pytest.raises(ModelError, match="1 channels"):
        drain(predict_array(model, np.repeat(slices, 2, axis=1)))
    deep = replace(model, card=replace(CARD, inputs=replace(CARD.inputs, spatial_dims=3)))
    with pytest.raises(ModelError, match="whole volumes"):
        drain(predict_array(deep, slices))
    with pytest.raises(ModelError, match="no thresholds"):
        drain(predict_array(Model.of_network(CARD, random_unet()), slices, alpha=0.5))


def test_full_device_memory_falls_back_to_the_cpu_and_says_so() -> None:
    model = replace(Model.of_network(CARD, random_sum()), device=torch.device("cuda"))
    tried = []

    def start(m: Model):
        tried.append(m.device.type)
        yield Progress(0, 1)
        if m.device.type == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return "result"

    steps: list[Progress] = []
    result, notes = drain(with_cpu_fallback(model, start), steps.append)
    assert (result, tried) == ("result", ["cuda", "cpu"])
    assert "ran on the CPU" in notes[0]
    assert any("memory of cuda" in step.message for step in steps)


def test_other_errors_of_a_device_are_not_hidden() -> None:
    model = replace(Model.of_network(CARD, random_sum()), device=torch.device("cuda"))

    def start(m: Model):
        yield Progress(0, 1)
        raise RuntimeError("illegal memory access")

    with pytest.raises(RuntimeError, match="illegal"):
        drain(with_cpu_fallback(model, start))


def test_an_absent_device_is_named_with_those_there_are() -> None:
    assert devices.choose_device("auto").type in ("cpu", "cuda", "mps")
    with pytest.raises(ModelError, match=r"This machine has: .*cpu"):
        devices.choose_device("cuda:99")
    with pytest.raises(ModelError, match="not a device"):
        devices.choose_device("gpu")
