"""Explanations on disk: maps as NIfTI on the input's own grid, and one ``provenance.json``.

Maps on the study's voxels are written as the study's reference volume was (orientation, affine).
Maps of another space (an impulse response, a spectrum) have no place in a patient and are written
as ``.npz``. Everything else, from the model's checksum to the axes of a spectrum, is in the JSON
file, which is written last: a folder with an entry in it has all of that entry's files.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import Any

from ..arguments import check_kind, given_path
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
from ..files.regular_file import is_regular
from ..volumes import Grid, Study
from .explanation import Explanation
from .explanation_files import (
    entry_key,
    entry_of,
    files_of,
    is_own_file,
    map_files,
    write_map,
)
from .explanation_map import ExplanationMap
from .explanation_record import AGAIN, ExplanationRecord, read_record
from .former_names import present_score_name
from .map_file import check_maps, read_map
from .record_file import RECORD_FILE, of_one_run, record_text, recorded_entries, saved_entries
from .run_files import put_run, remove_remnants


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
    folder = given_path(out, "folder")
    _check_grid(explanation, study)
    before = recorded_entries(folder)
    key, names = _named(explanation, before)
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
            write_atomically(made_record, record_text({key: entry}))
            inspect(making)
            made_record.unlink()
        # Only now, and for a moment: others may write into the folder while maps are made.
        with folder_lock(folder):
            record = recorded_entries(folder)
            former_names = names
            key, names = _named(explanation, record)  # another may have taken the name meanwhile
            _rename(making, former_names, names)
            if not overwrite:
                _refuse_existing(folder, key, names, record)
            others = {n for k, entry in record.items() if k != key for n in files_of(entry)}
            _refuse_taken(folder, names, others)

            def write_record(files: Mapping[str, str]) -> None:
                entries = {**record, key: entry_of(explanation, study, files, study_name)}
                write_atomically(folder / RECORD_FILE, record_text(entries), overwrite=True)

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
    folder = given_path(out, "folder")
    record = recorded_entries(folder)
    key = entry_key(record, method, target, frame)
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
        folder holds several explanations. ``-2``, ``-3`` … follow where another explanation's
        target leaves the same letters in a file's name.
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
    folder = given_path(out, "folder")
    if name is not None:
        check_kind(name, str, "name", "that of an explanation, as 'xrai_WT'")
    check_kind(on, (Study, Grid, NoneType), "study", "one, from se.open_study, or its grid")
    grid = on.grid if isinstance(on, Study) else on
    found = of_one_run(folder, lambda: _load_once(folder, name, grid))
    return replace(found, study=on) if isinstance(on, Study) else found


def _load_once(folder: Path, name: str | None, on: Grid | None) -> Explanation:
    """Read an explanation, whoever may be writing."""
    if not is_regular(folder / RECORD_FILE):
        raise ReadError(
            f"there is no {RECORD_FILE}, so no explanation was saved here",
            where=folder,
            remedy="Give the folder that was the output of: sparseexplain explain",
        )
    record = recorded_entries(folder)
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
    folder = given_path(out, "folder")
    return of_one_run(folder, lambda: _load_every_once(folder, on))


def _load_every_once(folder: Path, on: Grid | None) -> dict[str, Explanation]:
    path = folder / RECORD_FILE
    records = {key: read_record(v, key, path) for key, v in saved_entries(folder).items()}
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
    return list(saved_entries(given_path(out, "folder")))


def _named(explanation: Explanation, record: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Name of an explanation beside the entries of a record, and its files by the maps' names."""
    key = entry_key(record, explanation.method, explanation.target, explanation.frame)
    return key, map_files(key, explanation.maps)


def _rename(folder: Path, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Give files the names that they have now, by the maps' names."""
    if before == now:
        return
    for place, name in enumerate(before.values()):
        os.rename(folder / name, folder / f".{place}")
    for place, name in enumerate(now.values()):
        os.rename(folder / f".{place}", folder / name)


def _check_grid(explanation: Explanation, study: Study) -> None:
    if not any(item.space == "study" for item in explanation.maps):
        return
    if explanation.grid is None or not explanation.grid.matches(study.grid):
        raise SparseExplainError(
            "the explanation does not lie on this study's grid",
            where=study.name,
            remedy="Save it with the study that was explained, opened in the same way",
        )


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
    known = {name.casefold() for name in others}  # not every disk tells capitals apart
    if taken := sorted(name for name in names.values() if name.casefold() in known):
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
