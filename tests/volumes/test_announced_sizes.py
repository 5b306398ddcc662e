"""What a file announces is compared with what it can hold before memory or time is given to it."""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from pathlib import Path

import dicom_writing as dicom
import nibabel as nib
import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image
from pydicom.uid import DeflatedExplicitVRLittleEndian

import napari_sparseexplain as se
from napari_sparseexplain.errors import ReadError, StudyError, reason_of
from napari_sparseexplain.files import folder_walk
from napari_sparseexplain.volumes import Grid
from napari_sparseexplain.volumes.brain_mask import brain_mask
from napari_sparseexplain.volumes.dicom import deflated as dicom_deflated
from napari_sparseexplain.volumes.dicom.reader import read_dicom
from napari_sparseexplain.volumes.opening import declared_size
from napari_sparseexplain.volumes.pictures import size as picture_size
from napari_sparseexplain.volumes.pictures.reader import read_picture
from napari_sparseexplain.volumes.resampling import patient_axes_grid


def refusal(path: Path) -> str:
    with pytest.raises(ReadError) as caught:
        se.open_study(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- what is no file -----------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".png", ".tif", ".dcm", ""])
@pytest.mark.parametrize("way", ["pipe", "device", "gone", "loop"])
def test_only_files_are_opened(tmp_path: Path, ending: str, way: str) -> None:
    """A pipe would be waited for, a device never ends."""
    path = tmp_path / f"x_flair{ending}"
    if way == "pipe":
        os.mkfifo(path)
    elif way == "device":
        path.symlink_to("/dev/zero")
    else:
        path.symlink_to(path if way == "loop" else tmp_path / "nothing")
    assert refusal(path).startswith(str(path))
    assert refusal(tmp_path)  # nothing in the folder can be opened
    nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.int16), np.eye(4)), tmp_path / "y_t1.nii")
    assert set(se.open_study(tmp_path).images) == {"t1"}


@pytest.mark.parametrize("name", ["a" * 5000, "a\0b", "", "/dev/null"])
def test_names_that_no_file_has(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(refusal(Path(name))) < 600


def test_a_disk_is_not_searched_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_walk, "_MOST_ENTRIES", 20)
    for number in range(30):
        (tmp_path / f"{number}.dat").touch()
    assert "more than 20 files and folders" in refusal(tmp_path)


# -- NIfTI ---------------------------------------------------------------------------------------


def test_zeros_packed_to_nothing_are_refused_before_they_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x_flair.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros((200, 200, 50), np.int16), np.eye(4)), path)
    assert set(se.open_study(path).images) == {"flair"}
    monkeypatch.setattr(declared_size, "HARMLESS_BYTES", 1 << 20)
    said = refusal(path)
    assert "made to fill the memory" in said
    assert "gunzip" in said
    noise = np.random.default_rng(0).integers(0, 999, (200, 200, 50)).astype(np.int16)
    nib.save(nib.Nifti1Image(noise, np.eye(4)), path)
    assert set(se.open_study(path).images) == {"flair"}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("offset", [1e9, 1e30, 3e38])
def test_voxels_lie_within_their_file(tmp_path: Path, packed: bool, offset: float) -> None:
    path = tmp_path / ("x_flair.nii.gz" if packed else "x_flair.nii")
    image = nib.Nifti1Image(np.ones((3, 4, 5), np.int16), np.eye(4))
    plain = bytearray(image.to_bytes())
    struct.pack_into("<f", plain, 108, offset)
    path.write_bytes(gzip.compress(plain) if packed else plain)
    assert "cut short" in refusal(path)


def test_a_stream_that_damage_made_longer_is_still_checked(tmp_path: Path) -> None:
    path = tmp_path / "x_flair.nii.gz"
    nib.save(nib.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4)), path)
    plain = gzip.decompress(path.read_bytes())
    packed = bytearray(gzip.compress(plain + bytes(40)))
    packed[-8] ^= 1  # its checksum
    path.write_bytes(packed)
    assert "damaged" in refusal(path)


def test_thousands_of_tiny_volumes_are_read_in_few_parts(tmp_path: Path) -> None:
    path = tmp_path / "x_bold.nii"
    image = nib.Nifti1Image(np.arange(20_000, dtype=np.int16).reshape(1, 1, 1, -1), np.eye(4))
    image.header.set_slope_inter(0.5, 1)
    nib.save(image, path)
    data = se.open_study(path)["bold"].data
    assert data.npartitions < 10
    assert np.allclose(np.asarray(data).ravel()[:3], np.asarray(nib.load(path).dataobj).ravel()[:3])


def test_values_closer_than_numbers_have_a_brain_mask() -> None:
    voxels = np.full((12, 12, 4), 1e-45, np.float32)
    voxels[3:8, 3:8] = 2e-45
    assert brain_mask(voxels).shape == voxels.shape


def test_a_grid_of_very_unequal_voxels_does_not_grow_without_end() -> None:
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([1e-4, 1.0, 1.0])
    with pytest.raises(StudyError, match="so unequal"):
        patient_axes_grid(Grid((2000, 2000, 2000), affine))


# -- DICOM ---------------------------------------------------------------------------------------


def image(tmp_path: Path, **elements: object) -> Path:
    (made,) = dicom.slices(dicom.noise(1, 8, 8))
    for name, value in elements.items():
        setattr(made, name, value)
    return dicom.save(made, tmp_path / "im.dcm")


