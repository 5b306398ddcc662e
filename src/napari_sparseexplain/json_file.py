"""A JSON file is read, or one error says what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .errors import ReadError, SparseExplainError


def read_json(
    path: Path, *, problem: str, remedy: str, kind: type[SparseExplainError] = ReadError
) -> Any:
    """Values of a JSON file.

    Parameters
    ----------
    path : Path
    problem, remedy : str
        What the error says when the file cannot be read, and what to do then.
    kind : type
        The error to raise.

    Raises
    ------
    SparseExplainError
        There is no such file, it cannot be read, or it is not JSON; of the given ``kind``.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise kind(f"{problem} ({error})", where=path, remedy=remedy) from error


def read_own_json(
    path: Path, *, format: str, version: int, problem: str, foreign: str, remedy: str
) -> dict[str, Any]:
    """An object that this program wrote, known by its ``format`` and ``version``.

    Parameters
    ----------
    path : Path
    format : str
    version : int
        The one that this program reads.
    problem, foreign, remedy : str
        What the error says when the file cannot be read, when it is not ours, and what to do.

    Raises
    ------
    ReadError
        It cannot be read, another program wrote it, or another version of this one.
    """
    values = read_json(path, problem=problem, remedy=remedy)
    if not isinstance(values, dict) or values.get("format") != format:
        raise ReadError(foreign, where=path, remedy=remedy)
    if values.get("version") != version:
        raise ReadError(
            f"the file has version {values.get('version')!r} and this program knows {version}",
            where=path,
            remedy="Update the program",
        )
    return values
