"""The pickles inside a TorchScript archive, walked without building anything they name.

torch's own reader of these files builds lists, dictionaries, tensors over the archive's records,
and objects of classes whose code is in the archive. The walk follows the same opcodes, and no
others, on a stack of plain values, so that every tensor's size is known before torch sees it.
"""

from __future__ import annotations

import pickletools
from dataclasses import dataclass, field
from typing import Any

#: Storage classes by the bytes of one number.
STORAGES = {
    "DoubleStorage": 8,
    "FloatStorage": 4,
    "HalfStorage": 2,
    "BFloat16Storage": 2,
    "LongStorage": 8,
    "IntStorage": 4,
    "ShortStorage": 2,
    "CharStorage": 1,
    "ByteStorage": 1,
    "BoolStorage": 1,
    "ComplexFloatStorage": 8,
    "ComplexDoubleStorage": 16,
}

#: Functions by which torch writes typed lists.
_LISTS = ("build_intlist", "build_doublelist", "build_boollist", "build_tensorlist")

_MOST_OPCODES = 3_000_000
_MOST_NUMBER = 1 << 62


class PickleRefused(Exception):
    """It holds what no TorchScript file does; said so that it completes "the file ..."."""


@dataclass(frozen=True)
class StoredTensor:
    """One record of numbers, as a pickle speaks of it."""

    key: str
    count: int
    item_bytes: int


@dataclass(frozen=True)
class _Global:
    module: str
    name: str


@dataclass(frozen=True)
class _Made:
    """What torch would build; nothing here needs to know more of it."""

    kind: str


@dataclass
class PickleFacts:
    """What a pickle speaks of.

    Attributes
    ----------
    records : dict of str to StoredTensor
        By key.
    classes : set of str
        Qualified names of classes of the archive's own code.
    numbers : int
        Numbers that its tensors hold, repeated ones counted as often as they are seen.
    """

    records: dict[str, StoredTensor] = field(default_factory=dict)
    classes: set[str] = field(default_factory=set)
    numbers: int = 0


_MARK = object()


def walk(content: bytes) -> tuple[bytes, PickleFacts]:
    """The pickle without what may follow it, and what it speaks of.

    Raises
    ------
    PickleRefused
        It is damaged, or would have torch build anything else than plain values, tensors and
        objects of the archive's own classes.
    """
    walker = _Walker()
    end = 0
    try:
        for count, (opcode, argument, place) in enumerate(pickletools.genops(content)):
            if count > _MOST_OPCODES:
                raise PickleRefused("has a pickle without end")
            step = _STEPS.get(opcode.name)
            if step is None:
                raise PickleRefused(f"has a pickle with {opcode.name}, which torch never writes")
            step(walker, argument)
            end = (place or 0) + 1
    except PickleRefused:
        raise
    except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise PickleRefused("has a damaged pickle") from error
    if len(walker.stack) != 1:
        raise PickleRefused("has a damaged pickle")
    return content[:end], walker.facts


