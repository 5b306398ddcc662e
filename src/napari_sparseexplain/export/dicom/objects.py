"""An explanation as DICOM files: what becomes of each map, and writing them whole or not at all."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import count, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from ...errors import StudyError
from ...evidence.explanation import Explanation
from ...evidence.explanation_files import file_word
from ...evidence.explanation_map import ExplanationMap
from ...files.atomic_write import check_free, moved_together, write_atomically
from ...progress import Progress, Work
from ...volumes import Study
from ...volumes.reading_order import role_title
from ...volumes.roles.roles import ROLES
from ..privacy.output_check import check_content
from ..privacy.policy import ExportPolicy, policy_for
from .deidentification import Deidentification
from .parametric_map import parametric_map
from .record import check_words, checked_explanation
from .references import new_uid
from .secondary_capture import secondary_capture
from .segmentation import segmentation
from .source import dicom_source


@dataclass(frozen=True, eq=False)
class CapturedPicture:
    """A picture for a Secondary Capture.

    Attributes
    ----------
    name : str
        Of the file to be written, without ending.
    pixels : ndarray of uint8, shape (rows, columns, 3)
    title : str
        What it shows.
    shows_identity : bool
        Whether names, numbers or dates of the patient are drawn in it.
    pixel_spacing, edges
        Of one calibrated panel only (`secondary_capture`).
    """

    name: str
    pixels: npt.NDArray[np.uint8]
    title: str = ""
    shows_identity: bool = False
    pixel_spacing: tuple[float, float] | None = None
    edges: tuple[str, str] | None = None


@dataclass(frozen=True)
class Exported:
    """Files written, in order, and what a person must know."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def export_dicom_work(
    explanation: Explanation,
    study: Study,
    out: str | Path,
    *,
    maps: Sequence[str] | None = None,
    pictures: Sequence[CapturedPicture] = (),
    identity: Deidentification | None = None,
    overwrite: bool = False,
) -> Work[Exported]:
    """Write the maps of an explanation as DICOM: masks as SEG, values as Parametric Map.

    Parameters
    ----------
    explanation : Explanation
    study : Study
        The study that it explains, opened from DICOM in the same way.
    out : str or Path
        Folder, made when it is not there.
    maps : sequence of str, optional
        Names of maps; all that lie on the study if left out.
    pictures : sequence of CapturedPicture
        Written as Secondary Captures.
    identity : Deidentification, optional
        De-identified with a key of its own if left out.
    overwrite : bool
        Whether files of the same names may be replaced.

    Returns
    -------
    Exported
        The files, and notes: maps without a place in the patient, what resampling means.

    Raises
    ------
    StudyError
        The study is not the explained one, or did not come from DICOM.
    SparseExplainError
        A file is there already or cannot be written, or a text would tell who the patient is.

    Notes
    -----
    All objects are made before the first is written, and they get their names together: all of
    them are there afterwards, or none.
    """
    identity = identity or Deidentification()
    folder = Path(out)
    chosen, notes = _chosen(explanation, maps)
    _check_study(explanation, study)
    source = dicom_source(study, explanation.provenance.inputs)
    policy = policy_for([study], identify=identity.keep_identity, headers=source.headers)
    explanation, record = checked_explanation(explanation, policy)
    off = [role for role in explanation.provenance.inputs if role in study.unregistered]
    if off:
        titles = ", ".join(role_title(role) for role in off if role in ROLES) or "a scan"
        notes.append(f"NOT REGISTERED: {titles} may not lie over the images, nor what it shows")
        record["notes"] = [*record["notes"], notes[-1]]
    check_words(
        policy,
        (
            ("name of a picture", said)
            for picture in pictures
            for said in (picture.name, picture.title)
        ),
    )
    planned = _planned(chosen, explanation, pictures)
    check_free([folder / name for name in planned], overwrite=overwrite)
    # Masks are one series, values another, pictures a third.
    series = {"segmentation": new_uid(), "map": new_uid(), "picture": new_uid()}
    counts = dict.fromkeys(series, 0)
    makers: list[Callable[[], Dataset]] = []
    for item in chosen:
        kind = "segmentation" if item.kind == "segmentation" else "map"
        counts[kind] += 1
        make = segmentation if kind == "segmentation" else parametric_map
        makers.append(
            lambda item=item, make=make, kind=kind, number=counts[kind]: make(
                item,
                explanation,
                source,
                identity,
                record,
                series_uid=series[kind],
                instance_number=number,
            )
        )
    for number, picture in enumerate(pictures, start=1):
        makers.append(
            lambda picture=picture, number=number: secondary_capture(
                picture.pixels,
                (explanation,),
                source,
                identity,
                record,
                title=picture.title or picture.name,
                shows_identity=picture.shows_identity,
                pixel_spacing=picture.pixel_spacing,
                edges=picture.edges,
                series_uid=series["picture"],
                instance_number=number,
            )
        )
    made: list[bytes] = []
    for done, make in enumerate(makers):
        yield Progress(done, len(makers), f"making {planned[done]}")
        made.append(encoded(planned[done], make, identity, policy))
    with moved_together(folder, overwrite=overwrite) as temporary:
        for name, content in zip(planned, made, strict=True):
            write_atomically(temporary / name, content)
    yield Progress(len(makers), len(makers), "written")
    return Exported(tuple(folder / name for name in planned), (*notes, *source.notes))


