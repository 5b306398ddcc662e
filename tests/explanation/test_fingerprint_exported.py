"""A fingerprint that leaves the program: PNG, PDF and DICOM hold its values and their units."""

from __future__ import annotations

import json
import sys
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image
from pydicom import dcmread
from pypdf import PdfReader

import napari_sparseexplain as se
from napari_sparseexplain.evidence.colours import PARAMETER_COLORMAP
from napari_sparseexplain.export.report.document import write_report
from napari_sparseexplain.microstructure.walks.phases_file import save_phases
from napari_sparseexplain.progress import drain
from napari_sparseexplain.review.default_review import default_reading

from ..microstructure.small_dictionary import small_phases
from .test_fingerprint import SIDE, SIGMA, write_scan

TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS / "export"), str(TESTS / "volumes")]
from dicom_writing import noise, slices, write  # noqa: E402
from exported_studies import exported, placed_voxels  # noqa: E402

#: A voxel where both bundles cross.
PLACE = (4, 4)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Of both slices, with its study."""
    folder = tmp_path_factory.mktemp("scan")
    write_scan(folder / "scan")
    save_phases(small_phases(), folder / "small.npz")
    # By its name alone: an export refuses a record with the names of the images' folders.
    with chdir(folder):
        return se.explain(
            se.open_study(folder / "scan"), None, "fingerprint", sigma=SIGMA, small_delta=12.9,
            big_delta=21.8, dictionary="small.npz",
        )  # fmt: skip


@pytest.fixture(scope="module")
def objects(found: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Its maps as DICOM objects of a study of as many voxels, by name."""
    folder = tmp_path_factory.mktemp("dicom")
    study = se.open_study(write(folder / "scan", slices(noise(2, SIDE, SIDE))))
    inputs = {study.reference: {"sha256": study[study.reference].source.checksum()}}
    moved = replace(
        found, grid=study.grid, study=None, provenance=replace(found.provenance, inputs=inputs)
    )
    files = exported(moved, study, folder / "out").files
    named = {}
    for file in files:
        header = dcmread(file)
        if header.Modality == "SEG":
            named["populations"] = file
            values = placed_voxels(file, study)["labels"]
            np.testing.assert_array_equal(values, found["populations"].data)
            continue
        (mapping,) = header.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence
        name = next(m.name for m in found.maps if m.name[:16] == str(mapping.LUTLabel))
        named[name] = file
        # As they lie in the patient; where nothing was compared there is no value.
        values = placed_voxels(file, study)["values"]
        expected = np.asarray(found[name].data)
        known = np.isfinite(expected)
        np.testing.assert_array_equal(values[known], expected[known])
        assert (values[~known] == header.get("FloatPixelPaddingValue", np.nan)).all()
    return named


def test_every_map_is_an_object_with_its_own_values(objects: dict[str, Path], found: Any) -> None:
    assert set(objects) == {item.name for item in found.maps}


@pytest.mark.parametrize(
    ("name", "unit"),
    [("radius-1", "um"), ("radius-2-sd", "um"), ("share-1", "1"), ("density-2", "1"),
     ("entropy", "bit"), ("misfit-b3000", "1")],
)  # fmt: skip
def test_units_are_read_back(objects: dict[str, Path], found: Any, name: str, unit: str) -> None:
    header = dcmread(objects[name])
    (mapping,) = header.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == unit
    assert mapping.MeasurementUnitsCodeSequence[0].CodingSchemeDesignator == "UCUM"
    assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1.0, 0.0)
    assert str(found[name].title)[:40] in str(mapping.LUTExplanation)
    volume = hd.imread(objects[name]).get_volume(apply_real_world_transform=False).array
    values = np.asarray(found[name].data)
    assert np.isin(values[np.isfinite(values)], volume).all(), "as another library reads them"


def test_a_picture_has_the_colours_of_the_values_and_says_their_units(
    found: Any, tmp_path: Path
) -> None:
    shown = [item for item in found.maps if item.name in ("share-1", "radius-1")]
    result = replace(found, maps=tuple(shown))
    files = se.save_picture(found.study, result, tmp_path / "maps.png", index=1)
    said = json.dumps(json.loads(files[1].read_text(encoding="utf-8")), ensure_ascii=False)
    for words in ("Radius index r, population 1", "Share ν, population 1", "µm"):
        assert words in said, said
    assert_colours(np.asarray(Image.open(files[0]).convert("RGB")), shown)


def test_a_report_holds_the_maps_and_what_must_be_known(found: Any, tmp_path: Path) -> None:
    shown = [item for item in found.maps if item.name in ("share-1", "radius-1")]
    path = se.report(found.study, replace(found, maps=tuple(shown)), tmp_path / "report.pdf")
    pages = PdfReader(path).pages
    said = " ".join(" ".join(page.extract_text() for page in pages).split())
    misfit = found.scores["median misfit"]
    for words in ("axons alone", "small delta 12.9", f"median misfit {misfit:.3g}", "voxels 112"):
        assert words in said
    (picture,) = pages[1].images
    assert_colours(np.asarray(picture.image.convert("RGB")), shown)


def test_without_key_slices_a_report_has_a_picture_of_its_own_slice(
    found: Any, tmp_path: Path
) -> None:
    """As of a window in which nobody marked a slice."""
    reading = default_reading(found.study, {"maps": found})
    reading = reading.with_review(replace(reading.review, key_slices=()))
    path = drain(write_report(reading, tmp_path / "report.pdf", identify=True))
    pages = PdfReader(path).pages
    said = [" ".join(page.extract_text().split()) for page in pages]
    (page,) = [n for n, text in enumerate(said) if f"axial slice {found.slices.start + 1}" in text]
    (picture,) = pages[page].images
    assert np.asarray(picture.image.convert("RGB")).std() > 10, "it is not empty"
    assert said[0].count("fingerprint") >= 2, "as the method, and in the column of the model"


def assert_colours(picture: np.ndarray, shown: list[Any]) -> None:
    """The colour of a voxel's value is there, for each map."""
    red, green, blue = (picture[..., n].astype(np.int16) for n in range(3))
    for item in shown:
        low, high = item.limits
        value = float(np.asarray(item.data)[1][PLACE])
        colour = np.array(colormaps[PARAMETER_COLORMAP]((value - low) / (high - low))[:3]) * 255
        near = (abs(red - colour[0]) < 6) & (abs(green - colour[1]) < 6)
        assert (near & (abs(blue - colour[2]) < 6)).sum() > 400, item.name
