"""A process of its own for one model: started, limited, watched while it answers, and ended.

The process ends with this one, when it is let go of, and when it takes too long; what it was asked
last is then answered by an error, and whoever holds the model starts another.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .limits import START_SECONDS, Limits
from .link import LinkBroken, ProcessLink
from .sandbox import Protection
from .tensor_memory import SharedBytes

_WINDOWS = sys.platform == "win32"

#: Seconds between two looks at how long an answer takes.
_LOOK = 0.2

#: Address space beside what is computed with: libraries loaded late.
_ADDRESSES = 1 << 30

#: All of the parent's environment that the process gets: where libraries and the card are found.
_ENVIRONMENT = (
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "KMP_DUPLICATE_LIB_OK",
    "OMP_NUM_THREADS",
)

_PROGRAM = (
    "import json, sys; options = json.loads(sys.argv[1]); "
    "sys.path[:0] = options['before']; sys.path += options['after']; "
    "from napari_sparseexplain.networks.process.model_child import main; main(options)"
)


class Overdue(Exception):
    """There was no answer in time."""


class ChildProcess:
    """One process that holds one model.

    Parameters
    ----------
    kind : {"torchscript", "pt2"}
    device : torch.device
        Where it puts the model.
    file : int
        Descriptor of the checked model file; -1 where it is sent as bytes.

    Raises
    ------
    LinkBroken, Overdue, OSError
        It cannot be started.
    """

    def __init__(self, kind: str, device: torch.device, file: int) -> None:
        self._device = device
        self._memory = SharedBytes.make()
        self._limits = Limits(1 << 40, START_SECONDS)
        self._began = self._looked = time.monotonic()
        self._began_computing, self._overdue = 0.0, False
        shared = -1 if self._memory is None else self._memory.handle
        life, alive = (-1, -1) if _WINDOWS else os.pipe()
        try:
            self._process = _started(kind, device, shared, file, life)
        except BaseException:
            _close(self._memory, alive)
            raise
        finally:
            if life >= 0:
                os.close(life)
        self._end = weakref.finalize(self, _end, self._process, self._memory, alive, os.getpid())
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        writing = self._process.stdin.fileno()
        if not _WINDOWS:
            os.set_blocking(writing, False)
        self._link = ProcessLink(
            self._process.stdout.fileno(),
            writing,
            self._memory,
            owner=True,
            await_bytes=self._await_bytes,
            await_room=self._await_room,
        )
        try:
            ready = self._watched(lambda: self._link.receive()[0])
        except BaseException:
            self._end()
            raise
        self.protection = Protection(
            bool(ready.get("limits")), int(ready.get("landlock") or 0), bool(ready.get("seccomp"))
        )
        self._base = _memory_of(self._process.pid)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self._end.alive and self._process.poll() is None

    def ask(
        self, message: dict[str, Any], tensors: Sequence[torch.Tensor], limits: Limits
    ) -> tuple[dict[str, Any], list[torch.Tensor]]:
        """Send a message and await the answer to it.

        Raises
        ------
        LinkBroken
            The process ended, or answers what none answers.
        Overdue
            It took longer than it may.
        """
        self._limit_memory(limits.bytes)
        # An answer is smaller than what computing it took.
        self._limits, self._link.most = limits, limits.bytes // 4
        self._began = self._looked = time.monotonic()
        self._began_computing = _computed(self._process.pid)

        def asked() -> tuple[dict[str, Any], list[torch.Tensor]]:
            self._link.send(message, tensors)
            return self._link.receive()

        return self._watched(asked)

    def end(self) -> int | None:
        """End it; its exit status."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.2)  # it may just be dying, and how says why
        self._end()
        return self._process.returncode

    def _watched(self, ask: Any) -> Any:
        if not _WINDOWS:
            return ask()
        # Windows cannot wait for a pipe and a clock at once: the clock ends the process.
        timer = threading.Timer(self._limits.wall_seconds, self._stop)
        timer.start()
        try:
            return ask()
        except LinkBroken:
            if self._overdue:
                raise Overdue from None
            raise
        finally:
            timer.cancel()

    def _stop(self) -> None:
        self._overdue = True
        self._process.kill()

    def _await_bytes(self) -> None:
        assert self._process.stdout is not None
        self._await(self._process.stdout.fileno(), reading=True)

    def _await_room(self) -> None:
        assert self._process.stdin is not None
        self._await(self._process.stdin.fileno(), reading=False)

    def _await(self, handle: int, *, reading: bool) -> None:
        if _WINDOWS:
            return
        watched = select.poll()
        watched.register(handle, select.POLLIN if reading else select.POLLOUT)
        if time.monotonic() - self._looked > _LOOK:  # also when there is always something to read
            self._check_time_limit()
        while not watched.poll(_LOOK * 1000):
            self._check_time_limit()

    def _check_time_limit(self) -> None:
        self._looked = time.monotonic()
        passed = self._looked - self._began
        computed = _computed(self._process.pid) - self._began_computing
        computed /= max(1, torch.get_num_threads())
        if passed > self._limits.wall_seconds or computed > self._limits.seconds:
            raise Overdue

    def _limit_memory(self, most: int) -> None:
        """Linux: the kernel refuses more, to this process alone."""
        if self._base is None:
            return
        import resource

        addresses, data = self._base
        shared = 0 if self._memory is None else 2 * self._memory.size + most // 2
        wanted = {resource.RLIMIT_DATA: data + most}
        if self._device.type == "cpu":  # a card's driver reserves far more than it uses
            threads = 80 << 20  # a stack and an arena each
            reserved = _ADDRESSES + threads * torch.get_num_threads()
            wanted[resource.RLIMIT_AS] = addresses + most + shared + reserved
        for kind, limit in wanted.items():
            with contextlib.suppress(OSError, ValueError, AttributeError):
                _, hard = resource.prlimit(self._process.pid, kind)
                if hard != resource.RLIM_INFINITY:
                    limit = min(limit, hard)
                resource.prlimit(self._process.pid, kind, (limit, hard))


