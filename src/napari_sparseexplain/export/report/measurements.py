"""The table of what was marked: in the report, and as a CSV file beside it."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...review.annotation import Annotation, measure_text, measure_unit
from ...review.frames import frame_text
from ...review.reading import Reading
from ...review.region_values import RegionValues, region_values
from ...volumes.captions import millimetre_caption, voxel_caption
from ...volumes.edge_letters import Plane
from ...volumes.view_of_slice import plane_word
from ..pictures.burned_in import number_text
from ..privacy.policy import released

#: Longest words in a table of the report; the CSV file has all of them.
_LONGEST = 300

#: A spreadsheet takes a cell that begins with one of these for a formula, and runs it; some also
#: where the signs are of full width.
_FORMULA = tuple("=+-@|%＝＋－﹢﹣−＠﹦﹫")

#: What some programs pass over before they look at a cell's first sign.
_PASSED_OVER = re.compile(r"[\s\ufeff\u200b-\u200f\u2028\u2029\u202a-\u202e\u2060-\u2064\0'\"]*")

_HEADS = (
    *("number", "kind", "comment", "value", "unit", "plane"),
    *("slice (from 1)", "frame", "study", "place"),
)

#: Column of the short axis, where a mark has one.
_SHORT = "short axis"

_KINDS = {"cobb": "Cobb angle"}

#: Columns of each scan in regions.
_VALUES = ("mean", "SD", "min", "max", "voxels")


@dataclass(frozen=True)
class Measurement:
    """A mark as a row.

    Attributes
    ----------
    number : int
        Place in the review's list, from 1.
    kind : str
    comment : str
        The words beside it.
    value : float or None
        Length, area, angle or, of a bidirectional mark, the long axis; None for a mark without one.
    unit : str
        Of `measure_unit`.
    value_text : str
        Of `measure_text`, as it stands in the picture.
    plane, slice : str, int
        Counted from 1, as on the screen.
    frame : str
        Of `frame_text`, counted from 1; empty for a mark of every frame.
    study : str
    place : str
        Of its middle: in the patient where that is known, else on the grid.
    values : tuple of RegionValues
        What each scan measures in a region; empty for a mark that encloses nothing.
    short_axis : float or None
        Of a bidirectional mark, in the same unit.
    view : str
        What the slice is called (`plane_word`).
    """

    number: int
    kind: str
    comment: str
    value: float | None
    unit: str
    value_text: str
    plane: Plane
    slice: int
    frame: str
    study: str
    place: str
    values: tuple[RegionValues, ...] = ()
    short_axis: float | None = None
    view: str = ""


def measurements(reading: Reading, *, identify: bool = False) -> list[Measurement]:
    """Every mark of a reading, in the review's order.

    Parameters
    ----------
    identify : bool
        Whether studies, scans and words stand as they are, or as they may leave.
    """
    return measurements_of(released(reading, identify=identify)[0])


def measurements_of(reading: Reading) -> list[Measurement]:
    """The same of a reading that went through `ExportPolicy.reading` already."""
    return [
        _measurement(reading, place + 1, item)
        for place, item in enumerate(reading.review.annotations)
    ]


def measurement_rows(found: Sequence[Measurement]) -> list[list[str]]:
    """A table with its heads for the report; empty without marks."""
    if not found:
        return []
    rows = [["", "kind", "comment", "value", "slice", "frame", "study", "place"]]
    for m in found:
        comment, where = m.comment[:_LONGEST], f"{m.view} {m.slice}"
        rows.append(
            [str(m.number), m.kind, comment, m.value_text, where, m.frame, m.study, m.place]
        )
    return without_empty_frames(rows)


def region_rows(found: Sequence[Measurement]) -> list[list[str]]:
    """A table of what the scans measure in the regions, for the report; empty without regions."""
    rows = [["", "region", "slice", "scan", "mean", "SD", "min", "max", "voxels"]]
    for m in found:
        for place, v in enumerate(m.values):
            first = place == 0
            head = [str(m.number), m.kind, f"{m.view} {m.slice}"] if first else ["", "", ""]
            told = [number_text(n) for n in v.numbers]
            rows.append([*head, _scan(v), *(told if v.voxels else ["–"] * 4), str(v.voxels)])
    return rows if len(rows) > 1 else []


def without_empty_frames(rows: list[list[str]]) -> list[list[str]]:
    """A table without its column ``frame`` where no row has one: most studies have no frames."""
    at = rows[0].index("frame")
    if any(row[at] for row in rows[1:]):
        return rows
    return [[*row[:at], *row[at + 1 :]] for row in rows]


def measurement_csv(found: Sequence[Measurement]) -> bytes:
    """The table as CSV (RFC 4180), values with all their digits.

    Where there are regions, each scan has columns for its mean, SD, min, max and number of
    voxels in them.
    It is UTF-8 with its mark at the beginning, without which Excel reads another encoding. A text
    that a spreadsheet would take for a formula has an apostrophe before it.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    # By the scan's name and unit: two studies may have a scan of one name in two units.
    scans = list(dict.fromkeys(_scan(v) for m in found for v in m.values))
    short = [_SHORT] if any(m.short_axis is not None for m in found) else []
    heads = (_as_text(f"{scan} {what}") for scan in scans for what in _VALUES)
    writer.writerow([*_HEADS, *short, *heads])
    for m in found:
        value = "" if m.value is None else repr(m.value)
        comment, study, place = (_as_text(said) for said in (m.comment, m.study, m.place))
        where = (m.view, m.slice, m.frame)
        inside = {_scan(v): v for v in m.values}
        told = [text for scan in scans for text in _value_cells(inside.get(scan))]
        if short:
            told.insert(0, "" if m.short_axis is None else repr(m.short_axis))
        writer.writerow([m.number, m.kind, comment, value, m.unit, *where, study, place, *told])
    return stream.getvalue().encode("utf-8-sig", "backslashreplace")


