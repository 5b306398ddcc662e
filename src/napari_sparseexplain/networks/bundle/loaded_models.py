"""The models that this process has seen, by the checksum of their weights."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

#: How to load the models that this process has seen, by the sha256 of their weights.
LOADERS: dict[str, Callable[[str], Any]] = {}

#: Models without a file, for as long as somebody holds them.
IN_MEMORY: weakref.WeakSet[Any] = weakref.WeakSet()


def remember(sha256: str, load: Callable[[str], Any]) -> None:
    """Note how a model that was loaded is loaded again; ``load`` is given a device."""
    if sha256:
        LOADERS[sha256] = load


def hold(model: Any) -> None:
    """Let a model that has no file be found by its weights, as long as it lives."""
    IN_MEMORY.add(model)