def _started(
    kind: str, device: torch.device, memory: int, file: int, life: int
) -> subprocess.Popen[bytes]:
    package = Path(__file__).resolve().parents[2]
    options = {
        "kind": kind,
        "device": str(device),
        "memory": memory,
        "file": file,
        "life": life,
        "before": [str(package.parent)],
        "after": _library_folders(),
        "readable": _readable(package),
    }
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    # One thread until the process has given up its rights; a dozen would be in the way.
    environment = {**kept, "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    environment["CUDA_CACHE_DISABLE"] = "1"  # it would be written into the person's home
    return subprocess.Popen(
        [sys.executable, "-I", "-c", _PROGRAM, json.dumps(options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        env=environment,
        cwd=None if _WINDOWS else "/",
        pass_fds=() if _WINDOWS else [h for h in (memory, file, life) if h >= 0],
    )


def _library_folders() -> list[str]:
    """Where torch and NumPy were found: an isolated Python may not look there."""
    return sorted({str(Path(m.__file__ or "").resolve().parents[1]) for m in (torch, np)})


def _readable(package: Path) -> list[str]:
    """Folders of code that computing reads."""
    folders = {str(package), *_library_folders(), sys.prefix, sys.base_prefix, sys.exec_prefix}
    return sorted(folders | {os.path.realpath(folder) for folder in folders})


def _end(
    process: subprocess.Popen[bytes], memory: SharedBytes | None, alive: int, owner: int
) -> None:
    """End a process and leave nothing of it; not from a copy of the one that started it."""
    if os.getpid() == owner:
        with contextlib.suppress(OSError):
            process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    _close(memory, alive)


def _close(memory: SharedBytes | None, alive: int) -> None:
    if memory is not None:
        memory.close()
    if alive >= 0:
        os.close(alive)


def _computed(pid: int) -> float:
    """Seconds that a process computed, all threads together; 0 where the system does not tell."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0


def _memory_of(pid: int) -> tuple[int, int] | None:
    """Bytes of address space and of private data that a process has; None where unknown."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            pages = [int(part) for part in file.read().split()]
        page = os.sysconf("SC_PAGE_SIZE")
        return pages[0] * page, pages[5] * page
    except (OSError, ValueError, IndexError):
        return None
