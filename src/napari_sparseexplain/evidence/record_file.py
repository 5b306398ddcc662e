"""``provenance.json`` of a folder of explanations: its entries, by the explanations' names.

It is replaced in one step whenever an explanation is saved, so whoever reads looks at which file it
was before and after.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ReadError
from ..files.json_file import read_own_json
from ..files.regular_file import is_regular

RECORD_FILE = "provenance.json"

_Read = TypeVar("_Read")

_FORMAT = "napari-sparseexplain explanations"
_VERSION = 1

#: How often an explanation is read anew when it is replaced in the midst of that.
_MOST_READINGS = 20

#: Characters of the name of an explanation: a method and a target in a few words.
_LONGEST_NAME = 1000


def recorded_entries(folder: Path) -> dict[str, Any]:
    """Entries of the record in a folder; none when there is no record.

    Raises
    ------
    ReadError
        The record is damaged, or not ours.
    """
    path = folder / RECORD_FILE
    if not is_regular(path):
        return {}
    values = read_own_json(
        path,
        format=_FORMAT,
        version=_VERSION,
        problem="the file cannot be read",
        foreign="the file was not written by this program",
        remedy="Choose another folder, or remove the file",
    )
    entries = values.get("explanations")
    if not isinstance(entries, dict):
        raise ReadError(
            "the file names no explanations", where=path, remedy="Choose another folder"
        )
    if any(len(name) > _LONGEST_NAME for name in entries):
        raise ReadError(
            f"the file names an explanation by more than {_LONGEST_NAME} characters",
            where=path,
            remedy="Choose another folder",
        )
    return entries


def saved_entries(folder: Path) -> dict[str, Any]:
    """Entries of a folder that must have some.

    Raises
    ------
    ReadError
        The record is damaged, or not ours, or there is none.
    """
    record = recorded_entries(folder)
    if not record:
        raise ReadError(
            "no explanation was saved here",
            where=folder,
            remedy="Give the folder that was the output of: sparseexplain explain",
        )
    return record


def record_text(entries: Mapping[str, Any]) -> str:
    """The record's file with these entries."""
    values = {"format": _FORMAT, "version": _VERSION, "explanations": entries}
    return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def of_one_run(folder: Path, read: Callable[[], _Read]) -> _Read:
    """What is read, anew where another process wrote meanwhile."""
    path = folder / RECORD_FILE
    for _ in range(_MOST_READINGS):
        before = _stamp(path)
        try:
            found = read()
        except ReadError:
            if _stamp(path) == before:
                raise
        else:
            if _stamp(path) == before:
                return found
    raise ReadError(
        "the explanations are being written over and over while they are read",
        where=folder,
        remedy="Wait until whatever writes there is done",
    )


def _stamp(path: Path) -> tuple[int, int] | None:
    """Which file has the record's name now: every write gives it to another one."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
