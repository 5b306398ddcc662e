"""What a data set says of its labels: ``dataset.json`` of Decathlon and nnU-Net folders."""

from __future__ import annotations

from pathlib import Path
from typing import TypeGuard

from ...errors import ReadError
from ...files.json_file import read_json
from ..labels.tumour import CHANNEL_PARTS, PARTS, REGION_PARTS, exclusive_parts, part_of_name

FILE = "dataset.json"

#: Folders above a mask in which its data set's file is looked for: ``labelsTr/case/``, at most.
_LEVELS = 3

#: A data set has a handful of channels and at most some hundred labels; more is another file.
_MOST_LABELS = 2000


def dataset_labels(mask: Path) -> dict[int, str]:
    """Names by label value; empty where no data set's file beside or above the mask lists them.

    Three forms are read: ``{"1": "edema"}`` (Decathlon, nnU-Net 1), ``{"edema": 1}`` (nnU-Net 2),
    and nnU-Net's regions ``{"whole tumor": [1, 2, 3], "tumor core": [2, 3], …}``, of which the
    smallest that holds a value, less those inside it, says what the value is.
    """
    for folder in list(mask.parents)[:_LEVELS]:
        path = folder / FILE
        if not path.is_file():
            continue
        try:
            values = read_json(path, problem="it cannot be read", remedy="", kind=ReadError)
        except ReadError:
            return {}
        return names_by_number(values.get("labels") if isinstance(values, dict) else None)
    return {}


def names_by_number(values: object) -> dict[int, str]:
    """Names by number, of labels or channels, whichever way round they stand.

    A list is numbered from 0. Nothing is taken of what lists values that are no nested regions of
    a tumour: to name some labels of a mask and not the others would mean another lesion.
    """
    if isinstance(values, list):
        values = {str(number): name for number, name in enumerate(values)}
    if not isinstance(values, dict) or len(values) > _MOST_LABELS:
        return {}
    found: dict[int, str] = {}
    regions: dict[str, frozenset[int]] = {}
    for key, value in values.items():
        if isinstance(value, str) and str(key).strip().isdigit():
            found[int(key)] = value[:200]
        elif _is_number(value):
            found[value] = str(key)[:200]
        elif isinstance(value, list) and value and all(_is_number(v) for v in value):
            regions[str(key)[:200]] = frozenset(value)
        else:
            return {}
    return _of_regions(regions, found) if regions else found


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


#: What a value of a tumour's nested regions is, by the regions that hold it.
_RINGS = {
    frozenset(region for region in REGION_PARTS if part in exclusive_parts(region)): PARTS[part]
    for part in CHANNEL_PARTS
}


def _of_regions(regions: dict[str, frozenset[int]], single: dict[int, str]) -> dict[int, str]:
    """Names of the values of nested tumour regions; nothing where they are anything else."""
    parts = {title: part_of_name(title) for title in (*regions, *single.values())}
    holders: dict[int, set[str]] = {}
    for title, values in (*regions.items(), *((t, frozenset({v})) for v, t in single.items())):
        for value in values - {0}:
            holders.setdefault(value, set()).add(parts[title])
    named = {value: _RINGS.get(frozenset(held)) for value, held in holders.items()}
    return {v: name for v, name in named.items() if name} if all(named.values()) else {}
