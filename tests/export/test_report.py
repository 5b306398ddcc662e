"""Reports and series of pictures: whole or not there, de-identified, bounded in memory."""

from __future__ import annotations

import base64
import re
import tracemalloc
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.export.pictures.compositor import PictureSize, compose
from napari_sparseexplain.export.pictures.picture_file import write_picture
from napari_sparseexplain.export.pictures.picture_series import every_slice, export_slices
from napari_sparseexplain.export.privacy.identity import REMOVED, identity_of_studies
from napari_sparseexplain.export.report.document import write_report
from napari_sparseexplain.progress import drain
from napari_sparseexplain.review.annotation import annotation_on_grid
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.frames import at_slice
from napari_sparseexplain.review.reading import Reading
from napari_sparseexplain.review.review import KeySlice

TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SMALL = PictureSize(420, 420)


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    path = tmp_path_factory.mktemp("case") / "case_flair.nii.gz"
    data = np.random.default_rng(0).integers(5, 90, (20, 24, 30)).astype(np.int16)
    nib.save(nib.Nifti1Image(data, np.diag([-1.0, -1.0, 1.0, 1.0])), path)
    return default_reading(se.open_study(path))


def pages(path: Path) -> int:
    """Pages of a PDF, by its page objects."""
    return len(re.findall(rb"/Type /Page\b(?!s)", path.read_bytes()))


def streams(data: bytes) -> Iterator[bytes]:
    """Contents of a PDF's streams, decompressed."""
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\n?endstream", data, re.DOTALL):
        content = match[1].strip()
        if content.endswith(b"~>"):
            content = base64.a85decode(content[:-2])
        try:
            yield zlib.decompress(content)
        except zlib.error:
            yield content


def test_one_page_a_key_slice_after_the_cover(reading: Reading, tmp_path: Path) -> None:
    keys = tuple(KeySlice("study", "axial", i, f"slice {i}") for i in (3, 8, 12))
    path = drain(write_report(reading, tmp_path / "r.pdf", keys, dpi=60, created=TIME))
    assert pages(path) == 1 + 3
    again = drain(write_report(reading, tmp_path / "s.pdf", keys, dpi=60, created=TIME))
    assert path.read_bytes() == again.read_bytes()


def test_two_hundred_key_slices_have_their_pages(reading: Reading, tmp_path: Path) -> None:
    keys = tuple(KeySlice("study", "axial", i % 30, f"note {i}") for i in range(200))
    path = drain(write_report(reading, tmp_path / "r.pdf", keys, dpi=40, created=TIME))
    assert pages(path) >= 201


def test_cancelling_leaves_nothing_that_looks_finished(reading: Reading, tmp_path: Path) -> None:
    work = export_slices(reading, tmp_path / "pictures", every_slice(reading, 5), SMALL)
    for _ in range(3):
        next(work)
    work.close()
    assert list((tmp_path / "pictures").iterdir()) == []
    report = write_report(reading, tmp_path / "r.pdf", every_slice(reading, 10), dpi=40)
    for _ in range(2):
        next(report)
    report.close()
    assert not (tmp_path / "r.pdf").exists()


def test_every_nth_slice_has_a_picture(reading: Reading, tmp_path: Path) -> None:
    files = drain(export_slices(reading, tmp_path, every_slice(reading, 7), SMALL, created=TIME))
    names = [f"{i + 1:03d}_axial_{s + 1:03d}" for i, s in enumerate(range(0, 30, 7))]
    assert [f.name for f in files] == [n + e for n in names for e in (".png", ".json")]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(f.name for f in files)
    with pytest.raises(SparseExplainError, match="there already"):
        drain(export_slices(reading, tmp_path, every_slice(reading, 7), SMALL))


