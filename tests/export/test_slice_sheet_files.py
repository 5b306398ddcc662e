"""A sheet on paper: one picture, one page with verdict and provenance, results that load again."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

import napari_sparseexplain as se
from napari_sparseexplain.cli import app
from napari_sparseexplain.export.report.slice_sheet import PAGE, PICTURE, RECORD, RESULTS

SLICE = 1


def write_scan(folder: Path) -> Path:
    """A small head with a bright ball, and its mask, called by a name that shall not leave."""
    rng = np.random.default_rng(0)
    p, l = np.mgrid[:40, :40]  # noqa: E741
    head = np.hypot(p - 20, l - 20) < 18
    ball = np.hypot(p - 16, l - 24) < 6
    scan = np.where(head, 100 + 5 * rng.standard_normal(head.shape), 0.0)
    scan[ball] = 220
    axes = np.diag([2.0, 2.0, 3.0, 1.0])
    for name, image in {
        "flair": np.stack([scan] * 3, axis=-1).astype(np.float32),
        "seg": np.stack([ball] * 3, axis=-1).astype(np.uint8),
    }.items():
        nib.save(nib.Nifti1Image(image, axes), folder / f"privatename_{name}.nii.gz")
    return folder


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command writes."""
    from typer.testing import CliRunner

    scans = tmp_path_factory.mktemp("scans")
    out = tmp_path_factory.mktemp("sheet") / "out"
    arguments = ["explain-slice", str(write_scan(scans)), "--slice", str(SLICE), "--out", str(out)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "Segmentation by SUM_Seg" in done.output
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code != 0
    assert isinstance(again.exception, se.SparseExplainError)
    return out


def test_picture_and_record_say_the_same(written: Path) -> None:
    record = json.loads((written / RECORD).read_text(encoding="utf-8"))
    with Image.open(written / PICTURE) as picture:
        assert json.loads(picture.text["sparseexplain"]) == record  # type: ignore[attr-defined]
        assert list(picture.size) == record["size_px"]
    sheet = record["sheet"]
    assert sheet["slice"] == SLICE
    assert [part["line"] for part in sheet["parts"]] == record["words"][1:-1]
    assert len(record["panels"]) == 1 + sum(part["trust"] is not None for part in sheet["parts"])
    outlines = [item["name"] for item in record["panels"][0]["overlays"]]
    assert outlines == ["Mask", "SUM_Seg mask"]


def test_the_page_is_one_and_holds_verdict_and_provenance(written: Path) -> None:
    (page,) = PdfReader(written / PAGE).pages
    text = " ".join(page.extract_text().split())
    record = json.loads((written / RECORD).read_text(encoding="utf-8"))
    for line in record["words"]:
        assert " ".join(line.split())[:60] in text
    assert "weights" in text
    assert "RESEARCH ONLY" in text
    assert len(page.images) == 1


def test_results_load_again_and_nobody_is_named(written: Path) -> None:
    noted = json.loads((written / RESULTS / "provenance.json").read_text(encoding="utf-8"))
    assert "xrai" in str(noted)
    found = se.load_explanation(written / RESULTS, "segmentation")
    assert found["mask"].data.shape == (1, 40, 40)
    for path in written.rglob("*"):
        assert "privatename" not in path.name
        if path.suffix in (".json", ".pdf", ".png"):
            assert b"privatename" not in path.read_bytes()
