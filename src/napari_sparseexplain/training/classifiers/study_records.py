"""The records of an attribution study and the files of its folder.

Every picture × model × method is one record, a line of `records.jsonl`, written when it is done;
its map lies beside in `maps`. What a kill cut off is passed over when they are read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError, ReadError
from ...files.atomic_write import write_atomically
from ...files.json_file import read_json
from ...volumes.labelled.class_image import ClassImage

#: Maps that know nothing of a network.
RANDOM, EDGES, HEAD = "random", "edges", "head centre"
BLIND = (RANDOM, EDGES, HEAD)

#: After a method's name: the same on a network of random weights.
ON_RANDOM = " on random weights"

#: Where the records lie, a line each.
RECORDS = "records.jsonl"

#: What a study was of, so that another is not mixed in.
STUDY = "study.json"

MAPS = "maps"

#: What a person must know of its pictures: which were left out, and what the models have seen.
NOTES = "notes.json"


@dataclass(frozen=True)
class StudyRecord:
    """One map and its figures.

    Attributes
    ----------
    picture, label, predicted : str
        Name, class, and what the model called it.
    model, method : str
    file : str
        Digest of the picture's file: pictures of several folders may have one name, and one that is
        called otherwise is the same.
    layer : str
        That the method looks at, of one that looks at a layer.
    figures : mapping of str to float or None
        Against the box: ``pointing game``, ``relevance mass`` (the energy-based pointing game),
        ``relevance rank``, ``AUPRC``; ``insertion AUC``, ``deletion AUC``, ``ROAD``, ``SIC``,
        ``AIC``. None where one does not apply.
    prevalence : float
        Share of the picture that the box covers: the AUPRC of a coin.
    curves : mapping of str to tuple of float
        SIC and AIC at evenly spaced information from 0 to 1; none of an image that was skipped.
    fault : str
        Why there is no map.
    """

    picture: str
    label: str
    predicted: str
    model: str
    method: str
    figures: Mapping[str, float | None] = field(default_factory=dict)
    prevalence: float = 0.0
    curves: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    fault: str = ""
    file: str = ""
    layer: str = ""

    @property
    def place(self) -> str:
        """What tells its picture from others."""
        return self.file or self.picture

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is of."""
        return self.place, self.model, self.method

    def line(self) -> str:
        """As it is written, in one line of JSON."""
        figures = {
            name: None if value is None else round(float(value), 6)
            for name, value in self.figures.items()
        }
        return json.dumps({**vars(self), "curves": dict(self.curves), "figures": figures}) + "\n"


def file_digest(image: ClassImage) -> str:
    """Of the bytes of a picture's file, by which the study knows it.

    Raises
    ------
    ReadError
        It is gone.
    """
    try:
        return hashlib.sha256(image.path.read_bytes()).hexdigest()[:20]
    except OSError as error:
        raise ReadError(
            f"the picture cannot be read ({error.strerror or error})",
            where=image.path,
            remedy="Put it back, or open the folder again",
        ) from error


class RecordStream:
    """Records that are there, and a file to which each thread adds its own."""

    def __init__(self, found: Sequence[StudyRecord], stream: IO[str], total: int) -> None:
        self.all, self.total = list(found), total
        self._stream, self._lock = stream, Lock()

    def keys(self) -> set[tuple[str, str, str]]:
        return {record.key for record in self.all}

    def add(self, record: StudyRecord) -> None:
        with self._lock:
            self._stream.write(record.line())
            self._stream.flush()
            self.all.append(record)


