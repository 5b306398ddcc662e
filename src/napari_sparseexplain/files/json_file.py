"""JSON that anyone may have written: read within bounds, or one error says what is wrong with it.

Python's own parser follows any depth and any number of digits, takes NaN, and of two fields of one
name keeps the last without a word. What this program reads is checked once, here: what comes out
is made of finite numbers, texts that can be written out again, and lists and objects of a depth
that every reader can walk.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any, NoReturn

from ..errors import ReadError, SparseExplainError
from .regular_file import regular_size

#: No file of this program comes near it: a review with 10,000 outlines has some 10 MB.
MOST_BYTES = 32 << 20

#: Lists and objects within each other; a review has nine.
MOST_LEVELS = 64

#: Whole numbers that every reader can hold: seeds have up to 64 bits.
MOST_INTEGER = 2**64

#: How other encodings of a text begin.
_OTHER_ENCODINGS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)

#: Half of a pair, and NUL: escapes that may stand for what no file name and no text can hold.
_SUSPICIOUS = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")


class _Refused(ValueError):
    """What is wrong with a JSON text."""


def parse_json(
    content: bytes | str,
    *,
    where: str | Path | None = None,
    problem: str = "the JSON cannot be read",
    remedy: str = "Write the file again, or get it again from its source",
    kind: type[SparseExplainError] = ReadError,
    most_bytes: int = MOST_BYTES,
) -> Any:
    """Values of a JSON text, within bounds.

    Parameters
    ----------
    content : bytes or str
        UTF-8, with or without a byte-order mark.
    where : str or Path, optional
        The file, for the error.
    problem, remedy : str
        What the error says when the text cannot be read, and what to do then.
    kind : type
        The error to raise.
    most_bytes : int
        A longer text is refused before it is parsed.

    Returns
    -------
    Any
        At most `MOST_LEVELS` deep. Numbers are finite, whole ones below `MOST_INTEGER`. Texts hold
        no NUL and nothing that cannot be written as UTF-8.

    Raises
    ------
    SparseExplainError
        It is longer or deeper, no UTF-8, no JSON, names a field twice, or holds such a number or
        text; of the given ``kind``.
    """
    try:
        if len(content) > most_bytes:
            raise _Refused(_too_large(len(content), most_bytes))
        text = content if isinstance(content, str) else _decoded(content)
        return _checked(text)
    except _Refused as refused:
        raise kind(f"{problem} ({refused})", where=where, remedy=remedy) from refused


def read_json(
    path: Path, *, problem: str, remedy: str, kind: type[SparseExplainError] = ReadError
) -> Any:
    """Values of a JSON file, as `parse_json` gives them.

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
        There is no such file, it cannot be read, or `parse_json` refuses it; of the given
        ``kind``.
    """
    try:
        size = regular_size(path)
    except ReadError as error:
        raise kind(f"{problem} ({error.what})", where=path, remedy=remedy) from error
    if size > MOST_BYTES:
        raise kind(f"{problem} ({_too_large(size, MOST_BYTES)})", where=path, remedy=remedy)
    try:
        with open(path, "rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise kind(f"{problem} ({error.strerror or error})", where=path, remedy=remedy) from error
    return parse_json(content, where=path, problem=problem, remedy=remedy, kind=kind)


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
    found = values.get("version")
    if type(found) is not int:
        raise ReadError("the field 'version' is no whole number", where=path, remedy=remedy)
    if found != version:
        raise ReadError(
            f"the file has version {found} and this program knows {version}",
            where=path,
            remedy="Update the program",
        )
    return values


def _decoded(content: bytes) -> str:
    for start, name in _OTHER_ENCODINGS:
        if content.startswith(start):
            raise _Refused(f"the text is {name}; it must be UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Refused(f"byte {error.start + 1} is not UTF-8") from error


def _checked(text: str) -> Any:
    try:
        values = json.loads(
            text.removeprefix("\ufeff"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except _Refused:
        raise
    except json.JSONDecodeError as error:
        at = f"line {error.lineno}, column {error.colno}"
        raise _Refused(f"it is no JSON: see {at}" if text.strip() else "it is empty") from error
    except RecursionError as error:
        raise _Refused(_too_deep()) from error
    if _is_deep(values):
        raise _Refused(_too_deep())
    if _SUSPICIOUS.search(text):
        _check_texts(values)
    return values


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Refused(f"the field {_short(name)} stands there twice")
            seen.add(name)
    return found


def _integer(digits: str) -> int:
    # Digits are counted first: Python's own limit on them is an error of another kind.
    if len(digits) > 21 or not -MOST_INTEGER < (value := int(digits)) < MOST_INTEGER:
        raise _Refused(f"a whole number of {len(digits.lstrip('-'))} digits is too large")
    return value


def _float(digits: str) -> float:
    value = float(digits) if len(digits) <= 1000 else math.inf
    if not math.isfinite(value):
        raise _Refused(f"the number {_short(digits)} is too large")
    return value


def _constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is no number that JSON knows")


def _is_deep(values: Any) -> bool:
    """Whether it goes deeper than `MOST_LEVELS`; level by level, since recursion has a limit."""
    level = [values] if isinstance(values, list | dict) else []
    for _ in range(MOST_LEVELS):
        if not level:
            return False
        level = [
            item
            for outer in level
            for item in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(item, list | dict)
        ]
    return bool(level)


def _check_texts(values: Any) -> None:
    """Refuse NUL, and halves of surrogate pairs, which no file can hold."""
    waiting = [values]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += [*item, *item.values()]
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str):
            if "\0" in item:
                raise _Refused("a text holds a NUL character")
            try:
                item.encode("utf-8")
            except UnicodeEncodeError as error:
                raise _Refused(
                    "a text holds half of a surrogate pair, which is no character"
                ) from error


def _too_large(size: int, most: int) -> str:
    return f"it has {size:,} bytes; no such file has more than {most:,}"


def _too_deep() -> str:
    return f"lists and objects lie more than {MOST_LEVELS} levels within each other"


def _short(text: str) -> str:
    shown = text.encode("ascii", "backslashreplace").decode()
    return repr(shown if len(shown) <= 40 else shown[:40] + "…")