@pytest.mark.parametrize("count", [40, 5000, 99_999_999])
def test_frames_need_room_in_the_file(tmp_path: Path, count: int) -> None:
    path = image(tmp_path, NumberOfFrames=str(count))
    assert f"announces {count:,} frames, and the file has room for" in refusal(path)


@pytest.mark.parametrize("value", ["1e300", "-1e38", "1e10"])
def test_an_offset_beyond_whole_numbers_is_added_as_a_float(tmp_path: Path, value: str) -> None:
    with pydicom.config.disable_value_validation():
        path = image(tmp_path, RescaleIntercept=value, RescaleSlope="1")
    se.compose(se.default_reading(se.open_study(path)), se.PictureSize(200, 200))


def test_a_deflated_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = image(tmp_path)
    whole = pydicom.dcmread(path)
    whole.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    whole.save_as(path)
    good = path.read_bytes()
    assert len(read_dicom(path)) == 1
    start = 144 + struct.unpack_from("<I", good, 140)[0]
    inside = zlib.decompress(good[start:], -15)
    path.write_bytes(good[:start] + zlib.compress(inside + bytes(9 << 20), 9, wbits=-15))
    assert len(read_dicom(path)) == 1
    monkeypatch.setattr(dicom_deflated, "_HARMLESS", 1 << 20)
    assert "made to fill the memory" in refusal(path)


def test_what_follows_the_pixels_is_not_read(tmp_path: Path) -> None:
    """Padding of zeros looks like millions of empty elements."""
    path = image(tmp_path)
    path.write_bytes(path.read_bytes() + bytes(40_000_000))
    assert len(read_dicom(path)) == 1


def test_elements_are_counted(tmp_path: Path) -> None:
    path = image(tmp_path)
    content = path.read_bytes()
    at = content.find(struct.pack("<HH", 0x0008, 0x0018))
    many = struct.pack("<HH2sH", 0x0008, 0x0005, b"CS", 0) * 200_000
    path.write_bytes(content[:at] + many + content[at:])
    assert "more than 100,000 elements" in refusal(path)


def test_a_mosaic_of_millions_is_refused(tmp_path: Path) -> None:
    (made,) = dicom.slices(dicom.noise(1, 2048, 2048))
    made.ImageType = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]
    block = made.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0A, "US", 2048)
    path = dicom.save(made, tmp_path / "im.dcm")
    assert "does not divide" in refusal(path) or "position" in refusal(path)
    block[0x0A].VR, block[0x0A].value = "IS", 4_194_304
    assert "mosaic of 4,194,304 slices" in refusal(dicom.save(made, path))


# -- pictures ------------------------------------------------------------------------------------


def png(width: int, height: int, content: bytes = bytes(1000), *, colour: int = 0) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(content, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("size", [(9000, 9000), (2**31 - 1, 2**31 - 1), (100_000, 100_000)])
def test_a_picture_larger_than_its_file_can_be(
    tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_size, "_HARMLESS", 1 << 20)
    path = tmp_path / "p.png"
    path.write_bytes(png(*size, colour=6))
    assert refusal(path)


def test_a_tiff_that_comes_back_to_a_page(tmp_path: Path) -> None:
    path = tmp_path / "p.tif"
    tifffile.imwrite(path, np.arange(64, dtype=np.uint8).reshape(8, 8))
    content = bytearray(path.read_bytes())
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    struct.pack_into("<I", content, start + 2 + 12 * count, start)
    path.write_bytes(content)
    assert "comes back to a page" in refusal(path)


def test_tiffs_of_many_pages_and_of_both_sizes_are_read(tmp_path: Path) -> None:
    pages = np.random.default_rng(0).integers(0, 255, (40, 9, 7)).astype(np.uint8)
    for big in (False, True):
        path = tmp_path / f"p{big}.tif"
        tifffile.imwrite(path, pages, bigtiff=big, compression="zlib")
        assert np.array_equal(read_picture(path)[0].data, pages)


def test_a_packed_tiff_of_next_to_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.tif"
    tifffile.imwrite(path, np.zeros((5, 900, 900), np.uint8), compression="zlib")
    assert read_picture(path)[0].data.shape == (5, 900, 900)
    monkeypatch.setattr(picture_size, "_HARMLESS", 1 << 20)
    assert "made to fill the memory" in refusal(path)


def test_no_other_program_is_started_for_a_picture(tmp_path: Path) -> None:
    """Pillow would hand PostScript to Ghostscript."""
    path = tmp_path / "p.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n")
    assert "no PNG, JPEG, BMP or TIFF" in refusal(path)
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(path, format="GIF")
    assert se.open_study(path)


def test_complex_pixels_are_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "p.tif"
    tifffile.imwrite(path, np.zeros((6, 6), np.complex64))
    assert "complex" in refusal(path)


def test_a_decoder_that_fell_over_is_not_quoted() -> None:
    assert (
        reason_of(AttributeError("'NoneType' object has no attribute 'x'")) == "the file is damaged"
    )
    assert reason_of(ValueError("bad width\nsecond line")) == "bad width"
    assert "more memory" in reason_of(MemoryError("Unable to allocate 72 TiB"))
    assert reason_of(OSError(28, "No space left on device")) == "No space left on device"
