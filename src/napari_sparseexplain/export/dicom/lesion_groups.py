"""Lesions of a mask as measurement groups of a structured report (PS3.16 TID 1411 and TID 1501)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import highdicom as hd
import numpy as np
import numpy.typing as npt
from pydicom.sr.codedict import codes
from scipy import ndimage
from skimage.measure import find_contours

from ...evidence.lesions.components import Component, components_of
from ...evidence.lesions.lesion import Lesion, lesions_of
from ...evidence.provenance import Provenance
from ...review.region_values import RegionValues
from ...volumes import Grid, Study
from ...volumes.reading_order import ordered_roles
from .codes import MAP_VALUE, MEASURABLE, RANO, lesion_codes
from .deidentification import Deidentification
from .image_places import ImagePlaces
from .mark_groups import Group, add_words, axis_measurements, sites, tracking, value_measurements
from .record import PROGRAM, model_name, program_version, shortened

#: Lesions of a mask that are written; more of them nobody reads.
MOST_LESIONS = 200


@dataclass(frozen=True, eq=False)
class LesionMask:
    """A mask whose lesions are reported.

    Attributes
    ----------
    name : str
        For a person, and for its code.
    mask : ndarray, shape (S, P, L)
        On the study's grid; anything but 0 is in.
    provenance : Provenance or None
        How it was estimated; None of a mask of the study.
    maps : mapping of str to ndarray
        Maps on the study's grid whose mean in each lesion is told, by title.
    """

    name: str
    mask: npt.NDArray[Any]
    provenance: Provenance | None = None
    maps: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)


def lesion_groups(
    given: LesionMask, study: Study, places: ImagePlaces, identity: Deidentification
) -> tuple[list[Group], tuple[Lesion, ...]]:
    """Two groups of each lesion, the largest first.

    One is a volumetric region of interest (TID 1411): outlines on the slices, volume, and of every
    scan mean, standard deviation, min and max. The other, with the same tracking UID, has the two
    diameters of RANO with their ends (TID 1501), and whether they make it measurable.

    Returns
    -------
    groups, lesions
        The lesions that they are of.

    Raises
    ------
    StudyError
        The mask is not of the study's grid.
    SparseExplainError
        It falls into too many pieces.
    """
    components = components_of(given.mask)[:MOST_LESIONS]
    lesions = lesions_of(given.mask, study.grid, given.maps, components=components)
    groups: list[Group] = []
    for component, lesion in zip(components, lesions, strict=True):
        groups += _of_lesion(component, lesion, given, study, places, identity)
    return groups, lesions


def _of_lesion(
    component: Component,
    lesion: Lesion,
    given: LesionMask,
    study: Study,
    places: ImagePlaces,
    identity: Deidentification,
) -> tuple[Group, Group]:
    category, kind = lesion_codes(given.name)
    who = given.provenance
    common: dict[str, Any] = {
        "tracking_identifier": tracking(
            shortened(f"Lesion {lesion.number} of {given.name}"),
            (given.name, lesion.number, lesion.voxels, lesion.place, who and who.weights_sha256),
            places,
            identity,
        ),
        "finding_type": kind,
        "finding_category": category,
        "finding_sites": sites(places),
        "algorithm_id": None if who is None else _algorithm(who),
    }
    measured = [
        hd.sr.Measurement(
            name=codes.SCT.Volume, value=lesion.volume_ml or 0.0, unit=codes.UCUM.CubicCentimeter
        )
    ]
    for values in component_values(component, study):
        if values.voxels:
            measured += value_measurements(values, study[values.role], places, None)
    for title, mean in lesion.values.items():
        if mean is not None:
            found = hd.sr.Measurement(
                name=MAP_VALUE, value=mean, unit=codes.UCUM.NoUnits, derivation=codes.SCT.Mean
            )
            add_words(found, f"Map: {title}", "HAS PROPERTIES")
            measured.append(found)
    outlines = component_outlines(component, study.grid, _slice_axis(places))
    in_space = any(places.pixels(line) is None for line in outlines)  # all in one way
    regions: Any = [places.region("closed", line, in_space=in_space) for line in outlines]
    volume = hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        referenced_regions=regions, measurements=measured, **common
    )
    d = lesion.diameters
    ends = [
        study.grid.world([(d.index, *end) for end in line]) for line in (d.long_line, d.short_line)
    ]
    said = codes.SCT.Yes if lesion.measurable else codes.SCT.No
    lines = hd.sr.MeasurementsAndQualitativeEvaluations(
        measurements=axis_measurements(ends[0], ends[1], places, RANO),
        qualitative_evaluations=[hd.sr.QualitativeEvaluation(MEASURABLE, said)],
        **common,
    )
    return volume, lines


def component_values(component: Component, study: Study) -> list[RegionValues]:
    """What every grey scan measures in a component: mean, SD, min, max, in its unit."""
    found = []
    for role in ordered_roles(study):
        if role not in study.images or study.images[role].colour:
            continue
        volume = study.images[role]
        values = volume.spatial()[component.box][component.inside]
        values = values[volume.measured(values)].astype(np.float64)
        told = (np.nan,) * 4
        if values.size:
            told = (values.mean(), values.std(), values.min(), values.max())
        found.append(RegionValues(role, values.size, *map(float, told), unit=volume.unit))
    return found


def component_outlines(
    component: Component, grid: Grid, axis: int
) -> Sequence[npt.NDArray[np.float64]]:
    """Closed outlines of a component, slice by slice, each (n, 3) in RAS+ millimetres.

    They run midway between marked and unmarked voxels. What is hollow is outlined as a whole: a
    hole has no sign of its own in a report.
    """
    found = []
    for place in range(component.inside.shape[axis]):
        plane = ndimage.binary_fill_holes(np.take(component.inside, place, axis=axis))
        if plane is None or not plane.any():
            continue
        for line in find_contours(np.pad(plane, 1).astype(np.float32), 0.5):
            points = np.insert(line - 1, axis, place, axis=1) + component.start
            found.append(grid.world(points))
    return found


def _slice_axis(places: ImagePlaces) -> int:
    """The axis of the study along which its images are stacked; that of axial slices without."""
    source = places.source
    return int(source.layout.to_display[2, 0]) if source.aligned else 0


def _algorithm(provenance: Provenance) -> hd.sr.AlgorithmIdentification:
    version = f"{PROGRAM} {program_version(provenance)}"
    if provenance.weights_sha256:
        version = f"weights {provenance.weights_sha256[:12]}, {version}"
    return hd.sr.AlgorithmIdentification(
        name=model_name(provenance), version=shortened(version), parameters=[provenance.method]
    )
