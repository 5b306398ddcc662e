"""Attributes of the package's own objects behind a window: read, and put back.

A test may set a method of one (``tab.dialogs.ask = …``), fill what one remembers, move what one
holds: all that is taken back once the window shows again what it did. What was made anew with the
widgets of a form stays; weights that were changed and objects that Qt has deleted are told.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import shiboken6
from pydantic import BaseModel
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QWidget

_PACKAGE = "napari_sparseexplain."
_HOLDING = (dict, list, set, WeakKeyDictionary)


def _ours(value: Any) -> bool:
    """Whether a value is one of the package's objects that change; overlays are of the picture."""
    if not type(value).__module__.startswith(_PACKAGE) or not hasattr(value, "__dict__"):
        return False
    if isinstance(value, (BaseModel, type)):
        return False
    return not (
        dataclasses.is_dataclass(value) and type(value).__dataclass_params__.frozen  # type: ignore[attr-defined]
    )


def _parts(value: Any) -> Iterator[Any]:
    """A value, or what a collection holds."""
    if isinstance(value, (list, tuple, set)):
        yield from value
    elif isinstance(value, (dict, WeakKeyDictionary)):
        yield from list(value.values())
    else:
        yield value


def _walk(roots: list[Any]) -> list[Any]:
    found, todo, seen = [], list(roots), {id(root) for root in roots}
    while todo:
        at = todo.pop()
        found.append(at)
        for value in list(vars(at).values()):
            for part in _parts(value):
                if id(part) not in seen and _ours(part):
                    seen.add(id(part))
                    todo.append(part)
    return found


def _of_a_form(value: Any) -> bool:
    """Whether it belongs to widgets, or reads them: it is made anew with these."""
    return any(
        isinstance(part, QWidget)
        or callable(part)
        or (isinstance(part, (dict, list, tuple)) and part is not value and _of_a_form(part))
        for part in _parts(value)
    )


def _weights(value: Any) -> int | None:
    """Checksum of a network's weights; None of what is none."""
    if not hasattr(value, "state_dict"):
        return None
    sums = [zlib.crc32(t.detach().cpu().numpy().tobytes()) for t in value.state_dict().values()]
    return zlib.crc32(str(sums).encode())


@dataclass
class Objects:
    """Objects with their attributes, copies of what these hold, and weights."""

    kept: list[tuple[Any, dict[str, Any], dict[str, Any], int | None]]

    @classmethod
    def of(cls, workspace: Any) -> Objects:
        """As they are now. The tabs are asked for: Qt alone holds them."""
        kept = []
        for one in _walk([workspace, *workspace.tabs.pages()]):
            values = dict(vars(one))
            copies = {k: v.copy() for k, v in values.items() if isinstance(v, _HOLDING)}
            kept.append((one, values, copies, _weights(one)))
        return cls(kept)

    def take_back_overrides(self) -> None:
        """Methods that a test set on an object are the object's own again."""
        for one, values, _, _ in self.kept:
            for name in [n for n in vars(one) if n not in values]:
                if hasattr(type(one), name):
                    delattr(one, name)
            for name, value in values.items():
                if callable(value) and vars(one).get(name) is not value and not _ours(value):
                    vars(one)[name] = value

    def put_back(self) -> None:
        """Every attribute and what it holds as it was, but for what is a form's."""
        for one, values, copies, _ in self.kept:
            now = vars(one)
            for name in [n for n in now if n not in values]:
                del now[name]
            for name, value in values.items():
                held = now.get(name)
                if _of_a_form(value) or _of_a_form(held):
                    continue
                if held is not value:
                    now[name] = value
                if name in copies and list(_parts(value)) != list(_parts(copies[name])):
                    value.clear()
                    value.extend(copies[name]) if isinstance(value, list) else value.update(
                        copies[name]
                    )

    def differing(self) -> str:
        """What cannot be put back."""
        for one, values, _, weights in self.kept:
            if isinstance(one, QWidget) and not shiboken6.isValid(one):
                continue  # a row of a list that was made anew: the form tells what it says
            where = type(one).__name__
            for name, value in values.items():
                if isinstance(value, QObject) and not shiboken6.isValid(value):
                    return f"{where}.{name} is no more"
                if isinstance(value, QWidget) and vars(one).get(name) is not value:
                    return f"{where}.{name} is another widget"
            if _weights(one) != weights:
                return f"{where} has other weights"
        return ""
