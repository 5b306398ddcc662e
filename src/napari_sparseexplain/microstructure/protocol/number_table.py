"""Text files of numbers, as gradients are written: read within bounds, or refused with a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from ...files.regular_file import regular_size

#: A protocol of 10,000 volumes has some 300 kB.
MOST_BYTES = 8 << 20

_APART = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class NumberTable:
    """Numbers of a text file, line by line.

    Attributes
    ----------
    path : Path
    rows : tuple of tuple of float
        NaN where the file says so; never empty.
    comments : tuple of str
        Lines that start with ``#``, and those that start with a letter and a colon follows.
    """

    path: Path
    rows: tuple[tuple[float, ...], ...]
    comments: tuple[str, ...] = ()

    @property
    def array(self) -> npt.NDArray[np.float64]:
        """Shape (lines, numbers a line).

        Raises
        ------
        ReadError
            The lines do not hold equally many.
        """
        widths = {len(row) for row in self.rows}
        if len(widths) > 1:
            first = len(self.rows[0])
            odd = next(k for k, row in enumerate(self.rows) if len(row) != first)
            raise ReadError(
                f"its rows do not hold equally many numbers ({first} in the first, "
                f"{len(self.rows[odd])} in row {odd + 1})",
                where=self.path,
                remedy="Export the file again from its source",
            )
        return np.array(self.rows, dtype=np.float64)


def read_number_table(path: str | Path, *, what: str) -> NumberTable:
    """Numbers of a text file: parted by spaces, tabs, commas or semicolons.

    Parameters
    ----------
    path : str or Path
    what : str
        What the file should hold, for the error (``"b-values"``).

    Raises
    ------
    ReadError
        There is no such file, it is empty, too large, no text, or holds other words.
    """
    path = Path(path)
    remedy = f"Give the text file of {what} that was exported with the scan"
    size = regular_size(path, remedy=remedy)
    if size > MOST_BYTES:
        raise ReadError(
            f"it has {size:,} bytes, more than {what} of any scan", where=path, remedy=remedy
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ReadError(
            f"the file cannot be read ({error.strerror or error})", where=path, remedy=remedy
        ) from error
    rows: list[tuple[float, ...]] = []
    comments: list[str] = []
    for number, line in enumerate(_text(content, path, what, remedy).splitlines(), start=1):
        words = [word for word in _APART.split(line.strip()) if word]
        if not words:
            continue
        if words[0].startswith("#") or re.match(r"[A-Za-z]+:", line.strip()):
            comments.append(line.strip())
            continue
        rows.append(tuple(_number(word, number, path, what, remedy) for word in words))
    if not rows:
        raise ReadError(f"the file holds no {what}: it is empty", where=path, remedy=remedy)
    return NumberTable(path, tuple(rows), tuple(comments))


def _text(content: bytes, path: Path, what: str, remedy: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ReadError(f"this is no text file of {what}", where=path, remedy=remedy)
    return text


def _number(word: str, line: int, path: Path, what: str, remedy: str) -> float:
    try:
        # A number has few letters; Python also takes 1_000, which no program writes here.
        value = float(word) if len(word) <= 60 and "_" not in word else None
    except ValueError:
        value = None
    if value is None:
        shown = word if len(word) <= 30 else word[:30] + "…"
        raise ReadError(
            f"line {line} holds {shown!r} where {what} are numbers", where=path, remedy=remedy
        )
    if np.isinf(value):
        raise ReadError(f"line {line} holds an infinite value", where=path, remedy=remedy)
    return value
