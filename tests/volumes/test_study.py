"""Study: volumes by role, frozen; an edit gives a new study."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nifti_writing import write

from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.volumes import Study, open_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    for role in ("t1", "flair"):
        write(tmp_path / f"{role}.nii.gz", np.ones((4, 5, 6), "i2"))
    write(tmp_path / "t2.nii.gz", np.ones((4, 5, 9), "i2"))
    write(tmp_path / "seg.nii.gz", np.ones((4, 5, 6), "u1"))
    return open_study(tmp_path)


def test_volumes_are_found_by_role(study: Study) -> None:
    assert set(study.images) == {"t1", "t2", "flair"}
    assert set(study.labels) == {"seg"}
    assert "seg" in study
    assert study["seg"].kind == "label"


def test_a_missing_role_names_what_there_is(study: Study) -> None:
    with pytest.raises(StudyError, match="t1, t2, seg") as caught:
        study["t1ce"]
    assert caught.value.remedy


def test_a_new_role_gives_a_new_study(study: Study) -> None:
    renamed = study.with_role("t2", "pd").with_role("flair", "t1ce")
    assert set(renamed.images) == {"t1", "pd", "t1ce"}
    assert renamed["pd"].role == "pd"
    assert set(renamed.resamplings) == set(renamed.originals) == {"pd"}
    assert "t2" in study
    assert renamed["pd"].data is study["t2"].data


def test_the_reference_keeps_its_part_under_another_name(study: Study) -> None:
    assert study.with_role(study.reference, "bold").reference == "bold"


def test_a_taken_role_is_refused(study: Study) -> None:
    with pytest.raises(StudyError, match="already taken"):
        study.with_role("t1", "flair")
    assert study.with_role("t1", "t1") is study


def test_an_edited_role_keeps_the_original_as_it_was_on_file() -> None:
    """`originals` holds a volume on its own grid, not the resampled one that shares its role."""
    from dataclasses import replace

    from napari_sparseexplain.volumes import Grid, Source, Study, Volume

    def volume(shape: tuple[int, int, int], role: str) -> Volume:
        source = Source((), "memory", shape, np.eye(4), np.dtype("i2"), np.eye(3)[:, :2])
        return Volume(np.zeros(shape, np.int16), Grid(shape, np.eye(4)), role, "image", source)

    resampled, original = volume((4, 5, 6), "t2"), volume((2, 3, 4), "t2")
    study = Study("s", None, {"t2": resampled}, {}, resampled.grid, "t2")
    edited = replace(study, originals={"t2": original}).with_role("t2", "flair")
    assert edited.originals["flair"].data.shape == (2, 3, 4)
    assert edited.images["flair"].data.shape == (4, 5, 6)
