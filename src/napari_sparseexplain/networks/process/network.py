"""A network that runs in another process, called and differentiated as one that runs here.

Its weights are here, too, as ordinary parameters: what is drawn anew or loaded into them goes over
with the next call. Gradients reach the input, not the weights.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable

from ...errors import ModelError
from .model_process import AS_IN_FILE, ModelProcess, NetworkFailed

_CHANGES = itertools.count()


class ProcessNetwork(nn.Module):
    """The network of a `ModelProcess`.

    Parameters
    ----------
    process : ModelProcess
    weights, buffers : mapping of dotted name to Tensor
        As the process sent them.
    """

    def __init__(
        self,
        process: ModelProcess,
        weights: Mapping[str, torch.Tensor],
        buffers: Mapping[str, torch.Tensor],
    ) -> None:
        super().__init__()
        self.process = process
        for name, tensor in weights.items():
            holder, last = _holder(self, name)
            holder._parameters[last] = nn.Parameter(tensor, requires_grad=False)
        for name, tensor in buffers.items():
            holder, last = _holder(self, name)
            holder._buffers[last] = tensor
        self._file_marks = self._marks()
        self._changed: tuple[tuple[Any, ...], int] | None = None

    @classmethod
    def opened(cls, process: ModelProcess) -> ProcessNetwork:
        """The network of a process, which is started.

        Raises
        ------
        ModelError
            The file is refused or damaged, or ends the process.
        """
        return cls(process, *process.open())

    def __deepcopy__(self, memo: dict[int, Any]) -> ProcessNetwork:
        """A copy with weights of its own; both are run by one process, in turn."""
        weights = {name: p.detach().clone() for name, p in self.named_parameters()}
        buffers = {name: b.detach().clone() for name, b in self.named_buffers()}
        copied = ProcessNetwork(self.process, weights, buffers)
        if self._state() != AS_IN_FILE:
            copied._file_marks = ()
        return copied

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> nn.Module:
        """Another device is another process; the weights here stay in this computer's memory."""
        device = fn(torch.empty(0)).device
        if device != self.process.device:
            self.process = self.process.on(device)
        before, kinds = self._state(), [t.dtype for t in (*self.parameters(), *self.buffers())]
        super()._apply(lambda tensor: fn(tensor).to("cpu"), recurse)
        if before == AS_IN_FILE and kinds == [
            t.dtype for t in (*self.parameters(), *self.buffers())
        ]:
            self._file_marks = self._marks()
        return self

    def forward(self, x: torch.Tensor) -> Any:
        """What the network gives for images: a tensor, or several in a list or dictionary.

        Raises
        ------
        ModelError
            It fails, takes too much memory or time, or ends its process.
        """
        if torch.is_grad_enabled() and x.requires_grad:
            call = _Call(self, x)
            tensors = _Differentiable.apply(x, call)
        else:
            call = _Call(self, x)
            tensors = call.forward(x, graph=False)
        return call.tree(tensors)

    def ask(
        self, message: dict[str, Any], tensors: list[torch.Tensor], x: torch.Tensor
    ) -> tuple[dict[str, Any], list[torch.Tensor]]:
        """Ask the process, with the weights as they are here."""
        process, pixels = self.process, x.numel() // max(1, x.shape[1] if x.ndim > 1 else 1)
        with process.lock:
            try:
                process.ensure_running()
                if process.state != (state := self._state()):
                    named = {**dict(self.named_parameters()), **dict(self.named_buffers())}
                    process.ask({"do": "weights", "names": list(named)}, list(named.values()))
                    process.state = state
                return process.ask(message, tensors, pixels)
            except NetworkFailed as error:
                raise ModelError(
                    f"the network fails on an input of shape {tuple(x.shape)} ({error})",
                    where=process.path,
                    remedy="Check the card's inputs (roles, size), or give 'multiple' in its "
                    "arguments",
                ) from error

    def _marks(self) -> tuple[Any, ...]:
        """What tells whether a weight was changed since: cheap, and changes in place count."""
        tensors = [*self.parameters(), *self.buffers()]
        try:
            return tuple((id(t), t.data_ptr(), t.dtype, t._version) for t in tensors)
        except RuntimeError:  # made in inference mode, where nothing is counted
            return (object(),)

    def _state(self) -> object:
        marks = self._marks()
        if marks == self._file_marks:
            return AS_IN_FILE
        if self._changed is None or self._changed[0] != marks:
            self._changed = marks, next(_CHANGES)
        return self._changed[1]


