"""Enhanced multi-frame objects: geometry, scaling and dimensions per frame.

DICOM PS3.3 C.7.6.16: what is common to all frames stands in SharedFunctionalGroupsSequence, what
differs in one item of PerFrameFunctionalGroupsSequence a frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset

from ...errors import ReadError
from .diffusion import enhanced_weighting
from .frames import Frame, base_frame, checked_orientation, clock, frame_count, slice_distance
from .values import exactly, first_item, items, number, numbers, text, texts, value

#: Dimension pointers that only say where a frame lies, not what tells it from others there.
_PLACES = frozenset({"StackID", "InStackPositionNumber", "ImagePositionPatient", "SliceLocation"})


def is_enhanced(header: Dataset) -> bool:
    """Whether the object describes its frames by functional groups."""
    return first_item(header, "PerFrameFunctionalGroupsSequence") is not None


class FunctionalGroups:
    """The functional groups that hold for one frame: its own before the shared ones."""

    def __init__(self, own: Dataset | None, shared: Dataset | None) -> None:
        self._levels = [level for level in (own, shared) if level is not None]

    @classmethod
    def of_all(cls, header: Dataset) -> list[FunctionalGroups]:
        """Those of every frame; empty when the object has none."""
        shared = first_item(header, "SharedFunctionalGroupsSequence")
        return [cls(own, shared) for own in items(header, "PerFrameFunctionalGroupsSequence")]

    def group(self, keyword: str) -> Dataset:
        """First item of a functional group's sequence; an empty data set when there is none."""
        for level in self._levels:
            item = first_item(level, keyword)
            if item is not None:
                return item
        return Dataset()

    def every_group(self) -> Iterable[Dataset]:
        """First items of all public functional groups, the frame's own first."""
        for level in self._levels:
            for tag in sorted(level.keys()):
                keyword = "" if tag.is_private else keyword_for_tag(tag)
                item = first_item(level, keyword) if keyword.endswith("Sequence") else None
                if item is not None:
                    yield item


def enhanced_frames(path: Path, header: Dataset) -> list[Frame]:
    """All frames of an enhanced object with their own place, scaling and dimensions.

    Raises
    ------
    ReadError
        There are fewer functional groups than frames.
    """
    first = base_frame(path, header)
    count = frame_count(path, header)
    groups = FunctionalGroups.of_all(header)
    if len(groups) < count:
        raise ReadError(
            f"the object has {count} frames but describes only {len(groups)} of them",
            where=path,
            remedy="Export the object again from its source",
        )
    pointers = _dimension_pointers(header)
    return [_frame(path, first, groups[k], k, pointers) for k in range(count)]


def _frame(
    path: Path, first: Frame, groups: FunctionalGroups, k: int, pointers: list[str]
) -> Frame:
    measures = groups.group("PixelMeasuresSequence")
    scaling = groups.group("PixelValueTransformationSequence")
    content = groups.group("FrameContentSequence")
    orientation = checked_orientation(
        value(groups.group("PlaneOrientationSequence"), "ImageOrientationPatient"), path
    )
    position = numbers(groups.group("PlanePositionSequence"), "ImagePositionPatient", 3)
    spacing = numbers(measures, "PixelSpacing", 2)
    slope = number(scaling, "RescaleSlope")
    intercept = number(scaling, "RescaleIntercept")
    if spacing is not None and min(spacing) <= 0:
        raise ReadError(
            "PixelSpacing is not positive, so lengths are not defined",
            where=path,
            remedy="Export the object again from its source",
        )
    return replace(
        first,
        number=k,
        signature=(*first.signature, _frame_type(groups), text(content, "StackID")),
        orientation=orientation or first.orientation,
        position=first.position if position is None else (position[0], position[1], position[2]),
        pixel_spacing=first.pixel_spacing if spacing is None else (spacing[0], spacing[1]),
        thickness=slice_distance(measures) or first.thickness,
        slope=slope or first.slope,
        intercept=first.intercept if intercept is None else intercept,
        contrasts={**first.contrasts, **_contrasts(groups)},
        weighting=enhanced_weighting(groups.group("MRDiffusionSequence")) or first.weighting,
        times={**first.times, **_times(groups, content, pointers)},
    )


def _frame_type(groups: FunctionalGroups) -> tuple[str, ...]:
    """Magnitude or phase, water or fat, derived maps: FrameType of whichever modality."""
    for group in groups.every_group():
        kind = texts(group, "FrameType")
        if kind:
            return (*kind, text(group, "ComplexImageComponent"))
    return ()


def _contrasts(groups: FunctionalGroups) -> dict[str, float]:
    found = {
        "echo": number(groups.group("MREchoSequence"), "EffectiveEchoTime"),
        "inversion": number(groups.group("MRModifierSequence"), "InversionTimes"),
        "flip": number(groups.group("MRTimingAndRelatedParametersSequence"), "FlipAngle"),
    }
    return {name: round(v, 4) for name, v in found.items() if v is not None}


def _times(groups: FunctionalGroups, content: Dataset, pointers: list[str]) -> dict[str, Any]:
    position = groups.group("TemporalPositionSequence")
    cardiac = groups.group("CardiacSynchronizationSequence")
    found: dict[str, Any] = {
        "TemporalPositionIdentifier": number(content, "TemporalPositionIndex"),
        "TriggerTime": number(cardiac, "NominalCardiacTriggerDelayTime"),
        "TemporalPositionTimeOffset": number(position, "TemporalPositionTimeOffset"),
        "AcquisitionNumber": number(content, "FrameAcquisitionNumber"),
        "AcquisitionTime": clock(content, "FrameAcquisitionDateTime"),
        "ContentTime": clock(content, "FrameReferenceDateTime"),
    }
    indices = exactly(value(content, "DimensionIndexValues"), len(pointers)) if pointers else None
    if indices is not None:
        rest = tuple(v for v, name in zip(indices, pointers, strict=True) if name not in _PLACES)
        found["DimensionIndexValues"] = rest or None
    return {name: v for name, v in found.items() if v is not None}


def _dimension_pointers(header: Dataset) -> list[str]:
    """Keyword of each dimension index; private ones by their number."""
    names = []
    for item in items(header, "DimensionIndexSequence"):
        pointer = value(item, "DimensionIndexPointer")
        known = keyword_for_tag(pointer) if isinstance(pointer, int) else ""
        names.append(known or str(pointer))
    return names
