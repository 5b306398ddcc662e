"""The process in which a model from a file runs; see `model_process` for the other end.

It imports torch, computes one tiny convolution so that everything is loaded, gives up what
`sandbox` takes, and only then opens the model. Then it answers, one message after the other, until
the pipe closes. Started as ``python -I``, with nothing of its parent's environment.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import torch
from torch import nn

from ..running.faults import fault_of
from .link import LinkBroken, ProcessLink
from .sandbox import lock_down
from .tensor_memory import SharedBytes

#: Graphs kept for gradients that may still be asked for; an older one is made anew when it is.
_KEPT_GRAPHS = 4


def main(options: dict[str, Any]) -> None:
    """Serve one model until the pipe closes.

    Parameters
    ----------
    options : dict
        ``kind`` (torchscript, pt2), ``device``, file descriptors ``memory`` and ``life`` (or -1),
        and ``readable``, the folders that computing may read.
    """
    _end_with_parent(int(options["life"]))
    memory = SharedBytes(int(options["memory"]), owner=False) if options["memory"] >= 0 else None
    reading, writing = _own_pipes()
    link = ProcessLink(reading, writing, memory, owner=False)
    device = torch.device(options["device"])
    _warm_up(device, options["kind"])
    on_card = device.type == "cuda"
    held = lock_down(options["readable"], accelerator=on_card)
    link.send(
        {"ready": True, "limits": held.limits, "landlock": held.landlock, "seccomp": held.seccomp}
    )
    server = _Server(options["kind"], device)
    with contextlib.suppress(LinkBroken):
        while True:
            message, tensors = link.receive()
            answer, given = server.answer(message, tensors)
            link.send(answer, given)


def _own_pipes() -> tuple[int, int]:
    """The pipes to the parent, out of reach of whatever prints."""
    reading, writing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(reading, os.O_BINARY)
        msvcrt.setmode(writing, os.O_BINARY)
    return reading, writing


def _end_with_parent(life: int) -> None:
    """Have the kernel end this process when its parent does, whatever it is doing then.

    Nothing is ever written into the pipe, so its only event is that the parent's end closes.
    """
    import signal

    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    if life < 0:
        return
    import fcntl

    fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(life, fcntl.F_SETFL, fcntl.fcntl(life, fcntl.F_GETFL) | os.O_ASYNC)


def _warm_up(device: torch.device, kind: str) -> None:
    """Load what is loaded on first use: on one thread, since Landlock binds only later ones."""
    torch.set_num_threads(1)
    layer = nn.Conv2d(1, 1, 3).to(device)
    x = torch.zeros(1, 1, 8, 8, device=device, requires_grad=True)
    layer(x).sum().backward()
    if kind == "pt2":
        for module in ("torch._export.serde.serialize", "torch.export.pt2_archive._package"):
            with contextlib.suppress(ImportError):  # its place differs between versions
                import_module(module)


class _Server:
    """The model and the graphs that gradients may still be asked of."""

    def __init__(self, kind: str, device: torch.device) -> None:
        self._kind, self._device = kind, device
        self._module: nn.Module = nn.Identity()
        self._graphs: OrderedDict[int, tuple[torch.Tensor, list[torch.Tensor]]] = OrderedDict()
        self._does: dict[str, Callable[..., tuple[dict[str, Any], list[torch.Tensor]]]] = {
            "open": self._open,
            "weights": self._weights,
            "forward": self._forward,
            "backward": self._backward,
        }

    def answer(
        self, message: dict[str, Any], tensors: list[torch.Tensor]
    ) -> tuple[dict[str, Any], list[torch.Tensor]]:
        """What is sent back; an error is told in the product's own words."""
        try:
            return self._does[message["do"]](message, tensors)
        except Exception as error:
            self._graphs.clear()
            kind, words = fault_of(error)
        # Outside the handler: the traceback held the tensors of the failed run.
        return {"fault": kind, "words": words}, []

    def _open(
        self, message: dict[str, Any], tensors: list[torch.Tensor]
    ) -> tuple[dict[str, Any], list[torch.Tensor]]:
        with _opened(message, tensors) as file:
            if self._kind == "pt2":
                program = torch.export.load(file)
                # Guards are Python code; a wrong shape is an error of the operator itself.
                module = program.module(check_guards=False)
            else:
                module = torch.jit.load(file, map_location="cpu").eval()
        for weight in module.parameters():
            weight.requires_grad_(False)
        self._module = module.to(self._device)
        weights, buffers = dict(module.named_parameters()), dict(module.named_buffers())
        return (
            {"weights": list(weights), "buffers": list(buffers)},
            [*weights.values(), *buffers.values()],
        )

    def _weights(
        self, message: dict[str, Any], tensors: list[torch.Tensor]
    ) -> tuple[dict[str, Any], list[torch.Tensor]]:
        own = {**dict(self._module.named_parameters()), **dict(self._module.named_buffers())}
        for name, tensor in zip(message["names"], tensors, strict=True):
            own[name].data = tensor.to(self._device)
        self._graphs.clear()
        return {}, []

    def _forward(
        self, message: dict[str, Any], tensors: list[torch.Tensor]
    ) -> tuple[dict[str, Any], list[torch.Tensor]]:
        self._prepare(message)
        (x,) = tensors
        if not message["graph"]:
            with torch.inference_mode() if message["inference"] else torch.no_grad():
                given = self._module(x.to(self._device))
            tree, found = _flattened(given)
            return {"tree": tree, "graph": [False] * len(found)}, found
        leaf, found, tree = self._with_graph(x)
        self._graphs[message["number"]] = (leaf, found)
        while len(self._graphs) > _KEPT_GRAPHS:
            self._graphs.popitem(last=False)
        return {"tree": tree, "graph": [t.requires_grad for t in found]}, found

    def _with_graph(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor], Any]:
        leaf = x.to(self._device).requires_grad_(True)
        with torch.enable_grad():
            # A network may change its input in place, which no leaf allows.
            tree, found = _flattened(self._module(leaf.view_as(leaf)))
        return leaf, found, tree

    def _backward(
        self, message: dict[str, Any], tensors: list[torch.Tensor]
    ) -> tuple[dict[str, Any], list[torch.Tensor]]:
        self._prepare(message)
        if message["again"]:
            x, *gradients = tensors
            leaf, outputs = self._with_graph(x)[:2]
        elif (kept := self._graphs.pop(message["number"], None)) is not None:
            gradients, (leaf, outputs) = tensors, kept
        else:
            return {"lost": True}, []
        wanted = [outputs[place] for place in message["places"]]
        given = [g.to(self._device) for g in gradients]
        (found,) = torch.autograd.grad(wanted, leaf, given, allow_unused=True)
        return ({"unused": True}, []) if found is None else ({}, [found])

    def _prepare(self, message: dict[str, Any]) -> None:
        if torch.get_num_threads() != message["threads"]:
            torch.set_num_threads(message["threads"])
        for number in message["free"]:
            self._graphs.pop(number, None)


@contextlib.contextmanager
def _opened(message: dict[str, Any], tensors: list[torch.Tensor]) -> Iterator[Any]:
    """The model's file: already open here, or sent as bytes."""
    handle = message["file"]
    if handle < 0:
        yield io.BytesIO(tensors[0].numpy().tobytes())
        return
    with open(handle, "rb") as file:
        yield file


def _flattened(given: Any) -> tuple[Any, list[torch.Tensor]]:
    """Outputs as a tree of plain values with places of tensors, and the tensors."""
    found: list[torch.Tensor] = []

    def tree_of(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            found.append(value)
            return {"tensor": len(found) - 1}
        if isinstance(value, tuple | list):
            return {"tuple" if isinstance(value, tuple) else "list": [tree_of(v) for v in value]}
        if isinstance(value, dict):
            return {"dict": [[k, tree_of(v)] for k, v in value.items() if isinstance(k, str | int)]}
        return {"value": value if isinstance(value, str | int | float | bool) else None}

    return tree_of(given), found
