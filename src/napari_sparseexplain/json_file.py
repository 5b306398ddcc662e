"""A JSON file is read, or one error says what is wrong with it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from .errors import ReadError, SparseExplainError

#: Digits of the longest number that is read: Python itself refuses those of 4,300, and says so in
#: words of its own.
_MOST_DIGITS = 400


def parse_json(text: str | bytes) -> Any:
    """Values of a JSON text that may come from anywhere.

    Raises
    ------
    ValueError
        It is not JSON, is nested too deeply, or holds NaN, infinity or a number without end.
    """

    def number(digits: str) -> int:
        if len(digits) > _MOST_DIGITS:
            raise ValueError(f"a number of {len(digits)} digits")
        return int(digits)

    def fraction(digits: str) -> float:
        value = float(digits)
        if not math.isfinite(value):
            raise ValueError(f"the number {digits[:20]} is too large")
        return value

    def constant(name: str) -> Any:
        raise ValueError(f"{name} is no number of JSON")

    try:
        return json.loads(text, parse_int=number, parse_float=fraction, parse_constant=constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


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
