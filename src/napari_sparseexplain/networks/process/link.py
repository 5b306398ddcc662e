"""Messages between this process and that of a model: one JSON object, and tensors with it.

The other end is not trusted: lengths are bounded before anything is read, tensors are described by
forms that are checked, and a message that is none ends the conversation.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Sequence
from typing import Any

import torch

from .tensor_memory import SharedBytes, TensorForm, put, room_for, take

_LONGEST_MESSAGE = 16 << 20
_LENGTH = struct.Struct("<I")

#: Words by which the side that does not own the memory asks for more of it, and is answered.
_NEED, _ROOM = "need", "room"


class LinkBroken(Exception):
    """The other process is gone, or says what no model process says."""


class ProcessLink:
    """One end of the conversation.

    Parameters
    ----------
    reading, writing : int
        File descriptors of pipes.
    memory : SharedBytes or None
        Where the tensors lie; None sends them through the pipe.
    owner : bool
        This end lets the memory grow when the other needs more.
    await_bytes, await_room : callable, optional
        Return when there is something to read, or room to write, or raise.
    most : int
        Bytes of tensors that are taken in one message.
    """

    def __init__(
        self,
        reading: int,
        writing: int,
        memory: SharedBytes | None,
        *,
        owner: bool,
        await_bytes: Callable[[], None] = lambda: None,
        await_room: Callable[[], None] = lambda: None,
        most: int = 1 << 40,
    ) -> None:
        self._reading, self._writing, self._memory = reading, writing, memory
        self._owner = owner
        self._await_bytes, self._await_room = await_bytes, await_room
        self.most = most

    def send(self, message: dict[str, Any], tensors: Sequence[torch.Tensor] = ()) -> None:
        """Send a message.

        Raises
        ------
        LinkBroken
            The other process is gone.
        """
        forms = [TensorForm.of(tensor) for tensor in tensors]
        size = room_for(forms)
        inline = b""
        if self._memory is None:
            flat = torch.empty(size, dtype=torch.uint8)
            put(flat, tensors, forms)
            inline = flat.numpy().tobytes()
        elif size:
            if not self._owner and size > self._memory.size:
                self._write({_NEED: size}, [])
                self._read_object()
            put(self._memory.bytes(size), tensors, forms)
        self._write(message, forms, inline)

    def receive(self) -> tuple[dict[str, Any], list[torch.Tensor]]:
        """The next message and copies of its tensors.

        Raises
        ------
        LinkBroken
            The other process is gone, or the message is none.
        """
        message = self._read_object()
        while _NEED in message and self._owner:
            size = message[_NEED]
            if self._memory is None or type(size) is not int or not 0 < size <= self.most:
                raise LinkBroken("it asks for more memory than it may")
            try:
                self._memory.bytes(size)
            except (OSError, ValueError, MemoryError) as error:
                raise LinkBroken("there is no memory for its answer") from error
            self._write({_ROOM: size}, [])
            message = self._read_object()
        try:
            forms = [TensorForm.from_json(values) for values in message.pop("tensors", [])]
        except (ValueError, TypeError) as error:
            raise LinkBroken("its answer is none") from error
        size = room_for(forms)
        if size > self.most:
            raise LinkBroken("its answer is larger than it may be")
        if self._memory is not None:
            if size > self._memory.size and self._owner:
                raise LinkBroken("its answer is not there")
            flat = self._memory.bytes(size)
        elif size:
            flat = torch.frombuffer(bytearray(self._read(size)), dtype=torch.uint8)
        else:
            flat = torch.empty(0, dtype=torch.uint8)
        return message, take(flat, forms)

    def _write(
        self, message: dict[str, Any], forms: Sequence[TensorForm], inline: bytes = b""
    ) -> None:
        text = json.dumps({**message, "tensors": [form.to_json() for form in forms]}).encode()
        rest = memoryview(_LENGTH.pack(len(text)) + text + inline)
        while rest:
            self._await_room()
            try:
                rest = rest[os.write(self._writing, rest) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise LinkBroken("it is gone") from error

    def _read_object(self) -> dict[str, Any]:
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
        if length > _LONGEST_MESSAGE:
            raise LinkBroken("its answer is none")
        try:
            message = json.loads(self._read(length))
        except (ValueError, RecursionError) as error:
            raise LinkBroken("its answer is none") from error
        if not isinstance(message, dict):
            raise LinkBroken("its answer is none")
        return message

    def _read(self, size: int) -> bytes:
        parts, left = [], size
        while left:
            self._await_bytes()
            try:
                part = os.read(self._reading, min(left, 1 << 20))
            except OSError as error:
                raise LinkBroken("it is gone") from error
            if not part:
                raise LinkBroken("it is gone")
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
