"""The files of one run: put into a folder, or into the place of an earlier run's, as one.

Maps have lasting names, so several files must change at once, which no file system can. What
decides is the record, which is replaced in one step: while lasting names change hands it names
the new maps by names of their own. Whenever the process ends, the record on disk names the files
of one run, and all of them are there.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from errno import EISDIR
from pathlib import Path

from ..errors import SparseExplainError
from ..files.atomic_write import hidden_folder, put_back, write_atomically

#: Name of a new map while its lasting name may still be that of the earlier run's.
_OWN_NAME = re.compile(r"\.run-[0-9a-f]{8}-.+")


def put_run(
    making: Path,
    record: Path,
    names: Mapping[str, str],
    former: Collection[str],
    write_record: Callable[[Mapping[str, str]], None],
) -> None:
    """Move the maps of a run into a folder and record them; call it under the folder's lock.

    Parameters
    ----------
    making : Path
        Hidden folder beside the record that holds the new maps under their lasting names.
    record : Path
        The record's file.
    names : mapping of str to str
        Lasting name of every map's file.
    former : collection of str
        Files of the run that is replaced; those that are not written again go.
    write_record : callable
        Writes the record, in one step, with the name of every map's file.

    Raises
    ------
    OSError, SparseExplainError
        A step failed. The run of before is there, whole; or, where it cannot be brought back, the
        new one, and the record says so.
    """
    folder = record.parent
    in_the_way = sorted(n for n in {*names.values(), *former} if os.path.lexists(folder / n))
    for name in in_the_way:
        if (folder / name).is_dir() and not (folder / name).is_symlink():
            raise IsADirectoryError(EISDIR, f"the folder {name} is in the way")
    if in_the_way:
        _put_over(making, record, names, in_the_way, write_record)
    else:
        _put(making, folder, names, write_record)


def remove_remnants(folder: Path, recorded: Collection[str]) -> None:
    """Take away what a killed process left half-moved; call it under the folder's lock."""
    for path in folder.iterdir():
        left = _OWN_NAME.fullmatch(path.name) and path.name not in recorded
        if left and path.is_file() and not path.is_symlink():
            with suppress(OSError):
                path.unlink()


def _put(
    making: Path,
    folder: Path,
    names: Mapping[str, str],
    write_record: Callable[[Mapping[str, str]], None],
) -> None:
    """Maps first, the record last: a folder with an entry in it has all of that entry's files."""
    placed: list[Path] = []
    try:
        for name in names.values():
            os.replace(making / name, folder / name)
            placed.append(folder / name)
        write_record(names)
    except BaseException:
        _remove(placed)
        raise


def _put_over(
    making: Path,
    record: Path,
    names: Mapping[str, str],
    in_the_way: Collection[str],
    write_record: Callable[[Mapping[str, str]], None],
) -> None:
    folder, token = record.parent, secrets.token_hex(4)
    own = {key: f".run-{token}-{name}" for key, name in names.items()}
    recorded = record.read_bytes() if record.is_file() else None
    try:
        for key, name in names.items():
            os.replace(making / name, folder / own[key])
        write_record(own)
    except BaseException:
        _remove(folder / name for name in own.values())
        raise
    # From here the new run is there, however this ends. Now it gets the lasting names.
    kept: dict[Path, Path | None] = {}
    try:
        before = hidden_folder(making, "before-")
        for number, name in enumerate(in_the_way):
            kept[folder / name] = before / str(number)
            os.rename(folder / name, before / str(number))
        for key, name in names.items():
            kept.setdefault(folder / name, None)
            _name_too(folder / own[key], folder / name, making)
        write_record(names)
    except BaseException:
        if put_back(kept) and _put_record_back(record, recorded):
            _remove(folder / name for name in own.values())
        raise
    _remove(folder / name for name in own.values())


def _name_too(path: Path, second: Path, making: Path) -> None:
    """Give a file a second name, or that name to a copy where a disk knows no second names."""
    try:
        os.link(path, second)
    except OSError:
        os.replace(shutil.copyfile(path, making / "copy"), second)


def _put_record_back(path: Path, content: bytes | None) -> bool:
    """Whether the record is again as it was."""
    try:
        if content is None:
            path.unlink(missing_ok=True)
        else:
            write_atomically(path, content, overwrite=True)
    except (OSError, SparseExplainError):
        return False
    return True


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)
