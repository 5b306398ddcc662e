"""A model from a file runs in a process of its own: the same answers, and nothing lost with it."""

from __future__ import annotations

import contextlib
import copy
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.explanation.trust.weight_randomisation import randomise_cascading
from napari_sparseexplain.networks.bundle.external_model import checksum_of, load_external_model
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.process import child_process, model_process
from napari_sparseexplain.networks.process.child_process import Overdue
from napari_sparseexplain.networks.process.limits import (
    MEMORY_VARIABLE,
    SECONDS_VARIABLE,
    Limits,
    limits_for,
)
from napari_sparseexplain.networks.process.tensor_memory import TensorForm, put, room_for, take
from napari_sparseexplain.progress import drain

LINUX = sys.platform.startswith("linux")
linux = pytest.mark.skipif(not LINUX, reason="Linux alone limits the process")

CARD = ModelCard(
    name="elsewhere",
    title="Elsewhere",
    architecture="torchscript",
    arguments={"output": "out"},
    task="segmentation",
    inputs=Inputs(("flair",), "unit", spacing_mm=1.0, size=16),
    classes={"0": "tissue", "1": "lesion"},
)


class Network(nn.Module):
    """Two outputs, a buffer, and, by its input's size, what a network should not do."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.last = nn.Conv2d(4, 2, 1)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        if x.shape[2] == 7:
            while x.shape[2] < 8:
                x = x + 1
        if x.shape[2] == 9:
            for _ in range(40):
                x = torch.cat([x, x], dim=3)
        y = torch.tanh(self.norm(self.first(x)))
        return {"deep": y, "out": self.last(y)}


def network() -> Network:
    torch.manual_seed(0)
    made = Network().eval()
    made.norm.running_mean += 0.1  # a buffer that matters
    return made


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "net.ts"
    torch.jit.save(torch.jit.script(network()), path)
    return path


@pytest.fixture(scope="module")
def model(file: Path) -> Iterator[Model]:
    loaded = load_external_model(file, CARD)
    yield loaded
    process(loaded).end()


def process(model: Model) -> Any:
    return model.network.inner.process  # type: ignore[union-attr]


def logits(module: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda x: module(x)["out"]


def gradient(function: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    image = x.clone().requires_grad_(True)
    (found,) = torch.autograd.grad(function(image).square().sum(), image)
    return found


def test_answers_and_gradients_are_those_of_the_network_itself(model: Model) -> None:
    here, there = logits(network()), lambda x: model.network(x)[1]
    for x in (torch.rand(1, 1, 16, 16), torch.rand(3, 1, 20, 12), torch.rand(2, 1, 16, 18).mT):
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            torch.testing.assert_close(there(x), here(x), rtol=0, atol=1e-6)
        torch.testing.assert_close(gradient(there, x), gradient(here, x), rtol=0, atol=1e-6)
    outputs = model.network.inner(torch.rand(1, 1, 8, 8))
    assert list(outputs) == ["deep", "out"]
    assert outputs["deep"].shape == (1, 4, 8, 8)


def test_a_gradient_can_be_asked_for_twice_late_and_of_each_output(model: Model) -> None:
    x = torch.rand(1, 1, 16, 16, requires_grad=True)
    calls = [model.network(x * k)[1] for k in range(1, 8)]  # more than the process keeps
    for k, value in enumerate(calls, start=1):
        (one,) = torch.autograd.grad(value.sum(), x, retain_graph=True)
        (two,) = torch.autograd.grad(value.sum(), x)
        wanted = gradient_of_sum(k, x)
        torch.testing.assert_close(one, wanted, rtol=0, atol=1e-6)
        torch.testing.assert_close(two, wanted, rtol=0, atol=1e-6)
    both = model.network.inner(x)
    (deep,) = torch.autograd.grad(both["deep"].sum(), x)
    (here,) = torch.autograd.grad(network()(x)["deep"].sum(), x)
    torch.testing.assert_close(deep, here, rtol=0, atol=1e-6)


def gradient_of_sum(factor: int, x: torch.Tensor) -> torch.Tensor:
    (found,) = torch.autograd.grad(network()(x * factor)["out"].sum(), x)
    return found


def test_weights_drawn_anew_here_are_used_there_and_the_model_keeps_its_own(model: Model) -> None:
    x = torch.rand(1, 1, 16, 16)
    before = model.network(x)[1]

    def explain(changed: nn.Module) -> np.ndarray:
        return gradient(lambda image: changed(image)[1], x).numpy()[0]

    def explain_here(changed: nn.Module) -> np.ndarray:
        return gradient(logits(changed), x).numpy()[0]

    found = drain(randomise_cascading(model.network, explain, seed=3))
    copied = copy.deepcopy(model.network)
    with torch.no_grad():
        for weight in copied.parameters():
            weight.zero_()
    assert not copied(x)[1].any()
    torch.testing.assert_close(model.network(x)[1], before, rtol=0, atol=0)
    again = copy.deepcopy(copied)
    assert not again(x)[1].any()
    # As if it ran here; layers of a file come in the order in which they are registered.
    script = torch.jit.script(network())
    wanted = drain(randomise_cascading(script, explain_here, seed=3))
    assert [s.layer.removeprefix("inner.") for s in found.stages] == [
        s.layer for s in wanted.stages
    ]
    np.testing.assert_allclose(
        [s.correlation for s in found.stages], [s.correlation for s in wanted.stages], atol=1e-6
    )


def test_double_precision_and_a_moved_model(model: Model) -> None:
    x = torch.rand(1, 1, 16, 16, dtype=torch.float64)
    double = copy.deepcopy(model.network).double()
    torch.testing.assert_close(double(x)[1], network().double()(x)["out"])
    assert model.on("cpu") is model


def test_several_threads_ask_at_once(model: Model) -> None:
    here, wrong = network(), []

    def ask(seed: int) -> None:
        x = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(seed))
        for _ in range(5):
            there = gradient(lambda image: model.network(image)[1], x)
            if not torch.allclose(there, gradient(logits(here), x), atol=1e-6):
                wrong.append(seed)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@linux
def test_a_hang_a_bomb_and_a_kill_are_one_error_each_and_the_next_call_answers(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = torch.rand(1, 1, 16, 16)
    wanted = model.network(x)[1]
    # Filling memory takes its time where others compute: the limit that is meant comes first.
    monkeypatch.setenv(SECONDS_VARIABLE, "120")
    with pytest.raises(ModelError, match=MEMORY_VARIABLE) as bomb:
        model.network(torch.rand(1, 1, 9, 9))
    assert "more than the 1.0 GB" in str(bomb.value)
    assert torch.equal(model.network(x)[1], wanted)
    monkeypatch.setenv(SECONDS_VARIABLE, "0.3")
    with pytest.raises(ModelError, match=SECONDS_VARIABLE):
        model.network(torch.rand(1, 1, 7, 7))
    monkeypatch.delenv(SECONDS_VARIABLE)
    assert torch.equal(model.network(x)[1], wanted)
    pid = process(model)._child.pid
    os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ModelError):  # it may be seen to be gone before it is asked
        model.network(x)
    assert not Path(f"/proc/{pid}").exists()  # nothing of it is left
    assert torch.equal(model.network(x)[1], wanted)
    killing = threading.Timer(0.5, os.kill, (process(model)._child.pid, signal.SIGKILL))
    killing.start()
    with pytest.raises(ModelError, match=r"ended the process.*next run starts the model anew"):
        model.network(torch.rand(1, 1, 7, 7))
    killing.join()
    assert torch.equal(model.network(x)[1], wanted)


@linux
def test_with_the_model_its_process_and_memory_go(file: Path) -> None:
    gc.collect()
    open_before = len(os.listdir("/proc/self/fd"))
    loaded = load_external_model(file, CARD)
    value = loaded.network(torch.rand(1, 1, 16, 16, requires_grad=True))[1]
    pid = process(loaded)._child.pid
    assert Path(f"/proc/{pid}").exists()
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"HOME=" not in environment
    assert b"PATH=" not in environment.replace(b"LD_LIBRARY_PATH=", b"")
    del loaded, value
    gc.collect()
    assert not Path(f"/proc/{pid}").exists()
    assert len(os.listdir("/proc/self/fd")) <= open_before


@linux
def test_the_process_ends_with_its_parent_even_while_it_computes(file: Path) -> None:
    program = (
        "import sys, threading, time, torch\n"
        "from test_model_process import CARD, process\n"
        "from napari_sparseexplain.networks.bundle.external_model import load_external_model\n"
        f"model = load_external_model({str(file)!r}, CARD)\n"
        "call = lambda: model.network(torch.rand(1, 1, 7, 7))\n"
        "threading.Thread(target=call, daemon=True).start()\n"
        "time.sleep(0.3)\n"
        "print(process(model)._child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    package = Path(child_process.__file__).resolve().parents[3]
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(package), str(Path(__file__).parent))),
        },
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            break
        if state == "Z":  # ended, and nobody here to collect it
            break
        time.sleep(0.05)
    else:
        pytest.fail("the process outlives its parent")


def test_where_no_memory_is_shared_tensors_go_through_the_pipe(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process.SharedBytes, "make", classmethod(lambda cls: None))
    monkeypatch.setattr(model_process, "_file_in_memory", lambda archive: -1)
    loaded = load_external_model(file, CARD)
    x = torch.rand(2, 1, 200, 200)  # more than a pipe holds
    there = gradient(lambda image: loaded.network(image)[1], x)
    torch.testing.assert_close(there, gradient(logits(network()), x), rtol=0, atol=1e-6)
    process(loaded).end()


def test_a_file_that_changed_since_is_not_started_again(file: Path, tmp_path: Path) -> None:
    path = tmp_path / "net.ts"
    path.write_bytes(file.read_bytes())
    loaded = load_external_model(path, CARD)
    process(loaded).end()
    path.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(ModelError, match="no longer the one that was opened"):
        loaded.network(torch.rand(1, 1, 16, 16))


def test_a_card_of_other_weights_is_refused(file: Path) -> None:
    with pytest.raises(ModelError, match="not the model that the card describes"):
        load_external_model(file, replace(CARD, weights_sha256="0" * 64))
    right = replace(CARD, weights_sha256=checksum_of(file))
    loaded = load_external_model(file, right)
    assert loaded.card.weights_sha256 == right.weights_sha256
    process(loaded).end()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a card")
def test_on_a_card_the_process_puts_the_model_there(file: Path, model: Model) -> None:
    there = load_external_model(file, CARD, device="cuda")
    x = torch.rand(2, 1, 32, 32)
    here = gradient(lambda image: model.network(image)[1], x)
    for moved in (there, model.on("cuda"), there.on("cpu").on("cuda")):
        image = x.to(moved.device)
        found = gradient(lambda image, moved=moved: moved.network(image)[1], image)
        assert found.device.type == "cuda"
        torch.testing.assert_close(found.cpu(), here, rtol=1e-3, atol=1e-4)
        process(moved).end()


def test_a_network_says_what_it_does_not_take_in_our_words(model: Model) -> None:
    with pytest.raises(ModelError) as caught:
        model.network(torch.rand(1, 3, 16, 16))
    text = str(caught.value)
    assert "(1, 3, 16, 16) (it takes 1 channels and is given 3)" in text
    assert "torch" not in text.replace(str(process(model).path), "")


@pytest.mark.parametrize(
    "values",
    [
        None,
        [],
        ["float32", [2], [0], 1],
        ["float32", [-1], [0]],
        ["float32", [2.0], [0]],
        ["float32", [True], [0]],
        ["float32", [2], [1]],
        ["float32", [2, 2], [0]],
        ["float32", [2, 2], [0, 0]],
        ["object", [2], [0]],
        ["float32", [1 << 39, 1 << 39], [0, 1]],
        ["float32", [1] * 9, list(range(9))],
    ],
)
def test_what_is_no_form_of_a_tensor_is_refused(values: Any) -> None:
    with pytest.raises(ValueError, match=r"form|order|larger"):
        TensorForm.from_json(values)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.bool, torch.int64])
def test_tensors_keep_their_order_in_memory(kind: torch.dtype) -> None:
    plain = (torch.rand(2, 3, 4, 5) * 9).to(kind)
    tensors = [
        plain,
        plain.contiguous(memory_format=torch.channels_last),
        plain.permute(3, 1, 0, 2),
        plain[:, ::2],
        plain[:0],
        torch.tensor(3).to(kind),
    ]
    forms = [TensorForm.of(tensor) for tensor in tensors]
    memory = torch.zeros(room_for(forms), dtype=torch.uint8)
    put(memory, tensors, forms)
    for given, found in zip(tensors, take(memory, forms), strict=True):
        assert torch.equal(given, found)
    channels_last = take(memory, forms)[1]
    assert channels_last.is_contiguous(memory_format=torch.channels_last)


def test_limits_follow_weights_and_pixels_and_the_persons_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(MEMORY_VARIABLE, raising=False)
    monkeypatch.delenv(SECONDS_VARIABLE, raising=False)
    small, large = limits_for(1000, 32 * 32), limits_for(400 << 20, 240 * 240)
    assert small.bytes < 1.1 * 2**30
    assert small.seconds < 7
    assert large.seconds > 60
    assert large.bytes > small.bytes
    monkeypatch.setenv(MEMORY_VARIABLE, "0.5")
    monkeypatch.setenv(SECONDS_VARIABLE, "7")
    assert limits_for(400 << 20, 10**6).bytes == 2**29
    assert limits_for(400 << 20, 10**6).seconds == 7
    monkeypatch.setenv(MEMORY_VARIABLE, "much")
    assert limits_for(1000, 0).bytes >= 2**29


@linux
def test_a_process_that_never_stops_talking_is_overdue(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is always something to read, and never an answer."""
    process(model).ensure_running()
    child = process(model)._child
    monkeypatch.setattr(child, "_began", time.monotonic() - 1000)
    monkeypatch.setattr(child, "_looked", time.monotonic() - 1000)
    monkeypatch.setattr(child, "_limits", Limits(1 << 20, 1.0))
    reading, writing = os.pipe()
    os.write(writing, b"more")
    with pytest.raises(Overdue):
        child._await(reading, reading=True)
    os.close(reading)
    os.close(writing)
