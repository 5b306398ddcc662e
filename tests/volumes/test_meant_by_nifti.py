"""What the voxels of a NIfTI file are: masks off by rounding, channels, vectors, mirrors."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dicom_writing import image, noise, save
from nifti_writing import write

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.volumes import open_study
from napari_sparseexplain.volumes.labels.names import label_names
from napari_sparseexplain.volumes.labels.values import as_label_array, read_labels
from napari_sparseexplain.volumes.nifti.reader import open_nifti, read_nifti

SHAPE = (8, 7, 6)


def labels() -> np.ndarray:
    """Labels 0, 1 and 2 in file order."""
    array = np.zeros(SHAPE, np.int16)
    array[2:4], array[4:6] = 1, 2
    return array


def codes(path: Path) -> set[str]:
    return {finding.code for finding in open_nifti(path)[1]}


@pytest.mark.parametrize("factor", [1.00004, 0.9999])
def test_a_mask_off_by_rounding_is_a_mask(tmp_path: Path, factor: float) -> None:
    path = write(tmp_path / "seg.nii", (labels() * 100).astype("i2"), slope=(factor / 100, 0.0))
    volume = read_nifti(path)
    assert volume.kind == "label"
    np.testing.assert_array_equal(volume.data, labels().transpose(2, 1, 0))
    assert codes(path) == {"mask-values"}


def test_nan_around_a_mask_is_background_and_floats_are_numbers(tmp_path: Path) -> None:
    array = labels().astype(np.float32)
    array[:1] = np.nan
    volume, said = open_nifti(write(tmp_path / "lesion.nii.gz", array))
    assert (volume.kind, volume.data.dtype) == ("label", np.uint8)
    assert [f.code for f in said] == ["mask-values"]
    assert "42 voxels without a value became 0" in said[0].message


def test_a_map_of_small_or_uneven_values_is_no_mask() -> None:
    """Rounding must not make a heat map, or a probability, a mask."""
    assert read_labels(np.linspace(0, 9e-4, 60, dtype=np.float32).reshape(3, 4, 5)) is None
    assert read_labels(np.linspace(0, 1, 60, dtype=np.float32).reshape(3, 4, 5)) is None
    assert as_label_array(np.full((2, 2, 2), 1.00004, np.float32)) is None


def test_the_intent_code_makes_a_label_map(tmp_path: Path) -> None:
    path = write(tmp_path / "t1.nii.gz", labels(), intent_code=1002)
    assert read_nifti(path).kind == "label"


@pytest.mark.parametrize("shape", [(*SHAPE, 1, 3), (*SHAPE, 3)])
def test_vectors_are_components_and_no_scan(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = write(tmp_path / "t1_warp.nii.gz", noise(*shape, dtype="float32"), intent_code=1007)
    volume = read_nifti(path)
    assert volume.leading == ("component",)
    assert volume.role == "t1_warp"
    assert "vectors" in volume.why


def test_colours_along_the_fifth_axis_are_colours(tmp_path: Path) -> None:
    array = noise(*SHAPE, 1, 3, dtype="uint8")
    volume = read_nifti(write(tmp_path / "a.nii.gz", array, intent_code=2003))
    assert (volume.colour, volume.leading, volume.data.shape) == (True, (), (6, 7, 8, 3))


@pytest.mark.parametrize("background_first", [True, False])
def test_a_one_hot_mask_is_a_label_map(tmp_path: Path, background_first: bool) -> None:
    wanted = labels()
    channels = [wanted == 0, wanted == 1, wanted == 2]
    if not background_first:
        channels = channels[1:]
    path = write(tmp_path / "seg.nii.gz", np.stack(channels, axis=-1).astype("u1"))
    volume = read_nifti(path)
    assert volume.kind == "label"
    np.testing.assert_array_equal(volume.data, wanted.transpose(2, 1, 0))
    assert codes(path) == {"one-hot-mask"}


def test_regions_within_each_other_show_the_smallest(tmp_path: Path) -> None:
    whole, core = labels() > 0, labels() > 1
    path = write(tmp_path / "seg.nii.gz", np.stack([core, whole], axis=-1).astype("f4"))
    volume, said = open_nifti(path)
    expected = np.where(core, 1, np.where(whole, 2, 0))
    np.testing.assert_array_equal(volume.data, expected.transpose(2, 1, 0))
    assert "84 voxels lie in several channels" in said[0].message


def test_probabilities_of_classes_are_no_mask(tmp_path: Path) -> None:
    path = write(tmp_path / "seg.nii.gz", noise(*SHAPE, 2, dtype="f4") / 999)
    assert read_nifti(path).kind == "image"
    assert codes(path) == {"not-a-label-map"}


def decathlon(folder: Path) -> Path:
    for name in ("BRATS_001", "BRATS_002"):
        for kind, array in (("images", noise(*SHAPE, 4, dtype="i2")), ("labels", labels())):
            (folder / f"{kind}Tr").mkdir(parents=True, exist_ok=True)
            write(folder / f"{kind}Tr" / f"{name}.nii.gz", array)
    names = {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"}
    said = {"modality": names, "labels": {"0": "background", "1": "edema", "2": "core"}}
    (folder / "dataset.json").write_text(json.dumps(said))
    return folder


@pytest.mark.parametrize("given", ["imagesTr", "labelsTr"])
def test_a_case_of_the_decathlon_opens_with_channels_and_labels(tmp_path: Path, given: str) -> None:
    root = decathlon(tmp_path / "Task01")
    study = open_study(root / given / "BRATS_002.nii.gz")
    assert list(study.images) == ["flair", "t1", "t1ce", "t2"]
    array = np.asarray(nib.load(root / "imagesTr" / "BRATS_002.nii.gz").dataobj)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(study["t1ce"].data, array[..., 2].transpose(2, 1, 0))
    assert label_names(study, "seg") == {1: "edema", 2: "core"}
    turned = open_study(root / given / "BRATS_002.nii.gz", patient_axes=True)
    assert list(turned.images) == ["flair", "t1", "t1ce", "t2"]


def test_a_whole_data_set_is_refused_with_the_way_to_one_case(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="a data set of 2 cases"):
        open_study(decathlon(tmp_path))


def test_a_case_of_nnunet_opens_by_any_of_its_files(tmp_path: Path) -> None:
    for folder in ("imagesTr", "labelsTr"):
        (tmp_path / folder).mkdir()
    for case in ("prostate_0001", "prostate_0002"):
        for channel in range(2):
            array = noise(*SHAPE, dtype="i2", seed=channel)
            write(tmp_path / "imagesTr" / f"{case}_{channel:04}.nii.gz", array)
        write(tmp_path / "labelsTr" / f"{case}.nii.gz", labels())
    said = {"channel_names": {"0": "T2", "1": "ADC"}, "labels": {"background": 0, "PZ": 1, "TZ": 2}}
    (tmp_path / "dataset.json").write_text(json.dumps(said))
    study = open_study(tmp_path / "imagesTr" / "prostate_0002_0001.nii.gz")
    assert (list(study.images), list(study.labels)) == (["t2", "adc"], ["seg"])
    assert label_names(study, "seg") == {1: "PZ", 2: "TZ"}


@pytest.mark.parametrize(
    ("signs", "sides"),
    [
        ((1, 1, 1), ["left-right-conflict"]),
        ((1, -1, 1), ["left-right-conflict"]),
        ((-1, 1, 1), []),
    ],
)
def test_transforms_that_mirror_each_other_are_a_warning(
    tmp_path: Path, signs: tuple[int, ...], sides: list[str]
) -> None:
    image_ = nib.Nifti1Image(noise(*SHAPE, dtype="i2"), np.diag([-1.0, 1, 1, 1]))  # type: ignore[attr-defined]
    image_.set_sform(np.diag([-1.0, 1, 1, 1]), 1)
    image_.set_qform(np.diag([*signs, 1.0]), 1)
    nib.save(image_, tmp_path / "t1.nii.gz")  # type: ignore[attr-defined]
    said = [f for f in open_nifti(tmp_path / "t1.nii.gz")[1] if f.level == "warning"]
    assert [f.code for f in said] == sides
    assert all("left and right" in f.message for f in said)


def test_dangling_links_are_named(tmp_path: Path) -> None:
    os.symlink("../.git/annex/objects/none.nii.gz", tmp_path / "t1.nii.gz")
    with pytest.raises(ReadError, match="the link points to a file that is not there"):
        open_study(tmp_path)
    with pytest.raises(ReadError, match="the link points to a file that is not there"):
        open_study(tmp_path / "t1.nii.gz")
    write(tmp_path / "flair.nii.gz", noise(*SHAPE, dtype="i2"))
    (said,) = [f for f in open_study(tmp_path).findings if f.code == "unreadable"]
    assert "t1.nii.gz" in said.message


def test_a_packed_dicom_file_says_so(tmp_path: Path) -> None:
    plain = save(image(noise(8, 8)), tmp_path / "a.dcm")
    packed = tmp_path / "a.dcm.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    for path in (packed, tmp_path):
        with pytest.raises(ReadError, match="packed with gzip"):
            open_study(path)
    write(tmp_path / "flair.nii.gz", noise(*SHAPE, dtype="i2"))
    assert "unreadable" in {f.code for f in open_study(tmp_path).findings}
