"""One writer at a time in a folder, whichever process or thread it is in."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import SparseExplainError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

#: Name of the lock where a folder itself cannot be locked (Windows, some network disks).
LOCK_FILE = ".writing.lock"

#: Seconds between two tries. What is done under the lock takes milliseconds.
_PAUSE = 0.01


@contextmanager
def folder_lock(folder: Path, seconds: float = 60.0) -> Iterator[None]:
    """Hold a folder for the length of a block in which its files are read, changed and put back.

    The system lets go of the lock when the process ends, however it ends: no stale lock is left.
    Nothing is written into the folder where the folder itself can be locked (Linux, macOS).

    Parameters
    ----------
    folder : Path
        Must be there.
    seconds : float
        How long to wait for another writer.

    Raises
    ------
    SparseExplainError
        Another process holds it for longer than that.
    OSError
        The folder cannot be opened.
    """
    end = time.monotonic() + seconds
    while (lock := _locked(folder)) is None:
        if time.monotonic() > end:
            raise SparseExplainError(
                "another program has been writing into the folder for a long time",
                where=folder,
                remedy="Wait until it is done, end it, or choose another folder",
            )
        time.sleep(_PAUSE)
    try:
        yield
    finally:
        handle, file = lock
        # Before it is let go: whoever waits then sees that its own file is no longer the one.
        if file is not None:
            with suppress(OSError):
                file.unlink()
        os.close(handle)


def _locked(folder: Path) -> tuple[int, Path | None] | None:
    """An open handle that holds the lock, and the file it is of; None when another has it."""
    if fcntl is not None:
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle, None
        except BlockingIOError:
            os.close(handle)
            return None
        except OSError:
            os.close(handle)  # a disk that locks no folders: a file in it, then
    return _locked_file(folder / LOCK_FILE)


def _locked_file(path: Path) -> tuple[int, Path] | None:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:
        return None  # on Windows: another process is about to remove it
    try:
        _take(handle)
        # Whoever held it before may have taken the file away: then this lock is of no name.
        if os.fstat(handle).st_ino == path.stat().st_ino:
            return handle, path
    except OSError:
        pass
    os.close(handle)
    return None


def _take(handle: int) -> None:
    """Lock an open file, or fail at once."""
    if fcntl is not None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    import msvcrt

    msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # pyright: ignore[reportAttributeAccessIssue]
