"""A map of values as a DICOM Parametric Map (PS3.3 A.75): 32-bit floats, stored as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import highdicom as hd
import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes

from ...evidence.explanation import Explanation
from ...evidence.explanation_map import ExplanationMap
from ...volumes.dicom.values import text
from .codes import quantity_code, region_code, unit_code
from .deidentification import Deidentification
from .planes_array import on_planes
from .record import add_record, device, equipment, series_description, shortened
from .references import CHARACTERS, add_references, coded, new_uid, placeholder, series_number
from .segmentation import place_of
from .source import DicomSource

#: What stands where there is no value; said in Float Pixel Padding Value.
PADDING = float(np.finfo(np.float32).min)


def parametric_map(
    item: ExplanationMap,
    explanation: Explanation,
    source: DicomSource,
    identity: Deidentification,
    record: Mapping[str, Any],
    *,
    series_uid: str | None = None,
    instance_number: int = 1,
) -> hd.pm.ParametricMap:
    """A map (S, P, L) as a Parametric Map object.

    Stored values are the map's own; the real-world value mapping is the identity with the unit
    and what the values are. Where the map has no finite value, `PADDING` stands.

    Parameters
    ----------
    item : ExplanationMap
        Numbers (S, P, L) on the study's grid.
    explanation, source, identity, record, series_uid, instance_number
        As for `segmentation`.
    """
    stack = on_planes(item, explanation, source, pad=False)
    array = np.ascontiguousarray(stack.array, dtype=np.float32)
    valid = np.isfinite(array)
    low, high = (
        (float(array[valid].min()), float(array[valid].max())) if valid.any() else (0.0, 0.0)
    )
    shown = item.value_range or (low, high)
    provenance = explanation.provenance
    dataset = hd.pm.ParametricMap(
        source_images=[placeholder(source, stack.planes, identity)],
        pixel_array=array if valid.all() else np.where(valid, array, np.float32(PADDING)),
        series_instance_uid=series_uid or new_uid(),
        series_number=series_number(source, 902),
        sop_instance_uid=new_uid(),
        instance_number=instance_number,
        series_description=series_description(explanation),
        # A gradient or a filtered scan of a head may show the face as the scan does.
        contains_recognizable_visual_features=True,
        real_world_value_mappings=[
            hd.pm.RealWorldValueMapping(
                lut_label=shortened(item.name, 16),
                lut_explanation=shortened(_as_text(item)),
                unit=unit_code(item.unit),
                value_range=(low, high),
                slope=1.0,
                intercept=0.0,
                quantity_definition=quantity_code(item.kind),
            )
        ],
        voi_lut_transformations=[
            hd.VOILUTTransformation(
                window_center=(shown[0] + shown[1]) / 2,
                window_width=max(shown[1] - shown[0], 1e-6),
                # The linear function of PS3.3 C.11.2.1.2 knows no width below 1, and takes half a
                # grey value off: both are for whole numbers.
                voi_lut_function=hd.VOILUTFunctionValues.LINEAR_EXACT,
            )
        ],
        content_label="MAP",
        content_description=shortened(item.title or item.name),
        content_qualification=hd.ContentQualificationValues.RESEARCH,
        specific_character_set=CHARACTERS,
        contributing_equipment=[equipment(explanation, provenance)],
        **place_of(stack.planes),
        **device(provenance),
    )
    dataset.ContentCreatorName = None  # type 2, and a person made nothing here
    _order_frames(dataset)
    _say_region(dataset, text(source.header, "BodyPartExamined"))
    if not valid.all():
        dataset.FloatPixelPaddingValue = PADDING
        dataset.FloatPixelPaddingRangeLimit = PADDING
    add_references(
        dataset, source, stack.planes, identity, codes.DCM.UnspecifiedMethodOfCalculation
    )
    add_record(dataset, record, item)
    return dataset


def _order_frames(dataset: Dataset) -> None:
    """Frames along the normal of the planes.

    highdicom writes them against it. The tags say where each lies, but there are readers (dcmqi
    1.5.7) that count them from the first position instead.
    """
    shared = dataset.SharedFunctionalGroupsSequence[0]
    across = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, dtype=np.float64)
    normal = np.cross(across[:3], across[3:])
    groups = list(dataset.PerFrameFunctionalGroupsSequence)
    places = [
        np.array(group.PlanePositionSequence[0].ImagePositionPatient, dtype=np.float64) @ normal
        for group in groups
    ]
    order = np.argsort(places, kind="stable")
    pixels = np.frombuffer(dataset.FloatPixelData, dtype="<f4").reshape(len(groups), -1)
    dataset.FloatPixelData = pixels[order].tobytes()
    dataset.PerFrameFunctionalGroupsSequence = Sequence([groups[place] for place in order])
    for number, place in enumerate(order, start=1):
        groups[place].FrameContentSequence[0].DimensionIndexValues = number


def _say_region(dataset: Dataset, body_part: str) -> None:
    """Frame Anatomy, where the images name a region that has a code."""
    region = region_code(body_part)
    if region is None:
        dataset.Laterality = ""  # not known; an empty value says so where the standard asks
    else:
        anatomy = Dataset()
        anatomy.AnatomicRegionSequence = coded(region)
        anatomy.FrameLaterality = "U"  # of both sides, or of none
        dataset.SharedFunctionalGroupsSequence[0].FrameAnatomySequence = Sequence([anatomy])


def _as_text(item: ExplanationMap) -> str:
    unit = f" [{item.unit}]" if item.unit else ""
    return f"{item.title or item.name}{unit}"
