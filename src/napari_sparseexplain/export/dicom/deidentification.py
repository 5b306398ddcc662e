"""De-identification of what is written as DICOM: the Basic Profile of PS3.15, Annex E.

Objects are made from a header that holds nothing but what this file lets through, so an element
that nobody thought of cannot get in; after that, what was made is searched as every other export is
(`privacy.output_check`).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code

from ...volumes.dicom.values import text

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
_DUMMY = {
    "ContentDate": "19000101",
    "ContentTime": "000000",
    "PresentationCreationDate": "19000101",
    "PresentationCreationTime": "000000",
}

#: Elements that stay, empty (PS3.15 Table E.1-1, action Z).
_EMPTIED = frozenset({"StudyDate", "StudyTime", "PatientBirthDate"})

#: Value representations that hold a date or a time.
_TIMES = frozenset({"DA", "TM", "DT"})

_PROFILE = Code("113100", "DCM", "Basic Application Confidentiality Profile")

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

    def finish(self, dataset: Dataset) -> None:
        """Mark an object that is ready to be written, and take every date and time out of it."""
        if self.keep_identity:
            dataset.PatientIdentityRemoved = "NO"
            return
        _without_times(dataset)
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = "DICOM PS3.15 Basic Profile; only listed elements are kept"
        dataset.DeidentificationMethodCodeSequence = Sequence([_code_item(_PROFILE)])
        dataset.LongitudinalTemporalInformationModified = "REMOVED"

    def _digest(self, what: str) -> bytes:
        return hashlib.blake2b(what.encode(), key=self.key, digest_size=20).digest()


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
