"""Cheng's MATLAB files: class, patient, box and pixels as they lie in HDF5."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.classifiers.class_slices import read_class_slices
from napari_sparseexplain.training.classifiers.class_split import split_classes
from napari_sparseexplain.volumes.labelled.class_folder import find_class_images
from napari_sparseexplain.volumes.labelled.tumour_mat import (
    read_tumour_header,
    read_tumour_picture,
)

h5py = pytest.importorskip("h5py")


def write_slice(path: Path, label: int, patient: str, seed: int = 0) -> np.ndarray:
    """A file as MATLAB writes it: arrays by columns, text as numbers."""
    picture = np.random.default_rng(seed).integers(0, 3000, (40, 48)).astype(np.int16)
    mask = np.zeros((40, 48), np.uint8)
    mask[10:20, 24:36] = 1
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        data = file.create_group("cjdata")
        data["label"] = np.array([[float(label)]])
        data["PID"] = np.array([[ord(letter)] for letter in patient], np.uint16)
        data["image"], data["tumorMask"] = picture.T, mask.T
    return picture


def test_a_slice_says_class_patient_and_box(tmp_path: Path) -> None:
    picture = write_slice(tmp_path / "7.mat", 3, "100360")
    found = read_tumour_header(tmp_path / "7.mat")
    assert (found.label, found.patient, found.number) == ("pituitary", "100360", 7)
    assert found.boxes == ((0.25, 0.5, 0.5, 0.75),)
    np.testing.assert_array_equal(read_tumour_picture(tmp_path / "7.mat"), picture)


def test_a_folder_of_them_is_split_by_patient(tmp_path: Path) -> None:
    for number in range(1, 41):
        label = 1 + number % 2
        write_slice(tmp_path / "set" / f"{number}.mat", label, f"p{number // 4}-{label}", number)
    (tmp_path / "set" / "cvind.mat").write_bytes(b"folds")
    (tmp_path / "set" / "99.mat").write_bytes(b"damaged")
    folder = drain(find_class_images(tmp_path / "set"))
    assert folder.counts() == {"glioma": 20, "meningioma": 20}
    (finding,) = folder.findings
    assert (finding.code, finding.where) == ("unreadable", "99.mat")
    slices = drain(read_class_slices(folder, 32))
    split = split_classes(slices.images)
    assert split.how.startswith("by patient")
    sides = [{slices.images[i].patient for i in p} for p in (split.training, split.judging)]
    assert not sides[0] & sides[1]
    assert slices.boxes(0).any()


def test_what_is_no_such_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    write_slice(tmp_path / "a.mat", 9, "x")
    with pytest.raises(ReadError, match="its label is 9"):
        read_tumour_header(tmp_path / "a.mat")
    with h5py.File(tmp_path / "b.mat", "w") as file:
        file["other"] = 1
    with pytest.raises(ReadError, match="no cjdata/image"):
        read_tumour_picture(tmp_path / "b.mat")


@pytest.mark.parametrize("what", ["chunk", "label", "kinds"])
def test_a_file_that_opens_and_is_damaged_within_is_told(tmp_path: Path, what: str) -> None:
    path = tmp_path / "7.mat"
    picture = write_slice(path, 1, "p1")
    with h5py.File(path, "r+") as file:
        data = file["cjdata"]
        del data["image"]
        if what == "label":
            del data["label"]
            data["label"] = np.zeros((0, 0))
        if what == "kinds":
            data["image"] = np.array([[b"text"]])
        else:
            data.create_dataset("image", data=picture.T, chunks=(48, 40), compression="gzip")
            offset = data["image"].id.get_chunk_info(0).byte_offset
    if what == "chunk":
        content = bytearray(path.read_bytes())
        content[offset : offset + 40] = bytes(40)
        path.write_bytes(content)
    read = read_tumour_header if what == "label" else read_tumour_picture
    with pytest.raises(ReadError, match="its contents cannot be read"):
        read(path)
