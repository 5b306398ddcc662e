"""How DICOM says to look at its values: negatives, palettes of both byte orders, padding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dicom_writing import image, noise, save, slices, write
from pydicom.uid import CTImageStorage, ExplicitVRBigEndian, ExplicitVRLittleEndian

from napari_sparseexplain.export.pictures.plane_picture import voxel_picture
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.volumes import open_study
from napari_sparseexplain.volumes.brain_mask import brain_mask
from napari_sparseexplain.volumes.dicom.reader import read_dicom
from napari_sparseexplain.volumes.intensity.intensity_window import display_limits
from napari_sparseexplain.volumes.intensity.window_presets import FULL, preset_limits, slice_limits


@pytest.mark.parametrize(("photometric", "left"), [("MONOCHROME1", 255), ("MONOCHROME2", 0)])
def test_a_negative_is_shown_as_the_film_is_read(
    tmp_path: Path, photometric: str, left: int
) -> None:
    ramp = np.tile(np.linspace(0, 4000, 64), (48, 1)).astype("u2")
    film = image(ramp, PhotometricInterpretation=photometric, Modality="CR")
    study = open_study(save(film, tmp_path / "a.dcm"))
    (role,) = study.images
    np.testing.assert_array_equal(study[role].data.reshape(ramp.shape), ramp)
    reading = default_reading(study, {})
    picture = voxel_picture(reading, reading.review.panels[0])
    assert picture[20, 0, 0] == left
    assert picture[20, -1, 0] == 255 - left
    codes = [f.code for f in study.findings]
    assert ("shown-inverted" in codes) == (photometric == "MONOCHROME1")


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("entries", ["u1", "u2 of 8 bits", "u2"])
def test_palettes_are_colours_in_both_byte_orders(
    tmp_path: Path, big_endian: bool, entries: str
) -> None:
    order = ">" if big_endian else "<"
    tables = [np.arange(256) * k % 256 for k in (1, 3, 7)]
    if entries == "u1":
        data = [t.astype("u1") for t in tables]
        if big_endian:  # two entries a word, whose bytes the file swaps
            data = [t.reshape(-1, 2)[:, ::-1].copy() for t in data]
    elif entries == "u2":
        data = [(t * 257).astype(f"{order}u2") for t in tables]
    else:
        data = [t.astype(f"{order}u2") for t in tables]
    pixels = np.arange(256, dtype="u1").reshape(16, 16)
    stored = pixels.reshape(-1, 2)[:, ::-1].tobytes() if big_endian else pixels.tobytes()
    dataset = image(pixels, PhotometricInterpretation="PALETTE COLOR", PixelData=stored)
    dataset["PixelData"].VR = "OW"
    for name, table in zip(("Red", "Green", "Blue"), data, strict=True):
        descriptor = [256, 0, 16 if entries == "u2" else 8]
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", descriptor)
        setattr(dataset, f"{name}PaletteColorLookupTableData", table.tobytes())
        dataset[f"{name}PaletteColorLookupTableData"].VR = "OW"
    syntax = ExplicitVRBigEndian if big_endian else ExplicitVRLittleEndian
    dataset.file_meta.TransferSyntaxUID = syntax
    (series,) = read_dicom(save(dataset, tmp_path / "a.dcm"))
    shown = np.asarray(series.volume.data).reshape(256, 3)
    np.testing.assert_array_equal(shown, np.stack(tables, axis=-1))


def ct(tmp_path: Path, **elements: object) -> Path:
    """A head of 40 HU in air of -1000 HU, in a circle; padding of -2000 HU around it."""
    s, p, c = np.ogrid[-1:1:6j, -1:1:48j, -1:1:48j]
    radius = np.sqrt(p**2 + c**2) + 0 * s
    stored = np.full(radius.shape, 24.0)
    stored += 10 * np.random.default_rng(0).standard_normal(radius.shape)
    stored[radius < 0.6] += 1040
    stored[radius > 0.95] = -976
    series = slices(
        np.rint(stored).astype("i2"),
        sop_class=CTImageStorage,
        RescaleSlope=1,
        RescaleIntercept=-1024,
        PixelRepresentation=1,
        **elements,
    )
    return write(tmp_path / "ct", series)


def test_padding_takes_no_part_in_windows_statistics_and_brain(tmp_path: Path) -> None:
    volume = open_study(ct(tmp_path, PixelPaddingValue=-976))["ct"]
    assert volume.padding == (-2000, -2000)
    low, _ = preset_limits(volume, FULL)
    assert -1100 < low < -900
    assert volume.data.min() == -2000  # the values are as they were
    limits = slice_limits(volume.data[3], volume.padding)
    assert limits is not None
    assert limits[0] > -1100
    found = brain_mask(volume.spatial(), padding=volume.padding)
    np.testing.assert_array_equal(found, np.asarray(volume.data) > -400)


def test_a_range_of_padding(tmp_path: Path) -> None:
    volume = open_study(ct(tmp_path, PixelPaddingValue=-976, PixelPaddingRangeLimit=-900))["ct"]
    assert volume.padding == (-2000, -1924)


def test_padding_around_a_stripped_brain_leaves_the_brain_whole(tmp_path: Path) -> None:
    s, p, c = np.ogrid[-1:1:12j, -1:1:24j, -1:1:24j]
    inside = s**2 + p**2 + c**2 < 0.7
    values = np.where(inside, 300 + noise(12, 24, 24), 0).astype("u2")
    volume = open_study(write(tmp_path, slices(values, PixelPaddingValue=0)))
    (scan,) = volume.images.values()
    found = brain_mask(scan.spatial(), padding=scan.padding)
    np.testing.assert_array_equal(found, np.asarray(scan.data) > 0)
    assert display_limits(scan)[1] > 1000


def test_resampling_keeps_padding_apart(tmp_path: Path) -> None:
    """Between -2000 and air lies no tissue, and no value that is neither."""
    from napari_sparseexplain.volumes import Grid
    from napari_sparseexplain.volumes.resampling import resample_to

    volume = open_study(ct(tmp_path, PixelPaddingValue=-976))["ct"]
    affine = volume.grid.affine.copy()
    affine[:3, 3] += 0.4
    moved = resample_to(volume, Grid(volume.grid.shape, affine))
    values = np.asarray(moved.data)
    assert ((values == -2000) | (values > -1100)).all()


@pytest.mark.parametrize(("fragments", "read"), [(3, True), (1, False)])
def test_a_second_decoder_is_asked_where_frames_lie_in_fragments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fragments: int, read: bool
) -> None:
    """GDCM writes of a damaged stream to the terminal: it is not asked without need."""
    from typing import Any

    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGLSLossless

    from napari_sparseexplain.errors import ReadError
    from napari_sparseexplain.volumes.dicom import pixels as dicom_pixels

    jpeg_ls = pytest.importorskip("jpeg_ls")
    pytest.importorskip("gdcm")
    pixels = noise(32, 32)
    packed = bytes(jpeg_ls.encode(pixels))
    dataset = image(pixels)
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless
    dataset.PixelData = encapsulate([packed + b"\0" * (len(packed) % 2)], fragments)
    dataset["PixelData"].is_undefined_length = True
    path = save(dataset, tmp_path / "a.dcm")
    decoded = dicom_pixels.iter_pixels

    def first_fails(source: Any, *, decoding_plugin: str, **more: Any) -> Any:
        if decoding_plugin == "pyjpegls":
            raise RuntimeError("no such stream")
        return decoded(source, decoding_plugin=decoding_plugin, **more)

    monkeypatch.setattr(dicom_pixels, "iter_pixels", first_fails)
    if read:
        np.testing.assert_array_equal(read_dicom(path)[0].volume.data[0], pixels)
    else:
        with pytest.raises(ReadError, match="could not be decoded"):
            read_dicom(path)
