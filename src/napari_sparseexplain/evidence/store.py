"""Explanations on disk: maps as NIfTI on the input's own grid, and one ``provenance.json``.

Maps on the study's voxels are written as the study's reference volume was (orientation, affine).
Maps of another space (an impulse response, a spectrum) have no place in a patient and are written
as ``.npz``. Everything else, from the model's checksum to the axes of a spectrum, is in the JSON
file, which is written last: a folder with an entry in it has all of that entry's files.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ReadError, SparseExplainError, StudyError
from ..files.atomic_write import (
    check_writable,
    hidden_folder,
    make_folders,
    remove_empty,
    undisturbed,
    write_atomically,
)
from ..files.folder_lock import folder_lock
from ..files.json_file import read_own_json
from ..volumes import Grid, Study
from .explanation import Explanation
from .explanation_files import (
    entry_name,
    entry_of,
    files_of,
    is_own_file,
    map_file,
    write_map,
)
from .explanation_map import ExplanationMap
from .explanation_record import AGAIN, ExplanationRecord, read_record
from .former_names import present_score_name
from .map_file import check_maps, read_map
from .run_files import put_run, remove_remnants

RECORD_FILE = "provenance.json"

_Read = TypeVar("_Read")

_FORMAT = "napari-sparseexplain explanations"
_VERSION = 1

#: How often an explanation is read anew when it is replaced in the midst of that.
_MOST_READINGS = 20

#: Characters of the name of an explanation: a method and a target in a few words.
_LONGEST_NAME = 1000


def write_explanation(
    explanation: Explanation,
    study: Study,
    out: str | Path,
    *,
    overwrite: bool = False,
    study_name: str = "",
    inspect: Callable[[Path], None] | None = None,
) -> list[Path]:
    """Write an explanation into a folder.

    Every file is first written under a temporary folder there. Several processes may save into
    one folder at a time: each reads the record, adds its entry and writes it back alone. However
    a save ends, the record names the maps of one run: those of before, or the new ones.

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
    study_name : str
        What the record calls the study; it is known by the checksums of its files without one.
    inspect : callable, optional
        Given the hidden folder with everything that was made, before any of it gets its final
        name. What it raises ends the save.

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
    key = entry_name(explanation.method, explanation.target, explanation.frame)
    names = {item.name: map_file(key, item) for item in explanation.maps}
    if len(set(names.values())) < len(explanation.maps):
        raise ValueError(f"maps of one name in {list(names)}")
    _check_grid(explanation, study)
    before = _existing_record(folder)
    if not overwrite:
        _refuse_existing(folder, key, names, before)
    making, made = None, []
    try:
        made = make_folders(folder)
        making = hidden_folder(folder, ".saving-")
        for item in explanation.maps:
            write_map(making / names[item.name], item, explanation, study)
        if inspect is not None:
            made_record = making / RECORD_FILE
            entry = entry_of(explanation, study, names, study_name)
            write_atomically(made_record, _record_text({key: entry}))
            inspect(making)
            made_record.unlink()
        # Only now, and for a moment: others may write into the folder while maps are made.
        with folder_lock(folder):
            record = _existing_record(folder)
            if not overwrite:
                _refuse_existing(folder, key, names, record)
            others = {n for k, entry in record.items() if k != key for n in files_of(entry)}
            _refuse_taken(folder, names, others)

            def write_record(files: Mapping[str, str]) -> None:
                entries = {**record, key: entry_of(explanation, study, files, study_name)}
                write_atomically(folder / RECORD_FILE, _record_text(entries), overwrite=True)

            former = {n for n in files_of(record.get(key)) - others if is_own_file(n, key)}
            with undisturbed():
                put_run(making, folder / RECORD_FILE, names, former, write_record)
                remove_remnants(folder, others)
        made = []
    except SparseExplainError:
        raise  # a ReadError is an OSError, too
    except OSError as error:
        raise SparseExplainError(
            f"the explanation cannot be written ({error.strerror or error})",
            where=folder,
            remedy="Choose a folder that you may write to, on a disk that has room",
        ) from error
    finally:
        if making is not None:
            shutil.rmtree(making, ignore_errors=True)
        remove_empty(made)
    return [*(folder / name for name in names.values()), folder / RECORD_FILE]