def export_several_dicom_work(
    explanations: Sequence[Explanation],
    study: Study,
    out: str | Path,
    *,
    maps: Sequence[str] | None = None,
    pictures: Sequence[CapturedPicture] = (),
    identity: Deidentification | None = None,
    overwrite: bool = False,
) -> Work[Exported]:
    """Write several explanations of one study as `export_dicom_work` does: all of them, or none.

    Parameters
    ----------
    explanations : sequence of Explanation
        Of distinct methods or targets, as those of one result folder are.
    study, out, maps, pictures, identity, overwrite
        As of `export_dicom_work`; the identity is one for all, so that the objects agree.

    Raises
    ------
    StudyError
        The study is not the explained one, or did not come from DICOM.
    SparseExplainError
        A file is there already or cannot be written, or a text would tell who the patient is.
    """
    identity = identity or Deidentification()
    folder = Path(out)
    planned = [n for each in explanations for n in _planned(_chosen(each, maps)[0], each, pictures)]
    check_free([folder / name for name in planned], overwrite=overwrite)
    notes: dict[str, None] = {}
    with moved_together(folder, overwrite=overwrite) as temporary:
        for each in explanations:
            done = yield from export_dicom_work(
                each, study, temporary, maps=maps, pictures=pictures, identity=identity
            )
            notes.update(dict.fromkeys(done.notes))
    return Exported(tuple(folder / name for name in planned), tuple(notes))


def encoded(
    name: str, make: Callable[[], Dataset], identity: Deidentification, policy: ExportPolicy
) -> bytes:
    """An object as the bytes of its file, searched for what must not leave.

    Raises
    ------
    SparseExplainError
        It, or its name, holds what tells who was examined.
    """
    log = logging.getLogger("highdicom")
    level = log.level
    with warnings.catch_warnings():
        # What highdicom and pydicom remark concerns values of the images that are checked here.
        warnings.simplefilter("ignore")
        log.setLevel(logging.ERROR)
        try:
            dataset = make()
        finally:
            log.setLevel(level)
        identity.finish(dataset)
        stream = BytesIO()
        dataset.save_as(stream, enforce_file_format=True)
    check_content(name, stream.getvalue(), policy)
    return stream.getvalue()


def _chosen(
    explanation: Explanation, names: Sequence[str] | None
) -> tuple[list[ExplanationMap], list[str]]:
    """Maps to write, and what is said of those that cannot be."""
    wanted = list(explanation.maps)
    if names is not None:
        known = {item.name: item for item in explanation.maps}
        missing = [name for name in names if name not in known]
        if missing:
            raise StudyError(
                f"the explanation holds no map {missing[0]!r}",
                where=explanation.method,
                remedy=f"There is: {', '.join(known)}",
            )
        wanted = [known[name] for name in names]
    fit = [item for item in wanted if item.space == "study" and np.ndim(item.data) == 3]
    notes = []
    for item in wanted:
        if item.space != "study":
            notes.append(f"{item.name!r} has no place in the patient and was left out")
        elif np.ndim(item.data) != 3:
            notes.append(f"{item.name!r} holds more than one value a voxel and was left out")
    if not fit and (wanted or names is not None):
        raise StudyError(
            "no map of the explanation lies on the patient's voxels, so there is nothing to "
            "export as DICOM",
            where=explanation.method,
            remedy="Export its picture, or take the .npz files of the result folder",
        )
    return fit, notes


def _check_study(explanation: Explanation, study: Study) -> None:
    """The study must be the explained one: same grid, same files."""
    if explanation.grid is None or not explanation.grid.matches(study.grid):
        raise StudyError(
            "the explanation does not lie on this study's grid",
            where=study.name,
            remedy="Open the study as it was when it was explained (same files, --role, "
            "--reference, --patient-axes)",
        )
    for role, entry in explanation.provenance.inputs.items():
        if role not in study or not entry.get("sha256"):
            continue
        found = study.originals.get(role, study[role]).source.checksum()
        if found and found != entry["sha256"]:
            raise StudyError(
                f"the scan {role!r} is not the one that was explained: its checksum differs",
                where=study.name,
                remedy="Give the study that was explained, or explain this one",
            )


def _plain(name: str) -> str:
    return file_word(name).strip("-_") or "map"


def _file_names(explanation: Explanation, maps: Iterable[ExplanationMap]) -> list[str]:
    """As the NIfTI files of the same explanation are named."""
    key = "_".join(_plain(part) for part in (explanation.method, explanation.target) if part)
    return [f"{key}_{_plain(item.name)}.dcm" for item in maps]


def _planned(
    maps: Iterable[ExplanationMap], explanation: Explanation, pictures: Iterable[CapturedPicture]
) -> list[str]:
    """Names of all files, each with a number where another has its name already."""
    names: dict[str, None] = {}
    wanted = _file_names(explanation, maps) + [
        f"{_plain(picture.name)}.dcm" for picture in pictures
    ]
    for name in map(Path, wanted):
        numbered = (f"{name.stem}_{number}{name.suffix}" for number in count(2))
        names[next(n for n in (name.name, *islice(numbered, len(wanted))) if n not in names)] = None
    return list(names)


def map_files(explanation: Explanation) -> list[str]:
    """Names of the files that `export_dicom_work` writes of all maps of an explanation.

    Raises
    ------
    StudyError
        No map lies on the patient's voxels.
    """
    return _file_names(explanation, _chosen(explanation, None)[0])
