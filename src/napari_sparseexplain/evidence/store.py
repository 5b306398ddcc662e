"""Explanations on disk: maps as NIfTI on the input's own grid, and one ``provenance.json``.

Maps on the study's voxels are written as the study's reference volume was (orientation, affine).
Maps of another space (an impulse response, a spectrum) have no place in a patient and are written
as ``.npz``. Everything else, from the model's checksum to the axes of a spectrum, is in the JSON
file, which is written last: a folder with an entry in it has all of that entry's files.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ReadError, SparseExplainError, StudyError
from ..json_file import read_own_json
from ..volumes import Grid, Study
from ..volumes.nifti_writer import write_nifti
from .explanation import Explanation, ExplanationMap
from .explanation_record import AGAIN, ExplanationRecord, read_record
from .map_file import check_maps, read_map

RECORD_FILE = "provenance.json"

_FORMAT = "napari-sparseexplain explanations"
_VERSION = 1
#: Characters of the name of an explanation: a method and a target in a few words.
_LONGEST_NAME = 1000

_UNSAFE = re.compile(r"[^A-Za-z0-9.+-]+")


def save_explanation(
    explanation: Explanation, study: Study, out: str | Path, *, overwrite: bool = False
) -> list[Path]:
    """Write an explanation into a folder.

    Every file is first written under a temporary folder there and then moved, so an interrupted
    or failed save leaves what was there before.

    Parameters
    ----------
    explanation : Explanation
    study : Study
        The study explained; its reference volume's file gives orientation and affine.
    out : str or Path
        Folder, made when it is not there. It may hold other explanations: their entries in
        ``provenance.json`` stay.
    overwrite : bool
        Whether an explanation of the same method and target may be replaced. Its maps that are
        not written again go: beside a record that does not know them they would look like
        results of this run.

    Returns
    -------
    list of Path
        The files written, ``provenance.json`` last.

    Raises
    ------
    SparseExplainError
        A file is there already, the folder cannot be written, or the maps do not lie on the
        study's grid.
    """
    folder = Path(out)
    key = _key(explanation)
    names = {item.name: _file_name(key, item) for item in explanation.maps}
    if len(set(names.values())) < len(explanation.maps):
        raise ValueError(f"maps of one name in {list(names)}")
    _check_grid(explanation, study)
    record = _existing_record(folder) if folder.is_dir() else {}
    if not overwrite:
        _refuse_existing(folder, key, names, record)
    replaced = record.get(key)
    record[key] = _entry(explanation, study, names)
    temporary = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder, prefix=".saving-"))
        for item in explanation.maps:
            _write_map(temporary / names[item.name], item, explanation, study)
        text = json.dumps(
            {"format": _FORMAT, "version": _VERSION, "explanations": record},
            indent=2,
            ensure_ascii=False,
            allow_nan=False,
        )
        (temporary / RECORD_FILE).write_text(text + "\n", encoding="utf-8")
        written = [*names.values(), RECORD_FILE]
        for name in written:
            os.replace(temporary / name, folder / name)
        for name in _files_of(replaced) - {
            n for entry in record.values() for n in _files_of(entry)
        }:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise SparseExplainError(
            f"the explanation cannot be written ({error.strerror or error})",
            where=folder,
            remedy="Choose a folder that you may write to, on a disk that has room",
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return [folder / name for name in written]


def load_explanation(
    out: str | Path, name: str | None = None, *, on: Grid | None = None
) -> Explanation:
    """Read what `save_explanation` wrote.

    Parameters
    ----------
    out : str or Path
        The folder.
    name : str, optional
        ``<method>`` or ``<method>_<target>``; needed when the folder holds several explanations.
    on : Grid, optional
        The grid of the study that it must lie on.

    Raises
    ------
    ReadError
        Not such a folder, a damaged or missing file, or several explanations and no ``name``.
    StudyError
        It lies on another grid; its maps were not read.
    """
    folder = Path(out)
    if not (folder / RECORD_FILE).is_file():
        raise ReadError(
            f"there is no {RECORD_FILE}, so no explanation was saved here",
            where=folder,
            remedy="Give the folder that was the output of: sparseexplain explain",
        )
    record = _existing_record(folder)
    have = ", ".join(record) or "none"
    if name is None and len(record) != 1:
        raise ReadError(
            f"the folder holds {len(record)} explanations ({have})",
            where=folder,
            remedy="Say which one",
        )
    key = next(iter(record)) if name is None else name
    if key not in record:
        raise ReadError(
            f"there is no explanation {key!r} here", where=folder, remedy=f"There is: {have}"
        )
    return _explanation(read_record(record[key], key, folder / RECORD_FILE), key, folder, on)


def load_every_explanation(out: str | Path, *, on: Grid | None = None) -> dict[str, Explanation]:
    """All explanations of a folder by name, in the order of saving.

    Parameters
    ----------
    out : str or Path
        The folder.
    on : Grid, optional
        The grid of the study that they must lie on.

    Raises
    ------
    ReadError
        Not such a folder, none was saved in it, or a damaged or missing file.
    StudyError
        One lies on another grid.
    """
    folder = Path(out)
    path = folder / RECORD_FILE
    records = {key: read_record(v, key, path) for key, v in _saved_record(folder).items()}
    files = [item.file for record in records.values() for item in record.maps]
    if len(set(files)) < len(files):
        raise ReadError("two explanations name one file", where=path, remedy=AGAIN)
    return {key: _explanation(record, key, folder, on) for key, record in records.items()}


def explanation_names(out: str | Path) -> list[str]:
    """Names under which explanations were saved in a folder, in the order of saving.

    Raises
    ------
    ReadError
        Not such a folder, or none was saved in it.
    """
    return list(_saved_record(Path(out)))


def _saved_record(folder: Path) -> dict[str, Any]:
    """Entries of a folder that must have some."""
    record = _existing_record(folder)
    if not record:
        raise ReadError(
            "no explanation was saved here",
            where=folder,
            remedy="Give the folder that was the output of: sparseexplain explain",
        )
    return record


def _key(explanation: Explanation) -> str:
    parts = [explanation.method, explanation.target]
    return "_".join(_UNSAFE.sub("-", part).strip("-") for part in parts if part)


def _file_name(key: str, item: ExplanationMap) -> str:
    ending = ".nii.gz" if item.space == "study" else ".npz"
    return f"{key}_{_UNSAFE.sub('-', item.name).strip('-')}{ending}"


def _check_grid(explanation: Explanation, study: Study) -> None:
    if not any(item.space == "study" for item in explanation.maps):
        return
    if explanation.grid is None or not explanation.grid.matches(study.grid):
        raise SparseExplainError(
            "the explanation does not lie on this study's grid",
            where=study.name,
            remedy="Save it with the study that was explained, opened in the same way",
        )


def _existing_record(folder: Path) -> dict[str, Any]:
    """Entries of the folder's JSON file; none when there is no such file.

    Raises
    ------
    ReadError
        The file is there and is not ours.
    """
    path = folder / RECORD_FILE
    if not path.is_file():
        return {}
    values = read_own_json(
        path,
        format=_FORMAT,
        version=_VERSION,
        problem="the file cannot be read",
        foreign="the file was not written by this program",
        remedy="Choose another folder, or remove the file",
    )
    entries = values.get("explanations")
    if not isinstance(entries, dict):
        raise ReadError(
            "the file names no explanations", where=path, remedy="Choose another folder"
        )
    if any(len(name) > _LONGEST_NAME for name in entries):
        raise ReadError(
            f"the file names an explanation by more than {_LONGEST_NAME} characters",
            where=path,
            remedy="Choose another folder",
        )
    return entries


def _refuse_existing(
    folder: Path, key: str, names: Mapping[str, str], record: Mapping[str, Any]
) -> None:
    there = [name for name in names.values() if (folder / name).exists()]
    if there or key in record:
        what = there[0] if there else f"the explanation {key!r}"
        raise SparseExplainError(
            f"{what} is there already and was left as it is",
            where=folder,
            remedy="Choose another folder, or allow overwriting (--overwrite)",
        )


def _files_of(entry: Any) -> set[str]:
    """Names of an entry's files; nothing but plain names, whatever a damaged record says."""
    maps = entry.get("maps") if isinstance(entry, dict) else None
    files = [item.get("file") for item in maps or () if isinstance(item, dict)]
    return {name for name in files if isinstance(name, str) and Path(name).name == name}


