"""What this program wrote itself: found beside the scans, it is a result and never a truth.

A folder with a record of ours (`provenance.json` of explanations, `review.json`) is passed over
when a study is opened, however deep it lies; a map that was copied out of it is known by the mark
in its header.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import ReadError
from ...files.json_file import read_json

#: Bytes in the NIfTI header's ``intent_name`` of a map that a method made (at most 16).
NIFTI_MARK = b"sparseexplain"

#: Manufacturer's Model Name of the DICOM objects that are written.
DICOM_MARK = "napari-sparseexplain"

#: How maps are described that were written before there was a mark: method, map, model.
_FORMER = re.compile(
    rb"(?:slices \d+-\d+ of \d+(?:, counted from 0)?; )?"
    rb"(?:segmentation|signals|components|fidelity|feature-bias|"
    rb"effective-response|vanilla-gradient|smoothgrad|(?:guided-|blur-)?integrated-gradients|"
    rb"smooth-blur-ig|smooth-blur-gig|xrai|xrai-3d|grad-cam|occlusion) [a-z0-9-]+(?: \S+)?$"
)

_RECORDS = ("provenance.json", "review.json")
_FORMAT = "napari-sparseexplain "


def is_own_nifti(header: Any) -> bool:
    """Whether a NIfTI header says that a method of this program made the voxels."""
    mark, text = (bytes(header[key]).split(b"\0")[0] for key in ("intent_name", "descrip"))
    return mark == NIFTI_MARK or bool(_FORMER.match(text))


def is_own_dicom(details: Mapping[str, Any]) -> bool:
    """Whether a DICOM object says that this program made it."""
    return str(details.get("ManufacturerModelName", "")).startswith(DICOM_MARK)


def without_results(root: Path, files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Files of a study, and those below a folder of results, which are passed over.

    Of a record that lies in ``root`` itself, beside the scans, only the maps that it names are; and
    nothing is where nothing else would be left, since then the results are what is to be opened.
    """
    by_folder = {path.parent: path for path in files if path.name in _RECORDS and _is_ours(path)}
    if not by_folder:
        return list(files), []
    passed = []
    for path in files:
        inside = any(folder != root and folder in path.parents for folder in by_folder)
        beside = path.parent == root and root in by_folder and path.name in _maps(by_folder[root])
        if inside or beside:
            passed.append(path)
    kept = [path for path in files if path not in set(passed)]
    if not any(path.name not in _RECORDS for path in kept):
        return list(files), []
    return kept, passed


def _is_ours(path: Path) -> bool:
    return str(_values(path).get("format", "")).startswith(_FORMAT)


def _maps(record: Path) -> set[str]:
    """Names of the files that a record lists."""
    entries = _values(record).get("explanations")
    if not isinstance(entries, dict):
        return set()
    maps = [m for e in entries.values() if isinstance(e, dict) for m in _list(e.get("maps"))]
    return {str(m.get("file")) for m in maps if isinstance(m, dict)}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _values(path: Path) -> dict[str, Any]:
    try:
        values = read_json(path, problem="it cannot be read", remedy="", kind=ReadError)
    except ReadError:
        return {}
    return values if isinstance(values, dict) else {}
