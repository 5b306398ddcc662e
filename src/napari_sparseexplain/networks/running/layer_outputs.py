"""What every layer of a network gives for some images, in the order in which the layers run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

import torch
from torch import nn


def leaf_layers(network: nn.Module) -> dict[str, nn.Module]:
    """Modules without modules of their own, by name: what can be looked at.

    Of a network from elsewhere those of the person's own module, by their own names; none of one
    that was exported in one piece (TorchScript, ``.pt2``), whose parts run unseen.
    """
    own = getattr(network, "inner", None)
    if callable(own):
        if not isinstance(own, nn.Module):
            return {}
        network = own
    return {
        name or type(module).__name__: module
        for name, module in network.named_modules()
        if not any(True for _ in module.children())
        and not isinstance(module, torch.jit.ScriptModule)
    }


@contextmanager
def watched_layers(
    network: nn.Module, seen: Callable[[str, torch.Tensor], torch.Tensor | None]
) -> Iterator[None]:
    """Hand every layer's output to ``seen`` while the network runs inside the block.

    Parameters
    ----------
    seen : callable
        Given the layer's name (``"relu"``, of its second call ``"relu (2)"``) and its output; what
        it returns, unless None, takes the output's place.

    Notes
    -----
    What another thread runs meanwhile on the same network is neither seen nor changed.
    """
    counts: dict[str, int] = {}
    here = get_ident()
    handles = []

    def hook_of(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> Any:
            if not isinstance(output, torch.Tensor) or get_ident() != here:
                return None
            counts[name] = counts.get(name, 0) + 1
            call = name if counts[name] == 1 else f"{name} ({counts[name]})"
            return seen(call, output)

        return hook

    try:
        for name, module in leaf_layers(network).items():
            handles.append(module.register_forward_hook(hook_of(name)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def layer_outputs(
    network: nn.Module, run: Callable[[], Any], *, dims: int = 4
) -> dict[str, torch.Tensor]:
    """Outputs (B, maps, h, w) of all layers while ``run`` runs the network, in their order.

    Parameters
    ----------
    network : torch.nn.Module
    run : callable
        Runs it once.
    dims : int
        Outputs of another number of axes (vectors of a classifier's end) are left out.
    """
    found, as_given = _outputs(network, run, dims, copies=False)
    if not as_given:  # something beside the modules works in place, as ``x += shortcut``
        found, _ = _outputs(network, run, dims, copies=True)
    return found


def _outputs(
    network: nn.Module, run: Callable[[], Any], dims: int, *, copies: bool
) -> tuple[dict[str, torch.Tensor], bool]:
    """Outputs of all layers, and whether all are still as the layers gave them."""
    found: dict[str, torch.Tensor] = {}
    versions: dict[str, int] = {}

    def keep(name: str, output: torch.Tensor) -> None:
        if output.dim() == dims and output.is_floating_point():
            found[name] = output.detach().clone() if copies else output.detach()
            versions[name] = found[name]._version

    with _nothing_in_place(network), watched_layers(network, keep), torch.no_grad():
        run()
    return found, all(output._version == versions[name] for name, output in found.items())


@contextmanager
def _nothing_in_place(network: nn.Module) -> Iterator[None]:
    """No layer of the network writes into what the one before it gave."""
    changed = [
        module
        for module in network.modules()
        # Of a scripted layer that is a constant; it runs in one piece anyway.
        if getattr(module, "inplace", False) is True
        and not isinstance(module, torch.jit.ScriptModule)
    ]
    try:
        for module in changed:
            setattr(module, "inplace", False)  # noqa: B010 - not every module has it
        yield
    finally:
        for module in changed:
            setattr(module, "inplace", True)  # noqa: B010