def check_place(
    out: str | Path,
    method: str,
    target: str = "",
    *,
    overwrite: bool = False,
    frame: Sequence[int] = (),
) -> None:
    """Say before an explanation is computed that it could not be saved; leaves nothing.

    Parameters
    ----------
    out : str or Path
        Folder that `write_explanation` is to write to.
    method, target : str
        Of the explanation to come.
    overwrite : bool
        Whether an explanation of the same method and target may be replaced.
    frame : sequence of int
        Of the explanation to come, where one was chosen.

    Raises
    ------
    SparseExplainError
        It is there already, the folder cannot be written, or holds another program's record.
    """
    folder, key = Path(out), entry_name(method, target, frame)
    record = _existing_record(folder)
    if not overwrite:
        others = {n for k, entry in record.items() if k != key for n in files_of(entry)}
        there = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
        maps = [name for name in there if is_own_file(name, key) and name not in others]
        _refuse_existing(folder, key, {name: name for name in maps}, record)
    check_writable(folder)


def load_explanation(
    out: str | Path, name: str | None = None, *, on: Study | Grid | None = None
) -> Explanation:
    """Read what ``se.save_explanation`` or ``result.save`` wrote.

    Parameters
    ----------
    out : str or Path
        The folder.
    name : str, optional
        ``<method>`` or ``<method>_<target>``, with ``_frame-N`` of a chosen frame; needed when the
        folder holds several explanations.
    on : Study or Grid, optional
        The study that it must lie on, which it then knows, or that study's grid.

    Raises
    ------
    ReadError
        Not such a folder, a damaged or missing file, or several explanations and no ``name``.
    StudyError
        It lies on another grid; its maps were not read.

    Notes
    -----
    Maps that another process replaces meanwhile are read anew, so that all are of one run.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> import torch, numpy as np, napari_sparseexplain as se
    >>> _ = torch.manual_seed(0)
    >>> study = se.study_of_arrays({"flair": np.random.default_rng(0).random((16, 16))})
    >>> module = torch.nn.Conv2d(1, 2, 3, padding=1)
    >>> result = se.explain(study, module, "vanilla-gradient", roles="flair", target=1)
    >>> _ = result.save(folder.name)
    >>> se.load_explanation(folder.name, on=study)["heatmap"].data.shape
    (1, 16, 16)
    """
    if isinstance(on, Study):
        return replace(load_explanation(out, name, on=on.grid), study=on)
    return _of_one_run(Path(out), lambda: _load_once(out, name, on))


def _of_one_run(folder: Path, read: Callable[[], _Read]) -> _Read:
    """What is read, anew where another process wrote meanwhile."""
    path = folder / RECORD_FILE
    for _ in range(_MOST_READINGS):
        before = _stamp(path)
        try:
            found = read()
        except ReadError:
            if _stamp(path) == before:
                raise
        else:
            if _stamp(path) == before:
                return found
    raise ReadError(
        "the explanations are being written over and over while they are read",
        where=folder,
        remedy="Wait until whatever writes there is done",
    )


def _stamp(path: Path) -> tuple[int, int] | None:
    """Which file has the record's name now: every write gives it to another one."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _load_once(out: str | Path, name: str | None, on: Grid | None) -> Explanation:
    """Read an explanation, whoever may be writing."""
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
    return _of_one_run(Path(out), lambda: _load_every_once(Path(out), on))


def _load_every_once(folder: Path, on: Grid | None) -> dict[str, Explanation]:
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


def _record_text(entries: Mapping[str, Any]) -> str:
    values = {"format": _FORMAT, "version": _VERSION, "explanations": entries}
    return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


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


def recorded_entries(folder: Path) -> dict[str, Any]:
    """Entries of the record in a folder; none when there is no record.

    Raises
    ------
    ReadError
        The record is damaged, or not ours.
    """
    return _existing_record(folder)


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


def _refuse_taken(folder: Path, names: Mapping[str, str], others: set[str]) -> None:
    """Refuse to write over a map of another explanation, also where overwriting is allowed."""
    if taken := sorted(others & set(names.values())):
        raise SparseExplainError(
            f"{taken[0]} is a map of another explanation in this folder",
            where=folder,
            remedy="Choose another folder",
        )


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
        scores={present_score_name(name): value for name, value in record.scores.items()},
        notes=record.notes,
    )


def __getattr__(name: str) -> Any:
    if name == "save_explanation":  # for one release: scripts know it by this name
        warnings.warn(
            "save_explanation of evidence.store is now write_explanation; se.save_explanation "
            "writes without names",
            DeprecationWarning,
            stacklevel=2,
        )
        return write_explanation
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
