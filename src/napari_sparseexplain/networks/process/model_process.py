"""A model from a file, run in a process of its own: asked from here, started anew when it ended.

What a stranger's file can do there is in `sandbox` and docs/external-models.md. Whatever happens to
the process, the one who asked gets one `ModelError`, and the next question starts another.
"""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from ...errors import ModelError
from ..running.faults import DEVICE_MEMORY, MEMORY
from .child_process import ChildProcess, Overdue
from .limits import MEMORY_VARIABLE, SECONDS_VARIABLE, Limits, limits_for
from .link import LinkBroken
from .sandbox import Protection

#: The weights are those of the file.
AS_IN_FILE = "as in the file"

_ANEW = "What is open stays as it is, and the next run starts the model anew"


class NetworkFailed(Exception):
    """The model cannot do what it was asked; the process goes on."""


class ModelProcess:
    """One model file and the process that runs it.

    Parameters
    ----------
    path : Path
        For messages.
    kind : {"torchscript", "pt2"}
    device : torch.device
        Where the process puts the model.
    archive : callable
        The checked copy of the file, made again whenever the process is.

    Attributes
    ----------
    lock : threading.RLock
        Held by whoever asks several things that belong together.
    """

    def __init__(
        self, path: Path, kind: str, device: torch.device, archive: Callable[[], bytes]
    ) -> None:
        self.path, self.kind, self.device = path, kind, device
        self.lock = threading.RLock()
        self.state: object = AS_IN_FILE
        self._archive = archive
        self._weight_bytes = 0
        self._child: ChildProcess | None = None
        self._owner = os.getpid()
        self._numbers = itertools.count()
        self._free: deque[int] = deque()

    def on(self, device: torch.device) -> ModelProcess:
        """The same file in a process of its own for another device."""
        return ModelProcess(self.path, self.kind, device, self._archive)

    @property
    def protection(self) -> Protection | None:
        """What holds the process that runs now; None while none does."""
        return None if self._child is None else self._child.protection

    def number(self) -> int:
        """A number for a graph that the process is to keep."""
        return next(self._numbers)

    def forget(self, number: int) -> None:
        """A graph is no longer needed; said with the next question. Never waits."""
        self._free.append(number)

    def open(self) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """Start the process, and the weights and buffers that the model has there.

        Raises
        ------
        ModelError
            The file is refused or damaged, or ends the process.
        """
        with self.lock:
            message, tensors = self._start()
        weights, buffers = message.get("weights"), message.get("buffers")
        names = (
            [*weights, *buffers] if isinstance(weights, list) and isinstance(buffers, list) else []
        )
        if len(names) != len(tensors) or not all(isinstance(n, str) for n in names):
            raise self._gone("it tells of weights that it does not send")
        assert isinstance(weights, list)
        found = dict(zip(names, tensors, strict=True))
        return {n: found[n] for n in weights}, {n: t for n, t in found.items() if n not in weights}

    def ensure_running(self) -> None:
        """Start the process when there is none, with the file's own weights.

        Raises
        ------
        ModelError
            The file is refused or damaged, or ends the process.
        """
        with self.lock:
            if self._child is None or not self._child.alive or self._owner != os.getpid():
                self._start()

    def ask(
        self, message: dict[str, Any], tensors: Sequence[torch.Tensor], pixels: int = 0
    ) -> tuple[dict[str, Any], list[torch.Tensor]]:
        """Ask the process that runs; see `ensure_running`.

        Raises
        ------
        NetworkFailed
            In words, what the model failed at.
        ModelError
            It took too much memory or time, or ended its process.
        torch.OutOfMemoryError
            The memory of its device is full.
        """
        with self.lock:
            freed = [self._free.popleft() for _ in range(len(self._free))]
            full = {**message, "threads": torch.get_num_threads(), "free": freed}
            return self._asked(full, tensors, limits_for(self._weight_bytes, pixels))

    def end(self) -> None:
        """End the process; the next question starts another."""
        with self.lock:
            if self._child is not None:
                self._child.end()
            self._child = None

    def _start(self) -> tuple[dict[str, Any], list[torch.Tensor]]:
        archive = self._archive()
        self._weight_bytes = len(archive)
        self._owner, self._child = os.getpid(), None
        self._free.clear()
        self.state = AS_IN_FILE
        file = _file_in_memory(archive)
        try:
            try:
                self._child = ChildProcess(self.kind, self.device, file)
            except (LinkBroken, Overdue, OSError) as error:
                raise ModelError(
                    "the process in which models from files run cannot be started",
                    where=self.path,
                    remedy="Close other programs if memory is short, or install the package again",
                ) from error
            sent = [torch.frombuffer(bytearray(archive), dtype=torch.uint8)] if file < 0 else []
            del archive
            limits = limits_for(self._weight_bytes)
            try:
                return self._asked({"do": "open", "file": file}, sent, limits)
            except NetworkFailed as error:
                self.end()
                raise ModelError(
                    f"the {'exported program' if self.kind == 'pt2' else 'TorchScript file'} "
                    "cannot be read: it is damaged, or a newer torch wrote it",
                    where=self.path,
                    remedy="Save it again, with the torch that is installed here",
                ) from error
        finally:
            if file >= 0:
                os.close(file)

    def _asked(
        self, message: dict[str, Any], tensors: Sequence[torch.Tensor], limits: Limits
    ) -> tuple[dict[str, Any], list[torch.Tensor]]:
        assert self._child is not None
        try:
            answer, given = self._child.ask(message, tensors, limits)
        except Overdue:
            self.end()
            raise ModelError(
                f"the network gave no answer within {limits.seconds:.0f} s of computing, so it was "
                "stopped",
                where=self.path,
                remedy=f"{_ANEW}; {SECONDS_VARIABLE} gives a slow one more time",
            ) from None
        except LinkBroken as error:
            status = self._child.end()
            self._child = None
            raise self._gone(_how(status) or str(error)) from error
        except BaseException:
            self.end()  # half a question or answer lies in the pipe
            raise
        fault = answer.get("fault")
        if fault is None:
            return answer, given
        if fault == DEVICE_MEMORY:
            raise torch.OutOfMemoryError(f"{self.device}: out of memory")
        if fault == MEMORY:
            raise ModelError(
                f"the network needs more than the {limits.bytes / 2**30:.1f} GB that a model from "
                "a file may use here",
                where=self.path,
                remedy=f"Choose a smaller image, or set {MEMORY_VARIABLE} to more",
            )
        words = answer.get("words")
        raise NetworkFailed(_printable(words) or "one of its operations fails")

    def _gone(self, how: str) -> ModelError:
        return ModelError(
            f"the network ended the process in which it runs ({how})",
            where=self.path,
            remedy=_ANEW + "; do not use this file if you do not know where it came from",
        )


def _file_in_memory(archive: bytes) -> int:
    """Descriptor of a file that exists in memory alone and that nobody can change; -1 without."""
    try:
        import fcntl

        handle = os.memfd_create("model", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except (ImportError, AttributeError, OSError):
        return -1
    with os.fdopen(os.dup(handle), "wb") as file:
        file.write(archive)
    os.lseek(handle, 0, os.SEEK_SET)
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
    fcntl.fcntl(handle, fcntl.F_ADD_SEALS, seals)
    return handle


def _how(status: int | None) -> str:
    """How a process ended, for a person."""
    if status is None or status >= 0:
        return ""
    words = {
        signal.SIGSEGV: "it touched memory that is not its own",
        signal.SIGABRT: "it broke off",
        getattr(signal, "SIGKILL", None): "the system stopped it, mostly for want of memory",
        getattr(signal, "SIGSYS", None): "it did what no network does",
        getattr(signal, "SIGXFSZ", None): "it tried to write a file",
    }
    return words.get(-status, f"signal {-status}")


def _printable(words: object) -> str:
    """What the other process says, so that it fits a message."""
    if not isinstance(words, str):
        return ""
    return "".join(c for c in words[:200] if c.isprintable())
