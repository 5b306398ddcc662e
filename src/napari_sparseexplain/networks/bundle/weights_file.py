"""``weights.safetensors`` of a bundle: what its header says, checked, before any number is read.

Loads no torch.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ModelError, ReadError
from ...files.json_file import parse_json

_REMEDY = "Get the bundle again from where it came"

_LONGEST_HEADER = 32 << 20
_MOST_DIMENSIONS = 8

_ITEM_BYTES = {
    "F64": 8,
    "F32": 4,
    "F16": 2,
    "BF16": 2,
    "I64": 8,
    "I32": 4,
    "I16": 2,
    "I8": 1,
    "U8": 1,
    "BOOL": 1,
}


@dataclass(frozen=True)
class WeightShapes:
    """Shapes of the weights by name, as the header of their file gives them."""

    shapes: Mapping[str, tuple[int, ...]]

    @property
    def largest_dimension(self) -> int:
        """The largest number of anything (maps, classes) that these weights can be for."""
        return max((size for shape in self.shapes.values() for size in shape), default=0)


def weight_shapes(path: Path) -> WeightShapes:
    """What the header says; its places and sizes are those of the file.

    Raises
    ------
    ModelError
        The header is damaged, or speaks of numbers that are not there.
    """
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(size - 8, _LONGEST_HEADER):
                raise _damaged(path, "its header does not fit into it")
            header = parse_json(file.read(length))
    except ReadError as error:
        raise _damaged(path, "its header is no JSON") from error
    except OSError as error:
        raise ModelError(
            f"the weights cannot be read ({error.strerror or error})", where=path, remedy=_REMEDY
        ) from error
    if not isinstance(header, dict):
        raise _damaged(path, "its header is no list of weights")
    header.pop("__metadata__", None)
    places, shapes = [], {}
    for name, entry in header.items():
        begin, end, shape = _entry(path, name, entry)
        places.append((begin, end))
        shapes[name] = shape
    reached = 0
    for begin, end in sorted(places):
        if begin != reached:
            raise _damaged(path, "its weights leave gaps or lie in one another")
        reached = end
    if reached != size - 8 - length:
        raise _damaged(path, "it is longer or shorter than its weights")
    return WeightShapes(shapes)


def _entry(path: Path, name: str, entry: Any) -> tuple[int, int, tuple[int, ...]]:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _damaged(path, f"its weight {name[:80]!r} is not described")
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if kind not in _ITEM_BYTES if isinstance(kind, str) else True:
        raise _damaged(path, f"its weight {name[:80]!r} has numbers of an unknown type")
    if not _whole(shape) or len(shape) > _MOST_DIMENSIONS or not _whole(offsets):
        raise _damaged(path, f"its weight {name[:80]!r} has no shape or place")
    if len(offsets) != 2 or offsets[1] - offsets[0] != math.prod(shape) * _ITEM_BYTES[kind]:
        raise _damaged(path, f"its weight {name[:80]!r} has another size than its shape needs")
    return offsets[0], offsets[1], tuple(shape)


def _whole(values: Any) -> bool:
    return isinstance(values, list) and all(type(v) is int and 0 <= v < 1 << 62 for v in values)


def _damaged(path: Path, what: str) -> ModelError:
    return ModelError(f"the file of weights is damaged: {what}", where=path, remedy=_REMEDY)
