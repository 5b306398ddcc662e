"""Files appear under their names whole, or not at all; as readable as the umask says.

The one place of the package that makes, moves and replaces files: what is written is first made
under a hidden name beside its goal.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from errno import EEXIST, EISDIR, ENOTDIR
from pathlib import Path
from typing import Any

from ..errors import SparseExplainError
from .regular_file import is_folder

#: What is being made, by our own names; what was replaced is never among it.
_REMNANT = re.compile(r"\.(writing|saving|exporting)-[0-9a-f]{16}")

#: Age at which it is a remnant: no writing takes that long without touching it.
_REMNANT_S = 24 * 3600.0

_ROOM = "Choose a folder that you may write to, on a disk that has room"


def write_atomically(path: Path, content: bytes | str, *, overwrite: bool = False) -> Path:
    """Write ``content`` beside ``path`` and move it there in one step.

    Parameters
    ----------
    path : Path
        Its folder is made when it is not there.
    content : bytes or str
        Text is written as UTF-8. What UTF-8 cannot hold, as a file name in another encoding, is
        escaped, in JSON to what JSON reads back.
    overwrite : bool
        Whether a file of that name may be replaced.

    Raises
    ------
    SparseExplainError
        The file is there already, or cannot be written; nothing new is then under its name.
    """
    refuse_existing(path, overwrite)
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = hidden_file(path.parent, ".writing-")
        with open(temporary, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())  # a rename may reach the disk before what it renames
        move_file(temporary, path, overwrite=overwrite)
        temporary = None
    except OSError as error:
        raise cannot_write("the file", path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return path


def write_together(
    folder: Path, contents: Mapping[str, str | bytes], *, overwrite: bool
) -> list[Path]:
    """Write texts or bytes as files of a folder, all or none; gives their paths.

    Raises
    ------
    SparseExplainError
        One is there already and ``overwrite`` is off, or the folder cannot be written.
    """
    paths = [folder / name for name in contents]
    for path in paths:
        refuse_existing(path, overwrite)
    with moved_together(folder, overwrite=overwrite) as temporary:
        for name, text in contents.items():
            write_atomically(temporary / name, text)
    return paths


@contextmanager
def moved_together(folder: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """A hidden folder whose files, also in folders of its own, move into ``folder`` all together.

    They move when the block ends well. Interrupted or failed, also in the midst of the moving,
    what was in ``folder`` before is as it was. A folder that was not there appears in one step.

    Parameters
    ----------
    folder : Path
        Made when it is not there.
    overwrite : bool
        Whether files of the same names may be replaced.

    Raises
    ------
    SparseExplainError
        The folder cannot be written, or holds a file that must not be replaced.
    """
    temporary = None
    try:
        new = folder in make_folders(folder)
        temporary = hidden_folder(folder.parent if new else folder, ".exporting-")
        yield temporary
        with undisturbed():
            if not (new and _renamed(temporary, folder)):
                _move_all(temporary, folder, overwrite=overwrite)
    except SparseExplainError:
        raise  # a ReadError is an OSError, too
    except OSError as error:
        raise cannot_write("the files", folder, error) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _renamed(folder: Path, empty: Path) -> bool:
    """Whether a folder could take the place of an empty one, in one step."""
    try:
        os.rename(folder, empty)
    except OSError:  # somebody has put something into it, or a system that does not do that
        return False
    return True


def check_writable(folder: Path) -> None:
    """Say before the work, and not after it, that a folder cannot be written. Leaves nothing.

    Raises
    ------
    SparseExplainError
        It cannot be made or written.
    """
    made: list[Path] = []
    try:
        for last in (False, True):
            try:
                made = make_folders(folder)
                hidden_file(folder, ".writing-").unlink()
                return
            except FileNotFoundError:  # another check has just taken the empty folder away
                if last:
                    raise
    except OSError as error:
        raise cannot_write("the folder", folder, error) from error
    finally:
        remove_empty(made)


def check_free(paths: list[Path], *, overwrite: bool) -> None:
    """Say before the work that a file is there already, or that its folder cannot be written.

    Raises
    ------
    SparseExplainError
        A file is there and ``overwrite`` is off, or it cannot be written.
    """
    for path in paths:
        refuse_existing(path, overwrite)
        if is_folder(path):
            raise cannot_write("the file", path, OSError(EISDIR, "a folder has its name"))
    for folder in dict.fromkeys(path.parent for path in paths):
        check_writable(folder)


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
    if os.path.lexists(path) and not overwrite:
        raise SparseExplainError(
            "the file is there already and was left as it is",
            where=path,
            remedy="Choose another folder, or allow overwriting (--overwrite)",
        )


def cannot_write(what: str, where: Path, error: OSError) -> SparseExplainError:
    """What to say when the system refuses to write."""
    if error.errno == EEXIST and (Path(error.filename or where).is_file()):
        said = f"{Path(error.filename or where).name} is there already"
    elif error.errno == ENOTDIR:
        said = "a file is where a folder should be"
    else:
        said = error.strerror or str(error)
    return SparseExplainError(f"{what} cannot be written ({said})", where=where, remedy=_ROOM)


def hidden_file(folder: Path, prefix: str) -> Path:
    """A new empty file of a name of its own, open to whom the umask allows.

    Unlike `tempfile`'s, which are closed to all others and must be opened again by a mode that
    then ignores the umask.
    """
    while True:
        path = folder / f"{prefix}{secrets.token_hex(8)}"
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            return path


def hidden_folder(folder: Path, prefix: str) -> Path:
    """As `hidden_file`, a folder; what a killed process left of its kind goes after a day."""
    remove_remnants(folder)
    while True:
        path = folder / f"{prefix}{secrets.token_hex(8)}"
        with suppress(FileExistsError):
            os.mkdir(path)
            return path


def ordinary_mode(path: Path) -> None:
    """Open a file that another library closed to all others, as far as the umask allows."""
    probe = hidden_file(path.parent, ".writing-")
    try:
        os.chmod(path, probe.stat().st_mode & 0o777)
    finally:
        probe.unlink()


def remove_remnants(folder: Path) -> None:
    """Take away what processes that were killed left half made, once nobody can be making it."""
    for path in folder.iterdir():
        if not _REMNANT.fullmatch(path.name) or path.is_symlink():
            continue
        with suppress(OSError):
            if time.time() - path.stat().st_mtime < _REMNANT_S:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()


def make_folders(folder: Path) -> list[Path]:
    """Make a folder and what it lies in; those that were not there, the outermost first."""
    missing = []
    place = folder
    while not os.path.lexists(place):
        missing.insert(0, place)
        if place.parent == place:
            break
        place = place.parent
    made: list[Path] = []
    try:
        for place in missing:
            place.mkdir(exist_ok=True)
            made.append(place)
        if not folder.is_dir():
            raise NotADirectoryError(ENOTDIR, "a file is where a folder should be", str(folder))
    except OSError:
        remove_empty(made)
        raise
    return made


def remove_empty(made: list[Path]) -> None:
    """Take folders away again that were made in vain; one that holds anything stays."""
    for place in reversed(made):
        with suppress(OSError):
            place.rmdir()


def move_file(source: Path, target: Path, *, overwrite: bool) -> None:
    """Give a file its final name in one step.

    Raises
    ------
    OSError
        It cannot be moved, or, without ``overwrite``, the name was taken meanwhile.
    """
    if overwrite:
        os.replace(source, target)
        return
    try:
        os.link(source, target)  # unlike a rename, never over a file that came meanwhile
    except FileExistsError:
        raise
    except OSError:  # a disk without links
        if os.path.lexists(target):
            raise FileExistsError(EEXIST, os.strerror(EEXIST), str(target)) from None
        os.replace(source, target)
    else:
        os.unlink(source)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let Ctrl-C wait until the few steps of a block that belong together are done."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is interrupted
        return
    waiting: list[tuple[Any, ...]] = []
    before = signal.getsignal(signal.SIGINT)
    if before is None:
        yield  # somebody handles it who is not Python
        return
    signal.signal(signal.SIGINT, lambda *caught: waiting.append(caught))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if waiting and callable(before):
            before(*waiting[0])


def _move_all(source: Path, target: Path, *, overwrite: bool) -> None:
    """Move all files below a folder into another, or none of them."""
    kept: dict[Path, Path | None] = {}  # final name, and where what had it before is kept
    made: list[Path] = []
    before = None
    try:
        for path in sorted(p for p in source.rglob("*") if not p.is_dir()):
            final = target / path.relative_to(source)
            made += make_folders(final.parent)
            if final.is_dir() and not final.is_symlink():
                raise IsADirectoryError(EISDIR, f"the folder {final.name} is in the way")
            if overwrite and os.path.lexists(final):
                before = before or hidden_folder(target, ".replaced-")
                kept[final] = keep_copy(final, before / str(len(kept)))
            move_file(path, final, overwrite=overwrite)
            kept.setdefault(final, None)
    except BaseException as error:
        whole = put_back(kept)
        remove_empty(made)
        if before is not None and whole:
            shutil.rmtree(before, ignore_errors=True)
        elif before is not None and isinstance(error, OSError):
            raise OSError(f"{error.strerror}; what was there before lies in {before}") from error
        raise
    if before is not None:
        shutil.rmtree(before, ignore_errors=True)


def keep_copy(path: Path, place: Path) -> Path:
    """Keep a file under a second name while it is replaced; it is never without its first one."""
    try:
        os.link(path, place, follow_symlinks=False)
    except (OSError, NotImplementedError):  # a disk without links
        os.rename(path, place)
    return place


def put_back(kept: dict[Path, Path | None]) -> bool:
    """Undo moves: what had a name before has it again; False where that is not possible."""
    whole = True
    for final, place in kept.items():
        try:
            if place is None:
                final.unlink(missing_ok=True)
            elif not os.path.lexists(place):
                continue
            elif os.path.lexists(final) and os.path.samestat(final.lstat(), place.lstat()):
                place.unlink()  # it was never replaced
            else:
                if os.name == "nt":
                    final.unlink(missing_ok=True)
                os.rename(place, final)
        except OSError:
            whole = False
    return whole
