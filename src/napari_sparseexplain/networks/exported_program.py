"""A `torch.export` file (``.pt2``), read without trusting it.

`torch.export.load` would unpickle example inputs (without restriction when the restricted way
fails), evaluate shape expressions and guards as Python, and call whatever name below ``torch`` a
node gives. So the archive is checked first, name by name, and a copy of only what was checked is
handed to torch: graphs of ATen operators, plain weights, shape expressions of plain arithmetic.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import ModelError

_REMEDY = "Export it again with torch.export.save, or save it as TorchScript (torch.jit.save)"

#: Members of the archive that are copied; example inputs are replaced by none.
_KEPT = re.compile(
    r"(?:models/model\.json|archive_format|archive_version|byteorder|version|\.data/\w+"
    r"|data/(?:weights|constants)/(?:model_\w+_config\.json|(?:weight|tensor)_\d+))"
)

_EXAMPLES = "data/sample_inputs/model.pt"

#: Operators a graph may call.
_OPERATOR = re.compile(
    r"torch\.ops\.aten\.\w+\.\w+"
    r"|_operator\.(?:getitem|add|sub|mul|floordiv|truediv|mod|neg|eq|ne|lt|le|gt|ge)"
    r"|torch\.sym_(?:int|float|max|min|not)"
)

#: Of ATen, those that touch files.
_FILES = re.compile(r"torch\.ops\.aten\.(?:from_file|save|load)\b")

#: Shape expressions are evaluated: symbols, whole numbers and the arithmetic that torch writes.
_SYMBOL = re.compile(r"Symbol\('[a-z]+\d+'(?:, \w+=(?:True|False))*\)")
_WORD = re.compile(r"[A-Za-z_]\w*")
_WORDS = re.compile(
    r"[a-z]+\d+|Integer|Rational|Add|Mul|Pow|Max|Min|Mod|PythonMod|FloorDiv|CeilDiv|CleanDiv|oo|int_oo"
)
_EXPRESSION = re.compile(r"[\w\s+\-*/(),<>=]*")


def load_exported_program(path: Path) -> nn.Module:
    """The module of a ``.pt2`` file.

    Raises
    ------
    ModelError
        The file is damaged, or holds anything but a graph of ATen operators and plain weights.
    """
    checked = _checked_copy(path)
    try:
        program = torch.export.load(checked)
        # Guards are Python code; without them a wrong shape is an error of the operator itself.
        return program.module(check_guards=False)
    except (RuntimeError, ValueError, KeyError, AssertionError, TypeError) as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(
            f"the exported program cannot be read ({said[0]})", where=path, remedy=_REMEDY
        ) from error


def _checked_copy(path: Path) -> io.BytesIO:
    """The archive with what was checked, and nothing else."""
    copy = io.BytesIO()
    try:
        with zipfile.ZipFile(path) as archive, zipfile.ZipFile(copy, "w") as out:
            roots = {name.partition("/")[0] for name in archive.namelist()}
            if len(roots) != 1:
                raise _refusal(path, "is not laid out as torch.export writes it")
            root = roots.pop()
            for name in archive.namelist():
                inner = name.removeprefix(root + "/")
                if inner == _EXAMPLES:
                    out.writestr(name, _no_examples())
                elif not _KEPT.fullmatch(inner):
                    raise _refusal(path, f"holds {inner!r}, which may be a pickle")
                else:
                    out.writestr(name, _checked_member(path, inner, archive.read(name)))
    except (zipfile.BadZipFile, OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(
            f"this is no file of torch.export ({error})", where=path, remedy=_REMEDY
        ) from error
    copy.seek(0)
    return copy


def _no_examples() -> bytes:
    empty = io.BytesIO()
    torch.save(((), {}), empty)
    return empty.getvalue()


def _checked_member(path: Path, name: str, content: bytes) -> bytes:
    if not name.endswith(".json"):
        return content
    values = json.loads(content)
    for key, value in _entries(values):
        if key == "use_pickle" and value is not False:
            raise _refusal(path, "holds a pickled tensor or object")
        if key == "target" and isinstance(value, str) and "." in value:
            _check_operator(path, value)
        if key in ("expr_str", "expr"):
            _check_expression(path, value)
        if key == "range_constraints" and isinstance(value, dict):
            for symbol in value:
                _check_expression(path, symbol)
    for node in _nodes(values):
        _check_operator(path, str(node.get("target")))
    if name == "models/model.json" and isinstance(values, dict):
        values.pop("guards_code", None)
        values["guards_code"] = []
    return json.dumps(values).encode()


def _nodes(values: Any) -> Iterator[dict[str, Any]]:
    for key, value in _entries(values):
        if key == "nodes" and isinstance(value, list):
            for node in value:
                if not isinstance(node, dict):
                    raise ModelError("a node of the graph is no object", remedy=_REMEDY)
                yield node


def _entries(values: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, at any depth."""
    waiting = [values]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield from item.items()
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _check_operator(path: Path, name: str) -> None:
    if not _OPERATOR.fullmatch(name) or _FILES.match(name):
        raise _refusal(path, f"calls {name!r}, which is not an ATen operator on tensors")


def _check_expression(path: Path, value: Any) -> None:
    if isinstance(value, dict):
        return  # its parts are entries of their own
    text = _SYMBOL.sub("s0", str(value))
    words = _WORD.findall(text)
    if not _EXPRESSION.fullmatch(text) or not all(_WORDS.fullmatch(word) for word in words):
        raise _refusal(path, f"holds the shape expression {text!r}, which is not plain arithmetic")


def _refusal(path: Path, what: str) -> ModelError:
    return ModelError(f"the file {what}, so it is not loaded", where=path, remedy=_REMEDY)
