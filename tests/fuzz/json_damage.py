"""Damage to JSON by its fields: another type, another size, another place, or no JSON at all."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

from .byte_damage import damage_bytes

Place = tuple[str | int, ...]

#: What a field of one type is replaced by, besides values of every other type.
_WHOLE = (-1, 0, 1, 7, 2**31, 2**63, 2**64, 10**30, -(10**12))
_REAL = (0.0, -0.0, -1.5, 1e-320, 1e-9, 1e9, 1e38, 1.7e308, -1e30)
_TEXT = (
    *("", " ", "x", "0", "../x", "../../../../etc/passwd", "/etc/passwd", "/dev/zero", "C:\\x"),
    *("\u202etxt", "<img src=x onerror=1>", "%s%n{0}", "a" * 3000, "ä" * 90_000, "b" * 3_000_000),
    *("=cmd|' /C calc'!A0", "line\nline", "\x1b[31m", "#12345", "nan", "axial", "study"),
)
_OTHER: tuple[Any, ...] = (None, True, False, [], {}, [[]], [{}], {"": ""}, [None] * 3, "x", 1, 2.5)


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Every place in a JSON value, the whole first; of long lists the first three entries."""
    yield at
    if isinstance(value, dict):
        for name in value:
            yield from places(value[name], (*at, name))
    elif isinstance(value, list):
        for number in range(min(len(value), 3)):
            yield from places(value[number], (*at, number))


def damage_json(rng: Random, content: bytes) -> tuple[str, bytes]:
    """A name for the damage, and the damaged text."""
    if rng.random() < 0.12:
        return damage_bytes(rng, content)
    if rng.random() < 0.2:
        return _as_text(rng, content)
    value = json.loads(content)
    said = []
    for _ in range(rng.choice((1, 1, 1, 2))):
        name, value = _one_field(rng, value)
        said.append(name)
    return "; ".join(said), json.dumps(value).encode()


def _one_field(rng: Random, value: Any) -> tuple[str, Any]:
    at = rng.choice(list(places(value)))
    shown = ".".join(map(str, at)) or "the whole"
    if not at:
        return "the whole replaced", rng.choice(_OTHER)
    out = copy.deepcopy(value)
    holder = out
    for step in at[:-1]:
        holder = holder[step]
    old, last = holder[at[-1]], at[-1]
    way = rng.random()
    if way < 0.15:
        del holder[last]
        return f"{shown} gone", out
    if way < 0.25 and isinstance(holder, dict):
        holder[rng.choice(("unheard", "a" * 5000, "", "__class__", "-1"))] = holder.pop(last)
        return f"{shown} renamed", out
    if way < 0.35 and isinstance(holder, list):
        holder.extend(copy.deepcopy(old) for _ in range(rng.choice((1, 2, 3000))))
        return f"{shown} repeated", out
    if way < 0.45:
        elsewhere = rng.choice(list(places(value)))
        found = value
        for step in elsewhere:
            found = found[step]
        holder[last] = copy.deepcopy(found)
        return f"{shown} := what stands at {'.'.join(map(str, elsewhere))}", out
    holder[last] = _replacement(rng, old)
    return f"{shown} := {repr(holder[last])[:40]}", out


def _replacement(rng: Random, old: Any) -> Any:
    if rng.random() < 0.4:
        return rng.choice(_OTHER)
    if isinstance(old, bool):
        return rng.choice((0, 1, "true", None))
    if isinstance(old, int):
        return rng.choice((*_WHOLE, *_REAL[:4], old + 1, -old, str(old)))
    if isinstance(old, float):
        return rng.choice((*_REAL, *_WHOLE, str(old)))
    if isinstance(old, str):
        return rng.choice(_TEXT)
    if isinstance(old, list):
        return rng.choice((old[:-1], old + old, old[::-1], [old], old * 2000, {"0": old}))
    if isinstance(old, dict):
        many = {str(k): v for k, v in enumerate(list(old.values())[:1] * 3000)}
        return rng.choice(({**old, "x": 1}, [old], many, dict.fromkeys(old)))
    return rng.choice(_OTHER)


def _as_text(rng: Random, content: bytes) -> tuple[str, bytes]:
    """What a parser meets before there are any fields."""
    text = content.decode()
    value = json.loads(text)
    body = text.rstrip()
    numbers = [at for at in places(value) if at and type(_found(value, at)) in (int, float)] or [()]
    at = rng.choice(numbers)
    spelled = rng.choice(
        ("NaN", "Infinity", "-Infinity", "1e999", "-1e400", "9" * 4500, "0." + "1" * 5000, "1e-400")
    )
    return rng.choice(
        (
            (f"{'.'.join(map(str, at))} := {spelled[:12]}", _spelled(value, at, spelled)),
            (f"{'.'.join(map(str, at))} := {spelled[:12]}", _spelled(value, at, spelled)),
            ("200,000 lists deep", b"[" * 200_000 + b"]" * 200_000),
            ("100,000 objects deep", b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
            ("70 lists deep in a field", _spelled(value, at, "[" * 70 + "]" * 70)),
            ("a field twice", (body[:-1] + "," + body[1:]).encode()),
            ("UTF-16", text.encode("utf-16")),
            ("UTF-32", text.encode("utf-32")),
            ("with a byte-order mark", text.encode("utf-8-sig")),
            ("Latin-1", text.encode().replace(b"a", b"\xe4", 3)),
            ("half of a pair", (body[:-1] + ',"x":"\\ud800"}').encode()),
            ("a NUL", (body[:-1] + ',"x":"\\u0000"}').encode()),
            ("a comment", ("// made by hand\n" + text).encode()),
            ("a comma too many", (body[:-1] + ",}").encode()),
            ("40 MB", (body[:-1] + ',"x":"' + "x" * 40_000_000 + '"}').encode()),
            ("a million empty lists", (body[:-1] + ',"x":[' + "[]," * 1_000_000 + "[]]}").encode()),
            ("a million fields", _many_fields(body)),
        )
    )


def _many_fields(body: str) -> bytes:
    return (body[:-1] + "".join(f',"{k}":{k}' for k in range(1_000_000)) + "}").encode()


def _found(value: Any, at: Place) -> Any:
    for step in at:
        value = value[step]
    return value


def _spelled(value: Any, at: Place, spelled: str) -> bytes:
    """The value with one number written in another way, which `json` itself would not write."""
    if not at:
        return spelled.encode()
    out = copy.deepcopy(value)
    _found(out, at[:-1])[at[-1]] = "@@here@@"
    return json.dumps(out).replace('"@@here@@"', spelled).encode()
