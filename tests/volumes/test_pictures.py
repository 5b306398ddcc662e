"""PNG, JPG and TIFF: pixels as they are, no millimetres and no letters claimed."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import nibabel as nib
import numpy as np
import pytest

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.volumes import open_study, read_nifti, write_nifti

RNG = np.random.default_rng(3)


def grey(shape: tuple[int, ...] = (5, 7), dtype: str = "u1") -> np.ndarray:
    return RNG.integers(0, 200, shape).astype(dtype)


def only(path: Path, **more: object):
    (volume,) = open_study(path, **more).images.values()  # type: ignore[arg-type]
    return volume


@pytest.mark.parametrize(("ending", "dtype"), [("png", "u1"), ("png", "u2"), ("tif", "f4")])
def test_a_grey_picture_is_one_slice(tmp_path: Path, ending: str, dtype: str) -> None:
    pixels = grey(dtype=dtype)
    iio.imwrite(tmp_path / f"a.{ending}", pixels)
    volume = only(tmp_path / f"a.{ending}")
    np.testing.assert_array_equal(volume.data, pixels[np.newaxis])
    assert volume.data.dtype == pixels.dtype
    assert (volume.grid.calibrated, volume.grid.oriented, volume.colour) == (False, False, False)
    assert volume.grid.spacing == (1.0, 1.0, 1.0)


def test_equal_colours_are_grey_and_unequal_ones_are_not(tmp_path: Path) -> None:
    pixels = grey()
    iio.imwrite(tmp_path / "a.png", np.stack([pixels] * 3, axis=-1))
    np.testing.assert_array_equal(only(tmp_path / "a.png").data[0], pixels)
    colours = grey((5, 7, 3))
    iio.imwrite(tmp_path / "b.png", colours)
    volume = only(tmp_path / "b.png")
    assert volume.colour
    np.testing.assert_array_equal(volume.data[0], colours)


def test_an_opaque_alpha_is_dropped(tmp_path: Path) -> None:
    colours = grey((5, 7, 4))
    colours[..., 3] = 255
    iio.imwrite(tmp_path / "a.png", colours)
    assert only(tmp_path / "a.png").data.shape == (1, 5, 7, 3)
    colours[0, 0, 3] = 9
    iio.imwrite(tmp_path / "b.png", colours)
    assert only(tmp_path / "b.png").data.shape == (1, 5, 7, 4)


def test_pages_of_a_tiff_are_slices(tmp_path: Path) -> None:
    pages = grey((6, 5, 7), "u2")
    iio.imwrite(tmp_path / "a.tif", pages)
    np.testing.assert_array_equal(only(tmp_path / "a.tif").data, pages)


def test_a_folder_of_one_size_is_a_stack_in_the_order_of_numbers(tmp_path: Path) -> None:
    pages = {n: grey() for n in (1, 2, 10)}
    for n, page in pages.items():
        iio.imwrite(tmp_path / f"slice{n}.png", page)
    study = open_study(tmp_path)
    np.testing.assert_array_equal(study[study.reference].data, np.stack(list(pages.values())))
    assert [f.code for f in study.findings] == ["picture-stack"]


@pytest.mark.parametrize("layout", ["names", "folders"])
def test_masks_go_with_the_picture_of_the_same_name(tmp_path: Path, layout: str) -> None:
    masks = []
    for n in range(3):
        mask = (grey() > 100).astype("u1") * 255
        masks.append(mask)
        if layout == "names":
            picture, label = tmp_path / f"p{n}.png", tmp_path / f"p{n}_mask.png"
        else:
            picture, label = tmp_path / "images" / f"p{n}.png", tmp_path / "labels" / f"p{n}.png"
            picture.parent.mkdir(exist_ok=True)
            label.parent.mkdir(exist_ok=True)
        iio.imwrite(picture, grey())
        iio.imwrite(label, np.stack([mask] * 3, axis=-1))
    study = open_study(tmp_path)
    np.testing.assert_array_equal(study.labels["seg"].data, np.stack(masks))
    assert study.warnings == ()


def test_a_missing_mask_is_said(tmp_path: Path) -> None:
    for n in range(3):
        iio.imwrite(tmp_path / f"p{n}.png", grey())
    iio.imwrite(tmp_path / "p1_mask.png", np.full((5, 7), 255, "u1"))
    study = open_study(tmp_path)
    assert [f.code for f in study.warnings] == ["missing-masks"]
    assert study.labels["seg"].data.any(axis=(1, 2)).tolist() == [False, True, False]


def test_pictures_that_tell_modalities_stay_apart(tmp_path: Path) -> None:
    for name in ("t1", "flair"):
        iio.imwrite(tmp_path / f"{name}.png", grey())
    assert set(open_study(tmp_path).images) == {"t1", "flair"}


def test_pictures_of_several_sizes_or_folders_are_no_study(tmp_path: Path) -> None:
    iio.imwrite(tmp_path / "a.png", grey())
    iio.imwrite(tmp_path / "b.png", grey((6, 6)))
    with pytest.raises(ReadError, match=r"b\.png.*6×6"):
        open_study(tmp_path)
    for name in ("one", "two"):
        (tmp_path / "c" / name).mkdir(parents=True)
        iio.imwrite(tmp_path / "c" / name / "a.png", grey())
    with pytest.raises(ReadError, match="2 folders"):
        open_study(tmp_path / "c")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", b""),
        ("a.png", b"\x89PNG\r\n\x1a\nxxxx"),
        ("a.jpg", b"no picture"),
        ("a.tif", b"II*\0zzz"),
    ],
)
def test_a_damaged_picture_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ReadError, match=name) as caught:
        open_study(tmp_path / name)
    assert caught.value.remedy


def test_a_result_is_saved_so_that_it_is_shown_as_the_picture_was(tmp_path: Path) -> None:
    """No orientation is claimed, and what readers assume then turns the rows back."""
    pixels = grey()
    iio.imwrite(tmp_path / "a.png", pixels)
    volume = only(tmp_path / "a.png")
    path = write_nifti(tmp_path / "b.nii.gz", volume.data, volume)
    header = nib.load(path).header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (0, 0)
    again = read_nifti(path)
    np.testing.assert_array_equal(again.data, volume.data)
    assert not again.grid.oriented


@pytest.mark.realdata
def test_cardiac_slices_with_their_masks(shared_data: Path) -> None:
    study = open_study(shared_data / "cardiac" / "sunnybrook")
    assert study[study.reference].data.shape == study.labels["seg"].data.shape == (526, 256, 256)
    assert set(np.unique(study.labels["seg"].data[:20])) == {0, 255}
    assert study.warnings == ()
