"""Marks of a review as measurement groups of a structured report (PS3.16 TID 1500)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import highdicom as hd
import numpy as np
import numpy.typing as npt
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from ...review.annotation import Annotation
from ...review.region_values import RegionValues
from ...volumes import Volume
from ...volumes.dicom.values import text
from .codes import MARK, region_code, unit_code, value_code
from .deidentification import Deidentification
from .image_places import ImagePlaces, Shape
from .record import shortened

#: One group of a report, as highdicom knows them.
Group = (
    hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations
    | hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations
    | hd.sr.MeasurementsAndQualitativeEvaluations
)

_TITLES = {
    "arrow": "Arrow", "text": "Text", "distance": "Length", "polygon": "Region",
    "ellipse": "Ellipse", "angle": "Angle", "cobb": "Cobb angle", "bidirectional": "Bidirectional",
}  # fmt: skip

#: Rounding of axes that are at right angles, as a cosine.
_RIGHT_ANGLE = 1e-3


def mark_group(
    number: int,
    item: Annotation,
    values: Sequence[RegionValues],
    scans: Mapping[str, Volume],
    places: ImagePlaces,
    identity: Deidentification,
) -> Group:
    """One mark as a measurement group.

    A region is a planar region of interest (TID 1410) with its area and, of every scan, mean,
    standard deviation, min and max; an arrow and a text are the point that they show. What is
    measured between points (length, angles, both axes) is a group of TID 1501 whose numbers hold
    the points.

    Parameters
    ----------
    number : int
        Its place in the review, from 1.
    item : Annotation
    values : sequence of RegionValues
        Of a region.
    scans : mapping of role to Volume
        Of the study.
    places, identity
        Where the images lie, and the UIDs that stand for theirs.
    """
    points = np.asarray(item.points, dtype=np.float64)
    common = {
        "tracking_identifier": tracking(
            shortened(f"{_TITLES[item.kind]} {number}" + (f": {item.text}" if item.text else "")),
            (item.study, item.kind, item.points, item.leading),
            places,
            identity,
        ),
        "finding_type": MARK,
        "finding_sites": sites(places),
    }
    if item.area_mm2 is not None:
        measured = [_number(codes.SCT.Area, item.area_mm2, codes.UCUM.SquareMillimeter)]
        plane = places.plane(points)
        measured += [
            m
            for v in values
            if v.voxels
            for m in value_measurements(v, scans[v.role], places, plane)
        ]
        group: Group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            referenced_region=places.region(*_region(item, places)), measurements=measured, **common
        )
    elif item.kind in ("arrow", "text"):
        place = points[-1:]  # the head of an arrow
        group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            referenced_region=places.region("point", place), **common
        )
    else:
        group = hd.sr.MeasurementsAndQualitativeEvaluations(
            measurements=_lines(item, points, places), **common
        )
    if item.text:
        add_comment(group, item.text)
    return group


def value_measurements(
    values: RegionValues, scan: Volume, places: ImagePlaces, plane: int | None
) -> list[hd.sr.Measurement]:
    """Mean, standard deviation, min and max of a scan in a region (TID 1419)."""
    modality = text(scan.source.header, "Modality") if scan.source.format == "dicom" else ""
    series = text(scan.source.header, "SeriesInstanceUID") if modality else ""
    images = places.measured_images(plane, series) if series else []
    name, unit = value_code(values.unit, modality), unit_code(values.unit)
    ways = (codes.SCT.Mean, codes.SCT.StandardDeviation, codes.SCT.Minimum, codes.SCT.Maximum)
    found = []
    for way, number in zip(ways, values.numbers, strict=True):
        measured = _number(name, number, unit, derivation=way, referenced_images=images or None)
        add_words(measured, f"Scan: {values.title}", "HAS PROPERTIES")
        found.append(measured)
    return found


def tracking(
    words: str, what: object, places: ImagePlaces, identity: Deidentification
) -> hd.sr.TrackingIdentifier:
    """Name and UID by which a finding is known: the same in another export with the same key."""
    study = text(places.source.header, "StudyInstanceUID")
    digest = hashlib.blake2b(f"{study} {what!r}".encode(), digest_size=16).digest()
    uid = identity.uid(f"2.25.{int.from_bytes(digest, 'big')}")
    return hd.sr.TrackingIdentifier(uid=uid, identifier=words)


def sites(places: ImagePlaces) -> list[hd.sr.FindingSite] | None:
    """The body part that the images name."""
    region = region_code(text(places.source.header, "BodyPartExamined"))
    return None if region is None else [hd.sr.FindingSite(region)]


def add_comment(group: Group, words: str) -> None:
    """A person's words, in a group."""
    add_words(group, words, "CONTAINS")


