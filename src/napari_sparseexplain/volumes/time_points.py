"""When a scan was taken, as far as names and headers tell: so that two visits are not mixed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .study import Study
from .volume import Volume

_EDGE, _END = r"(?<![a-z0-9])", r"(?![a-z0-9])"

#: Words that tell time points of one patient apart, and nothing else.
_TREATMENT = r"(?:pre|post)[-_ ]?(?:op(?:erative)?|treatment|therapy|rt)"
_SURE = re.compile(
    rf"{_EDGE}((?:session|ses|visit|time[-_ ]?point|tp|baseline|bl|follow[-_ ]?up|fu|{_TREATMENT}|"
    rf"week|month|year|day|wk|study)[-_ ]?[a-z]?\d+d?|baseline|bl|follow[-_ ]?up\d*|fu|"
    rf"{_TREATMENT}|"
    # Before the name of a scan only: "T1_v2" is a version, "DTI_V1" an eigenvector.
    rf"(?<!dti_)(?<!dti-)(?<!dti )(?:v\d{{1,2}}|m\d{{2,3}})(?=[-_ /]+(?:[a-z]|3d))|"
    rf"prior|previous|current){_END}"
)
#: Data sets that number the time points of a patient in the case's name.
_IN_CASE = re.compile(
    rf"{_EDGE}brats[-_][a-z]+[-_]\d+[-_](\d{{3}})(?!\d)|{_EDGE}upenn-gbm-\d+_(\d\d)(?!\d)"
)
#: Words that may as well number the scans of one visit: they count where a role comes twice.
_MAYBE = re.compile(
    rf"{_EDGE}((?:study|scan|exam|time|visit|session|ses|tp|day|week|month|year)"
    rf"[-_ ]?[a-z]?\d*){_END}"
)
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)")


def time_points(volumes: Sequence[Volume], places: Sequence[str]) -> tuple[list[str], list[bool]]:
    """The time point of every volume, empty where nothing tells it, and whether it is sure.

    Parameters
    ----------
    volumes : sequence of Volume
    places : sequence of str
        Path within the study, or series description.

    Returns
    -------
    points : list of str
        The word of the path; examinations that only a date (in a name or a DICOM header) tells
        apart are numbered ``exam 1``, ``exam 2`` by date, so that no date stands in a role.
    sure : list of bool
        Whether the word tells time and nothing else.
    """
    words = [_word(place) for place in places]
    dates = [_date(volume, place) for volume, place in zip(volumes, places, strict=True)]
    days = sorted({day for day in dates if day})
    points, sure = [], []
    for (word, certain), day in zip(words, dates, strict=True):
        if day and len(days) > 1 and not certain:
            points.append(f"exam {days.index(day) + 1}")
            sure.append(True)
        else:
            points.append(word)
            sure.append(certain)
    return points, sure


def time_word(place: str) -> str:
    """The word of a path that tells the time point, empty when there is none."""
    return _word(place)[0]


def day_of(volume: Volume) -> str:
    """The day of a scan, ``YYYYMMDD``: of a DICOM header, else in the name of file or folder."""
    names = (" ".join(path.parts[-2:]) for path in volume.source.paths[:1])
    return _date(volume, "".join(names))


def points_of_study(study: Study) -> dict[str, tuple[str, ...]]:
    """Roles by time point, of a study that holds several visits; empty of one that holds one.

    What no name or header tells the time of stands under the empty word, where there is any.
    """
    volumes = {**study.images, **study.labels}
    kept = [study.originals.get(role, volume) for role, volume in volumes.items()]
    places = [f"{v.source.paths[0].name if v.source.paths else ''} {v.source.description}"
              for v in kept]  # fmt: skip
    points, _ = time_points(kept, places)
    found: dict[str, tuple[str, ...]] = {}
    for role, point in zip(volumes, points, strict=True):
        found[point] = (*found.get(point, ()), role)
    scans = [p for p, roles in found.items() if any(r in study.images for r in roles)]
    return found if len(scans) > 1 else {}


def _word(place: str) -> tuple[str, bool]:
    text = place.lower()
    if found := _SURE.findall(text):
        return found[-1], True
    if case := _IN_CASE.search(text):
        return f"visit {case[1] or case[2]}", True
    found = _MAYBE.findall(text)
    return (found[-1], False) if found else ("", False)


def _date(volume: Volume, place: str) -> str:
    """The day of the scan, YYYYMMDD: of a DICOM header's examination, or in the path."""
    told = str(volume.details.get("StudyDate") or "") if volume.source.format == "dicom" else place
    match = _DATE.search(told)
    return "".join(match.groups()) if match else ""
