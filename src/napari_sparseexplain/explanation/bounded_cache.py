"""Results kept for those who ask again, in a bounded amount of memory.

Keys are checksums of everything that a result depends on (`checksum`), so nothing has to be
invalidated: another image, weight or parameter is another key.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np

Value = TypeVar("Value")


class BoundedCache(Generic[Value]):
    """The most recently used values, as many as fit.

    Parameters
    ----------
    limit : int
        Bytes in all. A value that is larger by itself is not kept.
    size : callable
        Bytes of a value.
    """

    def __init__(self, limit: int, size: Callable[[Value], int]) -> None:
        self.limit = limit
        self._size = size
        self._held: OrderedDict[str, Value] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> Value | None:
        """The value of ``key``, or None."""
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key]

    def put(self, key: str, value: Value) -> None:
        """Keep ``value``; those not asked for the longest make room."""
        needed = self._size(value)
        if needed > self.limit:
            return
        with self._lock:
            if key in self._held:
                self._bytes -= self._size(self._held.pop(key))
            self._held[key] = value
            self._bytes += needed
            while self._bytes > self.limit:
                _, old = self._held.popitem(last=False)
                self._bytes -= self._size(old)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self._bytes = 0

    @property
    def bytes(self) -> int:
        """Bytes held."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._held)


def checksum(*parts: Any) -> str:
    """One text that tells arrays (by shape, type and bytes) and plain values apart."""
    digest = hashlib.blake2b(digest_size=20)
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"array {part.dtype.str} {part.shape} ".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            text = repr(part).encode()
            digest.update(f"value {len(text)} ".encode() + text)
    return digest.hexdigest()
