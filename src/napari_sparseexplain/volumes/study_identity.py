"""Whose scans a study holds and of which day, as far as headers and names tell."""

from __future__ import annotations

import re

from .study import Study
from .time_points import day_of
from .volume import Volume

#: How data sets number their subjects, in the names of folders and files.
_SUBJECT = re.compile(
    r"(?i)(?<![a-z0-9])(sub-[a-z0-9]+|patient[-_ ]?\d+|subject[-_ ]?\d+|brats[-_][a-z]+[-_]\d+|"
    r"tcga-[a-z0-9]+-[a-z0-9]+|upenn-gbm-\d+|phantom-\d+)"
)


def patient_of(study: Study) -> str:
    """What tells this patient from others: the DICOM PatientID, else a number in the names.

    Empty where nothing tells. It is compared and never shown.
    """
    for volume in _volumes(study):
        told = getattr(volume.source.header, "PatientID", "")
        if volume.source.format == "dicom" and str(told or "").strip():
            return str(told).strip().lower()
    for volume in _volumes(study):
        places = [str(p) for p in volume.source.paths[:1]] or [volume.source.description]
        for place in (*places, study.name):
            # The last one names the file, or the folder that is nearest to it.
            if found := _SUBJECT.findall(place):
                return re.sub(r"[-_ ]", "", found[-1].lower())
    return ""


def day_of_study(study: Study) -> str:
    """The day of the examination, ``YYYYMMDD``; empty where it is not told."""
    days = {day for volume in _volumes(study) if (day := day_of(volume))}
    return max(days) if days else ""


def day_caption(study: Study) -> str:
    """The day for a person: ``"2023-01-31"``, ``"date removed"``, or nothing.

    *Removed* is said of DICOM, whose headers have one; of other files that tell none, nothing is.
    """
    if day := day_of_study(study):
        return f"{day[:4]}-{day[4:6]}-{day[6:]}"
    dicom = any(volume.source.format == "dicom" for volume in _volumes(study))
    return "date removed" if dicom else ""


def pair_notes(current: Study, prior: Study) -> tuple[str, ...]:
    """What a person must know before comparing two studies, one sentence each."""
    notes = []
    one, other = patient_of(current), patient_of(prior)
    if one and other and one != other:
        notes.append("the names or codes of the two studies are those of different patients")
    days = day_of_study(current), day_of_study(prior)
    if all(days) and days[1] > days[0]:
        notes.append("the prior is dated after the current study")
    return tuple(notes)


def _volumes(study: Study) -> list[Volume]:
    all_of = {**study.images, **study.labels}
    return [study.originals.get(role, volume) for role, volume in all_of.items()]
