"""A study opened anew on another grid: its volumes keep the roles that a person gave them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from dicom_writing import noise, slices
from dicom_writing import write as write_dicom
from nifti_writing import write

from napari_sparseexplain.progress import Progress, drain
from napari_sparseexplain.volumes import Study, open_study
from napari_sparseexplain.volumes.opening.open_study import open_study_work

RNG = np.random.default_rng(4)


def again(study: Study, **options) -> Study:
    assert study.path is not None
    return drain(open_study_work(study.path, roles_of=study, **options))


def files(study: Study) -> dict[str, tuple[Path, ...]]:
    return {r: v.source.paths for r, v in {**study.images, **study.labels}.items()}


def scan(path: Path, step: float = 1.0) -> None:
    path.parent.mkdir(exist_ok=True)
    write(path, RNG.integers(1, 500, (6, 7, 8)).astype("i2"), np.diag([-step, -step, step, 1.0]))


def test_files_of_one_name_in_two_folders_are_told_apart(tmp_path: Path) -> None:
    scan(tmp_path / "first" / "t1.nii.gz")
    scan(tmp_path / "second" / "t1.nii.gz", 0.8)
    study = open_study(tmp_path).with_role("t1 (2)", "t1ce")
    other = again(study, reference="t1ce")
    assert other.reference == "t1ce"
    assert files(other) == files(study)


def test_dicom_roles_that_were_edited_are_kept_though_their_descriptions_are_the_same(
    tmp_path: Path,
) -> None:
    for number, name in enumerate(("a", "b")):
        planes = slices(
            noise(4, 6, 5, seed=number),
            series=f"1.2.826.0.1.3680043.8.498.{90 + number}",
            SeriesNumber=number + 1,
            SeriesDescription="T1 axial",
        )
        write_dicom(tmp_path / name, planes)
    study = open_study(tmp_path)
    first, second = study.images
    edited = study.with_role(second, "t1ce")
    other = again(edited, reference="t1ce")
    assert files(other) == files(edited)
    assert set(other.images) == {first, "t1ce"}


def test_two_roles_that_were_swapped_stay_swapped(tmp_path: Path) -> None:
    scan(tmp_path / "a_t1.nii.gz")
    scan(tmp_path / "a_t2.nii.gz")
    study = open_study(tmp_path)
    swapped = study.with_role("t1", "x").with_role("t2", "t1").with_role("x", "t2")
    assert files(again(swapped)) == files(swapped)


def test_what_was_said_of_roles_that_nobody_edited_is_said_again(tmp_path: Path) -> None:
    scan(tmp_path / "a_t1.nii.gz")
    scan(tmp_path / "b_t1.nii.gz")
    study = open_study(tmp_path)
    assert [f.code for f in again(study).findings] == [f.code for f in study.findings]
    assert "duplicate-role" in [f.code for f in study.findings]


def test_a_volume_that_is_new_comes_under_its_own_role(tmp_path: Path) -> None:
    scan(tmp_path / "a_t1.nii.gz")
    study = open_study(tmp_path).with_role("t1", "flair")
    scan(tmp_path / "a_t2.nii.gz")
    assert set(again(study).images) == {"flair", "t2"}
    gone = replace(study, images={**study.images, "pd": study["flair"].with_role("pd")})
    assert set(again(gone).images) >= {"t2"}


def test_every_file_is_a_step(tmp_path: Path) -> None:
    """A person sees that a long folder is being read, and can cancel between its files."""
    scan(tmp_path / "a_t1.nii.gz")
    write_dicom(tmp_path / "series", slices(noise(9, 6, 5), SeriesDescription="T2"))
    steps: list[Progress] = []
    drain(open_study_work(tmp_path), steps.append)
    assert any("a_t1.nii.gz" in step.message for step in steps)
    headers = [step.done for step in steps if "DICOM headers" in step.message]
    assert headers == list(range(1, 10))
