"""What files tell of a person: values of DICOM and NIfTI headers, names of files and folders."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from nibabel.nifti1 import Nifti1Header
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pydicom.valuerep import PersonName

from ...volumes import Study, Volume

#: A name of a person; a number or place of one person, visit or device; a date; a UID; a text of
#: which every word that is no word of radiology counts; a phrase that counts only as a whole.
Kind = Literal["name", "number", "date", "uid", "text", "phrase"]


class Told(NamedTuple):
    """A value, what kind it is of, and the element or file property that holds it."""

    kind: Kind
    value: str
    keyword: str


#: Elements whose value stands for one person, visit, place or device.
_NUMBERS = frozenset(
    {
        "PatientID",
        "OtherPatientIDs",
        "IssuerOfPatientID",
        "AccessionNumber",
        "StudyID",
        "PatientAddress",
        "PatientTelephoneNumbers",
        "MilitaryRank",
        "InstitutionName",
        "InstitutionAddress",
        "InstitutionalDepartmentName",
        "StationName",
        "DeviceSerialNumber",
        "RequestedProcedureID",
        "ScheduledProcedureStepID",
        "PerformedProcedureStepID",
        "FillerOrderNumberImagingServiceRequest",
        "PlacerOrderNumberImagingServiceRequest",
        "AdmissionID",
        "PatientComments",
        "AdditionalPatientHistory",
    }
)

#: Elements that the profile removes, too, and that are no name, number or date. In words of a
#: person a value of one word stays ("White" of "white matter" tells nothing, and without it the
#: note is destroyed), one of several is taken out.
_PHRASES = frozenset({"EthnicGroup", "Occupation"})

#: Elements of text that tell of the machine or of a code list, not of a person.
_TECHNICAL = frozenset(
    {
        "CodeMeaning",
        "CodeValue",
        "CodingSchemeDesignator",
        "CodingSchemeVersion",
        "LongCodeValue",
        "Manufacturer",
        "ManufacturerModelName",
        "MappingResource",
        "RescaleType",
        "SequenceName",
        "SoftwareVersions",
        "TransmitCoilName",
        "ReceiveCoilName",
    }
)

#: Details of a volume that the readers themselves word, or that hold codes of the standard.
_OUR_DETAILS = frozenset(
    {
        "object",
        "image_type",
        "photometric",
        "axis_attribute",
        "lengths",
        "suv_factors",
        "axis_values",
        "slice_positions",
        "channel",
    }
)

_PIXELS = frozenset({"PixelData", "FloatPixelData", "DoubleFloatPixelData"})
_TEXTS = frozenset({"LO", "SH", "LT", "ST", "UT", "UC", "UR", "AE"})
_BYTES = frozenset({"OB", "UN"})

#: Longer private bytes are a scanner's protocol.
_MOST_BYTES = 256

_UID = re.compile(r"[0-9]+(?:\.[0-9]+){4,}")
_PRINTABLE = re.compile(rb"[\x20-\x7e\x80-\xff]{4,}")


def told_by(studies: Iterable[Study]) -> Iterator[Told]:
    """All that the files of studies tell, and the login name of this machine.

    What headers tell comes first: of a value that stands in several places that is the best name.
    """
    studies = list(studies)
    for study in studies:
        for volume in (*study.images.values(), *study.labels.values(), *study.originals.values()):
            yield from _told_by_volume(volume)
    for study in studies:
        yield Told("text", study.name, "name of the study")
        if study.path is not None:
            yield from _told_by_path(study.path, "name of the study's folder or file")
        for role in (*study.images, *study.labels):
            yield Told("text", role, "name of a scan")
    yield from _told_by_login()


def told_by_header(header: Dataset) -> Iterator[Told]:
    """All that the elements of a DICOM header tell, on all levels."""
    for element in elements(header):
        keyword = element.keyword or str(element.tag)
        if element.VR in _BYTES and isinstance(element.value, bytes):
            if len(element.value) <= _MOST_BYTES:
                for run in _PRINTABLE.findall(element.value):
                    yield Told("text", run.decode("utf-8", "replace"), keyword)
            continue
        for value in texts(element):
            if kind := _kind(element.VR, keyword, value):
                yield Told(kind, value, keyword)


def elements(dataset: Dataset) -> Iterator[DataElement]:
    """All elements but pixels, on all levels; what pydicom cannot convert is passed over."""
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
        except Exception:  # pydicom converts on access and raises whatever the broken bytes provoke
            continue
        if element.VR == "SQ":
            for item in element.value:
                yield from elements(item)
        elif element.keyword not in _PIXELS:
            yield element


def texts(element: DataElement) -> list[str]:
    """Values of an element that are text, without padding; none of numbers and bytes."""
    value: Any = element.value
    if value is None or isinstance(value, bytes | int | float):
        return []
    # A PersonName can be iterated, too: character by character.
    whole = isinstance(value, str | PersonName) or not isinstance(value, Iterable)
    return [said for part in ([value] if whole else value) if (said := str(part).strip(" \0"))]


def _kind(representation: str, keyword: str, value: str) -> Kind | None:
    if keyword in _TECHNICAL:
        return None
    if keyword in _PHRASES:
        return "phrase"
    if representation == "PN":
        return "name"
    if representation in ("DA", "DT"):
        return "date"
    if representation == "UI":
        # Of a class a private one identifies nobody either.
        standard = UID(value).startswith("1.2.840.10008.") or keyword.endswith("ClassUID")
        return None if standard else "uid"
    if representation == "TM":
        # A time of day to the second occurs anywhere; with its fraction it is one scan's.
        return "number" if "." in value else None
    if keyword in _NUMBERS:
        return "number"
    return "text" if representation in _TEXTS else None


def _told_by_volume(volume: Volume) -> Iterator[Told]:
    source = volume.source
    header = source.header
    if isinstance(header, Dataset):
        yield from told_by_header(header)
    elif isinstance(header, Nifti1Header):
        yield from _told_by_nifti(header)
    for keyword, detail in volume.details.items():
        if keyword not in _OUR_DETAILS:
            yield from _told_by_details(detail, keyword)
    if source.description:
        yield Told("text", source.description, "description of a scan")
    for path in source.paths[:1]:
        yield from _told_by_path(path, "name of a file")
    for path in source.paths[1:]:
        yield Told("text", _stem(path), "name of a file")
    if source.locator:
        yield from _told_by_path(Path(source.locator.partition(":")[2]), "locator of a scan")


def _told_by_nifti(header: Nifti1Header) -> Iterator[Told]:
    for field in ("descrip", "aux_file", "db_name", "intent_name", "data_type"):
        if field in header:
            said = bytes(header[field].tobytes()).rstrip(b"\0").decode("utf-8", "replace")
            if said.strip():
                yield Told("text", said, f"{field} of a NIfTI header")
    for extension in header.extensions:
        content = extension.get_content()
        if isinstance(content, Dataset):
            yield from told_by_header(content)
        elif isinstance(content, bytes | str):
            raw = content.encode("utf-8", "replace") if isinstance(content, str) else content
            for run in _PRINTABLE.findall(raw[: 1 << 16]):
                yield Told("text", run.decode("utf-8", "replace"), "extension of a NIfTI header")


def _told_by_details(value: Any, keyword: str) -> Iterator[Told]:
    if isinstance(value, str):
        kind = _kind_of_detail(keyword, value)
        if kind is not None:
            yield Told(kind, value, keyword)
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if str(name) not in _TECHNICAL:
                yield from _told_by_details(part, str(name))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _told_by_details(part, keyword)


def _kind_of_detail(keyword: str, value: str) -> Kind | None:
    """Kind of a value that a reader kept, by the DICOM element of its name where there is one."""
    if _UID.fullmatch(value):
        return "uid"
    if tag_for_keyword(keyword) is None:
        return "text"
    return _kind(dictionary_VR(keyword), keyword, value)


def _told_by_path(path: Path, keyword: str) -> Iterator[Told]:
    yield Told("text", _stem(path), keyword)
    for part in path.parts[:-1]:
        yield Told("text", part, "name of a folder")


def _stem(path: Path) -> str:
    """A file's name without endings that tell its format."""
    name = path.name
    while Path(name).suffix and len(Path(name).suffix) <= 5 and not Path(name).suffix[1:].isdigit():
        name = Path(name).stem
    return name


def _told_by_login() -> Iterator[Told]:
    try:
        yield Told("text", getpass.getuser(), "login name")
    except (OSError, KeyError, ImportError):  # no such user: nothing to tell
        return
