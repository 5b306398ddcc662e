"""`sparseexplain` run as a shell would, in this process: what it imports is there already.

The command's own function is called, so that its exit status, what it prints and how it ends on
an error are those of the shell. A process of its own is started only where the process is what
is tested: its encoding, its end, packages that are found at its start.
"""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest.mock import patch

from napari_sparseexplain import cli


@dataclass(frozen=True)
class Done:
    """How a command ended and what it printed, by the names of `subprocess`."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: object) -> Done:
    """Run ``sparseexplain`` with these arguments.

    Its streams are those of a pipe: text over bytes, which it may set to another encoding's errors.
    """
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n") for _ in range(2)]
    with (
        patch.object(sys, "argv", ["sparseexplain", *map(str, arguments)]),
        redirect_stdout(streams[0]),
        redirect_stderr(streams[1]),
    ):
        status = _status()
    said = []
    for stream in streams:
        stream.flush()
        said.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return Done(status, *said)


def _status() -> int:
    """Status with which a process would end; a traceback is one it would print."""
    try:
        cli.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
