"""A `torch.export` file (``.pt2``), checked and made anew.

`torch.export.load` would unpickle example inputs (without restriction when the restricted way
fails), evaluate shape expressions and guards as Python, write names into Python code, and call
whatever name below ``torch`` a node gives. So only what was checked goes over: graphs of operators
of the list, weights as large as they are said to be, names that are names, plain arithmetic.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from ...errors import ModelError, ReadError
from ...files.json_file import parse_json
from .checked_archive import CheckedArchive, packed_anew
from .program_fields import NAME_TABLES, TOP, wrong_fields
from .shape_expression import ExpressionRefused, check_expression
from .torchscript_operators import EXPORT_CALLS

_WHAT = "exported program"
_REMEDY = "Export it again with torch.export.save, or save it as TorchScript (torch.jit.save)"

_GRAPH, _EXAMPLES = "models/model.json", "data/sample_inputs/model.pt"
_TENSORS = re.compile(r"data/(weights|constants)/(?:weight|tensor)_\d+", re.ASCII)
_TABLES = re.compile(r"data/(weights|constants)/model_\w+_config\.json", re.ASCII)
_SMALL = re.compile(r"archive_format|archive_version|byteorder|version|\.data/\w+", re.ASCII)

_OPERATOR = re.compile(r"torch\.ops\.aten\.(\w+)\.\w+", re.ASCII)
_PYTHON_OPERATOR = re.compile(
    r"_operator\.(?:getitem|add|sub|mul|floordiv|truediv|mod|neg|eq|ne|lt|le|gt|ge|and_|or_|not_)"
    r"|torch\.sym_(?:int|float|max|min|not|ite)|math\.(?:floor|ceil|trunc)"
)

#: Names are written into Python code by torch: letters, digits, underscores, and dots between.
_NAME = re.compile(r"[\w.]{0,500}", re.ASCII)

#: Keys whose texts are no names: they are checked in ways of their own, or only ever quoted.
_NO_NAMES = frozenset(
    {"expr_str", "expr", "target", "in_spec", "out_spec", "as_string", "as_strings"}
    | {"torch_version", "metadata"}
)
_NUMBERS_IN_WORDS = frozenset({"Infinity", "-Infinity", "NaN"})
_PLAIN_CONTAINERS = (None, "builtins.tuple", "builtins.list", "builtins.dict")

_LARGEST_TABLE, _LARGEST_SMALL, _MOST_VALUES = 32 << 20, 1 << 16, 3_000_000

#: Bytes of one number, by torch's number for its type in these files.
_ITEM_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 2, 7: 4, 8: 8, 9: 4, 10: 8, 11: 16, 12: 1, 13: 2}


def checked_exported_program(path: Path) -> bytes:
    """The file made anew from what was checked.

    Raises
    ------
    ModelError
        It is damaged, or holds anything but a graph of allowed operators and plain weights.
    """
    with open(path, "rb") as file:
        if file.read(4) != b"PK\x03\x04":
            raise ModelError("this is no file of torch.export", where=path, remedy=_REMEDY)
    with CheckedArchive(path, _WHAT, _REMEDY) as archive:
        members: dict[str, bytes] = {}
        if _GRAPH not in archive.names:
            raise archive.damage("it has no graph")
        for name in archive.names:
            if name == _GRAPH:
                members[name] = _checked_graph(archive)
            elif name == _EXAMPLES:
                continue
            elif _TABLES.fullmatch(name):
                members[name] = _checked_table(archive, name)
            elif _TENSORS.fullmatch(name):
                members[name] = archive.read(name)
            elif _SMALL.fullmatch(name):
                members[name] = archive.read(name, _LARGEST_SMALL)
            else:
                raise archive.refusal(f"holds {name[:80]!r}, which may be a pickle")
        members[_EXAMPLES] = _no_examples()
        if members.get("byteorder", b"little").strip() != b"little":
            raise archive.damage("it does not say that it was written on a machine like this one")
        if members.get("archive_format", b"").strip() != b"pt2":
            raise archive.damage("it does not say that it is a pt2 archive")
        if not members.get("archive_version", b"").strip().isdigit():
            raise archive.damage("it does not say which version of the format it has")
        return packed_anew("model", members)


def _no_examples() -> bytes:
    empty = io.BytesIO()
    torch.save(((), {}), empty)
    return empty.getvalue()


def _values(archive: CheckedArchive, name: str) -> dict[str, Any]:
    text = archive.read(name, _LARGEST_TABLE)
    if sum(text.count(sign) for sign in (b",", b"[", b"{")) > _MOST_VALUES:
        raise archive.refusal(f"has a {name} with more values than any network")
    try:
        values = parse_json(text, problem=f"its {name} is no JSON", most_bytes=_LARGEST_TABLE)
    except ReadError as error:
        raise archive.damage(error.what) from error
    if not isinstance(values, dict):
        raise archive.damage(f"its {name} is no JSON object")
    return values


def _checked_table(archive: CheckedArchive, name: str) -> bytes:
    """Which weight lies in which member, and how: each within its member."""
    values = _values(archive, name)
    entries = values.get("config")
    if not isinstance(entries, dict):
        raise archive.damage(f"its {name} lists no tensors")
    folder = name.rpartition("/")[0]
    for key, entry in entries.items():
        if not isinstance(entry, dict) or not _NAME.fullmatch(key):
            raise archive.damage(f"its tensor {key[:80]!r} is not described")
        if entry.get("use_pickle") is not False:
            raise archive.refusal("holds a pickled tensor or object")
        member, meta = entry.get("path_name"), entry.get("tensor_meta")
        if not isinstance(member, str) or f"{folder}/{member}" not in archive.names:
            raise archive.damage(f"its tensor {key!r} is missing")
        if not _lies_within(meta, archive.size(f"{folder}/{member}")):
            raise archive.damage(f"its tensor {key!r} has another size than its numbers")
    return json.dumps(values).encode()


def _lies_within(meta: Any, size: int) -> bool:
    if not isinstance(meta, dict) or type(meta.get("dtype")) is not int:
        return False
    parts = [meta.get("sizes"), meta.get("strides"), [meta.get("storage_offset")]]
    if not all(isinstance(part, list) and len(part) <= 8 for part in parts):
        return False
    try:
        sizes, strides, (offset,) = ([item["as_int"] for item in part or []] for part in parts)
    except (TypeError, KeyError):
        return False
    if len(sizes) != len(strides) or any(
        type(v) is not int or not 0 <= v < 1 << 48 for v in (*sizes, *strides, offset)
    ):
        return False
    item = _ITEM_BYTES.get(meta["dtype"])
    if item is None:
        return False
    count = 1
    for length in sizes:
        count *= length
    last = offset + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))
    return count == 0 or ((last + 1) * item <= size and count * item <= 4 * size + (1 << 24))


def _checked_graph(archive: CheckedArchive) -> bytes:
    values = _values(archive, _GRAPH)
    missing = [name for name in TOP if name not in values]
    for fault in (f"it has no {name}" for name in missing):
        raise archive.damage(fault)
    for key, value in _entries(values):
        if not isinstance(key, str) or not _NAME.fullmatch(key):
            raise archive.refusal(f"has a name that is none ({str(key)[:80]!r})")
        if key == "use_pickle" and value is not False:
            raise archive.refusal("holds a pickled tensor or object")
        if key in ("treespec_namedtuple_fields", "custom_obj_values") and value not in ({}, None):
            raise archive.refusal("takes or gives objects of Python classes")
        if key == "target" and isinstance(value, str):
            _check_operator(archive, value)
        elif key in ("expr_str", "expr") and not isinstance(value, dict):
            _check_arithmetic(archive, value)
        elif key == "range_constraints" and isinstance(value, dict):
            for symbol in value:
                _check_arithmetic(archive, symbol)
        elif key in ("in_spec", "out_spec"):
            _check_containers(archive, value)
        elif key in NAME_TABLES and isinstance(value, dict):
            _check_names(archive, list(value))
        elif key in ("as_float", "as_floats"):
            _check_names(archive, value, but=_NUMBERS_IN_WORDS)
        elif key not in _NO_NAMES:
            _check_names(archive, value)
    for node in _nodes(archive, values):
        _check_operator(archive, node.get("target"))
    for fault in wrong_fields(_entries(values)):
        raise archive.damage(fault)
    values["guards_code"] = []
    _leave_out_metadata(values)
    return json.dumps(values).encode()


def _nodes(archive: CheckedArchive, values: Any) -> Iterator[dict[str, Any]]:
    for key, value in _entries(values):
        if key == "nodes":
            if not isinstance(value, list) or not all(isinstance(node, dict) for node in value):
                raise archive.damage("its field 'nodes' is not a list of nodes")
            yield from value


def _entries(values: Any) -> Iterator[tuple[str, Any]]:
    """Every field with its value, at any depth, but not what is left out.

    The keys of a table are names, which may be those of fields: they are not given.
    """
    waiting = [values]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            for key, value in item.items():
                if key in ("metadata", "guards_code"):
                    continue
                yield key, value
                if key in NAME_TABLES and isinstance(value, dict):
                    waiting.extend(value.values())
                else:
                    waiting.append(value)
        elif isinstance(item, list):
            waiting.extend(item)


def _leave_out_metadata(values: Any) -> None:
    """Where its author's code stood, and the like; torch would look names up in it."""
    waiting = [values]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if "metadata" in item:
                item["metadata"] = {}
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _check_names(archive: CheckedArchive, value: Any, but: frozenset[str] = frozenset()) -> None:
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str) and text not in but and not _NAME.fullmatch(text):
            raise archive.refusal(f"has a name that is none ({text[:80]!r})")


