"""What was exported as DICOM comes back as what it was: one volume a map, by its name."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from exported_studies import explained, exported
from pydicom import dcmread

from dicom_writing import noise, slices, write  # isort: skip
from napari_sparseexplain.evidence.colours import SIGNED_COLORMAP
from napari_sparseexplain.evidence.explanation_map import ExplanationMap
from napari_sparseexplain.layers.study_layers import volume_layer
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.volumes import Study, open_study
from napari_sparseexplain.volumes.intensity.intensity_window import display_limits


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Study:
    scan = slices(noise(6, 20, 24), SeriesDescription="t2_flair", BodyPartExamined="HEAD")
    return open_study(write(tmp_path_factory.mktemp("scan"), scan))


@pytest.fixture(scope="module")
def written(
    source: Study, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, np.ndarray]]:
    """Two maps of values with small ranges, one of them signed and with holes, and a mask."""
    first = explained(source)
    rng = np.random.default_rng(3)
    shape = source.grid.shape
    heat = rng.uniform(-0.2, 0.2, shape).astype(np.float32)
    heat[:, :4] = np.nan
    chance = rng.uniform(0, 0.01, shape).astype(np.float32)
    maps = (
        first["mask"],
        ExplanationMap("heat", heat, "heatmap", title="XRAI", signed=True, value_range=(-0.2, 0.2)),
        ExplanationMap("chance", chance, "parameter map", title="Chance"),
    )
    out = tmp_path_factory.mktemp("exported")
    exported(explained(source, maps=maps), source, out)
    return out, {"heat": heat, "chance": chance, "mask": np.asarray(first["mask"].data)}


def test_one_description_a_series(written: tuple[Path, dict[str, np.ndarray]]) -> None:
    said: dict[str, set[str]] = {}
    for path in written[0].glob("*.dcm"):
        dataset = dcmread(path, stop_before_pixels=True)
        said.setdefault(dataset.SeriesInstanceUID, set()).add(dataset.SeriesDescription)
    assert sorted(len(names) for names in said.values()) == [1, 1]


def test_maps_come_back_by_their_names(written: tuple[Path, dict[str, np.ndarray]]) -> None:
    folder, wanted = written
    study = open_study(folder)
    assert set(study.images) == {"heat", "chance"}
    assert list(study.labels) == ["mask"]
    for name in ("heat", "chance"):
        assert study[name].leading == ()
        np.testing.assert_array_equal(study[name].data, wanted[name])
    assert (study["heat"].signed, study["chance"].signed) == (True, False)
    assert display_limits(study["heat"]) == pytest.approx((-0.2, 0.2))
    _, options, _ = volume_layer(study["heat"], study)
    assert options["colormap"].name == SIGNED_COLORMAP
    panels = default_reading(study).review.panels
    assert [o.colormap for p in panels for o in p.overlays if o.signed] == [SIGNED_COLORMAP]
    assert {finding.code for finding in study.findings} == {"own-output"}


def test_maps_beside_the_scan_leave_it_its_grid_and_its_role(
    written: tuple[Path, dict[str, np.ndarray]], source: Study, tmp_path: Path
) -> None:
    assert source.path is not None
    shutil.copytree(source.path, tmp_path / "all")
    shutil.copytree(written[0], tmp_path / "all" / "maps")
    study = open_study(tmp_path / "all")
    assert study.reference == "flair"
    assert set(study.images) == {"flair", "heat", "chance"}


def test_an_unregistered_input_is_said_in_the_objects(source: Study, tmp_path: Path) -> None:
    from dataclasses import replace

    from napari_sparseexplain.export.dicom.record import read_record
    from napari_sparseexplain.volumes.finding import Finding

    off = replace(source, findings=(Finding("warning", "not-registered", "off", "flair"),))
    done = exported(explained(off), off, tmp_path)
    assert any("NOT REGISTERED: FLAIR" in note for note in done.notes)
    for path in done.files:
        assert any("NOT REGISTERED" in note for note in read_record(dcmread(path))["notes"])


def test_windows_below_1_are_exact(written: tuple[Path, dict[str, np.ndarray]]) -> None:
    """PS3.3 C.11.2.1.2: the plain linear function has no width below 1."""
    found = 0
    for path in written[0].glob("*.dcm"):
        dataset = dcmread(path)
        if "FloatPixelData" not in dataset:
            continue
        (window,) = dataset.SharedFunctionalGroupsSequence[0].FrameVOILUTSequence
        assert 0 < float(window.WindowWidth) < 1
        assert window.VOILUTFunction == "LINEAR_EXACT"
        found += 1
        if checker := shutil.which("dciodvfy"):
            said = subprocess.run([checker, str(path)], capture_output=True, text=True, check=False)
            assert "Error" not in said.stderr + said.stdout
    assert found == 2
