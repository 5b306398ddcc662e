"""Names, identifiers and dates of the patient: found in the study's files, and kept out of exports.

What is removed follows the Basic Application Level Confidentiality Profile: the attributes that
tell who was examined, by whom, when, and under which number.

References
----------
DICOM PS3.15, Annex E, Table E.1-1
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..review.reading import Reading
from ..volumes import Study
from .dicom_identity import identifying_forms
from .identity_search import SearchedText
from .own_words import is_own, words_of

#: What stands where an identifying value stood.
REMOVED = "[removed]"

#: Facts that are mappings by role, or by the name of a layer.
_NAMED_BY_FILES = frozenset({"inputs_sha256", "values", "value_names"})

#: Numbers that are removed however short they are.
_PATIENTS_NUMBERS = frozenset({"PatientID", "AccessionNumber", "StudyID"})

#: Other numbers with fewer digits are sizes and values of any picture.
_LONG_NUMBER = 8

#: Shorter names of studies occur in any text by chance.
_SHORTEST = 3


def identifying_values(studies: Iterable[Study]) -> frozenset[str]:
    """Values of the studies' headers, and their names, that tell who was examined.

    They come in all the forms that `identifying_forms` knows.
    """
    found: set[str] = set()
    for study in studies:
        numbered = any(word.isdigit() for word in words_of(study.name))
        own = is_own(study.name) and not numbered  # a folder called "scan" names nobody
        if not own and len(study.name) >= _SHORTEST and not study.name.isspace():
            found.add(study.name)
        volumes = [*study.images.values(), *study.labels.values(), *study.originals.values()]
        for volume in volumes:
            header = volume.source.header
            if volume.source.format == "dicom" and header is not None:
                found |= {
                    form
                    for form, keyword in identifying_forms(header)
                    if keyword in _PATIENTS_NUMBERS or not _is_short_number(form)
                }
    return frozenset(found)


def without(text: str, values: Iterable[str]) -> str:
    """The text with every identifying value replaced, however it is written, see `SearchedText`.

    Ethnic group and occupation are removed where they are phrases ("White British"), and not
    where they are one word: "White" stands in "white matter".
    """
    searched = SearchedText(text, numbers_whole=False)
    end, parts = 0, []
    for start, stop in sorted({span for value in values for span in searched.spans(value)}):
        if start >= end:
            parts += [text[end:start], REMOVED]
        end = max(end, stop)
    return "".join([*parts, text[end:]])


def deidentified(value: Any, values: frozenset[str], *, named_by_files: bool = False) -> Any:
    """JSON values with every text in them cleaned.

    Parameters
    ----------
    value : JSON value
    values : frozenset of str
    named_by_files : bool
        Whether the keys of a mapping are cleaned, too: they are this program's own words, but in
        mappings by role or layer.
    """
    if isinstance(value, str):
        return without(value, values)
    if isinstance(value, Mapping):
        return {
            without(k, values) if named_by_files else k: deidentified(
                v, values, named_by_files=k in _NAMED_BY_FILES
            )
            for k, v in value.items()
        }
    if isinstance(value, list | tuple):
        return [deidentified(item, values) for item in value]
    return value


def _is_short_number(form: str) -> bool:
    return len(form) < _LONG_NUMBER and form.replace(".", "").isdigit()


def values_to_remove(reading: Reading, *, identify: bool) -> frozenset[str]:
    """What must not stand in an export of this reading; nothing where names were asked for."""
    return frozenset() if identify else identifying_values(reading.studies.values())
