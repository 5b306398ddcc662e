"""What the window exports, without a window: whole or not at all, and the same in a new process."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.evidence.heat_threshold import explained_part
from napari_sparseexplain.export.export_work import (
    ExportChoice,
    What,
    existing_files,
    export_work,
)
from napari_sparseexplain.export.pictures.compositor import PictureSize, compose
from napari_sparseexplain.export.pictures.picture_file import png_bytes
from napari_sparseexplain.export.pictures.plane_picture import voxel_picture
from napari_sparseexplain.progress import drain
from napari_sparseexplain.review.annotation import annotation_on_grid
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.reading import Reading
from napari_sparseexplain.review.review import Camera, KeySlice, joined_maps
from napari_sparseexplain.review.store import save_review

TIME = datetime(2026, 1, 2, tzinfo=UTC)
SIZE = PictureSize(700, 900)


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    """A small study with a signed map over its scan, seen as the Attribution tab shows it."""
    place = tmp_path / "case"
    place.mkdir()
    rng = np.random.default_rng(0)
    affine = np.diag([-1.0, -1.0, 2.0, 1.0])
    nib.save(nib.Nifti1Image(rng.integers(5, 90, (12, 14, 8)).astype(np.int16), affine),
             place / "case_flair.nii.gz")  # fmt: skip
    study = se.open_study(place)
    shape = (3, *study.grid.shape[1:])
    maps = tuple(
        ExplanationMap(name, rng.standard_normal(shape).astype(np.float32), "heatmap", name,
                       value_range=(-2.0, 2.0), signed=True)
        for name in ("one", "two")
    )  # fmt: skip
    record = Provenance("xrai", {}, model="mine", weights_sha256="ab" * 32)
    found = Explanation("xrai", maps, record, study.grid, slice(2, 5), "WT")
    start = default_reading(study, {"xrai": found})
    over = replace(
        start.review.panels[1].overlays[0], blend="heat", share=0.3, opacity=1.0, threshold=None
    )
    panel = replace(
        start.review.panels[1], index=3, overlays=(over,), camera=Camera(20, (5, 6), (300, 280))
    )
    mark = annotation_on_grid("distance", [(3, 2, 2), (3, 9, 6)], study.grid, study="study",
                              plane="axial", index=3)  # fmt: skip
    keys = (KeySlice("study", "axial", 3, "rim"), KeySlice("study", "axial", 2))
    review = replace(start.review, panels=(panel,), annotations=(mark,), key_slices=keys)
    return start.with_review(review)


def test_a_new_process_exports_the_same_bytes(reading: Reading, tmp_path: Path) -> None:
    save_review(reading, tmp_path / "review", arrays=True)
    script = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "from napari_sparseexplain.review.store import restore_review\n"
        "from napari_sparseexplain.export.pictures.compositor import PictureSize, compose\n"
        "from napari_sparseexplain.export.pictures.picture_file import png_bytes\n"
        "picture = compose(restore_review(sys.argv[1]), PictureSize(700, 900),"
        " created=datetime(2026, 1, 2, tzinfo=UTC))\n"
        "Path(sys.argv[2]).write_bytes(png_bytes(picture))\n"
    )
    out = tmp_path / "again.png"
    subprocess.run([sys.executable, "-c", script, tmp_path / "review", out], check=True)
    assert out.read_bytes() == png_bytes(compose(reading, SIZE, created=TIME))


def test_a_map_over_a_scan_is_drawn_as_the_window_draws_it(reading: Reading) -> None:
    from napari_sparseexplain.layers.heat_over_scan import heat_over_scan

    panel = reading.review.panels[0]
    scan, over = panel.scan, panel.overlays[0]
    assert scan is not None
    found = reading.explanations["xrai"]
    inside = explained_part(found, "one", 0.3, 0.0)
    below = reading.studies["study"][scan.role].spatial()[2:5]
    window = heat_over_scan(below, scan.window, found["one"].data, over.limits[1], inside)
    assert np.abs(voxel_picture(reading, panel).astype(int) - window[1]).max() <= 1
    assert 0.25 < inside[1].mean() < 0.35


def test_maps_that_are_added_are_drawn_as_their_sum(reading: Reading) -> None:
    panel = reading.review.panels[0]
    over = replace(panel.overlays[0], name=joined_maps("one", "two"), blend="flat", share=1.0)
    found = reading.explanations["xrai"]
    plane = reading.plane_of(over, panel)
    assert plane is not None
    assert np.allclose(plane, (found["one"].data + found["two"].data)[1])


@contextmanager
def full_disk(most: int) -> Iterator[None]:
    """No file may become larger, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def ordinary_person() -> Iterator[None]:
    """Root may write everywhere; a person may not."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("what", ["slice", "key slices", "every slice", "report"])
def test_a_full_or_closed_disk_leaves_nothing(what: str, reading: Reading, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    path = {"slice": folder / "a.png", "report": folder / "a.pdf"}.get(what, folder)
    choice = ExportChoice(what, path, SIZE, every=4)  # type: ignore[arg-type]
    with full_disk(4000), pytest.raises(SparseExplainError, match="disk that has room"):
        drain(export_work(reading, choice))
    assert list(folder.iterdir()) == []
    folder.chmod(0o555)
    tmp_path.chmod(0o755)
    for place in tmp_path.resolve().parents:
        if place.name.startswith("pytest-"):
            place.chmod(0o755)
    with ordinary_person(), pytest.raises(SparseExplainError, match="may write to"):
        drain(export_work(reading, choice))
    folder.chmod(0o755)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("what", "name"), [("key slices", "out"), ("slice", "r1.pdf")])
def test_what_is_there_is_named_and_left(
    what: What, name: str, reading: Reading, tmp_path: Path
) -> None:
    """Those files that are written, whatever ending a person gave the name."""
    choice = ExportChoice(what, tmp_path / name, SIZE)
    assert existing_files(reading, choice) == []
    written = drain(export_work(reading, choice))
    assert sorted(existing_files(reading, choice)) == sorted(written)
    before = [path.read_bytes() for path in written]
    with pytest.raises(SparseExplainError, match="there already"):
        drain(export_work(reading, choice))
    assert [path.read_bytes() for path in written] == before


def test_nothing_is_exported_while_something_computes(reading: Reading, tmp_path: Path) -> None:
    busy = replace(reading, pending=("Attribution",))
    with pytest.raises(SparseExplainError, match="Attribution: still computing"):
        drain(export_work(busy, ExportChoice("slice", tmp_path / "a.png")))
    assert not (tmp_path / "a.png").exists()


def test_dicom_needs_a_study_from_dicom(reading: Reading, tmp_path: Path) -> None:
    with pytest.raises(SparseExplainError, match="DICOM"):
        drain(export_work(reading, ExportChoice("dicom", tmp_path / "out", SIZE)))
    assert not (tmp_path / "out").exists()
