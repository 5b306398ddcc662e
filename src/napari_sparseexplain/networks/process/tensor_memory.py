"""Tensors between two processes: a description in words, and the numbers in memory that both see.

Numbers lie one tensor after the other, each from a multiple of 64 bytes on, so a description needs
no places and none can be forged. On Linux the memory is an anonymous file of the kernel's that only
the two processes hold; it can grow by its maker's hand alone and never shrinks, so that neither
reads where nothing is. Elsewhere the numbers follow their description through the pipe.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

_TYPES: dict[str, torch.dtype] = {
    str(kind).removeprefix("torch."): kind
    for kind in (
        torch.float32,
        torch.float64,
        torch.float16,
        torch.bfloat16,
        torch.complex64,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
        torch.bool,
    )
}

_STEP = 64
_MOST_DIMENSIONS = 8
_MOST_BYTES = 1 << 40


@dataclass(frozen=True)
class TensorForm:
    """Type, shape, and the order of dimensions in memory, the slowest first."""

    kind: str
    shape: tuple[int, ...]
    order: tuple[int, ...]

    @classmethod
    def of(cls, tensor: torch.Tensor) -> TensorForm:
        """The form of a tensor; one that is spread or repeated in memory gets the plain order."""
        order = tuple(sorted(range(tensor.ndim), key=lambda d: (-tensor.stride(d), d)))
        if not tensor.permute(order).is_contiguous():
            order = tuple(range(tensor.ndim))
        kind = str(tensor.dtype).removeprefix("torch.")
        return cls(kind, tuple(tensor.shape), order)

    @classmethod
    def from_json(cls, values: Any) -> TensorForm:
        """A form that another process wrote, checked.

        Raises
        ------
        ValueError
            It is none.
        """
        if not isinstance(values, list) or len(values) != 3:
            raise ValueError("no form of a tensor")
        kind, shape, order = values
        if not isinstance(kind, str) or kind not in _TYPES or not _whole(shape, _MOST_BYTES):
            raise ValueError("no form of a tensor")
        if not _whole(order, _MOST_DIMENSIONS) or sorted(order) != list(range(len(shape))):
            raise ValueError("no order of dimensions")
        found = cls(kind, tuple(shape), tuple(order))
        if found.bytes > _MOST_BYTES:
            raise ValueError("larger than any tensor")
        return found

    def to_json(self) -> list[Any]:
        """Plain JSON values."""
        return [self.kind, list(self.shape), list(self.order)]

    @property
    def bytes(self) -> int:
        """How many bytes its numbers take."""
        count = 1
        for size in self.shape:
            count *= size
        return count * _TYPES[self.kind].itemsize


def _whole(values: Any, most: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) <= _MOST_DIMENSIONS
        and all(type(v) is int and 0 <= v <= most for v in values)
    )


def room_for(forms: Sequence[TensorForm]) -> int:
    """Bytes that tensors of these forms take, one after the other."""
    return sum(-(-form.bytes // _STEP) * _STEP for form in forms)


def put(memory: torch.Tensor, tensors: Sequence[torch.Tensor], forms: Sequence[TensorForm]) -> None:
    """Write tensors into flat memory (bytes).

    NumPy copies, on one thread: torch would wake threads here that then wait, turning, on the
    cores that the other process needs.
    """
    flat, place = memory.numpy(), 0
    for tensor, form in zip(tensors, forms, strict=True):
        if form.bytes:
            plain = tensor.detach().to("cpu").permute(form.order).contiguous()
            numbers = plain.view(-1).view(torch.uint8).numpy()
            np.copyto(flat[place : place + form.bytes], numbers)
        place += -(-form.bytes // _STEP) * _STEP


def take(memory: torch.Tensor, forms: Sequence[TensorForm]) -> list[torch.Tensor]:
    """Copies of tensors that lie in flat memory."""
    flat, found, place = memory.numpy(), [], 0
    for form in forms:
        shape = [form.shape[d] for d in form.order]
        back = [form.order.index(d) for d in range(len(shape))]
        kind = _TYPES[form.kind]
        if form.bytes:
            numbers = torch.from_numpy(flat[place : place + form.bytes].copy())
            found.append(numbers.view(kind).view(shape).permute(back))
        else:
            found.append(torch.empty(shape, dtype=kind).permute(back))
        place += -(-form.bytes // _STEP) * _STEP
    return found


class SharedBytes:
    """Memory that two processes see, known by a file descriptor (Linux)."""

    def __init__(self, handle: int, *, owner: bool) -> None:
        self.handle, self._owner = handle, owner
        self._size = 0
        self._bytes = torch.empty(0, dtype=torch.uint8)

    @classmethod
    def make(cls) -> SharedBytes | None:
        """New memory, empty; None where the system has none of this kind."""
        try:
            import fcntl

            handle = os.memfd_create("tensors", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        except (ImportError, AttributeError, OSError):
            return None
        fcntl.fcntl(handle, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
        return cls(handle, owner=True)

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self._size

    def bytes(self, size: int) -> torch.Tensor:
        """The memory as bytes, at least ``size``; its owner lets it grow.

        Raises
        ------
        OSError, ValueError
            There is not as much.
        """
        if size > self._size:
            if self._owner:
                size = max(size, 2 * self._size)
                os.ftruncate(self.handle, size)
            else:
                size = os.fstat(self.handle).st_size
            self._bytes = torch.frombuffer(mmap.mmap(self.handle, size), dtype=torch.uint8)
            self._size = size
        return self._bytes

    def close(self) -> None:
        """Let go of it."""
        self._bytes = torch.empty(0, dtype=torch.uint8)
        self._size = 0
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1
