"""Frozen dataclasses to JSON values and back, every field checked."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from ..errors import ReadError

Kind = TypeVar("Kind")


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


def from_plain(kind: type[Kind], values: Any, where: str) -> Kind:
    """The inverse of `to_plain`.

    Raises
    ------
    ReadError
        A field is missing, unknown or of a wrong kind; names the field.
    """
    try:
        return _read(kind, values, "")
    except _Unfit as error:
        raise ReadError(
            f"the field {error.place!r} {error.what}",
            where=where,
            remedy="Restore the file from a copy, or start a new review",
        ) from error


class _Unfit(Exception):
    """A value that is not what its field wants."""

    def __init__(self, place: str, what: str) -> None:
        self.place, self.what = place, what
        super().__init__(f"{place} {what}")


def _read(kind: Any, value: Any, place: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _read(next(a for a in arguments if a is not type(None)), value, place)
    if origin is typing.Literal:
        if value not in arguments:
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
        if not math.isfinite(value):
            raise _Unfit(place, "must be a finite number")
        return float(value)
    if type(value) is not kind:
        names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
        raise _Unfit(place, f"must be {names.get(kind, kind)}")
    return value


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
        return text
    try:
        return int(text)
    except ValueError:
        raise _Unfit(place, f"has the key {text!r}, which is no whole number") from None


def _dataclass(kind: Any, value: Any, place: str) -> Any:
    if not isinstance(value, dict):
        raise _Unfit(place or "the whole", "must be an object")
    hints = typing.get_type_hints(kind)
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
    except ValueError as error:
        raise _Unfit(place or "the whole", f"does not fit together ({error})") from error
