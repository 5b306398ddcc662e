"""A volume that is no file is known by its locator, and by the checksum that its reader gives."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.export.privacy.identifying_values import told_by
from napari_sparseexplain.review import reviewed_study
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.store import restore_review, save_review
from napari_sparseexplain.review.study_reference import study_reference
from napari_sparseexplain.volumes.checksum import volume_checksum
from napari_sparseexplain.volumes.volume import is_locator

MEMBER = "zip:scans/anyone_flair.nii"
SUM = hashlib.sha256(b"the member's bytes").hexdigest()


def archived(path: Path, sha256: str = SUM) -> se.Study:
    """A study as a reader of archives would give it: no file but the archive, known by members."""
    made = se.study_of_arrays({"flair": np.random.default_rng(0).random((3, 8, 7))}, name="case")
    flair = made.images["flair"]
    source = replace(flair.source, format="archive", locator=MEMBER, sha256=sha256)
    return replace(made, path=path, images={"flair": replace(flair, source=source)})


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "case.zip"
    path.write_bytes(b"an archive")
    return path


def test_what_is_a_locator_and_what_a_path() -> None:
    assert is_locator("zip:a.nii")
    assert is_locator("dicomweb:https://host/studies/1")
    assert not is_locator("C:\\scans\\a.nii")
    assert not is_locator("folder/a.nii")
    source = se.study_of_arrays({"flair": np.ones((1, 2, 2))})["flair"].source
    assert source.known_by == "", "made in memory"
    with pytest.raises(ValueError, match="names no scheme"):
        replace(source, locator="a.nii", sha256=SUM)
    with pytest.raises(ValueError, match="must give a checksum"):
        replace(source, locator=MEMBER)


def test_a_file_is_known_by_its_path_as_before(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.ones((3, 4, 5), np.float32), np.eye(4)), tmp_path / "a_flair.nii")
    volume = se.open_study(tmp_path / "a_flair.nii")["flair"]
    assert volume.source.known_by == str((tmp_path / "a_flair.nii").resolve())
    content = (tmp_path / "a_flair.nii").read_bytes()
    assert volume_checksum(volume) == hashlib.sha256(content).hexdigest()


def test_checksum_reference_and_record_are_those_of_the_locator(archive: Path) -> None:
    study = archived(archive)
    assert study["flair"].source.known_by == MEMBER
    assert volume_checksum(study["flair"]) == SUM
    other = archived(archive, hashlib.sha256(b"other").hexdigest())
    assert volume_checksum(other["flair"]) != SUM, "two of no file are two"
    (reference,) = study_reference(study).volumes.values()
    assert (reference.file, reference.sha256) == (MEMBER, SUM)
    found = se.explain(study, None, "fista", slices=0, width=3, iterations=2)
    assert found.provenance.inputs == {"flair": {"sha256": SUM}}


def test_a_review_of_it_is_kept_and_opened_again(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_review(default_reading(archived(archive)), tmp_path / "review")
    monkeypatch.setattr(reviewed_study, "open_study", lambda *_, **__: archived(archive))
    again = restore_review(tmp_path / "review")
    (study,) = again.studies.values()
    assert study["flair"].source.locator == MEMBER
    changed = archived(archive, hashlib.sha256(b"other").hexdigest())
    monkeypatch.setattr(reviewed_study, "open_study", lambda *_, **__: changed)
    with pytest.raises(se.SparseExplainError, match="not the file that was reviewed"):
        restore_review(tmp_path / "review")


def test_names_in_a_locator_are_known_as_those_of_a_file(archive: Path) -> None:
    told = {item.value for item in told_by([archived(archive)])}
    assert {"anyone_flair", "scans"} <= told
