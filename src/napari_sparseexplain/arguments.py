"""What a caller gives to a public function: of the right kind, or one clear error."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from errno import EINVAL, ENAMETOOLONG
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from .errors import ParameterError, ReadError, SparseExplainError

#: Letters of a value in a message.
_LONGEST = 60

#: A class, a tuple of them, or what looks at a value.
Kinds = type | tuple[type, ...] | Callable[[Any], bool]


def shown(value: object) -> str:
    """A value as a message can hold it: on one line, and never long."""
    if value is None or isinstance(value, str | bytes | Real | Path):
        try:
            text = repr(value)
        except ValueError:  # Python writes out no whole number of thousands of digits
            return "a number of very many digits"
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 10]}…{text[-9:]}"
    return f"a {type(value).__name__}"


def check_kind(value: object, kinds: Kinds, name: str, wanted: str) -> None:
    """Refuse an argument of another kind.

    Parameters
    ----------
    value : object
    kinds : type, tuple of type, or callable
        What it may be, or what says whether it may.
    name : str
        Of the argument.
    wanted : str
        What it may be, for a person: "a study, from se.open_study".

    Raises
    ------
    ParameterError
        It is of another kind. A truth value is no number.
    """
    known = isinstance(kinds, type | tuple)
    if not (isinstance(value, kinds) if known else kinds(value)):
        raise ParameterError(f"the {name} cannot be {shown(value)}", remedy=f"Give {wanted}")


def is_whole(value: object) -> bool:
    """Whether it is a whole number; a truth value is none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether it is a finite number; a truth value is none."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def is_texts(value: object) -> bool:
    """Whether it is several texts; one text is not, although its letters are."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence | set | frozenset):
        return False
    return all(isinstance(item, str) for item in value)


def is_by_text(value: object, kinds: type | tuple[type, ...] = object) -> bool:
    """Whether it is a mapping from texts to what is of some kind."""
    return isinstance(value, Mapping) and all(
        isinstance(key, str) and isinstance(item, kinds) for key, item in value.items()
    )


def given_path(
    value: object, name: str = "path", *, kind: type[SparseExplainError] = ReadError
) -> Path:
    """A path that a caller gave; whether something is there is for the reader to say.

    Parameters
    ----------
    value : str or PathLike
    name : str
        Of the argument.
    kind : type
        The error to raise.

    Raises
    ------
    SparseExplainError
        It is no path, empty, or no system could have a file of this name; of the given ``kind``.
    """
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str) or not text:
        raise kind(
            f"the {name} cannot be {shown(value)}", remedy="Give the path of a file or folder"
        )
    try:
        os.lstat(text)
    except ValueError as error:  # a NUL, or half of a surrogate pair
        raise kind(
            f"the {name} {shown(text)} holds a character that no file's name can have",
            remedy="Check the path",
        ) from error
    except OSError as error:
        if error.errno == ENAMETOOLONG or (error.errno == EINVAL and os.name == "nt"):
            raise kind(
                f"the {name} {shown(text)} cannot be that of a file ({error.strerror})",
                remedy="Check the path",
            ) from error
    return Path(text)


def given_paths(value: object, name: str) -> list[Path]:
    """Several paths that a caller gave.

    Raises
    ------
    ReadError
        It is one path, or something else, or one of them is none: see `given_path`.
    """
    if isinstance(value, str | bytes | os.PathLike) or not isinstance(value, Iterable):
        raise ReadError(
            f"the {name} cannot be {shown(value)}", remedy="Give a list of paths, as ['folder']"
        )
    return [given_path(item, f"{name}[{number}]") for number, item in enumerate(value)]
