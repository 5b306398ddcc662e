"""A person's own torch module: evaluated as one that is not being trained, given back as it was.

In training mode dropout draws anew at every call, and batch normalisation looks at whatever slices
come together and moves its statistics with them: a map would differ from run to run, and the
module with it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any

from torch import nn

#: Objects within objects that are looked at for modules.
_DEPTH = 4


def modules_behind(function: Callable[..., Any]) -> tuple[nn.Module, ...]:
    """Torch modules that calling ``function`` may run.

    Itself; what it is a method of; what a partial holds; what it closes over; the globals, and
    the attributes of its object, that are modules or hold some in a list, tuple or dictionary.
    """
    found: dict[int, nn.Module] = {}
    seen: set[int] = set()
    _look(function, found, seen, _DEPTH)
    return tuple(found.values())


def _look(thing: Any, found: dict[int, nn.Module], seen: set[int], depth: int) -> None:
    if id(thing) in seen or depth < 0:
        return
    seen.add(id(thing))
    if isinstance(thing, nn.Module):
        found[id(thing)] = thing
        # What a module holds without having registered it (in a list, beside its own) runs, too.
        for module in thing.modules():
            seen.add(id(module))
            hooks = {"_parameters", "_buffers", "_modules"}
            for name, part in vars(module).items():
                if name not in hooks and not name.endswith("_hooks"):
                    _look(part, found, seen, depth - 1)
        return
    for part in _parts(thing):
        _look(part, found, seen, depth - 1)


def _parts(thing: Any) -> list[Any]:
    if isinstance(thing, functools.partial):
        return [thing.func, *thing.args, *thing.keywords.values()]
    if isinstance(thing, list | tuple | set):
        return list(thing)
    if isinstance(thing, dict):
        return list(thing.values())
    parts: list[Any] = []
    code = getattr(thing, "__code__", None)
    if isinstance(code, CodeType):
        for cell in getattr(thing, "__closure__", None) or ():
            try:
                parts.append(cell.cell_contents)
            except ValueError:  # a name that is not bound yet
                continue
        there = getattr(thing, "__globals__", {})
        parts += [there[name] for name in _names(code) if name in there]
        parts += [getattr(thing, "__defaults__", None) or (), getattr(thing, "__wrapped__", None)]
        parts.append(getattr(thing, "__kwdefaults__", None) or {})
        parts.append(getattr(thing, "__self__", None))
    elif type(thing).__module__ not in ("builtins", "numpy", "torch"):
        parts += [getattr(thing, "__self__", None), getattr(thing, "__wrapped__", None)]
        parts += list(getattr(thing, "__dict__", {}).values())
        parts += [
            getattr(thing, name, None) for kind in type(thing).__mro__ for name in _slots(kind)
        ]
        parts.append(vars(type(thing)).get("__call__"))
    return [part for part in parts if not isinstance(part, type)]


def _slots(kind: type) -> tuple[str, ...]:
    found = vars(kind).get("__slots__", ())
    return (found,) if isinstance(found, str) else tuple(found)


def _names(code: CodeType) -> set[str]:
    """Globals that some code, or a function written inside it, may read."""
    inner = (c for c in code.co_consts if isinstance(c, CodeType))
    return set(code.co_names).union(*(_names(c) for c in inner))


@contextmanager
def evaluating(modules: tuple[nn.Module, ...]) -> Iterator[None]:
    """Evaluation mode, and every submodule's own mode again afterwards."""
    before = [(part, part.training) for module in modules for part in module.modules()]
    try:
        for part, training in before:
            # Not .eval(): a module may have its own idea of it, for its parts, too.
            if training:
                part.training = False
        yield
    finally:
        for part, training in before:
            part.training = training


def in_training(network: nn.Module) -> bool:
    """Whether any part is in training mode, but for parts that see to that themselves."""
    if getattr(network, "keeps_modes", False):
        return False
    return any(part.training for part in network.modules())