def resume(folder: Path, asked: Mapping[str, Any]) -> list[StudyRecord]:
    """Records of the same study that lie there; faults, and what a kill cut off, are left out.

    Parameters
    ----------
    folder : Path
        Made where it is not there.
    asked : mapping
        What tells the study from others: ``pictures`` and ``seed``, which must be those of the
        study in the folder, ``models`` and ``methods`` by name, of which further ones may join it.

    Raises
    ------
    ParameterError
        Other pictures or another seed, or a model or method of one name that is another.
    ReadError
        What lies there does not say what it was of.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MAPS).mkdir(exist_ok=True)
    path = folder / STUDY
    if path.is_file():
        asked = _joined(_asked_before(path), dict(asked), folder)
    text = json.dumps(asked, indent=1, sort_keys=True, default=str)
    write_atomically(path, text, overwrite=True)
    if not (folder / RECORDS).is_file():
        return []
    # What failed is tried again: a fault may be of a package that is there now.
    records = [record for record in read_records(folder) if not record.fault]
    lines = "".join(record.line() for record in records)
    write_atomically(folder / RECORDS, lines, overwrite=True)
    return records


def _asked_before(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it is no object")
    except (OSError, ValueError) as error:
        raise ReadError(
            f"it does not say what the study was of ({error})",
            where=path,
            remedy="Choose another folder with --out",
        ) from error
    return found


def _joined(there: dict[str, Any], asked: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What a folder holds and what is asked now."""
    words = {"pictures": "other pictures or boxes", "seed": "another seed"}
    differs = [said for what, said in words.items() if there.get(what) != asked[what]]
    for what in ("models", "methods"):
        old, new = dict(there.get(what, {})), json.loads(json.dumps(asked[what], default=str))
        differs += [
            f"another {what[:-1]} {name}" for name in new if old.get(name, new[name]) != new[name]
        ]
        asked[what] = {**old, **new}
    if differs:
        raise ParameterError(
            f"it holds a study with {differs[0]}",
            where=folder,
            remedy="Choose another folder with --out, or ask for the same again",
        )
    return asked


def read_records(folder: Path) -> list[StudyRecord]:
    """The records of a study's folder; what a kill cut off, or is no record, is passed over.

    Raises
    ------
    ReadError
        No study is there, or its records cannot be read.
    """
    if not (folder / RECORDS).is_file():
        raise ReadError(
            f"no study is there: it has no {RECORDS}",
            where=folder,
            remedy="Choose the folder that was given to compare-attribution with --out",
        )
    try:
        # A kill may also cut a letter into halves.
        text = (folder / RECORDS).read_bytes().decode("utf-8", errors="replace")
    except OSError as error:
        raise ReadError(
            f"its {RECORDS} cannot be read ({error.strerror or error})",
            where=folder,
            remedy="Run compare-attribution again with this --out: a study goes on where it stood",
        ) from error
    found = [record for record in map(_read_record, text.splitlines()) if record is not None]
    # Of two records of one map the later one counts.
    return list({record.key: record for record in found}.values())


def _read_record(line: str) -> StudyRecord | None:
    try:
        record = StudyRecord(**json.loads(line))
    except (ValueError, TypeError):
        return None
    texts = (record.picture, record.label, record.predicted, *record.key, record.fault)
    right = all(isinstance(text, str) for text in texts) and isinstance(record.figures, Mapping)
    return record if right and isinstance(record.curves, Mapping) else None


def keep_notes(folder: Path, notes: Sequence[str]) -> None:
    """Write down notes of a study, after those of models that joined it before."""
    if not notes:
        return
    try:
        before = read_notes(folder)
    except ReadError:  # damaged: those of this run at least are there again
        before = ()
    known = list(dict.fromkeys((*before, *notes)))
    write_atomically(folder / NOTES, json.dumps(known, indent=1) + "\n", overwrite=True)


def read_notes(folder: Path) -> tuple[str, ...]:
    """The notes of a study's folder; none of one that was made before they were kept.

    Raises
    ------
    ReadError
        They cannot be read.
    """
    path = folder / NOTES
    if not path.is_file():
        return ()
    remedy = "Run compare-attribution again with this --out: its notes are written again"
    found = read_json(path, problem="the study's notes cannot be read", remedy=remedy)
    if not isinstance(found, list) or not all(isinstance(note, str) for note in found):
        raise ReadError("it holds no notes of a study", where=path, remedy=remedy)
    return tuple(found)


def map_file(folder: Path, place: str, model: str, method: str) -> Path:
    """Where the map of a record lies, by its key."""
    name = hashlib.sha256("\n".join((place, model, method)).encode()).hexdigest()[:20]
    return folder / MAPS / f"{name}.npy"


def keep_map(folder: Path, record: StudyRecord, values: npt.NDArray[np.float64]) -> None:
    """Write the map of a record, largest magnitude 1, in half precision.

    Parameters
    ----------
    folder : Path
    record : StudyRecord
    values : ndarray, shape (H, W)
    """
    scale = float(np.abs(values).max()) or 1.0
    np.save(map_file(folder, *record.key), (values / scale).astype(np.float16))