def add_words(template: Group | hd.sr.Measurement, words: str, relationship: str) -> None:
    """A comment below the first item of a template."""
    item = hd.sr.TextContentItem(
        name=codes.DCM.Comment, value=words, relationship_type=relationship
    )
    content = template[0].get("ContentSequence")
    if content is None:
        template[0].ContentSequence = hd.sr.ContentSequence([item])
    else:
        content.append(item)


def axis_measurements(
    long: npt.NDArray[np.float64],
    short: npt.NDArray[np.float64],
    places: ImagePlaces,
    method: Code | None = None,
) -> list[hd.sr.Measurement]:
    """Two perpendicular diameters, each from end to end, shape (2, 3), in RAS+ millimetres."""
    return [
        _number(
            name,
            float(np.linalg.norm(ends[1] - ends[0])),
            codes.UCUM.Millimeter,
            method=method,
            referenced_coordinates=[places.coordinates("line", ends)],
        )
        for name, ends in ((codes.SCT.LongAxis, long), (codes.SCT.ShortAxis, short))
    ]


def _lines(
    item: Annotation, points: npt.NDArray[np.float64], places: ImagePlaces
) -> list[hd.sr.Measurement]:
    """What is measured between the points of a mark that encloses nothing."""
    if item.kind == "bidirectional":
        lines = sorted((points[:2], points[2:]), key=lambda p: -np.linalg.norm(p[1] - p[0]))
        return axis_measurements(lines[0], lines[1], places)
    if item.kind == "cobb":
        lines = [places.coordinates("line", line) for line in (points[:2], points[2:])]
    else:
        lines = [places.coordinates("line", points)]
    if item.length_mm is not None:
        name, value, unit = codes.SCT.Length, item.length_mm, codes.UCUM.Millimeter
    else:
        name = codes.SCT.CobbAngle if item.kind == "cobb" else codes.SCT.Angle
        value, unit = item.angle_degrees or 0.0, codes.UCUM.Degree
    return [_number(name, value, unit, referenced_coordinates=lines)]


def _number(name: Code, value: float, unit: Code, **more: object) -> hd.sr.Measurement:
    return hd.sr.Measurement(name=name, value=value, unit=unit, **more)  # type: ignore[arg-type]


def _region(item: Annotation, places: ImagePlaces) -> tuple[Shape, npt.NDArray[np.float64]]:
    """The region as shape and points; an ellipse as one where its axes are at right angles."""
    points = np.asarray(item.points, dtype=np.float64)
    if item.kind != "ellipse":
        return "closed", points
    middle = points.mean(axis=0)
    axes = (points[1] - points[0]) / 2, (points[3] - points[0]) / 2
    axes = sorted(axes, key=lambda axis: -float(np.linalg.norm(axis)))
    ends = np.stack([middle - axes[0], middle + axes[0], middle - axes[1], middle + axes[1]])
    found = places.pixels(ends)
    drawn = ends if found is None else found[1]
    first, second = drawn[1] - drawn[0], drawn[3] - drawn[2]
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    if abs(float(first @ second)) > _RIGHT_ANGLE * lengths:
        return "closed", item.outline()
    if found is not None and np.linalg.norm(first) < np.linalg.norm(second):
        ends = ends[[2, 3, 0, 1]]  # the major axis in pixels, which need not be square
    return "ellipse", ends
