"""DICOM objects that belong together: all of them are there afterwards, or none."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exported_studies import IDENTITY, explained, exported

from dicom_writing import noise, slices, write  # isort: skip

from tests.command_line import run

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.evidence.store import write_explanation
from napari_sparseexplain.export.dicom.objects import (
    CapturedPicture,
    Exported,
    export_several_dicom_work,
)
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes import Study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    scans = slices(noise(3, 12, 16), **IDENTITY)
    return se.open_study(write(tmp_path_factory.mktemp("dicom") / "scan", scans))


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()} if folder.is_dir() else {}


@pytest.mark.parametrize("name", ["replace", "link", "fsync"])
def test_an_export_that_fails_at_any_file_leaves_what_was_there(
    name: str, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(os, name)
    exported(explained(study), study, tmp_path / "before")
    before = contents(tmp_path / "before")
    for at in range(1, 5):
        for out, there in ((tmp_path / "before", before), (tmp_path / f"new{at}", {})):
            calls = 0

            def call(*args: Any, at: int = at, **options: Any) -> Any:
                nonlocal calls
                calls += 1
                if calls == at:
                    raise OSError(28, "No space left on device")
                return real(*args, **options)

            failed = False
            with monkeypatch.context() as patch:
                patch.setattr(os, name, call)
                try:
                    exported(explained(study, seed=1), study, out, overwrite=True)
                except SparseExplainError:
                    failed = True
            now = contents(out)
            assert now == there if failed else len(now) == 2
            before = contents(tmp_path / "before")


def test_several_explanations_are_written_together(study: Study, tmp_path: Path) -> None:
    first = explained(study)
    second = replace(first, method="grad-cam")
    done: Exported = drain(export_several_dicom_work([first, second], study, tmp_path / "out"))
    assert sorted(contents(tmp_path / "out")) == sorted(p.name for p in done.files)
    assert len(done.files) == 4
    # The second names the patient: then the first is not written either.
    telling = replace(second, target=IDENTITY["PatientID"])
    with pytest.raises(SparseExplainError):
        drain(export_several_dicom_work([first, telling], study, tmp_path / "none"))
    assert contents(tmp_path / "none") == {}
    with pytest.raises(SparseExplainError, match="there already"):
        next(export_several_dicom_work([first, second], study, tmp_path / "out"))


def test_the_command_writes_all_explanations_of_a_folder_or_none(
    study: Study, tmp_path: Path
) -> None:
    first = explained(study)
    write_explanation(first, study, tmp_path / "result")
    telling = replace(first, method="grad-cam", target=IDENTITY["PatientID"])
    write_explanation(telling, study, tmp_path / "result")
    arguments = ["export-dicom", tmp_path / "result", "--study", study.path, "--out"]
    done = run(*arguments, tmp_path / "out")
    assert done.returncode == 1
    assert contents(tmp_path / "out") == {}


def test_two_pictures_of_one_name_are_two_files(study: Study, tmp_path: Path) -> None:
    pixels = np.zeros((20, 20, 3), np.uint8)
    pictures = [CapturedPicture("slice", pixels), CapturedPicture("slice", pixels)]
    done = exported(explained(study), study, tmp_path / "out", pictures=pictures)
    assert [p.name for p in done.files[-2:]] == ["slice.dcm", "slice_2.dcm"]
    assert len(contents(tmp_path / "out")) == 4
