"""One case in a process of its own: limits, its children counted, and all of them ended with it."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import napari_sparseexplain as se

#: A case may take so long and so much, its children counted.
SLOW_S, LARGE_BYTES = 10.0, 2 << 30

#: It is ended after so long, and gets no more address space than this.
_HANG_S, _ADDRESS_BYTES = 25.0, 6 << 30

#: How often memory is looked at.
_SAMPLE_S = 0.02

#: Of prctl(2): children without a parent come to the process that asked for it.
_SUBREAPER = 36

#: What no message to a person holds: Python's own words, and what would make things worse.
_FOREIGN_WORDS = (
    *("Traceback", "KeyError", "TypeError", "ValueError", "AttributeError", "IndexError"),
    *("allow_pickle", "weights_only", "Caffe2", "warnings above", "set_int_max_str_digits"),
    *("enforce fail", "object has no attribute", "NoneType"),
)

#: Characters of a message; places and names in it are cut.
_LONGEST_MESSAGE = 1500

#: Ways in which a case ends. All but the first two are failures.
OPENED, REFUSED = "opened", "refused"
FAILURES = ("traceback", "unclear", "hang", "crash", "slow", "large", "left behind")


@dataclass(frozen=True)
class Outcome:
    """How a case ended.

    Attributes
    ----------
    end : str
        `OPENED`, `REFUSED` or one of `FAILURES`.
    message : str
        What was said.
    seconds : float
    memory : int
        Largest sum of resident bytes of the process and its children, less what it began with.
    """

    end: str
    message: str
    seconds: float
    memory: int


def run_guarded(door: Callable[[], Any], log: Path) -> Outcome:
    """Run a case in a forked process.

    Parameters
    ----------
    door : callable
        Opens the case.
    log : Path
        Gets what the process prints.
    """
    # What a case leaves behind comes to this process, not to the machine's first one.
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    before = set(_family(os.getpid()))
    own, theirs = os.pipe()
    # A fork begins with all that this process has: what tests left here before is not the case's.
    inherited = _resident(os.getpid())
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(own)
        try:
            _inside(door, theirs, log)
        finally:
            os._exit(77)
    os.close(theirs)
    with suppress(OSError):
        os.setpgid(child, child)
    said, memory, hung = _watch(child, own, start)
    os.close(own)
    if hung:
        _end_all(child, _family(child)[1:])
    _, status, used = os.wait4(child, 0)
    seconds = time.monotonic() - start
    left = [] if hung else _left(before)
    _end_all(child, [p for p in _family(os.getpid()) if p not in before])
    _bury()
    memory = max(0, max(memory, used.ru_maxrss * 1024) - inherited)
    return _judged(said, hung, status, seconds, memory, bool(left))


def _inside(door: Callable[[], Any], answer: int, log: Path) -> None:
    """The child: its own group and limits; nothing it prints reaches the terminal."""
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_BYTES, _ADDRESS_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    try:
        door()
        result = (OPENED, "")
    except se.SparseExplainError as error:
        result = (REFUSED, str(error))
    except BaseException as error:
        result = ("traceback", f"{type(error).__name__}: {error} {_where(error)}")
    os.write(answer, json.dumps([result[0], result[1][:2000]]).encode())
    os._exit(0)


def _where(error: BaseException) -> str:
    """The last line of the product that the error went through."""
    place, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if "napari_sparseexplain" in file:
            place = f"({Path(file).name}:{trace.tb_lineno})"
        trace = trace.tb_next
    return place


def _watch(child: int, own: int, start: float) -> tuple[bytes, int, bool]:
    """What the child says at last, the most memory of it and its children, whether it hangs."""
    said, memory = b"", 0
    while True:
        # Its own end counts: a child that it left behind keeps the pipe open.
        ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        ready, _, _ = select.select([own], [], [], 0 if ended else _SAMPLE_S)
        if ready and (part := os.read(own, 1 << 16)):
            said += part
        elif ended:
            return said, memory, False
        memory = max(memory, sum(map(_resident, _family(child))))
        if time.monotonic() - start > _HANG_S:
            return said, memory, True


def _family(root: int) -> list[int]:
    """A process and all that descend from it, whatever group they moved to."""
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        with suppress(OSError):
            for thread in os.listdir(f"/proc/{process}/task"):
                text = Path(f"/proc/{process}/task/{thread}/children").read_text()
                waiting += [int(number) for number in text.split()]
    return found


def _resident(process: int) -> int:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _left(before: set[int]) -> list[int]:
    """What a case left is still there a moment later: a child may need one to notice the end."""
    until = time.monotonic() + 2.0
    while True:
        alive = [p for p in _family(os.getpid()) if p not in before and _resident(p)]
        if not alive or time.monotonic() > until:
            return alive
        time.sleep(_SAMPLE_S)


def _bury() -> None:
    """Take note of the ends of what came to this process."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _end_all(child: int, others: list[int]) -> None:
    with suppress(OSError):
        os.killpg(child, signal.SIGKILL)
    for process in others:
        with suppress(OSError):
            os.kill(process, signal.SIGKILL)


def _judged(
    said: bytes, hung: bool, status: int, seconds: float, memory: int, left: bool
) -> Outcome:
    try:
        end, message = json.loads(said)
    except ValueError:
        end, message = ("hang" if hung else "crash"), f"status {status}"
    if end == REFUSED and (bad := _unclear(message)):
        end, message = "unclear", f"{bad}: {message}"
    if end in (OPENED, REFUSED):
        if left:
            end = "left behind"
        elif memory > LARGE_BYTES:
            end = "large"
        elif seconds > SLOW_S:
            end = "slow"
    return Outcome(end, message, seconds, memory)


def _unclear(message: str) -> str:
    """What keeps a message from being one clear line in the product's own words."""
    if "\n" in message.strip() or len(message) > _LONGEST_MESSAGE:
        return "more than a line"
    return next((f"says {word!r}" for word in _FOREIGN_WORDS if word in message), "")