class _Walker:
    """The stack and the memo of a pickle."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.facts = PickleFacts()

    def pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise ValueError("a mark where a value is wanted")
        return value

    def above_mark(self) -> list[Any]:
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place] is _MARK:
                found = self.stack[place + 1 :]
                del self.stack[place:]
                return found
        raise ValueError("no mark")

    # -- what opcodes do ---------------------------------------------------------------------

    def value(self, value: Any) -> None:
        if isinstance(value, int) and abs(value) > _MOST_NUMBER:
            raise PickleRefused("has a number of more than 62 bits")
        self.stack.append(value)

    def get(self, place: int) -> None:
        self.stack.append(self.memo[place])

    def put(self, place: int) -> None:
        if self.stack[-1] is _MARK:
            raise ValueError("a mark is kept")
        if place > len(self.memo) + 1:  # torch's reader makes room for all that lies before it
            raise PickleRefused("has a pickle with gaps")
        self.memo[place] = self.stack[-1]

    def tuple_of(self, count: int) -> None:
        items = [self.pop() for _ in range(count)]
        self.stack.append(tuple(reversed(items)))

    def into(self, kind: type) -> None:
        """Add what lies above the mark to the list or dictionary below it."""
        self.above_mark()
        if not isinstance(self.stack[-1], kind):
            raise ValueError("nothing to add to")

    def names(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        own = module == "__torch__" or module.startswith("__torch__.")
        known = (
            (module == "torch.jit._pickle" and name in (*_LISTS, "restore_type_tag"))
            or (module == "torch._utils" and name == "_rebuild_tensor_v2")
            or (module == "collections" and name == "OrderedDict")
            or (module == "torch" and (name in STORAGES or name == "device"))
        )
        if own and not module.startswith("__torch__.torch.classes"):
            self.facts.classes.add(f"{module}.{name}")
        elif not known:
            raise PickleRefused(f"has a pickle that names {module}.{name}")
        self.stack.append(_Global(module, name))

    def record(self, _: Any) -> None:
        """A persistent id: a record of numbers."""
        kind, storage, key, device, count = self.pop()
        if kind != "storage" or not isinstance(storage, _Global) or storage.name not in STORAGES:
            raise PickleRefused("has a record of unknown kind")
        plain = isinstance(key, str) and key.isalnum() and isinstance(device, str)
        if not plain or type(count) is not int or count < 0:
            raise PickleRefused("has a record of unknown kind")
        made = StoredTensor(key, count, STORAGES[storage.name])
        if self.facts.records.setdefault(key, made) != made:
            raise PickleRefused(f"speaks of the record {key} in two ways")
        self.stack.append(made)

    def call(self, _: Any) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, _Global) or not isinstance(arguments, tuple):
            raise ValueError("nothing to call")
        name = function.name
        if name == "_rebuild_tensor_v2":
            self._tensor(arguments)
        elif name == "OrderedDict" and arguments == ():
            self.stack.append({})
            return
        elif name == "restore_type_tag" and len(arguments) == 2 and isinstance(arguments[1], str):
            if len(arguments[1]) > 10_000 or "torch.classes" in arguments[1]:
                raise PickleRefused("has a value of a type that is not its own")
            self.stack.append(arguments[0])
            return
        elif (name in _LISTS and len(arguments) == 1 and isinstance(arguments[0], list)) or (
            name == "device" and all(isinstance(part, str | int) for part in arguments)
        ):
            pass
        elif function.module.startswith("__torch__") and len(arguments) == 1:
            pass  # a member of an enumeration of its own
        else:
            raise PickleRefused(f"has a pickle that calls {function.module}.{name}")
        self.stack.append(_Made(name))

    def _tensor(self, arguments: tuple[Any, ...]) -> None:
        """Refuse a tensor that reaches beyond its record."""
        if len(arguments) not in (6, 7):
            raise PickleRefused("has a tensor of unknown kind")
        record, offset, sizes, strides, gradient, hooks = arguments[:6]
        whole = (
            [offset, *sizes, *strides]
            if isinstance(sizes, tuple) and isinstance(strides, tuple)
            else [-1]
        )
        if not isinstance(record, StoredTensor) or any(type(v) is not int or v < 0 for v in whole):
            raise PickleRefused("has a tensor of unknown kind")
        if len(sizes) != len(strides) or len(sizes) > 64 or not isinstance(gradient, bool):
            raise PickleRefused("has a tensor of unknown kind")
        if hooks not in ({}, None):
            raise PickleRefused("has a tensor with hooks")
        count = 1
        for size in sizes:
            count *= size
        last = offset + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))
        if count and last >= record.count:
            raise PickleRefused(f"has a tensor that reaches beyond its record {record.key}")
        self.facts.numbers += count

    def new_object(self, _: Any) -> None:
        arguments, kind = self.pop(), self.pop()
        own = isinstance(kind, _Global) and kind.module.split(".")[0] == "__torch__"
        if not own or arguments != ():
            raise PickleRefused("has an object that is not of its own classes")
        self.stack.append(_Made("object"))

    def build(self, _: Any) -> None:
        self.pop()
        if self.stack[-1] != _Made("object"):
            raise PickleRefused("sets the state of what has none")


def _step(name: str, *arguments: Any) -> Any:
    return lambda walker, argument: getattr(walker, name)(*(arguments or (argument,)))


_STEPS: dict[str, Any] = {
    "PROTO": lambda walker, argument: None,
    "STOP": lambda walker, argument: None,
    "MARK": lambda walker, argument: walker.stack.append(_MARK),
    "NONE": lambda walker, argument: walker.stack.append(None),
    "NEWTRUE": lambda walker, argument: walker.stack.append(True),
    "NEWFALSE": lambda walker, argument: walker.stack.append(False),
    **{
        name: _step("value")
        for name in ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE")
    },
    "EMPTY_TUPLE": lambda walker, argument: walker.stack.append(()),
    "EMPTY_LIST": lambda walker, argument: walker.stack.append([]),
    "EMPTY_DICT": lambda walker, argument: walker.stack.append({}),
    "TUPLE": lambda walker, argument: walker.stack.append(tuple(walker.above_mark())),
    "TUPLE1": _step("tuple_of", 1),
    "TUPLE2": _step("tuple_of", 2),
    "TUPLE3": _step("tuple_of", 3),
    "APPENDS": _step("into", list),
    "SETITEMS": _step("into", dict),
    "BINGET": _step("get"),
    "LONG_BINGET": _step("get"),
    "BINPUT": _step("put"),
    "LONG_BINPUT": _step("put"),
    "GLOBAL": _step("names"),
    "BINPERSID": _step("record"),
    "REDUCE": _step("call"),
    "NEWOBJ": _step("new_object"),
    "BUILD": _step("build"),
}
