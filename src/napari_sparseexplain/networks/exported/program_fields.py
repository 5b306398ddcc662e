"""The fields of a ``.pt2`` file's graph, and what each must be for torch to read it.

The same name means the same wherever it stands, so one table says it all. What is not in the table
is for torch to judge, in the model's own process. Loads no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

_LARGEST = 1 << 63

_Test = Callable[[Any], bool]


def _whole(value: Any) -> bool:
    return type(value) is int and -_LARGEST <= value < _LARGEST


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any) -> bool:
    return isinstance(value, int | float | str) and not isinstance(value, bool)


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _choice(value: Any) -> bool:
    """One of several kinds, told by the one key."""
    return isinstance(value, dict) and len(value) == 1


def _size(value: Any) -> bool:
    """A whole number, or arithmetic that gives one."""
    return _choice(value) and next(iter(value)) in ("as_int", "as_expr", "as_name")


def _named(value: Any) -> bool:
    return isinstance(value, dict) and _text(value.get("name"))


def _device(value: Any) -> bool:
    return isinstance(value, dict) and _text(value.get("type")) and "index" in value


def _or_none(test: _Test) -> _Test:
    return lambda value: value is None or test(value)


def _list(test: _Test) -> _Test:
    return lambda value: isinstance(value, list) and all(test(item) for item in value)


def _table(test: _Test) -> _Test:
    return lambda value: isinstance(value, dict) and all(test(item) for item in value.values())


def _has(*names: str) -> _Test:
    return lambda value: isinstance(value, dict) and all(name in value for name in names)


_META = ("dtype", "sizes", "requires_grad", "device", "strides", "storage_offset", "layout")

#: Name of a field: what it must be, in words, and the test.
FIELDS: dict[str, tuple[str, _Test]] = {
    "graph_module": ("a graph with its signature", _has("graph", "signature", "module_call_graph")),
    "graph": ("a graph", _has("inputs", "outputs", "nodes", "tensor_values", "sym_int_values")),
    "nodes": ("a list of nodes", _list(_has("target", "inputs", "outputs", "metadata"))),
    "inputs": ("a list of arguments", _list(_object)),
    "outputs": ("a list of results", _list(_choice)),
    "arg": ("an argument", _object),
    "kind": ("a whole number", _or_none(_whole)),
    "name": ("a name", _text),
    "tensor_values": ("descriptions of tensors", _table(_has(*_META))),
    "sym_int_values": ("sizes by name", _table(_size)),
    "sym_bool_values": ("truth values by name", _table(_choice)),
    "sym_float_values": ("numbers by name", _table(_choice)),
    "is_single_tensor_return": ("true or false", _flag),
    "input_specs": ("a list of inputs", _list(_choice)),
    "output_specs": ("a list of outputs", _list(_choice)),
    "parameter_name": ("a name", _text),
    "buffer_name": ("a name", _text),
    "module_call_graph": ("a list of modules", _list(_has("fqn"))),
    "signature": ("a signature", _or_none(_object)),
    "forward_arg_names": ("a list of names", _or_none(_list(_text))),
    "in_spec": ("a text", _text),
    "out_spec": ("a text", _text),
    "opset_version": ("versions by name", _table(_whole)),
    "schema_version": ("two numbers", _has("major", "minor")),
    "major": ("a whole number", _whole),
    "minor": ("a whole number", _whole),
    "range_constraints": ("ranges by symbol", _table(_has("min_val", "max_val"))),
    "min_val": ("a whole number", _or_none(_whole)),
    "max_val": ("a whole number", _or_none(_whole)),
    "verifiers": ("a list of names", _list(_text)),
    "dtype": ("the number of a type", _whole),
    "sizes": ("a list of sizes", _list(_size)),
    "strides": ("a list of sizes", _list(_size)),
    "storage_offset": ("a size", _size),
    "requires_grad": ("true or false", _flag),
    "device": ("a device", _device),
    "layout": ("the number of a layout", _whole),
    "index": ("a whole number", _or_none(_whole)),
    "hint": ("a value", _or_none(_choice)),
    "as_expr": ("arithmetic", _has("expr_str")),
    "as_int": ("a whole number", _whole),
    "as_ints": ("whole numbers", _list(_whole)),
    "as_bool": ("true or false", _flag),
    "as_bools": ("truth values", _list(_flag)),
    "as_float": ("a number", _number),
    "as_floats": ("numbers", _list(_number)),
    "as_string": ("a text", _text),
    "as_strings": ("texts", _list(_text)),
    "as_tensor": ("a tensor's name", _named),
    "as_tensors": ("names of tensors", _list(_named)),
    "as_scalar_type": ("the number of a type", _whole),
    "as_memory_format": ("the number of an order", _whole),
    "as_layout": ("the number of a layout", _whole),
    "as_device": ("a device", _device),
}

#: Fields whose keys are names that the file gives.
NAME_TABLES = frozenset(
    {"tensor_values", "sym_int_values", "sym_bool_values", "sym_float_values", "custom_obj_values"}
    | {"range_constraints", "opset_version", "treespec_namedtuple_fields"}
)

#: What the whole must have.
TOP = ("graph_module", "opset_version", "range_constraints", "schema_version")


def wrong_fields(entries: Iterator[tuple[str, Any]]) -> Iterator[str]:
    """For every field that is not what it must be: which, and what it must be."""
    for name, value in entries:
        words, test = FIELDS.get(name, ("", None))
        if test is not None and not test(value):
            yield f"its field {name!r} is not {words}"