def _write_map(path: Path, item: ExplanationMap, explanation: Explanation, study: Study) -> None:
    data = np.asarray(item.data)
    if item.space != "study":
        with open(path, "wb") as stream:
            np.savez_compressed(stream, data=data)
        return
    span = explanation.slices
    whole = (span.start, span.stop) == (0, study.grid.shape[0])
    write_nifti(
        path,
        data,
        like=study[study.reference],
        dtype=data.dtype if item.kind == "segmentation" else np.float32,
        slices=None if whole else span,
        description=f"{explanation.method} {item.name} {explanation.provenance.model}".strip(),
    )


def _entry(explanation: Explanation, study: Study, names: Mapping[str, str]) -> dict[str, Any]:
    """All of an explanation but its arrays, as plain JSON values."""
    grid = explanation.grid
    on_file = study[study.reference].source.to_display
    return _plain(
        {
            "study": study.name,
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


def _explanation(record: ExplanationRecord, key: str, folder: Path, on: Grid | None) -> Explanation:
    """An explanation with its maps; the grid, and how much there is, before any is read."""
    if on is not None and record.grid is not None and not record.grid.grid.matches(on):
        raise StudyError(
            f"the explanation {key!r} does not lie on the grid of this study",
            where=folder,
            remedy="Give the study that was explained, opened in the same way",
        )
    span = slice(*record.slices)
    check_maps(folder, record)
    maps = tuple(
        ExplanationMap(
            name=item.name,
            data=read_map(folder, item, record.grid, span),
            kind=item.kind,
            title=item.title,
            space=item.space,
            unit=item.unit,
            value_range=item.value_range,
            range_scope=item.range_scope,
            signed=item.signed,
            classes=item.classes,
            axes=item.axes,
        )
        for item in record.maps
    )
    return Explanation(
        method=record.method,
        maps=maps,
        provenance=record.provenance,
        grid=None if record.grid is None else record.grid.grid,
        slices=span,
        target=record.target,
        scores=record.scores,
        notes=record.notes,
    )
