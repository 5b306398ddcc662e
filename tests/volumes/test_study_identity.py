"""Whose scans and of which day; visits within one study; what is warned of before comparing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from napari_sparseexplain.volumes import Study, study_of_arrays
from napari_sparseexplain.volumes.study_identity import day_caption, pair_notes, patient_of
from napari_sparseexplain.volumes.visits import same_kind, visits_of


def study_at(path: str = "", *, dicom: dict[str, str] | None = None) -> Study:
    """One scan whose file has a name, or whose DICOM header says something."""
    study = study_of_arrays({"flair": np.zeros((2, 4, 4))}, name="study")
    volume = study["flair"]
    source = replace(volume.source, paths=(Path(path),) if path else ())
    details: dict[str, str] = {}
    if dicom is not None:
        header = SimpleNamespace(PatientID=dicom.get("PatientID", ""))
        source = replace(source, format="dicom", header=header)
        details = {k: v for k, v in dicom.items() if k == "StudyDate"}
    return replace(study, images={"flair": replace(volume, source=source, details=details)})


@pytest.mark.parametrize(
    ("study", "says"),
    [
        (study_at("p/2023-01-31/flair.nii"), "2023-01-31"),
        (study_at("p/visit/flair.nii"), ""),
        (study_at(dicom={"StudyDate": "20240229"}), "2024-02-29"),
        (study_at(dicom={}), "date removed"),
    ],
)
def test_the_day_is_told_or_that_it_was_removed(study: Study, says: str) -> None:
    assert day_caption(study) == says


def test_other_patients_are_warned_of_by_codes_and_by_headers_without_naming_them() -> None:
    one, other = study_at("BraTS-GLI-00001-000/f.nii"), study_at("BraTS-GLI-00002-000/f.nii")
    later = study_at("BraTS-GLI-00001-001/f.nii")
    assert pair_notes(one, later) == ()
    (note,) = pair_notes(one, other)
    assert "different patients" in note
    assert "00001" not in note
    assert patient_of(study_at(dicom={"PatientID": " Abc "})) == "abc"
    assert pair_notes(study_at("sub-01/f.nii"), study_at("scan/f.nii")) == ()


def test_a_prior_of_a_later_day_is_warned_of() -> None:
    now, before = study_at("a/2023-05-01/f.nii"), study_at("a/2024-05-01/f.nii")
    assert pair_notes(now, before) == ("the prior is dated after the current study",)
    assert pair_notes(before, now) == ()


def test_visits_of_one_study_are_studies_of_their_own_and_scans_of_a_kind_are_found() -> None:
    arrays = {f"study{n} {kind}": np.full((2, 4, 4), n) for n in (1, 2) for kind in ("flair", "t1")}
    study = study_of_arrays(arrays)

    def placed(role: str):
        source = replace(study[role].source, description=role.replace(" ", "_"))
        return replace(study[role], source=source)

    study = replace(study, images={role: placed(role) for role in arrays})
    visits = visits_of(study)
    assert list(visits) == ["study1", "study2"]
    assert list(visits["study1"].images) == ["study1 flair", "study1 t1"]
    assert same_kind("study2 t1", visits["study1"]) == "study1 t1"
    assert visits_of(study_of_arrays({"flair": np.zeros((2, 4, 4))})) == {}
