"""Identifying values are found in words however a person writes them, and nothing besides."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from napari_sparseexplain.export.privacy.identity import (
    REMOVED,
    Identity,
    identity_of_headers,
)


def identity(**elements: object) -> Identity:
    """What a header of these elements tells."""
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    return identity_of_headers([header])


def told_of(value: str) -> tuple[Identity, str]:
    """A number as the patient's number, else a name, with the element's keyword."""
    keyword = "PatientID" if value.isdigit() else "PatientName"
    return identity(**{keyword: value}), keyword


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
        ("McDonald", "MCDONALD"),
        ("MCDONALD^ANNE", "AnneMcDonald"),
        ("Kowalczyk^Zbigniewa^Mx", "KowalczykZbigniewa"),
        ("Kowalczyk^Zbigniewa^Mx", "zbigniewakowalczyk"),
        ("Kowalczyk^Zbigniewa^Mx", "Zbigniewa_Kowalczyk"),
        ("Kowalczyk^Zbigniewa^Mx", "KOWALCZYK-ZBIGNIEWA"),
        ("Li Wang", "li-wang"),
        ("홍길동", "홍길동"),
        ("O'Brien^Li", "O’Brien"),
        ("O'Brien^Li", "o brien"),
        ("Wu^Li", "Li Wu"),
        ("Anna", "Ⓐⓝⓝⓐ"),
        ("Yamada^Tarou=山田^太郎", "山田太郎"),
        ("Ковальчук^Анна", "Анна КОВАЛЬЧУК"),
        ("O'Neill", "Oneill"),
    ],
)
def test_a_value_is_found_however_it_is_written(value: str, said: str) -> None:
    known, keyword = told_of(value)
    cleaned = known.without(f"rim, drawn by {said} (here)")
    assert cleaned.replace("'s", "") == f"rim, drawn by {REMOVED} (here)"
    assert known.found_in(f"drawn by {said} (here)")[0].keyword == keyword


@pytest.mark.parametrize("said", ["drkowalczyk", "kowalczykfinal", "sub-Kowalczyk2"])
def test_a_long_name_is_found_within_a_word(said: str) -> None:
    assert "owalczyk" not in identity(PatientName="Kowalczyk").without(f"scan {said} a")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("Panza", "Expanzata"),
        ("Joe", "Jo"),
        ("Mae", "ma"),
        ("Bauer", "rebauern"),
        ("100", "1000 voxels"),
        ("Ross", "Rosse"),
        ("Seta", "a set a"),
        ("Arnings", "warnings of the program"),
    ],
)
def test_other_words_stay(value: str, said: str) -> None:
    assert told_of(value)[0].without(said) == said


def test_what_overlaps_is_replaced_once_and_every_place_is() -> None:
    known = identity(PatientName="Quixote^Dulcinea", OperatorsName="removed")
    assert known.without("Dulcinea Quixote and quixote") == f"{REMOVED} and {REMOVED}"


def test_numbers_within_numbers_stop_no_export_and_are_removed() -> None:
    known = identity(PatientID="47115")
    assert not known.in_output("score 0.47115, 47115.2")
    assert known.in_output("of 47115.")[0].keyword == "PatientID"
    assert known.without("scan 47115.2") == f"scan {REMOVED}.2"


@pytest.mark.parametrize("keyword", ["EthnicGroup", "Occupation"])
def test_a_word_of_a_group_or_an_occupation_destroys_no_note(keyword: str) -> None:
    """They are no names, numbers or dates; of several words they are taken out of free text."""
    for value, told in (("White", 0), ("White British", 1)):
        known = identity(**{keyword: value})
        assert known.without(f"a {value} patient").count(REMOVED) == told
        assert known.without("White matter lesion") == "White matter lesion"
        assert not any(found.refuses for found in known.found_in(f"a {value} patient"))


@pytest.mark.parametrize(
    "said",
    [
        "7Dec1943",
        "07DEC43",
        "19431207",
        "071243",
        "7.12.1943",
        "07/12/1943",
        "12/7/43",
        "1943-12-07T10:00",
        "Dec 7, 1943",
        "December 7th, 1943",
        "7th of December 1943",
        "7. Dezember 1943",
        "le 7 décembre 1943",
        "7 de diciembre de 1943",
        "7 grudnia 1943",
        "7 XII 1943",
        "1943 Dec 7",
        "x_19431207_flair",
        "1943–12–07",
        "1943·12·07",
        "1943:12:07",
        "07|12|1943",
        "07th Dec ’43",
        "7\n12\n1943",
    ],
)
def test_a_date_is_found_in_any_order_and_language(said: str) -> None:
    known = identity(PatientBirthDate="19431207")
    assert known.in_output(f"born {said}.")[0].keyword == "PatientBirthDate"
    assert "43" not in known.without(f"born {said}.")


@pytest.mark.parametrize("said", ["8.12.1943", "1943", "12.7 mm", "0.19431207", "v7.12.44"])
def test_other_numbers_are_no_date(said: str) -> None:
    assert not identity(PatientBirthDate="19431207").in_output(f"at {said}")


@pytest.mark.parametrize(
    "said", ["left frontal lesion on FLAIR", "head scan, T1 of the brain", "a note on 100 voxels"]
)
def test_words_of_radiology_in_a_description_are_no_names(said: str) -> None:
    known = identity(SeriesDescription="AX FLAIR head left frontal scan T1 100")
    assert known.without(said) == said


def test_other_words_of_a_description_are() -> None:
    known = identity(
        SeriesDescription="Sagittal loc of Wolfeschlegel ward",
        ContrastBolusAgent="Gadobutrol given by Szymborska",
    )
    assert known.without("loc of Wolfeschlegel") == f"loc of {REMOVED}"
    assert known.in_output("Pictures: szymborska")[0].keyword == "ContrastBolusAgent"


def test_private_elements_and_nested_ones_tell_too() -> None:
    header = Dataset()
    inner = Dataset()
    inner.PatientName = "Deepnested^Dora"
    block = header.private_block(0x0029, "SECRETCO 1.0", create=True)
    block.add_new(0x01, "LO", "of Privatename")
    block.add_new(0x02, "OB", b"Blobname\0\1\2")
    block.add_new(0x03, "SQ", [inner])
    known = identity_of_headers([header])
    for said in ("Privatename", "blobname", "Dora Deepnested"):
        assert known.without(said) == REMOVED


@pytest.mark.parametrize("name", ["Score^Held", "Weight^Recipe", "Inferno^Axial", "Edema^Brain"])
def test_a_name_that_is_a_word_of_the_program_stops_no_report(name: str) -> None:
    """Words of model cards, colour maps, planes and code tables: none of them names a patient."""
    known = identity(PatientName=name)
    said = "held-out, a score, weight decay, recipe, inferno; brain, edema"
    assert not known.in_output(said)
    assert known.without(f"seen by {name.replace('^', ' ')}, ward 5").startswith(
        f"seen by {REMOVED}"
    )


def test_a_checksum_holds_no_number() -> None:
    known = identity(PatientID="85604")
    assert not known.in_output("562c725856f874c65a7016cd60685604ad2c1f8b")
    assert not known.in_output("2.25.85604")
    assert known.in_output("sub 85604")
