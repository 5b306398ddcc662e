"""Identifying values of DICOM headers, and the search for them in what is about to leave.

Two kinds are told apart. What chance does not write (a whole name, a date, a number of five
characters, a UID) is looked for everywhere. What can be a word of any sentence (a part of a name, a
short number) is looked for in words that a person gave, and not in this program's own: a patient
can be called Brain, Zero or Anonymous, and have the number 100.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pydicom.valuerep import PersonName

from ..errors import SparseExplainError
from .identity_search import SearchedText, folded
from .own_words import is_own, words_of

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

#: Elements that the profile removes, too, and that are no name, number or date. No header that is
#: written has them. In words of a person a value of one word stays ("White" of "white matter"
#: tells nothing, and without it the note is destroyed), one of several is taken out; that it
#: occurs is no reason to refuse an export.
_WORDS = frozenset({"EthnicGroup", "Occupation"})

_PIXELS = frozenset({"PixelData", "FloatPixelData", "DoubleFloatPixelData"})

#: Shorter values stand in any text by chance, or are no word; of Chinese or Korean names two
#: characters are enough.
_SHORTEST, _SHORTEST_EAST_ASIAN = 3, 2

#: From this length on a value with a digit, or of several words, is not written by chance.
_CERTAIN = 5

#: First character of the East Asian scripts.
_EAST_ASIAN = "\u2e80"


@dataclass(frozen=True)
class IdentifyingValues:
    """What tells who was examined.

    Attributes
    ----------
    certain, possible : mapping of str to str
        Value, as `folded` writes it, to the keyword of its element: those that chance does not
        write, and those that can be a word.
    """

    certain: Mapping[str, str]
    possible: Mapping[str, str]

    def in_words(self, said: str) -> str | None:
        """Keyword of a value that stands in words which a person gave; None when none does."""
        found = _standing_in(said, self.certain)
        if found is None and not is_own(said):
            found = _standing_in(said, self.possible)
        return found

    def in_element(self, said: str) -> str | None:
        """The same for what is ready to be written, most of it this program's own words."""
        return _standing_in(said, self.certain)


def identifying_values(headers: Iterable[Dataset]) -> IdentifyingValues:
    """Names, numbers of persons and visits, dates, and UIDs of instances; of all levels."""
    certain: dict[str, str] = {}
    possible: dict[str, str] = {}
    for header in headers:
        for form, keyword in identifying_forms(header):
            if keyword in _WORDS:
                continue
            (certain if _is_certain(form) else possible).setdefault(folded(form), keyword)
    return IdentifyingValues(certain, possible)


def identifying_forms(header: Dataset) -> Iterator[tuple[str, str]]:
    """Every form in which an identifying value of a header can be written, with its keyword."""
    for element in elements(header):
        keyword = element.keyword or str(element.tag)
        for value in texts(element):
            for form in _forms(value, element.VR, keyword):
                plain = folded(form)
                if plain and len(plain) >= (
                    _SHORTEST if max(plain) < _EAST_ASIAN else _SHORTEST_EAST_ASIAN
                ):
                    yield form, keyword


def refuse_identity(keyword: str | None, where: str) -> None:
    """Refuse to write what holds the value of an element.

    Raises
    ------
    SparseExplainError
        ``keyword`` is not None. Names what holds the value and the images' element, and not the
        value.
    """
    if keyword is not None:
        raise SparseExplainError(
            f"the {where} would tell who the patient is: it holds the value of the images' "
            f"{keyword}, so nothing was written",
            where="DICOM export",
            remedy="Give it another name and explain again, or keep the identity "
            "(--keep-identity) for the archive that the images came from",
        )


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


def _forms(value: str, representation: str, keyword: str) -> list[str]:
    """How an identifying value can be written; nothing for a value that does not identify."""
    if representation == "PN":
        parts = [part for part in re.split(r"[\^=\s,]+", value) if part]
        # "Doe^Jane" is also said as "Doe Jane" and "Jane Doe".
        return [value, *parts, " ".join(parts), " ".join(parts[:2]), " ".join(parts[1::-1])]
    if representation in ("DA", "DT") and len(value) >= 8:
        year, month, day = value[:4], value[4:6], value[6:8]
        return [
            value,
            value[:8],
            f"{year}-{month}-{day}",
            f"{day}.{month}.{year}",
            f"{day}/{month}/{year}",
        ]
    if representation == "UI":
        # Of a class a private one identifies nobody either.
        standard = UID(value).startswith("1.2.840.10008.") or keyword.endswith("ClassUID")
        return [] if standard else [value]
    # A time of day to the second or coarser occurs anywhere; with its fraction it is one scan's.
    exact = representation == "TM" and "." in value
    phrase = keyword in _WORDS and len(words_of(value)) > 1 and not is_own(value)
    return [value] if exact or phrase or keyword in _NUMBERS else []


def _is_certain(value: str) -> bool:
    words = words_of(value)
    if len(value) < _CERTAIN or not words:
        return False
    if is_own(value) and any(len(word) > 2 and not word.isdigit() for word in words):
        return False  # "label 1" as the number of a study
    return len(words) > 1 or any(character.isdigit() for character in value)


def _standing_in(said: str, values: Mapping[str, str]) -> str | None:
    """Keyword of a value that stands in a text as a word of its own."""
    text = SearchedText(said)
    return next((keyword for value, keyword in values.items() if text.holds(value)), None)
