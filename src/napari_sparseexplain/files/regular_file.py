"""Only regular files are opened: a pipe would be waited for, and a device never ends."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..errors import ReadError, SparseExplainError

#: What is said of a link whose file is not there, and what to do: data sets that are kept by
#: git-annex or DataLad are full of such links until they are fetched.
DANGLING = "the link points to a file that is not there"
FETCH = "Fetch the file (git annex get, or datalad get), or copy it to where the link points"


def regular_size(
    path: Path, *, remedy: str = "Check the path", kind: type[SparseExplainError] = ReadError
) -> int:
    """Bytes of a regular file; links are followed.

    Parameters
    ----------
    path : Path
    remedy : str
        What to do when there is no such file.
    kind : type
        The error to raise.

    Raises
    ------
    SparseExplainError
        There is no such file, its name is none, or it is a folder, pipe, socket or device; of the
        given ``kind``.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError as error:
        if is_dangling(path):
            raise kind(DANGLING, where=path, remedy=FETCH) from error
        raise kind("there is no such file or folder", where=path, remedy=remedy) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        said = getattr(error, "strerror", None) or error
        raise kind(
            f"the file cannot be read ({said})", where=_shown(path), remedy=remedy
        ) from error
    if not stat.S_ISREG(status.st_mode):
        what = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, socket or device"
        raise kind(f"this is {what}, not a file", where=path, remedy="Give a file")
    return status.st_size


def is_regular(path: Path) -> bool:
    """Whether a path is a regular file, or a link to one; False also for what is no path."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def is_dangling(path: Path) -> bool:
    """Whether a path is a link to something that is not there."""
    try:
        return os.path.islink(path) and not os.path.exists(path)
    except (OSError, ValueError):
        return False


def _shown(path: Path) -> str:
    """A path as a message can hold it: of one that is far too long only its beginning."""
    text = str(path)
    return text if len(text) <= 300 else text[:300] + "…"


def is_folder(path: Path) -> bool:
    """Whether a path is a folder, or a link to one; False also for what is no path."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False
