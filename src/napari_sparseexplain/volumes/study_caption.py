"""Whose study it is, in one line."""

from __future__ import annotations

from .study import Study


def study_caption(study: Study) -> str:
    """Name of a study and the day of its examination (``"case 12 · 2024-03-01"``).

    Of a DICOM study without one it is said that the day was removed; a file of another kind has
    none.
    """
    volume = study[study.reference]
    if volume.source.format != "dicom":
        return study.name
    day = str(volume.details.get("StudyDate") or "")
    dated = len(day) == 8 and day.isdigit()
    return f"{study.name} · " + (f"{day[:4]}-{day[4:6]}-{day[6:]}" if dated else "date removed")
