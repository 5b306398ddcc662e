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
from pydicom.tag import BaseTag, Tag


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
    if found is None or isinstance(found, Sequence):
        return ""  # a sequence where text belongs is damaged
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


class UnreadableError(ValueError):
    """An element is there, and its value is not what its kind demands."""


def plain_reals(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """Finite values of a standard element, None where it is absent or empty.

    Raises
    ------
    UnreadableError
        It is there with other values, or with another number of them.
    """
    if keyword not in dataset:
        return None
    tag = Tag(keyword)
    return _reals(dataset, tag, "FD", count)


def private_reals(
    dataset: Dataset,
    group: int,
    creator: str | None,
    element: int,
    representation: str,
    count: int | None,
    *,
    bare: bool = False,
) -> tuple[float, ...] | None:
    """Finite values of a private element, None where it is absent or empty.

    Parameters
    ----------
    creator : str or None
        As for `private`; None where the maker has the elements (gggg,10xx) under any name.
    element : int
        The low byte.
    representation : {"IS", "DS", "FD", "FL"}
        How bytes of unknown representation (UN) are to be read.
    count : int or None
        How many there must be; None: one or more.
    bare : bool
        Whether (gggg,10xx) is meant where no element names the creator, as some programs that make
        files anonymous leave it.

    Raises
    ------
    UnreadableError
        It is there and holds no such values.
    """
    tag = Tag(group, 0x1000 + element)
    if creator is not None:
        try:
            tag = dataset.private_block(group, creator).get_tag(element)
        except KeyError:
            if not bare or Tag(group, 0x0010) in dataset:
                return None
    return _reals(dataset, tag, representation, count) if tag in dataset else None


def _reals(
    dataset: Dataset, tag: BaseTag, representation: str, count: int | None
) -> tuple[float, ...] | None:
    problem = UnreadableError(f"the element {tag} cannot be read")
    try:
        found = dataset[tag].value
    except Exception as error:  # whatever broken bytes provoke in pydicom
        raise problem from error
    if found is None or found in ("", b""):
        return None
    if isinstance(found, bytes):
        found = _from_bytes(found, representation)
    elif isinstance(found, str):
        found = found.split("\\")
    elif isinstance(found, int | float):
        found = [found]
    try:
        values = [_finite(value) for value in found or ()]
    except TypeError as error:
        raise problem from error
    whole = tuple(value for value in values if value is not None)
    if not values and found is not None:
        return None
    if len(whole) != len(values) or not whole or count not in (None, len(whole)):
        raise problem
    return whole


def _from_bytes(found: bytes, representation: str) -> list[Any] | None:
    """Values of an element of unknown representation; None where the bytes cannot be such."""
    if representation in ("IS", "DS"):
        return list(found.decode("ascii", "replace").strip(" \0").split("\\"))
    size = {"FD": 8, "FL": 4}[representation]
    if len(found) % size:
        return None
    return list(struct.unpack(f"<{len(found) // size}{'d' if size == 8 else 'f'}", found))


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