def _holder(network: nn.Module, name: str) -> tuple[nn.Module, str]:
    """The part of a network that holds a weight, made where it is missing, and the last name."""
    *parts, last = name.split(".")
    if not last or not all(parts) or len(parts) > 64:
        raise ModelError("the network has a weight without a name")
    for part in parts:
        network = network._modules.setdefault(part, nn.Module()) or network
    return network, last


class _Call:
    """One call, and the graph that the process keeps of it for as long as this is alive."""

    def __init__(self, network: ProcessNetwork, x: torch.Tensor) -> None:
        self.network, self.process = network, network.process
        self.number = self.process.number()
        self.state: object = None
        self.graph = False
        self._tree: Any = None
        self.differentiable: list[bool] = []

    def forward(self, x: torch.Tensor, *, graph: bool) -> tuple[torch.Tensor, ...]:
        self.graph = graph
        message = {
            "do": "forward",
            "graph": graph,
            "inference": torch.is_inference_mode_enabled(),
            "number": self.number,
        }
        with self.process.lock:
            answer, tensors = self.network.ask(message, [x], x)
            self.state = self.process.state
        self._tree = answer.get("tree")
        marks = answer.get("graph")
        if not isinstance(marks, list) or len(marks) != len(tensors):
            raise ModelError("the network's answer is damaged", where=self.process.path)
        self.differentiable = [bool(mark) for mark in marks]
        return tuple(tensor.to(x.device) for tensor in tensors)

    def backward(
        self, x: torch.Tensor, gradients: list[tuple[int, torch.Tensor]]
    ) -> torch.Tensor | None:
        message = {
            "do": "backward",
            "number": self.number,
            "places": [place for place, _ in gradients],
            "again": False,
        }
        given = [g for _, g in gradients]
        with self.process.lock:
            answer, found = self.network.ask(message, given, x)
            if answer.get("lost"):  # asked for twice, or the process is another by now
                _, found = self.network.ask({**message, "again": True}, [x, *given], x)
            if self.process.state != self.state:
                raise ModelError(
                    "the network's weights were changed before its gradient was asked for",
                    where=self.process.path,
                )
        if not found:
            return None
        if found[0].shape != x.shape:
            raise ModelError("the network's answer is damaged", where=self.process.path)
        return found[0].to(x)

    def tree(self, tensors: tuple[torch.Tensor, ...]) -> Any:
        """The outputs as the network gave them."""
        try:
            return _grown(self._tree, tensors)
        except (
            TypeError,
            KeyError,
            IndexError,
            ValueError,
            AttributeError,
            RecursionError,
        ) as error:
            raise ModelError("the network's answer is damaged", where=self.process.path) from error

    def __del__(self) -> None:
        if getattr(self, "graph", False):
            self.process.forget(self.number)


def _grown(tree: Any, tensors: tuple[torch.Tensor, ...]) -> Any:
    ((kind, value),) = tree.items()
    if kind == "tensor":
        return tensors[value]
    if kind == "tuple":
        return tuple(_grown(item, tensors) for item in value)
    if kind == "list":
        return [_grown(item, tensors) for item in value]
    if kind == "dict":
        return {key: _grown(item, tensors) for key, item in value}
    return value


class _Differentiable(torch.autograd.Function):
    """A call whose gradient the process gives."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, call: _Call) -> tuple[torch.Tensor, ...]:
        ctx.set_materialize_grads(False)
        ctx.call = call
        ctx.save_for_backward(x)
        tensors = call.forward(x.detach(), graph=True)
        ctx.mark_non_differentiable(
            *(t for t, can in zip(tensors, call.differentiable, strict=True) if not can)
        )
        return tensors

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: torch.Tensor | None
    ) -> tuple[torch.Tensor | None, None]:
        (x,) = ctx.saved_tensors
        given = [(place, g) for place, g in enumerate(gradients) if g is not None]
        return (ctx.call.backward(x, given) if given else None), None
