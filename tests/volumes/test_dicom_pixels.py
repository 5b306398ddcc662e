"""Pixels: transfer syntaxes, colour, palettes, modality tables, dose, damaged streams."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dicom_writing import AXIAL, image, item, noise, save, slices, write
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.pixels.decoders.base import get_decoder
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    RTDoseStorage,
    SecondaryCaptureImageStorage,
)

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.volumes.dicom.reader import read_dicom

PLANE = noise(6, 8)


def only(path: Path):
    ((volume, _),) = read_dicom(path)
    return volume


def sample(name: str) -> Path:
    """A file of pydicom's own, which lies in its package."""
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str)
    return Path(path)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32"])
@pytest.mark.parametrize("frames", [1, 3])
def test_every_integer_type_keeps_type_and_values(tmp_path: Path, dtype: str, frames: int) -> None:
    pixels = noise(frames, 6, 8).astype(dtype)
    pixels[0, 0, 0] = np.iinfo(dtype).min
    dataset = image(pixels if frames > 1 else pixels[0])
    volume = only(save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(np.squeeze(volume.data), np.squeeze(pixels))
    assert volume.data.dtype == volume.source.dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_uncompressed_transfer_syntaxes(tmp_path: Path, syntax: str) -> None:
    pixels = PLANE.astype(">u2" if syntax == ExplicitVRBigEndian else "<u2")
    dataset = image(pixels)
    dataset["PixelData"].VR = "OW"
    dataset.file_meta.TransferSyntaxUID = syntax
    volume = only(save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(volume.data[0], PLANE)
    assert volume.data.dtype == np.dtype("=u2")


def test_compressed_frames_are_decoded(tmp_path: Path) -> None:
    pixels = noise(3, 6, 8)
    dataset = image(pixels)
    dataset.compress(RLELossless)
    volume = only(save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(volume.data[:, 0], pixels)


@pytest.mark.parametrize(
    ("name", "syntax", "shape"),
    [
        ("SC_rgb_jpeg_dcmtk.dcm", JPEGBaseline8Bit, (1, 100, 100, 3)),
        ("MR_small_jpeg_ls_lossless.dcm", JPEGLSLossless, (1, 64, 64)),
        ("MR_small_jp2klossless.dcm", JPEG2000Lossless, (1, 64, 64)),
        ("MR_small_RLE.dcm", RLELossless, (1, 64, 64)),
    ],
)
def test_what_needs_no_extra(name: str, syntax: UID, shape: tuple[int, ...]) -> None:
    """pydicom's own samples, by decoders that this package always brings."""
    path = sample(name)
    assert dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID == syntax
    assert only(path).data.shape == shape
    assert not {"gdcm", "libjpeg"} >= set(get_decoder(syntax).available_plugins)


def test_lossless_jpeg_with_one_of_its_extras() -> None:
    if not get_decoder(JPEGLosslessSV1).is_available:
        pytest.importorskip("gdcm", reason="needs the extra jpeg or jpeg-gpl")
    picture = only(sample("SC_rgb_jpeg_gdcm.dcm")).data[0]
    # The sample's colour bars: red on top.
    np.testing.assert_array_equal(picture[5, 50], [255, 0, 0])


@pytest.mark.parametrize(
    ("name", "extras"),
    [
        ("SC_rgb_jpeg_gdcm.dcm", ["[jpeg]", "[jpeg-gpl]"]),
        ("JPGExtended.dcm", ["[jpeg-gpl]"]),
    ],
)
def test_a_missing_decoder_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, name: str, extras: list[str]
) -> None:
    """As it is where neither extra is installed, whatever is installed here."""
    path = sample(name)
    syntax = dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID
    decoder = get_decoder(syntax)
    kept = {k: v for k, v in decoder._available.items() if k == "pillow"}
    monkeypatch.setattr(decoder, "_available", kept)
    with pytest.raises(ReadError, match="no decoder is installed") as caught:
        read_dicom(path)
    said = str(caught.value)
    assert name in said
    assert [extra for extra in ("[jpeg]", "[jpeg-gpl]") if extra in said] == extras


def test_damaged_compressed_frame_names_file_and_syntax(tmp_path: Path) -> None:
    dataset = image(noise(6, 8))
    dataset.compress(RLELossless)
    path = save(dataset, tmp_path / "a.dcm")
    content = bytearray(path.read_bytes())
    content[-60:] = bytes(60)
    path.write_bytes(content)
    with pytest.raises(ReadError) as caught:
        read_dicom(path)
    assert str(path) in str(caught.value)


def test_a_header_without_pixels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="holds no pixel data"):
        read_dicom(save(image(PLANE, PixelData=None), tmp_path / "a.dcm"))


def test_monochrome1_keeps_its_values_and_says_so(tmp_path: Path) -> None:
    dataset = image(PLANE, PhotometricInterpretation="MONOCHROME1")
    volume = only(save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(volume.data[0], PLANE)
    assert volume.details["photometric"] == "MONOCHROME1"


def colour(tmp_path: Path, bits: int, planar: int) -> tuple[np.ndarray, np.ndarray]:
    rgb = np.random.default_rng(1).integers(0, 1 << bits, (6, 8, 3)).astype(f"uint{bits}")
    dataset = image(
        PLANE,
        sop_class=SecondaryCaptureImageStorage,
        SamplesPerPixel=3,
        PhotometricInterpretation="RGB",
        PlanarConfiguration=planar,
        BitsAllocated=bits,
        BitsStored=bits,
        HighBit=bits - 1,
        PixelData=(rgb.transpose(2, 0, 1) if planar else rgb).tobytes(),
    )
    volume = only(save(dataset, tmp_path / f"{bits}{planar}.dcm"))
    assert volume.colour
    return rgb, volume.data[0]


@pytest.mark.parametrize("planar", [0, 1])
def test_colours_come_last_and_in_eight_bits(tmp_path: Path, planar: int) -> None:
    stored, read = colour(tmp_path, 8, planar)
    np.testing.assert_array_equal(read, stored)
    stored, read = colour(tmp_path, 16, planar)
    np.testing.assert_array_equal(read, stored >> 8)
    assert read.dtype == np.uint8


def test_palette_colours_are_looked_up(tmp_path: Path) -> None:
    table = np.random.default_rng(2).integers(0, 256, (3, 256)).astype(np.uint16)
    indices = noise(6, 8) % 256
    dataset = image(indices.astype(np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for name, entries in zip(("Red", "Green", "Blue"), table, strict=True):
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(dataset, f"{name}PaletteColorLookupTableData", (entries << 8).tobytes())
    volume = only(save(dataset, tmp_path / "a.dcm"))
    assert volume.colour
    np.testing.assert_array_equal(volume.data[0], table[:, indices].transpose(1, 2, 0))


def test_palette_without_its_table_is_refused(tmp_path: Path) -> None:
    dataset = image(PLANE.astype(np.uint8), PhotometricInterpretation="PALETTE COLOR")
    with pytest.raises(ReadError, match="palette"):
        read_dicom(save(dataset, tmp_path / "a.dcm"))


def test_modality_table_replaces_the_rescale(tmp_path: Path) -> None:
    table = np.arange(256, dtype=np.uint16)[::-1] * 3
    lut = item(LUTDescriptor=[256, 0, 16], ModalityLUTType="US")
    lut.add_new(0x00283006, "OW", table.tobytes())
    indices = (noise(6, 8) % 256).astype(np.uint8)
    dataset = image(indices, ModalityLUTSequence=Sequence([lut]))
    volume = only(save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(volume.data[0], table[indices])


def test_bits_outside_bits_stored_do_not_count(tmp_path: Path) -> None:
    dataset = image((PLANE & 0xFFF) | 0xF000, BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(only(save(dataset, tmp_path / "a.dcm")).data[0], PLANE & 0xFFF)


def test_dose_grid_is_a_volume_in_gray(tmp_path: Path) -> None:
    pixels = noise(4, 6, 8, dtype="uint32")
    dataset = image(
        pixels,
        sop_class=RTDoseStorage,
        Modality="RTDOSE",
        DoseUnits="GY",
        DoseGridScaling="0.001",
        ImageOrientationPatient=AXIAL,
        ImagePositionPatient=[0.0, 0.0, 10.0],
        GridFrameOffsetVector=[0.0, 2.5, 5.0, 7.5],
    )
    volume = only(save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_allclose(volume.data, pixels * 0.001, rtol=1e-6)
    assert (volume.unit, volume.grid.spacing[0]) == ("Gy", pytest.approx(2.5))
    dataset.GridFrameOffsetVector = [0.0, 2.5]
    with pytest.raises(ReadError, match="GridFrameOffsetVector"):
        read_dicom(save(dataset, tmp_path / "b.dcm"))


def test_films_run_in_time(tmp_path: Path) -> None:
    volume = only(save(image(noise(5, 6, 8), FrameTime=33.0), tmp_path / "a.dcm"))
    assert volume.leading == ("time",)


def test_files_cut_short_anywhere_open_or_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, slices(noise(1, 6, 8))) / "im000.dcm"
    content = path.read_bytes()
    for length in range(0, len(content), 37):
        path.write_bytes(content[:length])
        with pytest.raises(ReadError):
            read_dicom(path)
