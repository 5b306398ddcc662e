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
from napari_sparseexplain.volumes.labelled.scan_folders import scan_folders

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


def test_a_name_in_two_classes_says_nothing(tmp_path: Path) -> None:
    """Pixels say whether it is one picture: `read_class_slices` compares them."""
    for side in ("Training", "Testing"):
        for label in CLASSES:
            (tmp_path / "set" / side / label).mkdir(parents=True)
            for name in ("image(1)", "image(2)"):
                noise = np.random.default_rng(len(side + label + name) * 7 + int(name[6]))
                values = noise.integers(0, 255, (8, 8), np.uint8)
                iio.imwrite(tmp_path / "set" / side / label / f"{name}.png", values)
    found = read(tmp_path / "set")
    assert len(found.images) == 8
    assert {(image.patient, image.number) for image in found.images} == {("", 1), ("", 2)}
    assert codes(found) == {"patients-unknown": 1}


def named(folder: Path, names: list[str]) -> ClassFolder:
    """Empty files of these paths, in which nothing but names is read."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return read(folder)


@pytest.mark.parametrize(
    "pattern",
    ["glioma_{:04d}", "Te-gl_{:04d}", "meningioma{}", "tumor_{}", "y{}", "image({})", "gg ({})",
     "glioma_2019_{:04d}", "glioma-{}-axial"],
)  # fmt: skip
def test_a_word_and_a_number_is_a_picture_and_no_patient(tmp_path: Path, pattern: str) -> None:
    """Public sets number their pictures so: a code for each would be a split at random."""
    names = [f"{label}/{pattern.format(i)}.jpg" for label in CLASSES for i in range(30)]
    found = named(tmp_path, names)
    assert {image.patient for image in found.images} == {""}
    assert [image.number for image in found.images[:30]] == list(range(30))
    assert codes(found) == {"patients-unknown": 1}


@pytest.mark.parametrize(
    ("pattern", "patient"),
    [("00000{:03d}_{:03d}", "00000007"), ("case_{}_slice_{}", "case_7"),
     ("TCGA_CS_{:04d}_19990909_{}", "TCGA_CS_0007"), ("patient{:03d}/image_{}", "patient007"),
     ("p{}/{}", "p7"), ("patient{0}/study1/view{1}_frontal", "patient7")],
)  # fmt: skip
def test_a_code_with_a_number_behind_is_a_patient(
    tmp_path: Path, pattern: str, patient: str
) -> None:
    names = [
        f"{label}/{pattern.format(10 * k + i, j)}.png"
        for k, label in enumerate(CLASSES) for i in range(10) for j in range(1, 4)
    ]  # fmt: skip
    found = named(tmp_path, names)
    patients = Counter(image.patient for image in found.images)
    assert len(patients) == 20
    assert set(patients.values()) == {3}
    assert any(name.startswith(patient) for name in patients)


SEQUENCES = ("T1C+", "FLAIR", "T2", "t1ce", "Axial T2")


@pytest.mark.parametrize("place", ["{scan}/{patient}", "{patient}/{scan}", "{scan}"])
def test_folders_of_sequences_are_no_patients(tmp_path: Path, place: str) -> None:
    """``T2`` has a digit as a code has: whoever lies in it would be one patient with all others."""
    names = [
        f"{label}/{place.format(scan=scan, patient=f'p{10 * k + i}')}/{j + 3 * i}.png"
        for k, label in enumerate(CLASSES) for scan in SEQUENCES for i in range(10)
        for j in range(3)
    ]  # fmt: skip
    found = named(tmp_path, names)
    told = {f"p{i}" for i in range(20)} if "patient" in place else {""}
    assert {image.patient for image in found.images} == told
    assert {image.sequence for image in found.images} == set(SEQUENCES)
    assert {image.run[1] for image in found.images} == {*SEQUENCES[:4], "axial Axial T2"}


def test_folders_of_planes_tell_the_view(tmp_path: Path) -> None:
    planes = {"axial": "ax", "coronal": "Coronal", "sagittal": "sag_T1"}
    names = [f"{c}/{folder}/{i}.png" for c in CLASSES for folder in planes.values()
             for i in range(8)]  # fmt: skip
    found = named(tmp_path, names)
    assert {image.patient for image in found.images} == {""}
    assert {(i.view, i.path.parent.name) for i in found.images} == set(planes.items())
    assert {i.sequence for i in found.images if i.view == "axial"} == {""}
    (tmp_path / "views.csv").write_text(f"number,class,view\n3,{CLASSES[0]},oblique\n")
    told = {i.view for i in read(tmp_path).images if (i.label, i.number) == (CLASSES[0], 3)}
    assert told == {"oblique"}, "a table says it more surely"


def test_codes_that_begin_as_sequences_do_stay_codes(tmp_path: Path) -> None:
    names = [f"{label}/T{10 * k + i}/{j}.png" for k, label in enumerate(CLASSES)
             for i in range(1, 6) for j in range(3)]  # fmt: skip
    found = named(tmp_path, names)
    assert {image.patient for image in found.images} >= {"T1", "T2", "T3"}
    assert {image.sequence for image in found.images} == {""}
    assert scan_folders([("PA",), ("BK",), ("CT12",)]) == frozenset()
    assert scan_folders([("PA",), ("lateral",)]) == {"PA", "lateral"}


def test_a_patient_of_one_picture_is_one_where_the_name_says_so(tmp_path: Path) -> None:
    found = named(tmp_path, [f"{label}/patient{i}.png" for label in CLASSES for i in range(9)])
    assert len({image.patient for image in found.images}) == 9
    assert not found.findings


def test_the_one_patient_of_a_class_stays_one_where_others_have_that_patient_too(
    tmp_path: Path,
) -> None:
    names = [f"disc/0000{p}_{i:03d}.png" for p in (1, 2, 3) for i in range(4)]
    found = named(tmp_path, [*names, *(f"square/00001_{i:03d}.png" for i in range(4, 9))])
    assert {i.patient for i in found.images if i.label == "square"} == {"00001"}


def test_folders_of_patients_count_where_most_have_one_picture(tmp_path: Path) -> None:
    names = [f"{label}/p{10 * k + i}/frontal.png" for k, label in enumerate(CLASSES)
             for i in range(10)]  # fmt: skip
    found = named(tmp_path, [*names, "disc/p3/lateral.png", "disc/p3/study2/lateral.png"])
    assert {image.patient for image in found.images} == {f"p{i}" for i in range(20)}


def test_a_table_names_pictures_by_their_paths(tmp_path: Path) -> None:
    """As CheXpert's does: file names are the same for all patients."""
    folder = tmp_path / "CheX"
    for name in ("train/patient1/study1", "train/patient2/study1", "valid/patient3/study1"):
        (folder / name).mkdir(parents=True)
        (folder / name / "view1_frontal.png").touch()
    (folder / "alone.png").touch()
    table = tmp_path / "train.csv"
    lines = [
        "Path,Class", "CheX/train/patient1/study1/view1_frontal.png,ill",
        "CheX\\train\\patient2\\study1\\view1_frontal.png,well",
        "patient3/study1/view1_frontal,well", "CheX/train/patient9/study1/view1_frontal.png,ill",
        "view1_frontal.png,ill", "old/alone,ill",
    ]  # fmt: skip
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = read(folder, table=table)
    told = {(i.path.relative_to(folder).as_posix(), i.label, i.split) for i in found.images}
    assert told == {
        ("train/patient1/study1/view1_frontal.png", "ill", "train"),
        ("train/patient2/study1/view1_frontal.png", "well", "train"),
        ("valid/patient3/study1/view1_frontal.png", "well", "valid"),
        ("alone.png", "ill", ""),
    }
    assert {i.patient for i in found.images} == {"patient1", "patient2", "patient3", ""}
    assert codes(found)["table-several-images"] == 1
    (said,) = [f.message for f in found.findings if f.code == "table-several-images"]
    assert said.startswith("2 of its 6 rows")


def test_rows_with_cells_too_many_or_too_few_are_read(tmp_path: Path) -> None:
    folder = write_classes(tmp_path / "set", each=2)
    views = folder / "views.csv"
    lines = views.read_text(encoding="utf-8").splitlines()
    lines[1:1] = ["1,disc,axial,more", "2", "²,disc,axial", f"{'9' * 5000},disc,axial"]
    views.write_text("\n".join(lines), encoding="utf-8")
    found = read(folder)
    assert found.images[0].view == "axial"
    assert codes(found) == {"table-cells": 1, "view-without-number": 1}
    table = tmp_path / "data.csv"
    table.write_text("image,class\n1.png,a,behind\n9.png\n10,b\n5,b\n", encoding="utf-8")
    found = read(folder, table=table)
    assert [image.name for image in found.images] == ["1", "5"]
    assert codes(found)["table-cells"] == 2, "of both tables"


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
