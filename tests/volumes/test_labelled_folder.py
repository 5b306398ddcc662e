"""Labelled slices of a folder: masks by name, contours by image number, whose they are."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes.labelled.contour_file import inside_contour, read_contour
from napari_sparseexplain.volumes.labelled.labelled_folder import (
    ALL_LABELS,
    find_labelled,
    read_labelled,
)
from napari_sparseexplain.volumes.labelled.slice_name import group_of, patient_of


def picture(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    iio.imwrite(path, values.astype(np.uint8))


def dicom(path: Path, values: np.ndarray, spacing: tuple[float, float] = (1.25, 1.5)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    made = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    made.Modality, made.PixelSpacing = "MR", list(spacing)
    made.ImageOrientationPatient, made.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 0]
    made.Rows, made.Columns = values.shape
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation = 15, 0
    made.PixelData = values.astype(np.uint16).tobytes()
    made.save_as(path, enforce_file_format=True)


@pytest.mark.parametrize(
    ("stem", "patient", "group"),
    [
        ("SC-HF-I-01-IM-0001-0048", "SC-HF-I-01", "SC-HF-I"),
        ("SC-HF-NI-34-IM-0001-0220.dcm", "SC-HF-NI-34", "SC-HF-NI"),
        ("case_12_slice_3", "case_12", "case"),
        ("a7", "a7", "a"),
        ("patient001", "patient001", "patient"),
        ("17", "17", "17"),
    ],
)
def test_a_name_tells_patient_and_group(stem: str, patient: str, group: str) -> None:
    assert (patient_of(stem), group_of(patient)) == (patient, group)


def test_masks_go_with_images_of_their_name(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = {
        f"P-0{p}-IM-0001-000{n}": rng.integers(0, 255, (9, 7)) for p in (1, 2) for n in (3, 1)
    }
    for name, values in images.items():
        picture(tmp_path / "images" / f"{name}.png", np.stack([values] * 3, axis=-1))
        picture(tmp_path / "labels" / f"{name}.png", (values > 200) * 255)
    picture(tmp_path / "labels" / "P-09-IM-0001-0001.png", np.zeros((9, 7)))
    found = drain(find_labelled(tmp_path))
    assert found.patients == ("P-01", "P-02")
    assert [(s.name, s.order) for s in found.slices[:2]] == [
        ("P-01-IM-0001-0001", 0),
        ("P-01-IM-0001-0003", 1),
    ]
    assert [f.message for f in found.findings] == ["1 masks have no image of the same name"]
    for item in found.slices:
        pixels = read_labelled(item)
        np.testing.assert_array_equal(pixels.image, images[item.name])
        assert pixels.mask is not None
        np.testing.assert_array_equal(pixels.mask, images[item.name] > 200)
        assert pixels.spacing is None
        assert not pixels.findings
    assert found.without(["P-01"]).patients == ("P-02",)


def test_a_mask_of_other_values_is_said_and_of_another_size_refused(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a_1.png", np.full((8, 8), 30))
    picture(tmp_path / "labels" / "a_1.png", np.arange(64).reshape(8, 8))
    (item,) = drain(find_labelled(tmp_path)).slices
    pixels = read_labelled(item)
    assert pixels.mask is not None
    assert pixels.mask.sum() == 32
    assert "half its largest" in pixels.findings[0]
    picture(tmp_path / "labels" / "a_1.png", np.zeros((8, 9)))
    with pytest.raises(ReadError, match="8×9 pixels and its image 8×8"):
        read_labelled(item)


def test_images_without_masks_are_found_and_said(tmp_path: Path) -> None:
    for n in range(3):
        picture(tmp_path / "images" / f"a_{n}.png", np.full((4, 4), n))
    picture(tmp_path / "labels" / "a_1.png", np.eye(4) * 255)
    found = drain(find_labelled(tmp_path))
    assert [s.mask is not None for s in found.slices] == [False, True, False]
    assert [f.message for f in found.findings] == ["2 of 3 images have no mask"]


@pytest.mark.parametrize("what", ["nothing", "no folder", "a text"])
def test_a_folder_without_slices_is_refused(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "absent" if what == "no folder" else tmp_path
    if what == "a text":
        (tmp_path / "read.me.md").write_text("x")
    with pytest.raises(ReadError):
        drain(find_labelled(folder))


def sunnybrook(root: Path) -> np.ndarray:
    """A case as Sunnybrook's, its number without the zero in one folder."""
    rng = np.random.default_rng(1)
    images = rng.integers(0, 900, (3, 40, 30))
    for number, values in zip((48, 59, 68), images, strict=True):
        dicom(root / "challenge" / "SC-HF-I-1" / f"IM-0001-{number:04d}.dcm", values)
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    place = root / "contours" / "SC-HF-I-01" / "contours-manual" / "IRCCI-expert"
    place.mkdir(parents=True)
    for number, radius, kind in ((48, 6, "i"), (48, 9, "o"), (59, 5, "i"), (77, 5, "i")):
        lines = (f"{15 + radius * np.cos(t):.2f} {20 + radius * np.sin(t):.2f}" for t in turn)
        (place / f"IM-0001-{number:04d}-{kind}contour-manual.txt").write_text("\n".join(lines))
    return images


