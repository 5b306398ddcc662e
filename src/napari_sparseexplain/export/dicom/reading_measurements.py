"""The measurements of a reading for structured reports: its marks, and the lesions of its masks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ...errors import SparseExplainError, StudyError
from ...evidence import Explanation
from ...evidence.lesions.lesion import Lesion
from ...evidence.lesions.study_lesions import explained_mask, measured_maps
from ...evidence.provenance import Provenance
from ...files.atomic_write import check_free, moved_together, write_atomically
from ...progress import Progress, Work
from ...review.annotation import Annotation
from ...review.frames import frame_points
from ...review.reading import Reading
from ...review.region_values import region_values
from ...volumes import Study
from ...volumes.reading_order import role_title
from ...volumes.roles.label_roles import lesion_role
from ..privacy.policy import ExportPolicy, policy_for
from .deidentification import Deidentification
from .image_places import ImagePlaces
from .lesion_groups import MOST_LESIONS, LesionMask, lesion_groups
from .mark_groups import Group, mark_group
from .measurement_report import measurement_report
from .objects import Exported, encoded
from .record import PROGRAM, WARNING, check_words, checked_explanation
from .references import new_uid
from .source import Reference, dicom_source, from_dicom


def report_names(reading: Reading) -> dict[str, str]:
    """Names of the structured reports of a reading, by the keys of their studies.

    A study has one where it came from DICOM and holds a mark or a mask; of masks that turn out to
    be empty none is written.
    """
    keys = [key for key, study in reading.studies.items() if _has_content(reading, key, study)]
    return {
        key: "measurements.dcm" if place == 1 else f"measurements_{place}.dcm"
        for place, key in enumerate(keys, start=1)
    }


def export_measurements_dicom(
    reading: Reading,
    folder: str | Path,
    *,
    identity: Deidentification | None = None,
    overwrite: bool = False,
) -> Work[Exported]:
    """Write the marks of a reading and the lesions of its masks as structured reports.

    Parameters
    ----------
    reading : Reading
        Studies that did not come from DICOM are passed over, and named in a note.
    folder : str or Path
        Made when it is not there. The files come into it together.
    identity : Deidentification, optional
        De-identified with a key of its own if left out.
    overwrite : bool

    Returns
    -------
    Exported
        A report of each study that has anything to report.

    Raises
    ------
    StudyError
        The images behind the only study are of several patients, or say no place in the patient;
        of several studies such a one is named in a note.
    SparseExplainError
        A file is there already or cannot be written, or a text would tell who the patient is.
    """
    identity = identity or Deidentification()
    folder, names = Path(folder), report_names(reading)
    check_free([folder / name for name in names.values()], overwrite=overwrite)
    policy = policy_for(reading.studies.values(), identify=identity.keep_identity)
    public = policy.reading(reading)
    notes: dict[str, None] = {}
    if any(not from_dicom(reading.studies[mark.study]) for mark in reading.review.annotations):
        notes["marks of a study that did not come from DICOM images are not in the report"] = None
    series, written = new_uid(), []
    with moved_together(folder, overwrite=overwrite) as temporary:
        for place, (key, name) in enumerate(names.items()):
            yield Progress(place, len(names), "measurements")
            study = public.studies[key]
            marks = [item for item in public.review.annotations if item.study == key]
            try:
                made = _StudyReport(study, marks, partial(_masks, public, key), policy, identity)
            except StudyError as error:
                if len(names) == 1:
                    raise
                notes[f"{study.name}: not reported: {error.what}"] = None
                continue
            notes.update(dict.fromkeys(made.notes))
            if not made.groups:
                notes[
                    f"{public.studies[key].name}: nothing was measured, so there is no report"
                ] = None
                continue
            make = partial(made.dataset, series_uid=series, instance_number=len(written) + 1)
            content = encoded(name, make, identity, policy.with_headers(made.source.headers))
            write_atomically(temporary / name, content)
            written.append(folder / name)
    yield Progress(len(names), len(names), "written")
    return Exported(tuple(written), (*notes, *policy.notes()))


def export_lesions_dicom(
    study: Study,
    mask: LesionMask,
    file: str | Path,
    *,
    identity: Deidentification | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write the lesions of one mask as a structured report.

    Parameters
    ----------
    study : Study
        Opened from DICOM images.
    mask : LesionMask
        On its grid.
    file : str or Path
    identity : Deidentification, optional
        De-identified with a key of its own if left out.
    overwrite : bool

    Raises
    ------
    StudyError
        The study did not come from DICOM, or the mask is not of its grid or empty.
    SparseExplainError
        The file is there already or cannot be written, or a text would tell who the patient is.
    """
    identity, file = identity or Deidentification(), Path(file)
    check_free([file], overwrite=overwrite)
    policy = policy_for([study], identify=identity.keep_identity)
    public = policy.study(study)
    titles = {policy.words(title, "the title of a map"): m for title, m in mask.maps.items()}
    mask = replace(mask, name=policy.words(mask.name, "the name of a mask"), maps=titles)
    made = _StudyReport(public, (), lambda _: [mask], policy, identity)
    if not made.groups:
        raise StudyError(
            "the mask is empty, so there is no lesion to report",
            where=study.name,
            remedy="Name another mask with --mask",
        )
    content = encoded(file.name, made.dataset, identity, policy.with_headers(made.source.headers))
    write_atomically(file, content, overwrite=overwrite)
    return Exported((file,), (*made.notes, *policy.notes()))


