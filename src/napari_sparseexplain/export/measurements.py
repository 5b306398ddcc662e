"""The table of what was marked: in the report, and as a CSV file beside it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..review.annotation import Annotation
from ..review.reading import Reading
from ..volumes.edge_letters import Plane
from ..volumes.place_words import millimetre_words, voxel_words
from .burned_in import study_title
from .deidentification import without

#: Name of the CSV file.
FILE_NAME = "measurements.csv"

#: Longest words in a table of the report; the CSV file has all of them.
_LONGEST = 300

_HEADS = ("number", "kind", "words", "value", "unit", "plane", "slice", "study", "place")


@dataclass(frozen=True)
class Measurement:
    """A mark as a row.

    Attributes
    ----------
    number : int
        Place in the review's list, from 1.
    kind, words : str
    value : float or None
        Length or area; None for a mark without one.
    unit : str
        ``"mm"``, ``"mm²"``, or ``"voxels"`` where the study has no spacing; empty without a value.
    plane, slice : str, int
        Counted from 1, as on the screen.
    study : str
    place : str
        Of its middle: in the patient where that is known, else on the grid.
    """

    number: int
    kind: str
    words: str
    value: float | None
    unit: str
    plane: Plane
    slice: int
    study: str
    place: str

    @property
    def value_text(self) -> str:
        """Value and unit for a person, with the digits that stand in the picture."""
        if self.value is None:
            return ""
        digits = 0 if self.unit != "mm" and self.value >= 100 else 1
        return f"{self.value:.{digits}f} {self.unit}"


def measurements(
    reading: Reading, *, identify: bool, hidden: frozenset[str] = frozenset()
) -> list[Measurement]:
    """Every mark of a reading, in the review's order.

    Parameters
    ----------
    identify : bool
        Whether studies are called by their own names.
    hidden : frozenset of str
        What is taken out of words, see `values_to_remove`.
    """
    return [
        _measurement(reading, place + 1, item, identify=identify, hidden=hidden)
        for place, item in enumerate(reading.review.annotations)
    ]


def measurement_rows(found: Sequence[Measurement]) -> list[list[str]]:
    """A table with its heads for the report; empty without marks."""
    if not found:
        return []
    rows = [["", "kind", "words", "value", "slice", "study", "place"]]
    for m in found:
        words, where = m.words[:_LONGEST], f"{m.plane} {m.slice}"
        rows.append([str(m.number), m.kind, words, m.value_text, where, m.study, m.place])
    return rows


def measurement_csv(found: Sequence[Measurement]) -> str:
    """The table as CSV (RFC 4180), values with all their digits."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(_HEADS)
    for m in found:
        value = "" if m.value is None else repr(m.value)
        writer.writerow(
            [m.number, m.kind, m.words, value, m.unit, m.plane, m.slice, m.study, m.place]
        )
    return stream.getvalue()


def measurement_file(report: Path) -> Path:
    """Where the CSV file of a report lies."""
    return report.with_name(FILE_NAME)


def _measurement(
    reading: Reading, number: int, item: Annotation, *, identify: bool, hidden: frozenset[str]
) -> Measurement:
    grid = reading.studies[item.study].grid
    length, area = item.length_mm, item.area_mm2
    value = area if length is None else length
    unit = ("mm" if area is None else "mm²") if grid.calibrated else "voxels"
    middle = np.asarray(item.points, dtype=np.float64).mean(axis=0)
    known = grid.oriented and grid.calibrated
    return Measurement(
        number,
        item.kind,
        without(item.text, hidden),
        value,
        "" if value is None else unit,
        item.plane,
        item.index + 1,
        without(study_title(reading, item.study, identify=identify), hidden),
        millimetre_words(middle) if known else voxel_words(grid.index(middle)),
    )
