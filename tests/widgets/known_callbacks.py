"""What napari asks of a callback is asked once for each function.

For every connection, ten thousand in a window, napari has Python read the signature of what is to
be called, to know whether it takes an event. That hangs on the function's code alone.
"""

from __future__ import annotations

from inspect import ismethod
from typing import Any

from napari.utils.events import EventEmitter


def read_signatures_once() -> None:
    """Let napari remember, for the process, which functions take an event."""
    read = EventEmitter._check_signature
    known: dict[tuple[Any, ...], bool] = {}

    def remembered(callback: Any) -> bool:
        function = callback.__func__ if ismethod(callback) else callback
        code = getattr(function, "__code__", None)
        if code is None or hasattr(function, "__wrapped__") or hasattr(function, "__signature__"):
            return read(callback)
        key = code, len(function.__defaults__ or ()), ismethod(callback)
        if key not in known:
            known[key] = read(callback)
        return known[key]

    EventEmitter._check_signature = staticmethod(remembered)  # type: ignore[method-assign]
