"""What lies below a folder, links to folders included: data sets are put together by them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import ReadError
from .regular_file import is_dangling, is_regular

#: Files and folders below one that is opened as a study.
_MOST_ENTRIES = 500_000


def walk_folder(root: str | Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Every folder from ``root`` on with the names of its folders and files, as `os.walk` has them.

    Each folder is visited once, whatever ways lead to it: a link to a folder above would otherwise
    never end, and one to a folder beside would have its files twice. Folders come before links to
    folders. What is taken out of the list of folders is not visited; names are in order.
    """
    seen: set[tuple[int, int] | str] = set()
    waiting = [Path(root)]
    while waiting:
        place = waiting.pop()
        try:
            status = os.stat(place)
            with os.scandir(place) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError:  # it may not be read, or has gone: what else is there counts
            continue
        # Some network drives number nothing.
        here = (status.st_dev, status.st_ino) if status.st_ino else os.path.realpath(place)
        if here in seen:
            continue
        seen.add(here)
        folders = [entry for entry in listed if _is_folder(entry)]
        links = {entry.name for entry in folders if entry.is_symlink()}
        names = sorted((entry.name for entry in folders), key=lambda name: (name in links, name))
        inside = {entry.name for entry in folders}
        yield place, names, [entry.name for entry in listed if entry.name not in inside]
        # The last of them is visited next.
        waiting += [place / name for name in reversed(names)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def files_below(folder: Path) -> list[Path]:
    """All regular files of a folder and of those below it, in the order of their names.

    Raises
    ------
    ReadError
        There are more than any patient's folder has, as below the root of a disk.
    """
    return entries_below(folder)[0]


def entries_below(folder: Path) -> tuple[list[Path], list[Path]]:
    """`files_below`, and the links to what is not there, both in the order of their names."""
    found: list[Path] = []
    dangling: list[Path] = []
    number = 0
    for place, folders, names in walk_folder(folder):
        number += len(folders) + len(names)
        if number > _MOST_ENTRIES:
            raise ReadError(
                f"there are more than {_MOST_ENTRIES:,} files and folders below this one",
                where=folder,
                remedy="Choose the folder of one patient",
            )
        for path in (place / name for name in names):
            if is_regular(path):
                found.append(path)
            elif is_dangling(path):
                dangling.append(path)
    return sorted(found), sorted(dangling)