def _check_operator(archive: CheckedArchive, name: Any) -> None:
    match = _OPERATOR.fullmatch(name) if isinstance(name, str) else None
    allowed = match is not None and match[1] in EXPORT_CALLS
    if not allowed and not (isinstance(name, str) and _PYTHON_OPERATOR.fullmatch(name)):
        raise archive.refusal(
            f"calls {str(name)[:100]!r}, which is not on the list of what computes"
        )


def _check_arithmetic(archive: CheckedArchive, value: Any) -> None:
    try:
        check_expression(value)
    except ExpressionRefused:
        raise archive.refusal(
            f"holds the shape expression {str(value)[:100]!r}, which is not plain arithmetic of "
            "bounded size"
        ) from None


def _check_containers(archive: CheckedArchive, value: Any) -> None:
    """The description of arguments and outputs: tuples, lists and dictionaries, no classes."""
    if value in ("", None):
        return
    try:
        tree = parse_json(value) if isinstance(value, str) and len(value) < 1 << 20 else None
    except ReadError as error:
        raise archive.damage("the description of its arguments is no JSON") from error
    if not isinstance(tree, list) or len(tree) != 2:
        raise archive.damage("the description of its arguments is none")
    waiting = [tree[1]]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, dict) or not isinstance(part.get("children_spec"), list):
            raise archive.damage("the description of its arguments is none")
        if part.get("type") not in _PLAIN_CONTAINERS:
            raise archive.refusal(f"takes or gives a {str(part.get('type'))[:80]!r}")
        waiting.extend(part["children_spec"])
