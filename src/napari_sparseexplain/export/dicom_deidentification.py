"""De-identification of what is written as DICOM: the Basic Profile of PS3.15, Annex E.

Objects are made from a header that holds nothing but what this file lets through, so an element
that nobody thought of cannot get in; after that, what was made is searched for every identifying
value of the source's header, and refused if one is found.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code
from pydicom.uid import UID

from ..errors import SparseExplainError
from ..volumes.dicom_values import text

#: What every object must carry about patient and study, empty when unknown (type 2).
PATIENT_AND_STUDY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
)

#: Carried over besides those when the identity is kept.
_KEPT_BESIDES = (
    "IssuerOfPatientID",
    "OtherPatientIDs",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "StudyDescription",
    "InstitutionName",
)

#: Elements that the standard wants to have a value though the profile removes what they say.
_DUMMY = {"ContentDate": "19000101", "ContentTime": "000000"}

#: Elements that stay, empty (PS3.15 Table E.1-1, action Z).
_EMPTIED = frozenset({"StudyDate", "StudyTime", "PatientBirthDate"})

#: Value representations that hold a date or a time.
_TIMES = frozenset({"DA", "TM", "DT"})

_PROFILE = Code("113100", "DCM", "Basic Application Confidentiality Profile")

_PIXELS = frozenset({"PixelData", "FloatPixelData", "DoubleFloatPixelData"})

_VALID = {
    "DA": ("%Y%m%d",),
    "TM": ("%H%M%S.%f", "%H%M%S", "%H%M", "%H"),
}


@dataclass(frozen=True)
class Deidentification:
    """Whether, and with which key, identity is taken out.

    Attributes
    ----------
    keep_identity : bool
        Keep patient, study and UIDs as they are, for the archive that the images came from.
    key : bytes
        UIDs and the patient's code are derived with it. Drawn at random it makes one export
        consistent in itself and not linkable to anything; given, several exports of one patient
        agree with each other.
    """

    keep_identity: bool = False
    key: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)

    def uid(self, original: str) -> str:
        """The UID that stands for ``original``: the same for the same, with one key."""
        if self.keep_identity:
            return original
        return f"2.25.{int.from_bytes(self._digest(original)[:16], 'big')}"

    def code(self, header: Dataset) -> str:
        """What the patient is called: a code by the key, the same for the same patient."""
        whose = text(header, "PatientID") or text(header, "StudyInstanceUID")
        return f"ANON-{self._digest(f'patient {whose}').hex()[:10].upper()}"

    def patient_and_study(self, header: Dataset) -> dict[str, str]:
        """Values for the elements of `PATIENT_AND_STUDY`, and those kept besides.

        Malformed values (a date that is none, a sex that the standard does not know) are left
        empty: a written object must be valid, and nothing is guessed.
        """
        values: dict[str, str] = dict.fromkeys(PATIENT_AND_STUDY, "")
        if not self.keep_identity:
            code = self.code(header)
            return {**values, "PatientName": f"{code}^", "PatientID": code}
        for keyword in PATIENT_AND_STUDY:
            values[keyword] = _valid(keyword, text(header, keyword))
        for keyword in _KEPT_BESIDES:
            if found := text(header, keyword):
                values[keyword] = found
        return values

    def finish(self, dataset: Dataset, headers: Iterable[Dataset]) -> None:
        """Mark an object that is ready to be written, after a search for what must not be there.

        Raises
        ------
        SparseExplainError
            A text that goes into the object holds an identifying value of ``headers``.
        """
        if self.keep_identity:
            dataset.PatientIdentityRemoved = "NO"
            return
        _without_times(dataset)
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = "DICOM PS3.15 Basic Profile; only listed elements are kept"
        dataset.DeidentificationMethodCodeSequence = Sequence([_code_item(_PROFILE)])
        dataset.LongitudinalTemporalInformationModified = "REMOVED"
        values = identifying_values(headers, name_parts=False)
        for element in _elements(dataset):
            for said in _texts(element):
                refuse_identity(said, values, element.keyword or str(element.tag))

    def _digest(self, what: str) -> bytes:
        return hashlib.blake2b(what.encode(), key=self.key, digest_size=20).digest()


def identifying_values(headers: Iterable[Dataset], *, name_parts: bool) -> dict[str, str]:
    """Identifying values of headers, each with the keyword of its element.

    Names, numbers that stand for a person or a visit, dates, and UIDs of instances; of all levels
    of nesting.

    Parameters
    ----------
    headers : iterable of Dataset
    name_parts : bool
        Whether a part of a name (three letters or more) identifies: it does in the name of a
        folder, and not in a sentence of this program, where a word can be a name.
    """
    found: dict[str, str] = {}
    for header in headers:
        for element in _elements(header):
            keyword = element.keyword or str(element.tag)
            for value in _texts(element):
                if element.VR == "PN":
                    found[value] = keyword
                    parts = re.split(r"[\^=\s,]+", value) if name_parts else ()
                    found.update(dict.fromkeys(parts, keyword))
                elif element.VR == "DA" or (element.VR == "DT" and len(value) >= 8):
                    found[value[:8]] = keyword
                elif (element.VR == "UI" and _is_instance(value)) or keyword in _NUMBERS:
                    found[value] = keyword
    return {value: keyword for value, keyword in found.items() if len(value) > 2}


#: Elements whose value stands for one person, visit, place or device.
_NUMBERS = frozenset(
    {
        "PatientID",
        "OtherPatientIDs",
        "AccessionNumber",
        "StudyID",
        "PatientAddress",
        "PatientTelephoneNumbers",
        "MilitaryRank",
        "InstitutionName",
        "InstitutionAddress",
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


def identity_in(said: str, values: Mapping[str, str]) -> str | None:
    """The keyword of an identifying value that stands in a text as a word; None when none does."""
    for value, keyword in values.items():
        if re.search(
            rf"(?<![0-9A-Za-z.]){re.escape(value)}(?![0-9A-Za-z]|\.[0-9])", said, re.IGNORECASE
        ):
            return keyword
    return None


def refuse_identity(said: str, values: Mapping[str, str], where: str) -> None:
    """Refuse a text in which an identifying value stands.

    Raises
    ------
    SparseExplainError
        Names the element or word and the images' element, not the value.
    """
    if keyword := identity_in(said, values):
        raise SparseExplainError(
            f"the {where} of the export would hold the value of the images' {keyword}, so nothing "
            "was written",
            remedy="Rename what holds it (study folder, role, model, target), or keep the identity "
            "(--keep-identity)",
        )


def _without_times(dataset: Dataset) -> None:
    """Take out every date and time, on all levels."""
    for element in list(dataset):
        if element.VR == "SQ":
            for item in element.value:
                _without_times(item)
        elif element.VR in _TIMES:
            if element.keyword in _DUMMY:
                element.value = _DUMMY[element.keyword]
            elif element.keyword in _EMPTIED:
                element.value = ""
            else:
                del dataset[element.tag]


def _elements(dataset: Dataset) -> Iterator[DataElement]:
    """All elements but pixels, on all levels; what pydicom cannot convert is passed over."""
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
        except Exception:  # pydicom converts on access and raises whatever the broken bytes provoke
            continue
        if element.VR == "SQ":
            for item in element.value:
                yield from _elements(item)
        elif element.keyword not in _PIXELS:
            yield element


def _texts(element: DataElement) -> list[str]:
    value: Any = element.value
    if value is None or isinstance(value, bytes | int | float):
        return []
    parts = [value] if isinstance(value, str) or not isinstance(value, Iterable) else value
    return [said for part in parts if (said := str(part).strip(" \0"))]


def _is_instance(uid: str) -> bool:
    """Whether a UID names an instance, and not something that the standard defines."""
    return not UID(uid).startswith("1.2.840.10008.")


def _valid(keyword: str, found: str) -> str:
    if keyword == "PatientSex":
        return found if found in ("M", "F", "O") else ""
    formats = _VALID.get("DA" if keyword.endswith("Date") else "TM" if "Time" in keyword else "")
    if not formats:
        return found
    for form in formats:
        try:
            datetime.strptime(found, form)
        except ValueError:
            continue
        return found
    return ""


def _code_item(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme_designator
    item.CodeMeaning = code.meaning
    return item


def plain_inputs(
    inputs: Mapping[str, Mapping[str, str]], known_roles: Iterable[str]
) -> dict[str, dict[str, str]]:
    """Inputs of a provenance without file names, and without role names that a file gave."""
    known = set(known_roles)
    return {
        role if role in known else f"input {i + 1}": {"sha256": entry.get("sha256", "")}
        for i, (role, entry) in enumerate(inputs.items())
    }
