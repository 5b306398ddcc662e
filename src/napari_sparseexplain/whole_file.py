"""A file appears under its name whole, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import SparseExplainError


def write_whole(path: Path, content: bytes | str, *, overwrite: bool = False) -> Path:
    """Write ``content`` beside ``path`` and move it there in one step.

    Parameters
    ----------
    path : Path
        Its folder is made when it is not there.
    content : bytes or str
        Text is written as UTF-8.
    overwrite : bool
        Whether a file of that name may be replaced.

    Raises
    ------
    SparseExplainError
        The file is there already, or cannot be written; nothing new is then under its name.
    """
    refuse_existing(path, overwrite)
    data = content.encode("utf-8") if isinstance(content, str) else content
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())  # a rename may reach the disk before what it renames
        os.chmod(temporary, 0o644)  # mkstemp's 0600 would hide the file from other users
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise SparseExplainError(
            f"the file cannot be written ({error.strerror or error})",
            where=path,
            remedy="Choose a folder that you may write to, on a disk that has room",
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
    return path


@contextmanager
def moved_together(folder: Path) -> Iterator[Path]:
    """A hidden folder below ``folder`` whose files move up when the block ends well.

    Interrupted or failed, it is taken away, and what was in ``folder`` before is as it was.

    Raises
    ------
    SparseExplainError
        The folder cannot be written.
    """
    temporary = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder, prefix=".exporting-"))
        yield temporary
        for path in sorted(temporary.iterdir()):
            os.replace(path, folder / path.name)
    except OSError as error:
        raise SparseExplainError(
            f"the files cannot be written ({error.strerror or error})",
            where=folder,
            remedy="Choose a folder that you may write to, on a disk that has room",
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def remove_file(path: Path) -> None:
    """Take a file away, if it is there.

    Raises
    ------
    SparseExplainError
        It is there and cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise SparseExplainError(
            f"the file no longer applies and cannot be removed ({error.strerror or error})",
            where=path,
            remedy="Close the program that has it open, and remove it by hand",
        ) from error


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Refuse to replace a file, unless that was asked for.

    Raises
    ------
    SparseExplainError
        The file is there and ``overwrite`` is off.
    """
    if path.exists() and not overwrite:
        raise SparseExplainError(
            "the file is there already and was left as it is",
            where=path,
            remedy="Choose another folder, or allow overwriting (--overwrite)",
        )
