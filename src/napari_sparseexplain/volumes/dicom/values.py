"""Reading one DICOM element: its value in plain Python, or None when it is absent or malformed.

Real headers hold numbers as text, empty text, too few values, or text that is no number. pydicom
converts on access and raises then; an element that a reader only *may* use must not end the
reading, so here it counts as absent. Elements that a reader *must* have are checked by whoever
asks for them.
"""

from __future__ import annotations

import math
import struct
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence


def value(dataset: Dataset, keyword: str) -> Any:
    """The element's value, or None when it is absent, empty or malformed."""
    try:
        found = dataset.get(keyword)
    except Exception:  # pydicom converts on access and raises whatever the broken bytes provoke
        return None
    return None if found is None or found == "" else found


def text(dataset: Dataset, keyword: str) -> str:
    """The element as text without padding; several values are joined by a backslash."""
    found = value(dataset, keyword)
    if found is None:
        return ""
    if isinstance(found, bytes):
        return found.decode("ascii", "replace").strip(" \0")
    if isinstance(found, list | tuple) or type(found).__name__ == "MultiValue":
        return "\\".join(str(part) for part in found)
    return str(found).strip(" \0")


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The element's values as text, one entry a value."""
    joined = text(dataset, keyword)
    return tuple(joined.split("\\")) if joined else ()


def number(dataset: Dataset, keyword: str) -> float | None:
    """The element's first value as a finite float."""
    return _finite(_first(value(dataset, keyword)))


def integer(dataset: Dataset, keyword: str) -> int | None:
    """The element's first value as an int, None when it is no whole number."""
    found = number(dataset, keyword)
    return int(found) if found is not None and found == int(found) else None


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """Exactly ``count`` finite values, or None."""
    return exactly(value(dataset, keyword), count)


def exactly(found: Any, count: int) -> tuple[float, ...] | None:
    """``count`` finite floats out of a multi-valued element's value, or None."""
    if found is None or isinstance(found, str | bytes | int | float):
        return None
    try:
        parts = [_finite(part) for part in found]
    except TypeError:
        return None
    if len(parts) != count or any(part is None for part in parts):
        return None
    return tuple(part for part in parts if part is not None)


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """All items of a sequence; empty when it is absent or is no sequence."""
    found = value(dataset, keyword)
    if not isinstance(found, Sequence):
        return []
    return [item for item in found if isinstance(item, Dataset)]


def first_item(dataset: Dataset, keyword: str) -> Dataset | None:
    """First item of a sequence, or None."""
    return next(iter(items(dataset, keyword)), None)


def private(dataset: Dataset, group: int, creator: str, element: int) -> Any:
    """Value of a private element, found through its creator; None when it is not there.

    ``element`` is the low byte: 0x0A stands for (gggg,xx0A), where xx is the creator's block.
    """
    try:
        return dataset.private_block(group, creator)[element].value
    except Exception:  # absent (KeyError), or bytes that pydicom cannot convert
        return None


def private_number(dataset: Dataset, group: int, creator: str, element: int) -> float | None:
    """First value of a private number; bytes of unknown representation are read as text or US."""
    found = private(dataset, group, creator, element)
    if isinstance(found, bytes):
        plain = _finite(found.decode("ascii", "replace").strip(" \0") or None)
        if plain is not None:
            return plain
        return float(struct.unpack("<H", found)[0]) if len(found) == 2 else None
    return _finite(_first(found))


def private_numbers(
    dataset: Dataset, group: int, creator: str, element: int, count: int
) -> tuple[float, ...] | None:
    """Exactly ``count`` values of a private element; unknown bytes are read as doubles."""
    found = private(dataset, group, creator, element)
    if isinstance(found, bytes):
        if len(found) != 8 * count:
            return None
        found = list(struct.unpack(f"<{count}d", found))
    return exactly(found, count)


def _first(found: Any) -> Any:
    if found is None or isinstance(found, str | bytes | int | float):
        return found
    try:
        return found[0] if len(found) else None
    except TypeError:
        return found


def _finite(found: Any) -> float | None:
    if found is None or isinstance(found, bytes):
        return None
    try:
        result = float(found)
    except (ValueError, TypeError, OverflowError):
        return None
    return result if math.isfinite(result) else None
