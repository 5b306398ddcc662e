"""What a data set says of its labels: ``dataset.json`` of Decathlon and nnU-Net folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import ReadError
from ..json_file import read_json

FILE = "dataset.json"

#: Folders above a mask in which its data set's file is looked for: ``labelsTr/case/``, at most.
_LEVELS = 3

#: More labels than that are no list of a tumour's parts.
_MOST_LABELS = 64


def dataset_labels(mask: Path) -> dict[int, str]:
    """Names by label value; empty where no data set's file beside or above the mask lists them.

    Both forms are read, ``{"1": "edema"}`` (Decathlon, nnU-Net 1) and ``{"edema": 1}``
    (nnU-Net 2); of regions, which list several values, nothing is taken.
    """
    for folder in list(mask.parents)[:_LEVELS]:
        path = folder / FILE
        if not path.is_file():
            continue
        try:
            values = read_json(path, problem="it cannot be read", remedy="", kind=ReadError)
        except ReadError:
            return {}
        labels = values.get("labels") if isinstance(values, dict) else None
        return _by_value(labels) if isinstance(labels, dict) else {}
    return {}


def _by_value(labels: dict[Any, Any]) -> dict[int, str]:
    found: dict[int, str] = {}
    for key, value in list(labels.items())[:_MOST_LABELS]:
        if isinstance(value, str) and str(key).isdigit():
            found[int(key)] = value[:200]
        elif isinstance(value, int) and not isinstance(value, bool):
            found[value] = str(key)[:200]
        else:
            return {}
    return found