class _StudyReport:
    """What is reported of one study, whose words may leave."""

    def __init__(
        self,
        study: Study,
        marks: Sequence[Annotation],
        masks: Callable[[ExportPolicy], Iterable[LesionMask]],
        policy: ExportPolicy,
        identity: Deidentification,
    ) -> None:
        self._study, self._identity = study, identity
        self._places: dict[tuple[int, ...], ImagePlaces] = {}
        self.source = self._at(()).source
        self.notes: tuple[str, ...] = self.source.notes
        checked = policy.with_headers(self.source.headers)
        check_words(checked, (("the words of a mark", item.text) for item in marks))
        self.groups: list[Group] = [
            self._mark(number, item) for number, item in enumerate(marks, start=1)
        ]
        self._record: dict[str, Any] = {
            "program": PROGRAM,
            "warning": WARNING,
            "marks": [_told_mark(item, self._study) for item in marks],
            "lesions": {},
        }
        self._provenances: list[Provenance] = []
        for mask in masks(checked):
            try:
                groups, lesions = lesion_groups(mask, self._study, self._at(()), identity)
            except SparseExplainError as error:  # noise: what else was measured is reported
                self.notes += (f"{mask.name}: its lesions are not reported: {error.what}",)
                continue
            self.groups += groups
            if lesions:
                self._record["lesions"][mask.name] = [_told_lesion(item) for item in lesions]
                self._provenances += [] if mask.provenance is None else [mask.provenance]
            if len(lesions) == MOST_LESIONS:
                self.notes += (f"{mask.name}: the {MOST_LESIONS} largest lesions are reported",)

    def dataset(self, **series: Any) -> Any:
        """The report as a data set."""
        references = dict.fromkeys(r for places in self._places.values() for r in _all(places))
        return measurement_report(
            self.groups,
            self.source,
            references,
            self._identity,
            self._record,
            self._provenances,
            **series,
        )

    def _mark(self, number: int, item: Annotation) -> Group:
        return mark_group(
            number,
            item,
            region_values(item, self._study),
            {role: self._study[role] for role in self._study.images},
            self._at(item.leading),
            self._identity,
        )

    def _at(self, leading: tuple[int, ...]) -> ImagePlaces:
        """The images at a frame."""
        if leading not in self._places:
            images = self._study.images
            frames = {role: frame_points(volume, leading) for role, volume in images.items()}
            frames = {role: points for role, points in frames.items() if any(points)}
            source = dicom_source(self._study, images, frames)
            known = self._places.get(())
            self._places[leading] = ImagePlaces(source, self._identity)
            if known is not None:  # one for all, also where the images name none
                self._places[leading].frame_of_reference = known.frame_of_reference
        return self._places[leading]


def _all(places: ImagePlaces) -> Iterable[Reference]:
    yield from places.source.used
    for plane in places.source.planes.references:
        yield from plane


def _has_content(reading: Reading, key: str, study: Study) -> bool:
    if not from_dicom(study):
        return False
    if any(item.study == key for item in reading.review.annotations) or lesion_role(study):
        return True
    return any(
        reading.review.explanations[name].study == key and _segmentation(explanation)
        for name, explanation in reading.explanations.items()
    )


def _segmentation(explanation: Explanation) -> str:
    """Name of the first mask that an explanation estimated; empty without one."""
    found = (m.name for m in explanation.maps if m.kind == "segmentation" and m.space == "study")
    return next(found, "")


def _masks(reading: Reading, key: str, policy: ExportPolicy) -> Iterable[LesionMask]:
    """The study's own lesion mask, then every estimated one."""
    study = reading.studies[key]
    role = lesion_role(study)
    if role:
        yield LesionMask(role_title(role), study.labels[role].spatial())
    for name, explanation in reading.explanations.items():
        chosen = _segmentation(explanation)
        if reading.review.explanations[name].study != key or not chosen:
            continue
        checked_explanation(explanation, policy)
        title = explanation[chosen].title or chosen
        where = " ".join(part for part in (explanation.method, explanation.target) if part)
        yield LesionMask(
            f"{title} ({where})",
            explained_mask(explanation, study, chosen),
            explanation.provenance,
            measured_maps(explanation, study),
        )


def _told_mark(item: Annotation, study: Study) -> Mapping[str, Any]:
    return {
        "kind": item.kind,
        "text": item.text,
        "plane": item.plane,
        "slice": item.index + 1,
        "length_mm": item.length_mm,
        "area_mm2": item.area_mm2,
        "angle_degrees": item.angle_degrees,
        "axes_mm": item.axes_mm,
        "values": {
            v.title: dict(zip(("mean", "sd", "min", "max"), v.numbers, strict=True))
            | {"voxels": v.voxels, "unit": v.unit}
            for v in region_values(item, study)
            if v.voxels
        },
    }


def _told_lesion(lesion: Lesion) -> Mapping[str, Any]:
    return {
        "number": lesion.number,
        "voxels": lesion.voxels,
        "volume_ml": lesion.volume_ml,
        "diameters_mm": [lesion.diameters.longest, lesion.diameters.perpendicular],
        "slice": lesion.diameters.index + 1,
        "measurable": lesion.measurable,
    }
