"""`sparseexplain report` on a study and on a saved review."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from typer.testing import CliRunner

import napari_sparseexplain as se
from napari_sparseexplain.cli import app
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.store import save_review


def test_a_study_and_its_review_give_the_same_files(tmp_path: Path) -> None:
    scan = tmp_path / "case_flair.nii.gz"
    data = np.random.default_rng(0).integers(5, 90, (20, 24, 12)).astype(np.int16)
    nib.save(nib.Nifti1Image(data, np.diag([-1.0, -1.0, 1.0, 1.0])), scan)
    save_review(default_reading(se.open_study(scan)), tmp_path / "review")
    size = ["--width", "420", "--height", "420"]
    names = []
    for given in (scan, tmp_path / "review"):
        out = tmp_path / f"out-{given.name}"
        done = CliRunner().invoke(app, ["report", str(given), "--out", str(out), *size])
        assert done.exit_code == 0, done.output
        names.append(sorted(p.name for p in out.rglob("*") if p.is_file()))
    assert names[0] == names[1] == ["001_axial_007.json", "001_axial_007.png", "report.pdf"]
    again = CliRunner().invoke(app, ["report", str(scan), "--out", str(out), *size])
    assert isinstance(again.exception, SparseExplainError)
    assert "--overwrite" in str(again.exception)
