"""The table of measurements: the marks' own values, in the report and as CSV beside it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.export.export_work import ExportChoice, existing_files, export_work
from napari_sparseexplain.export.pictures.burned_in import panel_facts
from napari_sparseexplain.export.pictures.compositor import PictureSize
from napari_sparseexplain.export.pictures.plane_view import PlaneView
from napari_sparseexplain.export.report.document import write_report
from napari_sparseexplain.export.report.measurements import (
    measurement_csv,
    measurements,
    region_rows,
)
from napari_sparseexplain.export.report.pages import ReportPages
from napari_sparseexplain.progress import drain
from napari_sparseexplain.review.annotation import annotation_on_grid, measure_text
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.reading import Reading
from napari_sparseexplain.review.region_values import region_voxels
from napari_sparseexplain.review.review import KeySlice

HEADS = [
    *("number", "kind", "comment", "value", "unit", "plane"),
    *("slice (from 1)", "frame", "study", "place"),
]


def marked(reading: Reading) -> Reading:
    """One mark of every kind on slice 3, a distance on slice 5; key slices 3 and 6."""
    grid = reading.studies["study"].grid

    def mark(kind: Any, points: list[tuple[float, float]], index: int, text: str = "") -> Any:
        return annotation_on_grid(
            kind, [(index, *p) for p in points], grid, study="study", plane="axial", index=index,
            text=text,
        )  # fmt: skip

    marks = (
        mark("distance", [(2, 3), (11.3, 9.1)], 3, 'rim, "outer"\nborder'),
        mark("polygon", [(2, 2), (9, 3), (7, 12)], 3),
        mark("ellipse", [(2, 2), (2, 9), (8, 9), (8, 2)], 3),
        mark("arrow", [(2, 2), (9, 9)], 3, "here"),
        mark("text", [(5, 5)], 3, "oedema"),
        mark("distance", [(1, 1), (1, 8)], 5),
    )
    keys = tuple(KeySlice("study", "axial", i) for i in (3, 6))
    return reading.with_review(replace(reading.review, annotations=marks, key_slices=keys))


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    path = tmp_path_factory.mktemp("case") / "case_flair.nii.gz"
    data = np.random.default_rng(0).integers(5, 90, (18, 16, 9)).astype(np.int16)
    nib.save(nib.Nifti1Image(data, np.diag([-0.7, -0.8, 3.0, 1.0])), path)
    return marked(default_reading(se.open_study(path)))


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_csv_has_the_marks_own_measures_words_and_slices(
    reading: Reading, tmp_path: Path
) -> None:
    drain(write_report(reading, tmp_path / "r.pdf", dpi=40))
    rows = table(tmp_path / "r-measurements.csv")
    inside = [f"FLAIR {what}" for what in ("mean", "SD", "min", "max", "voxels")]
    assert list(rows[0]) == HEADS + inside
    for row, mark in zip(rows, reading.review.annotations, strict=True):
        measure = mark.area_mm2 if mark.length_mm is None else mark.length_mm
        assert (float(row["value"]) if row["value"] else None) == measure
        unit = {"distance": "mm", "polygon": "mm²", "ellipse": "mm²"}.get(mark.kind, "")
        assert (row["kind"], row["comment"], row["unit"]) == (mark.kind, mark.text, unit)
        assert (row["plane"], int(row["slice (from 1)"])) == (mark.plane, mark.index + 1)
        x, y, z = np.mean(mark.points, axis=0)
        written = [
            float(v) * (1 if side in "RAS" else -1)
            for side, v in zip(*[iter(row["place"].removesuffix(" mm").split())] * 2, strict=True)
        ]
        assert written == pytest.approx([x, y, z], abs=0.051)


def test_regions_have_what_each_scan_measures_in_them(reading: Reading, tmp_path: Path) -> None:
    drain(write_report(reading, tmp_path / "r.pdf", dpi=40))
    rows = table(tmp_path / "r-measurements.csv")
    study = reading.studies["study"]
    for row, mark in zip(rows, reading.review.annotations, strict=True):
        if mark.area_mm2 is None:
            assert row["FLAIR mean"] == row["FLAIR voxels"] == ""
            continue
        inside = study["flair"].spatial()[3][region_voxels(mark, study.grid)].astype(float)
        assert inside.size > 20
        assert float(row["FLAIR mean"]) == inside.mean()
        assert float(row["FLAIR SD"]) == inside.std()
        assert (float(row["FLAIR min"]), float(row["FLAIR max"])) == (
            inside.min(), inside.max()
        )  # fmt: skip
        assert int(row["FLAIR voxels"]) == inside.size
    shown = region_rows(measurements(reading, identify=False))
    assert [(row[0], row[3], row[8]) for row in shown[1:]] == [
        (row["number"], "FLAIR", row["FLAIR voxels"]) for row in rows if row["FLAIR mean"]
    ]
    panel = reading.review.panels[0].at(3)
    view = PlaneView(study.grid, panel.plane, 3, (64, 64))
    facts = panel_facts(reading, panel, view)["annotations"]
    assert [len(item["values"]) for item in facts] == [0, 1, 1, 0, 0]
    assert facts[1]["values"][0]["mean"] == float(rows[1]["FLAIR mean"])


def test_scans_whose_names_are_removed_keep_their_own_columns(tmp_path: Path) -> None:
    for name, value in (("doe_first", 3), ("doe_second", 8)):
        data = np.full((12, 12, 3), value, np.int16)
        nib.save(nib.Nifti1Image(data, np.diag([-1.0, -1.0, 1.0, 1.0])), tmp_path / f"{name}.nii")
    study = se.open_study(tmp_path)
    box = [(1, 2, 2), (1, 2, 8), (1, 8, 8), (1, 8, 2)]
    mark = annotation_on_grid("polygon", box, study.grid, study="study", plane="axial", index=1)
    reading = default_reading(study)
    reading = reading.with_review(replace(reading.review, annotations=(mark,)))
    found = measurements(reading, identify=False)
    assert {v.mean for v in found[0].values} == {3.0, 8.0}
    assert len({v.role for v in found[0].values}) == 2
    assert not any("doe" in v.role for v in found[0].values)
    (row,) = csv.DictReader(measurement_csv(found).decode("utf-8-sig").splitlines())
    assert {float(row[name]) for name in row if name.endswith(" mean")} == {3.0, 8.0}


def test_without_spacing_the_table_says_what_the_picture_says(tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (30, 20)).astype(np.uint8)).save(path)
    reading = default_reading(se.open_study(path))
    grid = reading.studies["study"].grid

    def mark(kind: Any, *points: tuple[float, float]) -> Any:
        return annotation_on_grid(
            kind, [(0, *p) for p in points], grid, study="study", plane="axial", index=0
        )

    marks = (
        mark("distance", (2, 3), (2, 11)),
        mark("distance", (0, 0), (147.6, 0)),
        mark("polygon", (2, 2), (2, 10), (6, 10), (6, 2)),
        mark("polygon", (0, 0), (0, 15), (10.04, 15), (10.04, 0)),
        mark("arrow", (2, 2), (9, 9)),
    )
    reading = reading.with_review(replace(reading.review, annotations=marks))
    found = measurements(reading, identify=False)
    assert [m.value_text for m in found] == ["8.0 px", "147.6 px", "32.0 px²", "151 px²", ""]
    assert [m.value_text for m in found] == [measure_text(m, calibrated=False) for m in marks]
    assert [m.unit for m in found] == ["px", "px", "px²", "px²", ""]
    assert (found[0].value, found[0].place) == (8.0, "slice 1, row 3, column 8")


def test_the_report_has_all_marks_on_its_cover_and_a_slices_own_on_its_page(
    reading: Reading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables: list[list[list[str]]] = []
    draw = ReportPages.table

    def record(pages: ReportPages, rows: list[list[str]]) -> None:
        tables.append(rows)
        draw(pages, rows)

    monkeypatch.setattr(ReportPages, "table", record)
    drain(write_report(reading, tmp_path / "r.pdf", dpi=40))
    with_marks = [rows for rows in tables if rows and rows[0][:2] == ["", "kind"]]
    cover, page = with_marks  # the second key slice has no marks
    assert [row[0] for row in cover[1:]] == ["1", "2", "3", "4", "5", "6"]
    assert [row[0] for row in page[1:]] == ["1", "2", "3", "4", "5"]
    length = reading.review.annotations[0].length_mm
    assert page[1][3] == f"{length:.1f} mm"


def test_very_many_marks_and_very_long_words_still_make_a_report(
    reading: Reading, tmp_path: Path
) -> None:
    first = reading.review.annotations[0]
    many = tuple(replace(first, text=f"{i} " + "word " * 200) for i in range(60))
    full = reading.with_review(replace(reading.review, annotations=many))
    drain(write_report(full, tmp_path / "r.pdf", dpi=40))
    assert len(table(tmp_path / "r-measurements.csv")) == 60
    assert table(tmp_path / "r-measurements.csv")[59]["comment"] == many[59].text


def test_a_table_that_is_there_is_named_and_left(reading: Reading, tmp_path: Path) -> None:
    choice = ExportChoice("report", tmp_path / "r.pdf", PictureSize(420, 420))
    written = drain(export_work(reading, choice))
    assert [p.name for p in written] == ["r.pdf", "r-measurements.csv"]
    assert existing_files(reading, choice) == written
    (tmp_path / "r.pdf").unlink()
    with pytest.raises(SparseExplainError, match="there already"):
        drain(export_work(reading, choice))
    assert not (tmp_path / "r.pdf").exists()


def test_without_marks_there_is_no_table(reading: Reading, tmp_path: Path) -> None:
    bare = reading.with_review(replace(reading.review, annotations=()))
    drain(write_report(bare, tmp_path / "r.pdf", dpi=40))
    assert [p.name for p in tmp_path.iterdir()] == ["r.pdf"]


def test_each_report_of_a_folder_has_its_own_table(reading: Reading, tmp_path: Path) -> None:
    drain(write_report(reading, tmp_path / "first.pdf", dpi=40))
    before = (tmp_path / "first-measurements.csv").read_bytes()
    one = reading.with_review(
        replace(reading.review, annotations=reading.review.annotations[:1], key_slices=())
    )
    drain(write_report(one, tmp_path / "second.pdf", dpi=40))
    assert (tmp_path / "first-measurements.csv").read_bytes() == before
    assert len(table(tmp_path / "second-measurements.csv")) == 1


def test_a_report_rewritten_without_marks_takes_its_table_away(
    reading: Reading, tmp_path: Path
) -> None:
    drain(write_report(reading, tmp_path / "r.pdf", dpi=40))
    drain(write_report(reading, tmp_path / "other.pdf", dpi=40))
    bare = reading.with_review(replace(reading.review, annotations=()))
    choice = ExportChoice("report", tmp_path / "r.pdf")
    assert tmp_path / "r-measurements.csv" in existing_files(bare, choice), "asked for"
    (tmp_path / "r.pdf").unlink()
    with pytest.raises(SparseExplainError, match="there already"):
        drain(export_work(bare, choice))
    drain(export_work(bare, replace(choice, overwrite=True)))
    there = {p.name for p in tmp_path.iterdir()}
    assert there == {"r.pdf", "other.pdf", "other-measurements.csv"}


def test_a_spreadsheet_reads_the_words_and_runs_none_of_them(reading: Reading) -> None:
    first = reading.review.annotations[0]
    said = ["=1+1", "+1", "-2", "@SUM(A1)", "\t=1", "Größe", "a = b"]
    marks = tuple(replace(first, text=text) for text in said)
    found = measurements(
        reading.with_review(replace(reading.review, annotations=marks)), identify=False
    )
    content = measurement_csv(found)
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
    assert [row["comment"] for row in rows] == [f"'{text}" for text in said[:5]] + said[5:]
    assert {float(row["value"]) for row in rows} == {first.length_mm}
