"""Parts of a network that were exported and run in one piece: what they hold cannot be seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn
from torch._ops import OpOverload
from torch.fx import GraphModule

from ...errors import ModelError
from ..process.network import ProcessNetwork
from .layer_outputs import leaf_layers

TORCHSCRIPT, PROGRAM, FUNCTION = "TorchScript", "a program of torch.export (.pt2)", "a function"

#: A program taken apart again (`torch.export.unflatten`): its layers are seen, and what each is
#: (a convolution, a pooling) is not.
TAKEN_APART = "a program of torch.export taken apart"

#: The part of a program that checks what it is given.
_CHECK = "_guards_fn"

#: Layers that a sentence names.
_NAMED = 6

_MODULE = (
    "Give the torch module itself (se.explain(study, module, 'layer-maps', …)); attribution "
    "methods other than Grad-CAM also work with exported files"
)
_REMEDIES = {
    TORCHSCRIPT: _MODULE,
    PROGRAM: _MODULE + "; of a program that you trust torch.export.unflatten(program) is a module "
    "whose layers can be seen",
    FUNCTION: "Give the torch module that it calls",
}


def exported_parts(network: nn.Module) -> dict[str, str]:
    """What of a network was exported: the part's name, empty for all of it, and what it is.

    Parameters
    ----------
    network : torch.nn.Module
        Of a network from elsewhere (`ExternalNetwork`) the person's own module is looked at.
    """
    own = getattr(network, "inner", None)
    if callable(own):
        if not isinstance(own, nn.Module):
            return {"": FUNCTION}
        network = own
    found: dict[str, str] = {}
    for name, module in network.named_modules():
        inside = any(name.startswith(f"{part}.") or not part for part in found)
        kind = "" if inside else _kind(module)
        if kind:
            found[name] = kind
    return found


def _kind(module: nn.Module) -> str:
    if isinstance(module, ProcessNetwork):
        return PROGRAM if Path(str(module.process.path)).suffix == ".pt2" else TORCHSCRIPT
    if isinstance(module, torch.jit.ScriptModule):
        return TORCHSCRIPT
    if type(module).__module__.startswith("torch.export"):
        return TAKEN_APART
    if isinstance(module, GraphModule) and _calls_operators(module) and not _calls_layers(module):
        return PROGRAM
    return ""


def _calls_operators(module: GraphModule) -> bool:
    """Whether it calls operators themselves; one that was traced calls what its author wrote."""
    return any(
        node.op == "call_function" and isinstance(node.target, OpOverload)
        for node in module.graph.nodes
    )


def _calls_layers(module: GraphModule) -> bool:
    """Whether it calls the modules that it was made of; an exported program calls operators.

    What such a program calls is its check of the inputs alone.
    """
    called = (node.target for node in module.graph.nodes if node.op == "call_module")
    return any(str(name).rpartition(".")[2] != _CHECK for name in called)


def missing_words(parts: Mapping[str, str]) -> str:
    """Which parts of a network are not among its layers; empty where there are none."""
    gone = {name: kind for name, kind in parts.items() if name and kind != TAKEN_APART}
    if not gone:
        return ""
    listed = ", ".join(f"{name} ({kind})" for name, kind in list(gone.items())[:_NAMED])
    more = " …" if len(gone) > _NAMED else ""
    return f"Not among the layers, since it runs in one piece: {listed}{more}."


def unseen_error(network: nn.Module, model: str, layer: str = "") -> ModelError:
    """Why none of a network's layers can be seen, and what to do.

    Parameters
    ----------
    model : str
        What it is called.
    layer : str
        The layer that was asked for.
    """
    kind = exported_parts(network).get("", "")
    asked = f", so neither can {layer.strip()!r}" if layer.strip() else ""
    if kind == FUNCTION:
        return ModelError(
            f"its layers cannot be seen: it is a function and no torch module{asked}",
            where=model,
            remedy=_REMEDIES[kind],
        )
    if kind in _REMEDIES:
        return ModelError(
            f"its layers{_listed(network)} cannot be seen: it is {kind}, which runs in one "
            f"piece{asked}",
            where=model,
            remedy=_REMEDIES[kind],
        )
    kinds = sorted({type(module).__name__ for module in leaf_layers(network).values()})
    listed = f" ({', '.join(kinds[:_NAMED])})" if kinds else ""
    return ModelError(
        f"none of its layers{listed} has maps with rows and columns that can be seen{asked}",
        where=model,
        remedy="Choose a convolutional network; attribution methods other than Grad-CAM need no "
        "layers",
    )


def _listed(network: nn.Module) -> str:
    """Those layers that have names still: of a file those with weights."""
    own = getattr(network, "inner", network)
    names = [
        name
        for name, module in own.named_modules()
        if name and name != _CHECK and not any(True for _ in module.children())
    ]
    shown = ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
    return f" ({shown})" if names else ""
