"""A mask as a DICOM Segmentation (PS3.3 A.51): one binary segment for each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import highdicom as hd
import numpy as np
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian

from ...evidence.explanation import Explanation
from ...evidence.explanation_map import ExplanationMap
from .codes import segment_codes
from .deidentification import Deidentification
from .planes_array import on_planes
from .record import (
    add_record,
    algorithm,
    device,
    equipment,
    model_name,
    series_description,
    shortened,
)
from .references import CHARACTERS, add_references, new_uid, placeholder, series_number
from .source import DicomSource, Planes


def segmentation(
    item: ExplanationMap,
    explanation: Explanation,
    source: DicomSource,
    identity: Deidentification,
    record: Mapping[str, Any],
    *,
    series_uid: str | None = None,
    instance_number: int = 1,
) -> hd.seg.Segmentation:
    """A label map as a Segmentation object.

    Every explained slice has its frame, also where a class is absent: a slice that was looked at
    is not the same as one that was not.

    Parameters
    ----------
    item : ExplanationMap
        Whole numbers (S, P, L) on the study's grid, 0 outside; ``classes`` names the others.
    explanation, source, identity, record
        What it belongs to, lies on, may say, and how it was made (`checked_explanation`).
    series_uid : str, optional
        Of the series to be made, when several objects form one.
    instance_number : int
        Its number there.

    Returns
    -------
    highdicom.seg.Segmentation
        Segment numbers count from 1 in the order of the labels; the description of each holds its
        label.
    """
    stack = on_planes(item, explanation, source, pad=True)
    labels = _labels(item)
    provenance = explanation.provenance
    array = np.zeros(stack.array.shape, dtype=np.uint16)
    for number, label in enumerate(labels, start=1):
        array[stack.array == label] = number
    planes = stack.planes
    dataset = hd.seg.Segmentation(
        source_images=[placeholder(source, planes, identity)],
        pixel_array=array,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[
            _description(number, label, name, explanation)
            for number, (label, name) in enumerate(labels.items(), start=1)
        ],
        series_instance_uid=series_uid or new_uid(),
        series_number=series_number(source, 901),
        sop_instance_uid=new_uid(),
        instance_number=instance_number,
        series_description=series_description(explanation),
        content_label="SEGMENTATION",
        content_description=shortened(item.title or item.name),
        omit_empty_frames=False,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        specific_character_set=CHARACTERS,
        contributing_equipment=[equipment(explanation, provenance)],
        **place_of(planes),
        **device(provenance),
    )
    add_references(dataset, source, planes, identity, codes.cid7203.SegmentationImageDerivation)
    add_record(dataset, record, item)
    return dataset


def place_of(planes: Planes) -> dict[str, Any]:
    """Position, orientation and voxel size as highdicom's arguments."""
    return {
        "pixel_measures": hd.PixelMeasuresSequence(
            pixel_spacing=planes.pixel_spacing,
            slice_thickness=planes.thickness,
            spacing_between_slices=planes.step,
        ),
        "plane_orientation": hd.PlaneOrientationSequence(
            coordinate_system=hd.CoordinateSystemNames.PATIENT,
            image_orientation=[float(v) for v in planes.orientation],
        ),
        "plane_positions": [
            hd.PlanePositionSequence(
                coordinate_system=hd.CoordinateSystemNames.PATIENT,
                image_position=[float(v) for v in position],
            )
            for position in planes.positions
        ],
    }


def _labels(item: ExplanationMap) -> dict[int, str]:
    """Labels in use or named, with their names."""
    present = {int(v) for v in np.unique(item.data)} | set(item.classes)
    found = {v: item.classes.get(v) or f"label {v}" for v in sorted(present) if v != 0}
    return found or {1: item.title or item.name}


def _description(
    number: int, label: int, name: str, explanation: Explanation
) -> hd.seg.SegmentDescription:
    category, kind = segment_codes(name)
    described = hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=shortened(name),
        segmented_property_category=category,
        segmented_property_type=kind,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm(explanation.provenance),
        tracking_uid=new_uid(),
        tracking_id=shortened(f"{name} by {model_name(explanation.provenance)}"),
    )
    described.SegmentDescription = f"label {label}"
    return described
