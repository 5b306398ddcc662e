"""Frozen dataclasses to JSON values and back, every field checked: its type, and what it may be.

A field says by `typing.Annotated` which values make sense: ``Annotated[int, Between(0, 9)]``,
``Annotated[str, Matches("#[0-9A-F]{6}", "a colour")]``, ``Annotated[tuple[...], AtMost(64)]``. They
are checked when a file is read, so that nothing of it fails later, far from the file.
"""

from __future__ import annotations

import dataclasses
import math
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from ..errors import ReadError, SparseExplainError

Kind = TypeVar("Kind")

#: Characters of a text that says nothing else of its length.
MOST_CHARACTERS = 100_000

#: Digits of a whole number that is the key of an object.
_MOST_DIGITS = 19


@dataclass(frozen=True)
class Between:
    """Numbers from ``low`` to ``high``, both included."""

    low: float
    high: float

    def wants(self, value: Any) -> str:
        """What is wrong with a value; empty when nothing is."""
        good = value is None or self.low <= value <= self.high
        return "" if good else f"must lie between {self.low:g} and {self.high:g}"


@dataclass(frozen=True)
class AtMost:
    """Texts, lists and objects of no more than so many characters or entries."""

    count: int

    def wants(self, value: Any) -> str:
        """What is wrong with a value; empty when nothing is."""
        if value is None or len(value) <= self.count:
            return ""
        things = "characters" if isinstance(value, str) else "entries"
        return f"has {len(value):,} {things}; no more than {self.count:,} make sense"


@dataclass(frozen=True)
class Matches:
    """Texts of a form: a regular expression, and its name for a person."""

    form: str
    name: str

    def wants(self, value: Any) -> str:
        """What is wrong with a value; empty when nothing is."""
        good = value is None or re.fullmatch(self.form, value)
        return "" if good else f"must be {self.name}"


@dataclass(frozen=True)
class Ascending:
    """Pairs of which the first is not above the second."""

    def wants(self, value: Any) -> str:
        """What is wrong with a value; empty when nothing is."""
        good = value is None or value[0] <= value[1]
        return "" if good else "must have its lower value first"


Limit = Between | AtMost | Matches | Ascending


def to_plain(value: Any) -> Any:
    """A dataclass, mapping or tuple as JSON values; keys become text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} has no place in a saved review")
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{type(value).__name__} cannot be saved as JSON: {value!r}")


def from_plain(
    kind: type[Kind],
    values: Any,
    where: str,
    *,
    place: str = "",
    remedy: str = "Restore the file from a copy, or start a new review",
    error: type[SparseExplainError] = ReadError,
) -> Kind:
    """The inverse of `to_plain`.

    Parameters
    ----------
    kind : type
        A frozen dataclass.
    values : Any
        From JSON.
    where : str
        The file, for the error.
    place : str
        Field of the file that holds the values; empty: they are all of it.
    remedy : str
        What the error tells to do.
    error : type
        The error to raise.

    Raises
    ------
    SparseExplainError
        A field is missing, unknown, of a wrong kind or beyond its limits; names the field. Of the
        given ``error``.
    """
    try:
        return _read(kind, values, place)
    except _Unfit as unfit:
        raise error(
            f"the field {shown_location(unfit.place)} {unfit.what}", where=where, remedy=remedy
        ) from unfit


def shown_location(place: str) -> str:
    """A field's place as an error can hold it: names in a file may be of any length."""
    return repr(place if len(place) <= 120 else f"{place[:60]}…{place[-40:]}")


class _Unfit(Exception):
    """A value that is not what its field wants."""

    def __init__(self, place: str, what: str) -> None:
        self.place, self.what = place, what
        super().__init__(f"{place} {what}")


def _read(kind: Any, value: Any, place: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _limited(arguments[0], arguments[1:], value, place)
    if kind is Any:
        return _any(value, place)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        kinds = [a for a in arguments if a is not type(None)]
        objects = [a for a in kinds if isinstance(value, dict) == dataclasses.is_dataclass(a)]
        return _read((objects or kinds)[0], value, place)
    if origin is typing.Literal:
        if not isinstance(value, str | int) or value not in arguments:
            raise _Unfit(place, "must be one of " + ", ".join(map(repr, arguments)))
        return value
    if origin is tuple:
        return _tuple(arguments, value, place)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            raise _Unfit(place, "must be an object")
        keys, items = arguments
        return {_key(keys, k, place): _read(items, v, f"{place}.{k}") for k, v in value.items()}
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, value, place)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise _Unfit(place, "must be a finite number")
        return number
    if type(value) is not kind:
        names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
        raise _Unfit(place, f"must be {names.get(kind, kind)}")
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        raise _Unfit(place, AtMost(MOST_CHARACTERS).wants(value))
    return value


def _any(value: Any, place: str) -> Any:
    """A value of any kind, all the same of texts that someone could read."""
    if isinstance(value, dict):
        for name, part in value.items():
            _any(name, place)
            _any(part, f"{place}.{name}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            _any(part, f"{place}[{number}]")
    elif isinstance(value, str) and (wrong := AtMost(MOST_CHARACTERS).wants(value)):
        raise _Unfit(place, wrong)
    return value


def _limited(kind: Any, limits: tuple[Limit, ...], value: Any, place: str) -> Any:
    """A value of a kind within limits; lengths first, before anything in it is read."""
    for limit in limits:
        sized = isinstance(limit, AtMost) and isinstance(value, list | dict)
        if sized and (wrong := limit.wants(value)):
            raise _Unfit(place, wrong)
    found = _read(kind, value, place)
    for limit in limits:
        if wrong := limit.wants(found):
            raise _Unfit(place, wrong)
    return found


def _tuple(arguments: tuple[Any, ...], value: Any, place: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _Unfit(place, "must be a list")
    if arguments[-1] is Ellipsis:
        kinds = (arguments[0],) * len(value)
    elif len(arguments) == len(value):
        kinds = arguments
    else:
        raise _Unfit(place, f"must have {len(arguments)} values")
    return tuple(
        _read(k, v, f"{place}[{i}]") for i, (k, v) in enumerate(zip(kinds, value, strict=True))
    )


def _key(kind: Any, text: str, place: str) -> Any:
    if kind is not int:
        return _read(kind, text, f"{place}.{text}")
    if not re.fullmatch(r"-?[0-9]+", text) or len(text) > _MOST_DIGITS:
        shown = text if len(text) <= 40 else text[:40] + "…"
        raise _Unfit(place, f"has the key {shown!r}, which is no whole number of a label")
    return int(text)


@lru_cache(maxsize=256)
def _hints(kind: Any) -> dict[str, Any]:
    """Types of a dataclass's fields with their limits; finding them is slow."""
    return typing.get_type_hints(kind, include_extras=True)


def _dataclass(kind: Any, value: Any, place: str) -> Any:
    if not isinstance(value, dict):
        raise _Unfit(place or "the whole", "must be an object")
    hints = _hints(kind)
    fields = {f.name: f for f in dataclasses.fields(kind) if f.init}
    dot = f"{place}." if place else ""
    for name in value:
        if name not in fields:
            raise _Unfit(f"{dot}{name}", "is not known to this version")
    given = {}
    for name, field in fields.items():
        needed = field.default is dataclasses.MISSING
        if name in value:
            given[name] = _read(hints[name], value[name], f"{dot}{name}")
        elif needed and field.default_factory is dataclasses.MISSING:
            raise _Unfit(f"{dot}{name}", "is missing")
    try:
        return kind(**given)
    except (ValueError, TypeError, OverflowError) as error:
        raise _Unfit(place or "the whole", f"does not fit together ({error})") from error
