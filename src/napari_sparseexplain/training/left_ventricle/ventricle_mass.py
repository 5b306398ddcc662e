"""Mass of the left ventricle's muscle, from inner and outer contours in DICOM files.

The wall's area between the contours times the distance of the slices, added over the slices that
have both, times the density of muscle. At each place the image with the largest cavity is taken,
which is end-diastole where contours were drawn at several times. Research figures.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import ReadError
from ...evidence.tables import text_table
from ...progress import Progress, Work
from ...volumes.dicom.files import read_header
from ...volumes.dicom.values import number, numbers
from ...volumes.labelled.labelled_folder import find_labelled, read_labelled
from ...volumes.labelled.labelled_slice import LabelledSlice

#: Density of heart muscle in g/ml, as cardiac MRI takes it.
DENSITY = 1.05

#: Places nearer to each other than this, in mm, are one.
_SAME_PLACE = 0.5

#: Share by which the distances of neighbouring slices may differ before it is said.
_UNEVEN = 0.1


@dataclass(frozen=True)
class VentricleMass:
    """The muscle of one patient's left ventricle.

    Attributes
    ----------
    patient : str
    mass, volume : float
        In g and ml, of the slices that have both contours.
    slices, labelled : int
        Places with both contours, and places with any.
    distance : float
        Of the slices in mm.
    notes : tuple of str
    """

    patient: str
    mass: float
    volume: float
    slices: int
    labelled: int
    distance: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DrawnWall:
    """What was drawn on one image.

    Attributes
    ----------
    place : float
        Where the image lies along the heart in mm.
    cavity, wall : float
        Areas in mm²; the wall's is None without an outer contour.
    """

    place: float
    cavity: float
    wall: float | None


def ventricle_masses(root: str | Path) -> Work[list[VentricleMass]]:
    """Mass of every patient of a folder who has inner and outer contours.

    Parameters
    ----------
    root : str or Path
        DICOM files with contours as text, as `find_labelled` reads them.

    Raises
    ------
    ReadError
        No slice has both contours, or a file does not tell where it lies.
    """
    found = yield from find_labelled(root)
    chosen = [item for item in found.slices if item.inner]
    if not any(item.outer for item in chosen):
        raise ReadError(
            "no slice has an inner and an outer contour, so there is no mass",
            where=root,
            remedy="Give DICOM files with contours named …-icontour… and …-ocontour…",
        )
    drawn: dict[str, list[DrawnWall]] = defaultdict(list)
    thickness: dict[str, float | None] = {}
    for done, item in enumerate(chosen, 1):
        wall, thickness[item.patient] = _wall(item)
        drawn[item.patient].append(wall)
        yield Progress(done, len(chosen), f"reading {item.name}")
    return [
        mass_of(patient, walls, thickness[patient])
        for patient, walls in drawn.items()
        if any(wall.wall is not None for wall in walls)
    ]


def mass_of(patient: str, walls: list[DrawnWall], thickness: float | None) -> VentricleMass:
    """Add the wall up over the places of one patient.

    Parameters
    ----------
    thickness : float or None
        Distance of the slices in mm where there is one place only.
    """
    places: list[list[DrawnWall]] = []
    for wall in sorted(walls, key=lambda one: one.place):
        if places and wall.place - places[-1][0].place < _SAME_PLACE:
            places[-1].append(wall)
        else:
            places.append([wall])
    steps = np.diff([one[0].place for one in places])
    if not steps.size and not thickness:
        raise ReadError(
            "one slice alone has contours, and its file tells no thickness",
            where=patient,
            remedy="Draw contours on more slices",
        )
    distance = float(np.median(steps)) if steps.size else float(thickness or 0.0)
    both = [[wall for wall in one if wall.wall is not None] for one in places]
    areas = [max(one, key=lambda wall: wall.cavity).wall or 0.0 for one in both if one]
    volume = float(sum(areas)) * distance / 1000
    notes = []
    if len(areas) < len(places):
        notes.append(f"{len(places) - len(areas)} of {len(places)} places have no outer contour")
    if steps.size and np.ptp(steps) > _UNEVEN * distance:
        notes.append(f"the slices lie {steps.min():.1f} to {steps.max():.1f} mm apart")
    return VentricleMass(
        patient, DENSITY * volume, volume, len(areas), len(places), distance, tuple(notes)
    )


def mass_text(found: list[VentricleMass]) -> str:
    """A line a patient, and what must be known beside."""
    rows = [
        [o.patient, f"{o.mass:.1f}", f"{o.volume:.1f}", f"{o.slices} of {o.labelled}",
         f"{o.distance:.1f}"]
        for o in found
    ]  # fmt: skip
    lines = [text_table(["patient", "mass g", "wall ml", "slices", "distance mm"], rows)]
    lines += [f"{one.patient}: {note}." for one in found for note in one.notes]
    return "\n\n".join(lines)


def _wall(item: LabelledSlice) -> tuple[DrawnWall, float | None]:
    pixels = read_labelled(item)
    assert pixels.mask is not None
    place, thickness = _place(item.image)
    if pixels.spacing is None or place is None:
        raise ReadError(
            "the file does not tell its pixel size and where it lies",
            where=item.image,
            remedy="Give the DICOM files as they came from the scanner",
        )
    pixel = pixels.spacing[0] * pixels.spacing[1]
    wall = None if pixels.outer is None else float((pixels.outer & ~pixels.mask).sum()) * pixel
    return DrawnWall(place, float(pixels.mask.sum()) * pixel, wall), thickness


def _place(path: Path) -> tuple[float | None, float | None]:
    """Where a slice lies along its normal, and its thickness, in mm."""
    header = read_header(path)
    position = numbers(header, "ImagePositionPatient", 3)
    along = numbers(header, "ImageOrientationPatient", 6)
    deep = number(header, "SliceThickness")
    deep = deep if deep and deep > 0 else None
    if position is None or along is None:
        return None, deep
    rows, columns = np.reshape(along, (2, 3))
    return float(np.dot(np.cross(rows, columns), position)), deep