def test_more_slices_need_no_more_memory(reading: Reading, tmp_path: Path) -> None:
    peaks = []
    for count in (2, 12):
        keys = every_slice(reading)[:count]
        tracemalloc.start()
        drain(export_slices(reading, tmp_path / str(count), keys, PictureSize(700, 700)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.2


def test_without_key_slices_the_remedy_is_said(reading: Reading, tmp_path: Path) -> None:
    with pytest.raises(SparseExplainError, match="--every N"):
        drain(export_slices(reading, tmp_path, (), SMALL))


#: What a scanner writes, and what must not leave.
IDENTIFYING = {
    "PatientName": "Quixote^Dulcinea",
    "PatientID": "HOSP-4711",
    "PatientBirthDate": "19470815",
    "AccessionNumber": "ACC990017",
    "StudyDate": "20240229",
    "InstitutionName": "Toboso General",
    "ReferringPhysicianName": "Panza^Sancho",
}


@pytest.fixture
def dicom_reading(tmp_path: Path) -> Reading:
    folder = tmp_path / "Quixote_Dulcinea_HOSP-4711"
    folder.mkdir()
    series, frame, exam = generate_uid(), generate_uid(), generate_uid()
    for place in range(6):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = MRImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        item = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        for name, value in IDENTIFYING.items():
            setattr(item, name, value)
        item.SOPClassUID, item.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
        item.SeriesInstanceUID, item.FrameOfReferenceUID, item.StudyInstanceUID = (
            series, frame, exam,
        )  # fmt: skip
        item.Modality, item.SeriesDescription = "MR", "ax FLAIR of Quixote"
        item.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        item.ImagePositionPatient = [0, 0, 2.0 * place]
        item.PixelSpacing, item.SliceThickness = [1.0, 1.0], 2.0
        item.Rows, item.Columns = 16, 18
        item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
        item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 12, 11, 0
        item.InstanceNumber = place + 1
        pixels = np.random.default_rng(place).integers(0, 900, (16, 18)).astype(np.uint16)
        item.PixelData = pixels.tobytes()
        pydicom.dcmwrite(folder / f"{place}.dcm", item, enforce_file_format=True)
    reading = default_reading(se.open_study(folder))
    study = reading.studies["study"]
    mark = annotation_on_grid(
        "text", [(2, 4, 4)], study.grid, study="study", plane="axial", index=2,
        text="rim, Dulcinea Quixote",
    )  # fmt: skip
    keys = (KeySlice("study", "axial", 2, "seen by Sancho on 2024-02-29"),)
    return reading.with_review(replace(reading.review, annotations=(mark,), key_slices=keys))


def test_no_identifying_value_is_in_any_byte_of_a_default_export(
    dicom_reading: Reading, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    drain(export_slices(dicom_reading, out / "pictures", size=SMALL))
    drain(write_report(dicom_reading, out / "report.pdf", dpi=50))
    told = {
        "quixote", "dulcinea", "hosp-4711", "19470815", "1947-08-15", "acc990017", "20240229",
        "2024-02-29", "toboso", "panza", "sancho",
    }  # fmt: skip
    files = [p for p in out.rglob("*") if p.is_file()]
    assert {p.name for p in files} >= {"report.pdf", "report-measurements.csv"}
    assert len(files) == 4
    for file in files:
        data = file.read_bytes()
        texts = [data, file.name.encode(), *streams(data)]
        if file.suffix == ".png":
            with Image.open(file) as image:
                image.load()
                texts.append(repr(image.info).encode())
        for text in texts:
            for value in told:
                assert value.encode() not in text.lower(), (file.name, value)
    assert REMOVED in (out / "pictures" / "001_axial_003.json").read_text(encoding="utf-8")


def test_names_stand_where_they_were_asked_for(dicom_reading: Reading, tmp_path: Path) -> None:
    picture = compose(
        at_slice(dicom_reading, dicom_reading.review.key_slices[0]), SMALL, identify=True
    )
    assert picture.record["panels"][0]["study"] == "Quixote_Dulcinea_HOSP-4711"
    _, beside = write_picture(picture, tmp_path / "a.png")
    assert "Dulcinea Quixote" in beside.read_text(encoding="utf-8")


def test_words_that_only_hold_a_name_within_them_stay(dicom_reading: Reading) -> None:
    known = identity_of_studies(dicom_reading.studies.values())
    assert known.without("Expanzata and PANZA") == f"Expanzata and {REMOVED}"