def test_contours_go_with_dicom_images_of_their_number(tmp_path: Path) -> None:
    images = sunnybrook(tmp_path)
    found = drain(find_labelled(tmp_path))
    assert [(s.name, s.patient) for s in found.slices] == [
        ("SC-HF-I-01-0048", "SC-HF-I-01"),
        ("SC-HF-I-01-0059", "SC-HF-I-01"),
    ]
    assert [f.message for f in found.findings] == ["1 contours have no image of their number"]
    first = read_labelled(found.slices[0])
    np.testing.assert_array_equal(first.image, images[0])
    assert first.spacing == (1.25, 1.5)
    assert first.mask is not None
    assert first.outer is not None
    assert first.mask.sum() == pytest.approx(np.pi * 36, rel=0.05)
    assert first.outer.sum() == pytest.approx(np.pi * 81, rel=0.05)
    rows, columns = np.nonzero(first.mask)
    assert (rows.mean(), columns.mean()) == (pytest.approx(20, abs=0.1), pytest.approx(15, abs=0.1))
    assert read_labelled(found.slices[1]).outer is None


@pytest.mark.parametrize(
    ("text", "said"),
    [("1 2\n3 4\n", "2 points"), ("1 2\n3\n4 5", "line 2"), ("1 2\nnan 3\n4 5", "finite")],
)
def test_a_broken_contour_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "IM-0001-0001-icontour-manual.txt"
    path.write_text(text)
    with pytest.raises(ReadError, match=said):
        read_contour(path)


def test_a_contour_that_is_open_or_leaves_the_image_is_said() -> None:
    turn = np.linspace(0, 1.5 * np.pi, 40)
    open_one = np.stack([20 + 10 * np.cos(turn), 20 + 10 * np.sin(turn)], axis=1)
    inside, said = inside_contour(open_one, (64, 64))
    assert "open" in said[0]
    assert inside.any()
    out = np.array([[-4.0, 2.0], [6.0, 2.0], [6.0, 12.0], [-4.0, 12.0]])
    inside, said = inside_contour(out, (64, 64))
    assert "2 of 4 contour points lie outside" in said[0]
    assert inside[:, 0].any()


@pytest.mark.parametrize(
    ("files", "patients", "masked"),
    [
        (["pat1/images/1.png", "pat1/labels/1.png", "pat2/images/1.png", "pat2/labels/1.png"],
         ("pat1", "pat2"), 2),
        (["images/pat1/1.png", "labels/pat1/1.png", "images/pat2/1.png", "labels/pat2/1.png"],
         ("pat1", "pat2"), 2),
        (["p1/1.png", "p1/1_mask.png", "p2/1.png", "p2/1_mask.png"], ("p1", "p2"), 2),
        (["1.png", "1_mask.png", "2.png", "2_gt.png"], ("1", "2"), 2),
        (["a/scan_1.png", "a/scan_2.png", "b/scan_1.png"], ("a/scan", "b/scan"), 0),
        (["train/images/1.png", "train/masks/1.png", "test/images/1.png", "test/masks/1.png"],
         ("test/1", "train/1"), 2),
        (["p1/img_1.png", "p1/img_2.png", "p2/img_1.png"], ("p1", "p2"), 0),
        (["p1/images/IM-0001-0048.png", "p2/images/IM-0001-0048.png"], ("p1", "p2"), 0),
        (["images/012_1.png", "images/012_2.png", "images/013_1.png"], ("012", "013"), 0),
        (["train/images/P-01_1.png", "test/images/P-01_2.png"], ("P-01",), 0),
    ],
)  # fmt: skip
def test_folders_tell_masks_and_patients(
    tmp_path: Path, files: list[str], patients: tuple[str, ...], masked: int
) -> None:
    for name in files:
        picture(tmp_path / name, np.eye(4) * 255)
    found = drain(find_labelled(tmp_path))
    assert found.patients == patients
    assert sum(item.mask is not None for item in found.slices) == masked
    for item in found.slices:
        if item.mask is not None:
            assert item.mask.parent.relative_to(tmp_path).parts[:1] in (
                (), item.image.relative_to(tmp_path).parts[:1], ("labels",)
            )  # fmt: skip


def test_patients_that_names_do_not_tell_are_said(tmp_path: Path) -> None:
    for n in range(5):
        picture(tmp_path / f"{n}.png", np.eye(4) * 255)
        picture(tmp_path / f"{n}_mask.png", np.eye(4) * 255)
    (said,) = drain(find_labelled(tmp_path)).findings
    assert "patient of its own" in said.message
    for place in ("first", "second"):
        picture(tmp_path / "more" / place / "P-01_1.png", np.eye(4))
    messages = [f.message for f in drain(find_labelled(tmp_path / "more")).findings]
    assert any("none of the images has a mask" in m for m in messages)
    assert any("P-01 lie in 2 folders (first, second)" in m for m in messages)


def test_a_label_map_asks_for_the_label(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a_1.png", np.full((4, 4), 30))
    drawn = np.zeros((4, 4))
    drawn[0], drawn[1] = 1, 3
    picture(tmp_path / "labels" / "a_1.png", drawn)
    (item,) = drain(find_labelled(tmp_path)).slices
    with pytest.raises(ReadError, match=r"several labels \(1, 3\).*--label"):
        read_labelled(item)
    pixels = read_labelled(item, 3)
    assert pixels.mask is not None
    np.testing.assert_array_equal(pixels.mask, drawn == 3)
    assert pixels.labels == {1: 4, 3: 4}
    both = read_labelled(item, ALL_LABELS).mask
    assert both is not None
    np.testing.assert_array_equal(both, drawn > 0)