def measurement_file(report: Path) -> Path:
    """Where the CSV file of a report lies: beside it, and no other report's."""
    return report.with_name(f"{report.stem}-measurements.csv")


def _scan(values: RegionValues) -> str:
    return f"{values.title} [{values.unit}]" if values.unit else values.title


def _value_cells(values: RegionValues | None) -> list[str]:
    """Cells of one scan under `_VALUES`; empty where it was not measured."""
    if values is None:
        return [""] * len(_VALUES)
    told = [repr(n) if values.voxels else "" for n in values.numbers]
    return [*told, str(values.voxels)]


def _as_text(said: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula."""
    first = _PASSED_OVER.match(said)
    begins = 0 if first is None else first.end()
    hidden = begins > 0 and unicodedata.category(said[0]) in ("Cc", "Cf", "Zl", "Zp")
    return f"'{said}" if hidden or said[begins:].startswith(_FORMULA) else said


def _measurement(reading: Reading, number: int, item: Annotation) -> Measurement:
    study = reading.studies[item.study]
    grid = study.grid
    axes = item.axes_mm
    told = (item.length_mm, item.area_mm2, item.angle_degrees, axes and axes[0])
    value = next((number for number in told if number is not None), None)
    middle = np.asarray(item.points, dtype=np.float64).mean(axis=0)
    known = grid.oriented and grid.calibrated
    return Measurement(
        number,
        _KINDS.get(item.kind, item.kind),
        item.text,
        value,
        measure_unit(item, calibrated=grid.calibrated),
        measure_text(item, calibrated=grid.calibrated),
        item.plane,
        item.index + 1,
        frame_text(study, item.leading),
        study.name,
        millimetre_caption(middle) if known else voxel_caption(grid.index(middle)),
        tuple(region_values(item, study)),
        axes and axes[1],
        plane_word(study, item.plane),
    )
