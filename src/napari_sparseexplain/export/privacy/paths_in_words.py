"""Paths and names of files in what somebody wrote."""

from __future__ import annotations

import re
from functools import lru_cache

#: Endings of files, besides those that are read, that make a word a file's name.
_OTHER_ENDINGS = (
    *("mgz", "mha", "mhd", "nrrd", "npz", "json", "csv", "txt", "pdf", "zip", "tar", "gz"),
    *("pt", "pt2", "ts", "safetensors"),
)


@lru_cache(maxsize=1)
def path_pattern(endings: tuple[str, ...]) -> re.Pattern[str]:
    """A path, which begins a word, or a file's name with an ending that tells its format."""
    known = sorted({*(e.lstrip(".") for e in endings), *_OTHER_ENDINGS}, key=len, reverse=True)
    return re.compile(
        r"(?<![^\s\"'(\[{<=,;])(?:[A-Za-z]:[\\/]|file:/{1,3}|~[\\/]|\.{1,2}[\\/]|\\\\|/(?=[^\s/]))"
        r"(?:[^\\/\n\"',;:<>|]{1,120}[\\/]){0,40}[^\\/\s\"',;:<>|]{0,120}"
        rf"|(?<![\w.\-])[\w.\-]{{1,200}}\.(?:{'|'.join(map(re.escape, known))})\b",
        re.IGNORECASE,
    )
