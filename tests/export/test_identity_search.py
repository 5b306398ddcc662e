"""Identifying values are found in words however a person writes them, and nothing besides."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from napari_sparseexplain.export import dicom_identity
from napari_sparseexplain.export.deidentification import REMOVED, without


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("Müller", "Muller"),
        ("Müller", "mueller"),
        ("Müller", "Müllers"),
        ("Müller", "Mu\u0308ller"),
        ("Müller", "Mül\u00adler"),
        ("MUELLER", "Müller"),
        ("MULLER", "Mueller"),
        ("Sørensen", "Soerensen"),
        ("Weiß", "WEISS"),
        ("Łukasz", "lukasz"),
        ("Núñez", "nunez's"),
        ("Doe Jane", "DOE JANE"),
        ("小明", "小明"),
        ("4711", "4711"),
    ],
)
def test_a_value_is_found_however_it_is_written(value: str, said: str) -> None:
    cleaned = without(f"rim, drawn by {said} (here)", {value})
    assert cleaned.replace("'s", "") == f"rim, drawn by {REMOVED} (here)"
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 192"
    header.PatientName = value
    found = dicom_identity.identifying_values([header])
    assert found.in_words(f"drawn by {said} (here)") == "PatientName"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("Panza", "Expanzata"),
        ("Joe", "Jo"),
        ("Mae", "ma"),
        ("Bauer", "rebauern"),
        ("100", "1000 voxels"),
        ("Ross", "Rosse"),
    ],
)
def test_other_words_stay(value: str, said: str) -> None:
    assert without(said, {value}) == said


def test_what_overlaps_is_replaced_once_and_every_place_is() -> None:
    values = {"Dulcinea Quixote", "Quixote", "Dulcinea", "removed"}
    assert without("Dulcinea Quixote and quixote", values) == f"{REMOVED} and {REMOVED}"


def test_numbers_within_numbers_stop_no_export_and_are_removed() -> None:
    header = Dataset()
    header.PatientID = "47115"
    found = dicom_identity.identifying_values([header])
    assert found.in_element("score 0.47115, 47115.2") is None
    assert found.in_element("of 47115.") == "PatientID"
    assert without("scan 47115.2", {"47115"}) == f"scan {REMOVED}.2"


@pytest.mark.parametrize("keyword", ["EthnicGroup", "Occupation"])
def test_a_word_of_a_group_or_an_occupation_destroys_no_note(keyword: str) -> None:
    """They are no names, numbers or dates; of several words they are taken out of free text."""
    for value, told in (("White", []), ("White British", ["White British"])):
        header = Dataset()
        setattr(header, keyword, value)
        assert [form for form, _ in dicom_identity.identifying_forms(header)] == told
        found = dicom_identity.identifying_values([header])
        assert found.in_words(f"{value} matter lesion") is None
