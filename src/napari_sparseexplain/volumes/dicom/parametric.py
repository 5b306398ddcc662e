"""Parametric Map objects (PS3.3 A.75): each is a volume of its own, under its own name.

Those that this program wrote hold a record of what the map is in a private element; others tell a
label and a unit in their real-world value mapping.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from ...errors import ReadError
from ...files.json_file import parse_json
from .values import first_item, private, text

PARAMETRIC_MAP_CLASS = "1.2.840.10008.5.1.4.1.1.30"

#: Group, creator and element of the private element in which this program keeps how it made a
#: DICOM object (VR UT, JSON).
PRIVATE_GROUP = 0x0077
PRIVATE_CREATOR = "NAPARI-SPARSEEXPLAIN"
PRIVATE_ELEMENT = 0x01


@dataclass(frozen=True)
class MapFacts:
    """What a Parametric Map says of itself.

    Attributes
    ----------
    name : str
        What to call it.
    title, kind, unit : str
        For a person; of a map of this program as in its `ExplanationMap`. May be empty.
    signed : bool
        Whether zero is a meaningful middle.
    own : bool
        Whether this program wrote it.
    """

    name: str
    title: str = ""
    kind: str = ""
    unit: str = ""
    signed: bool = False
    own: bool = False


def is_parametric_map(header: Dataset) -> bool:
    """Whether an object is a Parametric Map."""
    return text(header, "SOPClassUID") == PARAMETRIC_MAP_CLASS


def map_facts(header: Dataset) -> MapFacts:
    """What a Parametric Map is, from its record, else from its real-world value mapping."""
    mapping = _mapping(header)
    label = text(mapping, "LUTLabel")
    said = text(mapping, "LUTExplanation") or text(header, "ContentDescription")
    unit = text(first_item(mapping, "MeasurementUnitsCodeSequence") or Dataset(), "CodeValue")
    unit = "" if unit in ("1", "{}") else unit
    record = own_record(header).get("map")
    if not isinstance(record, dict):
        return MapFacts(
            label or said or text(header, "SeriesDescription") or "map", said, unit=unit
        )
    return MapFacts(
        name=str(record.get("name") or label or "map"),
        title=str(record.get("title") or ""),
        kind=str(record.get("kind") or ""),
        unit=str(record.get("unit") or ""),
        signed=record.get("signed") is True,
        own=True,
    )


def own_record(header: Dataset) -> dict[str, object]:
    """The record of this program in an object; empty when there is none, or a damaged one."""
    found = private(header, PRIVATE_GROUP, PRIVATE_CREATOR, PRIVATE_ELEMENT)
    if found is None:
        return {}
    content = found if isinstance(found, bytes) else str(found)
    try:
        values = parse_json(content)
    except ReadError:
        return {}
    return values if isinstance(values, dict) else {}


def _mapping(header: Dataset) -> Dataset:
    """The first real-world value mapping: shared, of a frame, or of the object."""
    for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        group = first_item(header, keyword)
        if group is not None and (found := first_item(group, "RealWorldValueMappingSequence")):
            return found
    return first_item(header, "RealWorldValueMappingSequence") or Dataset()
