"""An explanation as files: their names, the maps, and what the record says of them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ParameterError
from ..volumes import Study
from ..volumes.nifti.writer import RGB_VOXELS, write_nifti
from .explanation import Explanation
from .explanation_map import ExplanationMap

#: Characters of a part of a file's name; three of them and an ending fit on any disk.
_LONGEST_WORD = 75

_UNSAFE = re.compile(r"[^A-Za-z0-9.+-]+")


def entry_name(method: str, target: str, frame: Sequence[int] = ()) -> str:
    """Name of an explanation in its folder: ``<method>`` or ``<method>_<target>``.

    With ``_frame-12``, counted from 0, of one that was made at a chosen frame.
    """
    place = "-".join(["frame", *map(str, frame)]) if frame else ""
    return "_".join(file_word(part) for part in (method, target, place) if part)


def file_word(text: str) -> str:
    """A text as part of a file's name: without what a name cannot hold, and never too long."""
    word = _UNSAFE.sub("-", text).strip("-")
    if len(word) <= _LONGEST_WORD:
        return word
    return (
        f"{word[: _LONGEST_WORD - 13]}-{sha256(text.encode('utf-8', 'replace')).hexdigest()[:12]}"
    )


def entry_key(
    record: Mapping[str, Any], method: str, target: str, frame: Sequence[int] = ()
) -> str:
    """Name under which an explanation is saved beside those of a record: `entry_name`, or ``…-2``.

    Words of other letters leave nothing in a file's name, so two targets can have one `entry_name`.
    An explanation of the same method and target as an entry keeps that entry's name.

    Parameters
    ----------
    record : mapping
        Entries of the folder's record, whatever they hold.
    """
    base = entry_name(method, target, frame)
    taken = {key.casefold() for key in record}
    for number in count(1):
        key = base if number == 1 else f"{base}-{number}"
        if key in record:
            if not _is_another(record[key], method, target):
                return key
        elif key.casefold() not in taken:
            return key
    raise AssertionError("there are no more numbers")


def _is_another(entry: Any, method: str, target: str) -> bool:
    """Whether an entry is surely of another explanation; one that is damaged is not."""
    known = [entry.get(name) for name in ("method", "target")] if isinstance(entry, dict) else []
    return bool(known) and all(isinstance(k, str) for k in known) and known != [method, target]


def map_files(key: str, maps: Iterable[ExplanationMap]) -> dict[str, str]:
    """Names of the maps' files by the maps' names: ``…``, ``…-2`` where letters were left out.

    They differ also where a disk does not tell capitals from small letters.

    Raises
    ------
    ParameterError
        Two maps have one name, so the record could not tell them apart.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for item in maps:
        if item.name in found:
            raise ParameterError(
                f"two maps are called {item.name!r:.80}",
                where=key,
                remedy="Give each map of an explanation a name of its own",
            )
        ending = ".nii.gz" if item.space == "study" else ".npz"
        stem = f"{key}_{file_word(item.name)}"
        names = (f"{stem}{'' if number == 1 else f'-{number}'}{ending}" for number in count(1))
        found[item.name] = next(name for name in names if name.casefold() not in taken)
        taken.add(found[item.name].casefold())
    return found


def files_of(entry: Any) -> set[str]:
    """Names of an entry's files; nothing but plain names, whatever a damaged record says."""
    maps = entry.get("maps") if isinstance(entry, dict) else None
    files = [item.get("file") for item in maps or () if isinstance(item, dict)]
    return {name for name in files if isinstance(name, str) and Path(name).name == name}


def is_own_file(name: str, key: str) -> bool:
    """Whether a file has the name of a map of an explanation; nothing else is ever removed."""
    lasting = re.sub(r"^\.run-[0-9a-f]{8}-", "", name)
    return lasting.startswith(f"{key}_") and lasting.endswith((".nii.gz", ".npz"))


def write_map(path: Path, item: ExplanationMap, explanation: Explanation, study: Study) -> None:
    """Write one map: on the study's voxels as NIfTI, elsewhere as ``.npz``."""
    data = np.asarray(item.data)
    if item.space != "study":
        with open(path, "wb") as stream:
            np.savez_compressed(stream, data=data)
        return
    if item.kind == "colours":
        data = np.ascontiguousarray(data, dtype=np.uint8).view(RGB_VOXELS)[..., 0]
    span = explanation.slices
    whole = (span.start, span.stop) == (0, study.grid.shape[0])
    write_nifti(
        path,
        data,
        like=study[study.reference],
        dtype=data.dtype if item.kind in ("segmentation", "colours") else np.float32,
        slices=None if whole else span,
        description=f"{explanation.method} {item.name} {explanation.provenance.model}".strip(),
        result=True,
    )


def entry_of(
    explanation: Explanation, study: Study, names: Mapping[str, str], study_name: str = ""
) -> dict[str, Any]:
    """All of an explanation but its arrays, as plain JSON values.

    Parameters
    ----------
    names : mapping
        Files by the maps' names.
    study_name : str
        What the study is called there; by itself it is known by the checksums of its files alone.
    """
    grid = explanation.grid
    on_file = study[study.reference].source.to_display
    return _plain(
        {
            "study": study_name,
            "method": explanation.method,
            "target": explanation.target,
            "slices": [explanation.slices.start, explanation.slices.stop],
            "grid": None
            if grid is None
            else {
                "shape": grid.shape,
                "affine": grid.affine,
                "calibrated": grid.calibrated,
                "oriented": grid.oriented,
                "to_display": on_file,
            },
            "scores": explanation.scores,
            "notes": explanation.notes,
            "provenance": explanation.provenance.to_json(),
            "maps": [
                {
                    "name": item.name,
                    "file": names[item.name],
                    "kind": item.kind,
                    "title": item.title,
                    "space": item.space,
                    "unit": item.unit,
                    "value_range": item.value_range,
                    "range_scope": item.range_scope,
                    "signed": item.signed,
                    "classes": item.classes,
                    "axes": item.axes,
                }
                for item in explanation.maps
            ],
        }
    )


def _plain(value: Any) -> Any:
    """A value as JSON knows it; what is not finite has no number there and becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{type(value).__name__} cannot be saved as JSON: {value!r}")
