"""What the Proxy tab and the Responses panel ask of a model whose device is full."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import nn

from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes import Study, open_study
from napari_sparseexplain.widgets.parts.model_session import ModelKey
from napari_sparseexplain.widgets.proxy.session import Ask, ProxySession

MIDDLE = (4, 16, 16)


@pytest.fixture
def study(study_folder: Path) -> Study:
    return open_study(study_folder)


@pytest.fixture
def key(bundle: Path) -> ModelKey:
    return ModelKey(str(bundle), "cpu")


def on_a_full_device(session: ProxySession, key: ModelKey) -> list[torch.device]:
    """Let the session's model lie on a device whose memory is full; returns where it was tried.

    "meta" is the one device beside the CPU that every machine has. It holds no values, so the
    memory is full at the first convolution, before anything is computed.
    """
    model = session.model(key)
    full = replace(model, device=torch.device("meta"))
    tried: list[torch.device] = []

    def first_convolution(_module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        tried.append(inputs[0].device)
        if session.model(key) is full:
            raise torch.OutOfMemoryError("CUDA out of memory")

    network = cast(Any, model.network)
    network.encoder[0].convolution_a.register_forward_pre_hook(first_convolution)
    session._models[key] = full
    return tried


def test_a_click_on_a_full_device_is_answered_by_the_cpu_which_is_kept(
    study: Study, key: ModelKey
) -> None:
    wanted, _ = ProxySession().effective(study, key, MIDDLE, 1.0)
    session = ProxySession()
    tried = on_a_full_device(session, key)
    found, notes = session.effective(study, key, MIDDLE, 1.0)
    np.testing.assert_array_equal(found.jacobian, wanted.jacobian)
    assert "memory of meta" in notes[0]
    assert "CPU" in notes[0]
    _, notes = session.effective(study, key, MIDDLE, 0.5)
    assert notes == ()
    assert [device.type for device in tried] == ["meta", "cpu", "cpu"]


def test_an_alpha_step_on_a_full_device_goes_on_on_the_cpu_and_says_so(
    study: Study, key: ModelKey
) -> None:
    session = ProxySession()
    before = session.answer(Ask(study, key, MIDDLE[0], 1.0))
    on_a_full_device(session, key)
    after = session.answer(Ask(study, key, MIDDLE[0], 0.5, before))
    assert any("memory of meta" in note for note in after.notes)
    assert session.model(key).device.type == "cpu"


def test_responses_on_a_full_device_are_those_of_the_cpu(key: ModelKey) -> None:
    wanted, notes = drain(ProxySession().responses_work(key, phases=False))
    assert notes == ()
    session = ProxySession()
    on_a_full_device(session, key)
    found, notes = drain(session.responses_work(key, phases=False))
    np.testing.assert_array_equal(found.impulse, wanted.impulse)
    assert "memory of meta" in notes[0]
