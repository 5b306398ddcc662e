"""Folders of classes: what is read, what is told, what is refused."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes.labelled.class_folder import ClassFolder, find_class_images

from .class_pictures import CLASSES, EACH, VIEWS, write_classes


def read(folder: Path, **options: object) -> ClassFolder:
    return drain(find_class_images(folder, **options))  # type: ignore[arg-type]


def codes(found: ClassFolder) -> Counter[str]:
    return Counter(finding.code for finding in found.findings)


def test_classes_numbers_views_and_boxes_are_read(tmp_path: Path) -> None:
    found = read(write_classes(tmp_path / "set"))
    assert found.classes == CLASSES
    assert found.counts() == dict.fromkeys(CLASSES, EACH * len(VIEWS))
    assert not found.findings
    first = found.images[0]
    assert (first.number, first.label, first.view, first.patient) == (1, "disc", "axial", "")
    assert Counter(image.run for image in found.images) == {
        (label, view): EACH for label in CLASSES for view in VIEWS
    }
    (box,) = first.boxes
    assert 0 <= box[0] < box[2] <= 1
    assert 0 <= box[1] < box[3] <= 1


def test_sides_of_a_split_lie_above_the_classes(tmp_path: Path) -> None:
    for side in ("train", "test"):
        write_classes(tmp_path / "set" / side, each=2)
    found = read(tmp_path / "set")
    assert found.classes == CLASSES
    assert {image.split for image in found.images} == {"train", "test"}


def test_a_class_without_images_and_boxes_that_do_not_fit_are_told(tmp_path: Path) -> None:
    folder = write_classes(tmp_path / "set", each=2)
    (folder / "empty").mkdir()
    (folder / "disc" / "1.txt").write_text("0 0.95 0.5 0.3 0.1\n", encoding="utf-8")
    (folder / "disc" / "2.txt").write_text("0 1.5 0.5 0.3 0.1\nno box\n", encoding="utf-8")
    found = read(folder)
    assert codes(found) == {"class-without-images": 1, "box-outside": 2, "box-unread": 1}
    (cut,) = found.images[0].boxes
    assert cut[3] == 1, "cut at the edge"
    assert found.images[1].boxes == ()


def test_a_table_says_the_class_in_place_of_folders(tmp_path: Path) -> None:
    folder = tmp_path / "xrays"
    folder.mkdir()
    for name in ("aa1", "bb2", "cc3"):
        iio.imwrite(folder / f"{name}.png", np.full((8, 9), 7, np.uint8))
    table = tmp_path / "data.csv"
    with table.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["image_id", "patient_id", "finding", "projection"])
        rows.writerows(
            [["aa1", "p1", "covid", "pa"], ["bb2.png", "p2", "normal", "ap"],
             ["gone", "p3", "covid", "pa"], ["cc3", "p4", "", "pa"]]
        )  # fmt: skip
    found = read(folder, table=table)
    assert [(i.name, i.label, i.patient, i.view) for i in found.images] == [
        ("aa1", "covid", "p1", "pa"), ("bb2", "normal", "p2", "ap"),
    ]  # fmt: skip
    assert codes(found) == {"table-without-images": 1, "table-without-class": 1}
    assert "gone" in found.findings[0].message
    by_view = read(folder, table=table, column="projection")
    assert by_view.classes == ("ap", "pa")
    with pytest.raises(ReadError, match=r"no column 'age'.*finding"):
        read(folder, table=table, column="age")


def test_a_name_in_two_classes_is_left_out_of_both(tmp_path: Path) -> None:
    for label in CLASSES:
        (tmp_path / "set" / label).mkdir(parents=True)
        for name in ("patient1", f"only-{label}"):
            iio.imwrite(tmp_path / "set" / label / f"{name}.png", np.zeros((8, 8), np.uint8))
    found = read(tmp_path / "set")
    assert [image.name for image in found.images] == ["only-disc", "only-square"]
    assert codes(found) == {"image-in-two-classes": 1}


@pytest.mark.parametrize("what", ["no folder", "nothing", "one class"])
def test_what_is_no_folder_of_classes_is_refused(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "set"
    if what != "no folder":
        folder.mkdir()
    if what == "one class":
        write_classes(folder, each=1)
        for path in (folder / "square").iterdir():
            path.unlink()
    with pytest.raises(ReadError, match=r"no such folder|none of the|are of one class, disc"):
        read(folder)


@pytest.mark.realdata
def test_chengs_slices_have_boxes_and_views(shared_data: Path) -> None:
    found = read(shared_data / "classification" / "cheng_t1ce")
    assert found.counts() == {"glioma": 839, "meningioma": 467, "pituitary": 592}
    assert all(image.boxes and image.view for image in found.images)
    assert not found.findings
