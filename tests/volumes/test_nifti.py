"""NIfTI in and out. The judge is nibabel: its array, its affine, its header bytes."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path

import dask.array as da
import nibabel as nib
import numpy as np
import pytest
from nifti_writing import all_orientations, patch_header, tilted, write

from napari_sparseexplain.errors import ReadError, SparseExplainError
from napari_sparseexplain.volumes import open_study, read_nifti, write_nifti
from napari_sparseexplain.volumes.nifti.reader import open_nifti

RNG = np.random.default_rng(7)
BIT_EXACT = (
    *("srow_x", "srow_y", "srow_z", "sform_code", "qform_code", "quatern_b", "quatern_c"),
    *("quatern_d", "qoffset_x", "qoffset_y", "qoffset_z", "xyzt_units", "sizeof_hdr"),
)


def numbers(shape: tuple[int, ...], dtype: str = "i2") -> np.ndarray:
    """Values that tell every voxel from its neighbours."""
    return RNG.integers(-99, 99, shape).astype(dtype)


def through_world(volume, image: nib.Nifti1Image) -> np.ndarray:
    """The file's array at the places where the volume says its voxels are."""
    index = np.stack(np.indices(volume.grid.shape), axis=-1)
    back = np.linalg.inv(image.affine) @ volume.grid.affine
    places = np.rint(index @ back[:3, :3].T + back[:3, 3]).astype(int)
    return np.asarray(image.dataobj)[tuple(np.moveaxis(places, -1, 0))]


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("affine", list(all_orientations()))
def test_open_and_save_gives_the_file_back(tmp_path: Path, affine: np.ndarray, endian: str) -> None:
    """48 orientations, both byte orders: each voxel at its place, the same file after saving."""
    array = numbers((3, 4, 5))
    path = write(tmp_path / "scan_t2.nii", array, affine, endian=endian, sform=2, qform=1)
    image = nib.load(path)
    volume = read_nifti(path)
    assert nib.aff2axcodes(volume.grid.affine) == ("S", "P", "L")
    np.testing.assert_array_equal(volume.data, through_world(volume, image))

    saved = nib.load(write_nifti(tmp_path / "again.nii.gz", volume.data, volume))
    np.testing.assert_array_equal(np.asarray(saved.dataobj), array)
    assert saved.header.endianness == endian
    assert saved.get_data_dtype() == image.get_data_dtype()
    for field in BIT_EXACT:
        assert saved.header[field].tobytes() == image.header[field].tobytes(), field
    np.testing.assert_array_equal(saved.header["pixdim"][:4], image.header["pixdim"][:4])


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    "dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", ">i2", ">f4"]
)
def test_every_real_type_keeps_its_values(
    tmp_path: Path, dtype: str, version: int, ending: str
) -> None:
    array = RNG.integers(0, 120, (4, 3, 2)).astype(np.dtype(dtype).newbyteorder("="))
    path = write(
        tmp_path / f"scan{ending}", array, version=version, endian=">" if dtype[0] == ">" else "<"
    )
    volume = read_nifti(path)
    assert volume.data.dtype == array.dtype
    assert volume.data.dtype.isnative
    np.testing.assert_array_equal(volume.data, array.transpose(2, 1, 0))
    saved = nib.load(write_nifti(tmp_path / "again.nii", volume.data, volume))
    np.testing.assert_array_equal(np.asarray(saved.dataobj), array)
    assert isinstance(saved, nib.Nifti2Image if version == 2 else nib.Nifti1Image)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_scaled_values_are_what_nibabel_says(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"pd{ending}", numbers((4, 3, 2)), slope=(0.25, -3.5))
    volume = read_nifti(path)
    assert volume.data.dtype == np.float32
    expected = nib.load(path).get_fdata().transpose(2, 1, 0)
    np.testing.assert_allclose(volume.data, expected, rtol=1e-6)


@pytest.mark.parametrize("slope", [(0.0, 5.0), (np.nan, 1.0), (1.0, 0.0)])
def test_a_slope_that_says_nothing_leaves_the_stored_type(
    tmp_path: Path, slope: tuple[float, float]
) -> None:
    """nifti1.h: a slope of 0 means no scaling."""
    array = numbers((4, 3, 2))
    volume = read_nifti(write(tmp_path / "a.nii.gz", array, slope=slope))
    assert volume.data.dtype == np.int16
    np.testing.assert_array_equal(volume.data, array.transpose(2, 1, 0))


def test_further_axes_come_first_slowest_first(tmp_path: Path) -> None:
    array = numbers((4, 3, 2, 5, 6))
    volume = read_nifti(write(tmp_path / "a.nii.gz", array))
    assert volume.leading == ("component", "time")
    np.testing.assert_array_equal(volume.data, array.transpose(4, 3, 2, 1, 0))
    np.testing.assert_array_equal(volume.spatial(), array[..., 0, 0].transpose(2, 1, 0))
    saved = nib.load(write_nifti(tmp_path / "b.nii", volume.data, volume))
    np.testing.assert_array_equal(np.asarray(saved.dataobj), array)


def test_gradients_beside_the_file_name_the_fourth_axis(tmp_path: Path) -> None:
    path = write(tmp_path / "scan.nii.gz", numbers((4, 3, 2, 5)))
    assert read_nifti(path).leading == ("time",)
    (tmp_path / "scan.bval").write_text("0 1000 1000 1000 1000")
    assert read_nifti(path).leading == ("direction",)


def test_a_flat_image_has_one_slice_and_is_saved_flat(tmp_path: Path) -> None:
    array = numbers((4, 3))
    volume = read_nifti(write(tmp_path / "a.nii", array))
    assert volume.data.shape == (1, 3, 4)
    saved = nib.load(write_nifti(tmp_path / "b.nii", volume.data, volume))
    np.testing.assert_array_equal(np.asarray(saved.dataobj), array)


@pytest.mark.parametrize("channels", ["RGB", "RGBA"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_colour_is_a_last_axis(tmp_path: Path, channels: str, ending: str) -> None:
    array = np.zeros((4, 3, 2), dtype=[(c, "u1") for c in channels])
    for channel in channels:
        array[channel] = RNG.integers(0, 255, array.shape)
    volume = read_nifti(write(tmp_path / f"a{ending}", array))
    assert volume.colour
    assert volume.data.shape == (2, 3, 4, len(channels))
    for number, channel in enumerate(channels):
        np.testing.assert_array_equal(volume.data[..., number], array[channel].transpose(2, 1, 0))


def test_complex_voxels_are_shown_as_magnitude_and_said(tmp_path: Path) -> None:
    array = (RNG.normal(size=(4, 3, 2)) + 1j * RNG.normal(size=(4, 3, 2))).astype("c8")
    volume, findings = open_nifti(write(tmp_path / "a.nii", array))
    assert [f.code for f in findings] == ["complex"]
    np.testing.assert_allclose(volume.data, np.abs(array).transpose(2, 1, 0), rtol=1e-6)


def test_the_name_need_not_tell_the_compression(tmp_path: Path) -> None:
    array = numbers((4, 3, 2))
    packed = write(tmp_path / "a.nii.gz", array).read_bytes()
    (tmp_path / "b.nii").write_bytes(packed)
    (tmp_path / "c.nii.gz").write_bytes(gzip.decompress(packed))
    for name in ("b.nii", "c.nii.gz"):
        np.testing.assert_array_equal(read_nifti(tmp_path / name).data, array.transpose(2, 1, 0))


def test_a_header_and_image_pair_is_read_and_saved_as_one_file(tmp_path: Path) -> None:
    array = numbers((4, 3, 2))
    nib.save(nib.Nifti1Pair(array, tilted(10.0)), tmp_path / "a.hdr")
    volume = read_nifti(tmp_path / "a.hdr")
    assert [p.name for p in volume.source.paths] == ["a.hdr", "a.img"]
    saved = nib.load(write_nifti(tmp_path / "b.nii", volume.data, volume))
    np.testing.assert_array_equal(np.asarray(saved.dataobj), array)
    np.testing.assert_allclose(saved.affine, tilted(10.0), atol=1e-5)
    (tmp_path / "a.img").unlink()
    with pytest.raises(ReadError, match=r"a\.img"):
        read_nifti(tmp_path / "a.hdr")


# Which transform


def test_sform_comes_before_qform_and_a_difference_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", numbers((4, 3, 2)), qform=1, qoffset_x=55.0)
    volume, findings = open_nifti(path)
    np.testing.assert_allclose(volume.source.affine, np.diag([-1.0, -1.0, 1.0, 1.0]))
    assert [f.code for f in findings] == ["two-transforms"]
    patch_header(path, sform_code=0)
    assert read_nifti(path).source.affine[0, 3] == 55.0


def test_without_a_transform_no_letters_are_shown(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", numbers((4, 3, 2)), sform=0, qform=0)
    volume, findings = open_nifti(path)
    assert volume.grid.calibrated
    assert not volume.grid.oriented
    assert [f.code for f in findings] == ["no-orientation"]
    saved = nib.load(write_nifti(tmp_path / "b.nii", volume.data, volume))
    assert (int(saved.header["sform_code"]), int(saved.header["qform_code"])) == (0, 0)


@pytest.mark.parametrize(("unit", "factor"), [("micron", 1e-3), ("meter", 1e3), ("mm", 1.0)])
def test_lengths_are_millimetres(tmp_path: Path, unit: str, factor: float) -> None:
    affine = np.diag([-2.0, -2.0, 2.0, 1.0])
    path = write(tmp_path / "a.nii", numbers((4, 3, 2)), affine, unit=unit)
    volume, findings = open_nifti(path)
    assert volume.grid.spacing == pytest.approx((2 * factor,) * 3)
    assert [f.code for f in findings] == ([] if unit == "mm" else ["unit"])
    saved = nib.load(write_nifti(tmp_path / "b.nii", volume.data, volume))
    np.testing.assert_array_equal(saved.affine, affine)
    assert saved.header.get_xyzt_units()[0] == unit


# Memory: what is held, not how long it takes


def memory_mapped(array: np.ndarray) -> bool:
    base: object = array
    while base is not None and not isinstance(base, np.memmap):
        base = getattr(base, "base", None)
    return base is not None


@pytest.mark.parametrize("shape", [(4, 3, 2), (4, 3, 2, 6)])
def test_an_uncompressed_file_is_mapped(tmp_path: Path, shape: tuple[int, ...]) -> None:
    assert memory_mapped(read_nifti(write(tmp_path / "a.nii", numbers(shape))).data)


@pytest.mark.parametrize("dtype", ["i2", "f4"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("slope", [None, (2.0, 1.0)])
def test_a_volume_is_held_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dtype: str,
    ending: str,
    slope: tuple[float, float] | None,
) -> None:
    """Peak of all allocations while opening: one native (or, scaled, float32) copy and a slab."""
    monkeypatch.setattr("napari_sparseexplain.volumes.nifti.voxels.SLAB_BYTES", 1 << 16)
    monkeypatch.setattr("napari_sparseexplain.volumes.nifti.header.CHUNK_BYTES", 1 << 16)
    array = RNG.integers(0, 1000, (100, 100, 120)).astype(dtype)
    path = write(tmp_path / f"a{ending}", array, slope=slope)
    item = 4 if slope else array.itemsize
    one_copy = 0 if slope is None and ending == ".nii" else array.size * item
    tracemalloc.start()
    volume = read_nifti(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert volume.data.shape == (120, 100, 100)
    assert peak < one_copy + (1 << 20)


@pytest.mark.parametrize(
    "change", [{"slope": (2.0, 1.0)}, {"endian": ">"}], ids=["scaled", "big endian"]
)
def test_four_dimensions_are_computed_when_looked_at(tmp_path: Path, change: dict) -> None:
    array = numbers((40, 30, 20, 200))
    path = write(tmp_path / "a.nii", array, **change)
    np.asarray(read_nifti(path).data[0])  # dask loads its scheduler on first use
    tracemalloc.start()
    volume = read_nifti(path)
    one = np.asarray(volume.data[7])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(volume.data, da.Array)
    expected = nib.load(path).get_fdata()[..., 7].transpose(2, 1, 0)
    np.testing.assert_allclose(one, expected)
    assert peak < array.nbytes / 2


def test_display_order_is_a_view_that_cannot_be_written(tmp_path: Path) -> None:
    volume = read_nifti(write(tmp_path / "a.nii.gz", numbers((4, 3, 2)), tilted(10.0)))
    assert volume.data.base is not None
    with pytest.raises(ValueError, match="read-only"):
        volume.data[0, 0, 0] = 1


# Label maps


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8", ">f4"])
def test_label_maps_are_integers(tmp_path: Path, dtype: str) -> None:
    array = RNG.integers(0, 5, (4, 3, 2)).astype(np.dtype(dtype).newbyteorder("="))
    path = write(tmp_path / "x_seg.nii.gz", array, endian=">" if dtype[0] == ">" else "<")
    volume = read_nifti(path)
    assert (volume.role, volume.kind) == ("seg", "label")
    assert volume.data.dtype.kind in "iu"
    np.testing.assert_array_equal(volume.data, array.transpose(2, 1, 0))


def test_probabilities_are_no_label_map(tmp_path: Path) -> None:
    path = write(tmp_path / "x_mask.nii.gz", RNG.uniform(0, 1, (4, 3, 2)).astype("f4"))
    volume, findings = open_nifti(path)
    assert (volume.role, volume.kind) == ("x_mask", "image")
    assert [f.code for f in findings] == ["not-a-label-map"]


def test_a_scan_in_a_tumour_study_is_a_scan(tmp_path: Path) -> None:
    """ "tumor" in a name is a label only when the voxels agree."""
    scan = write(tmp_path / "tumor_flair.nii.gz", RNG.integers(0, 900, (8, 8, 8)).astype("i2"))
    mask = write(tmp_path / "flair_tumor.nii.gz", RNG.integers(0, 2, (8, 8, 8)).astype("i2"))
    assert (read_nifti(scan).role, read_nifti(scan).kind) == ("flair", "image")
    assert (read_nifti(mask).role, read_nifti(mask).kind) == ("seg", "label")


# Bad input


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("keep", [0, 3, 100, 347, 352, 400])
def test_a_truncated_file_is_refused(tmp_path: Path, ending: str, keep: int) -> None:
    path = write(tmp_path / f"a{ending}", numbers((40, 30, 20)))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ReadError, match=rf"a\{ending}") as caught:
        read_nifti(path)
    assert caught.value.remedy


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", numbers((40, 30, 20)))
    raw = bytearray(path.read_bytes())
    raw[-6] ^= 0xFF  # in the checksum, so every byte unpacks and the sum alone is wrong
    path.write_bytes(raw)
    with pytest.raises(ReadError, match="damaged"):
        read_nifti(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"hello" * 200, "not a NIfTI file"),
        (b"NRRD0004\n" + b"x" * 400, "NRRD"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"PK\x03\x04" + b"x" * 400, "ZIP"),
        ((348).to_bytes(4, "little") + b"\0" * 400, "ANALYZE"),
    ],
)
def test_another_format_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "a.nii"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=says) as caught:
        read_nifti(path)
    assert "a.nii" in str(caught.value)
    assert caught.value.remedy


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"none\.nii"):
        read_nifti(tmp_path / "none.nii")


@pytest.mark.parametrize(
    "fields",
    [
        {"srow_x": 0, "srow_y": 0, "srow_z": 0},
        {"srow_x": np.nan},
        {"srow_x": [1e30, 0, 0, 0], "srow_y": [0, 1e30, 0, 0], "srow_z": [0, 0, 1e30, 0]},
        {"datatype": 4242},
        {"dim": [3, -4, 3, 2, 1, 1, 1, 1]},
        {"dim": [3, 4, 0, 2, 1, 1, 1, 1]},
        {"vox_offset": np.nan},
        {"vox_offset": 1e9},
        {"scl_inter": np.inf, "scl_slope": 2.0},
        {"intent_code": 3006},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_header_without_sense_is_refused(tmp_path: Path, fields: dict) -> None:
    path = write(tmp_path / "a.nii", numbers((4, 3, 2)))
    patch_header(path, **fields)
    with pytest.raises(ReadError, match=r"a\.nii") as caught:
        read_nifti(path)
    assert caught.value.remedy


def test_voxels_that_are_no_numbers_are_counted_and_kept(tmp_path: Path) -> None:
    array = np.ones((4, 3, 2), dtype="f4")
    array[0, 0, 0], array[1, 1, 1], array[2, 2, 0] = np.nan, np.inf, -np.inf
    volume, findings = open_nifti(write(tmp_path / "a.nii", array))
    (finding,) = findings
    assert (finding.code, finding.level) == ("nan", "warning")
    assert finding.message.startswith("3 voxels")
    np.testing.assert_array_equal(volume.data, array.transpose(2, 1, 0))


# Writing


def test_a_file_is_never_replaced_silently(tmp_path: Path) -> None:
    volume = read_nifti(write(tmp_path / "a.nii", numbers((4, 3, 2))))
    before = (tmp_path / "a.nii").read_bytes()
    with pytest.raises(SparseExplainError, match="there already"):
        write_nifti(tmp_path / "a.nii", np.zeros((2, 3, 4)), volume)
    assert (tmp_path / "a.nii").read_bytes() == before
    target = write_nifti(tmp_path / "b.nii", np.zeros((2, 3, 4)), volume)
    write_nifti(target, np.ones((2, 3, 4)), volume, overwrite=True)
    assert nib.load(target).get_fdata().min() == 1.0


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    volume = read_nifti(write(tmp_path / "a.nii", numbers((4, 3, 2))))

    def full(image: object, path: Path) -> None:
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nib, "save", full)
    with pytest.raises(SparseExplainError, match="No space left"):
        write_nifti(tmp_path / "b.nii", np.zeros((2, 3, 4)), volume)
    assert [p.name for p in tmp_path.iterdir()] == ["a.nii"]


@pytest.mark.parametrize(
    ("values", "stored"),
    [
        (np.array([0, 4]), "u1"),
        (np.array([0, 300]), "u2"),
        (np.array([-1, 3]), "i1"),
        (np.array([False, True]), "u1"),
        (np.array([0.0, 0.5]), "f4"),
    ],
)
def test_results_take_the_smallest_type_that_holds_them(
    tmp_path: Path, values: np.ndarray, stored: str
) -> None:
    volume = read_nifti(write(tmp_path / "a.nii", numbers((4, 3, 2), "f4")))
    array = np.resize(values, (2, 3, 4))
    saved = nib.load(write_nifti(tmp_path / "b.nii.gz", array, volume))
    assert saved.get_data_dtype() == np.dtype(stored)
    np.testing.assert_array_equal(np.asarray(saved.dataobj).transpose(2, 1, 0), array)


def test_labels_keep_the_type_of_the_input_labels(tmp_path: Path) -> None:
    volume = read_nifti(write(tmp_path / "a_seg.nii", numbers((4, 3, 2)) % 4))
    saved = nib.load(write_nifti(tmp_path / "b.nii", np.ones((2, 3, 4), dtype=np.int64), volume))
    assert saved.get_data_dtype() == np.int16


def test_values_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    volume = read_nifti(write(tmp_path / "a.nii", numbers((4, 3, 2))))
    for bad in (np.full((2, 3, 4), 300.0), np.full((2, 3, 4), np.nan)):
        with pytest.raises(SparseExplainError, match="do not fit"):
            write_nifti(tmp_path / "b.nii", bad, volume, dtype=np.uint8)
    with pytest.raises(SparseExplainError, match="does not lie on the grid"):
        write_nifti(tmp_path / "b.nii", np.zeros((4, 3, 2)), volume)


@pytest.mark.parametrize("superior_first", [False, True])
def test_part_of_the_slices_is_marked_as_such(tmp_path: Path, superior_first: bool) -> None:
    """Slices that were not computed are 0 on file, and the file says which ones were."""
    affine = np.diag([-1.0, -1.0, -2.0 if superior_first else 2.0, 1.0])
    volume = read_nifti(write(tmp_path / "a.nii", numbers((4, 3, 10)), affine))
    part = np.full((3, 3, 4), 0.5, dtype=np.float32)
    saved = nib.load(
        write_nifti(tmp_path / "b.nii", part, volume, slices=slice(2, 5), description="map")
    )
    values = np.asarray(saved.dataobj)
    (extension,) = saved.header.extensions
    facts = json.loads(extension.get_content())
    assert facts["covered_slices"] == [2, 5]
    first, last = facts["covered_on_file"]
    assert facts["covered_axis"] == 2
    assert (values[:, :, first:last] == 0.5).all()
    assert np.count_nonzero(values) == part.size
    assert b"slices 2-4 of 10, counted from 0; map" in bytes(saved.header["descrip"])


def test_extensions_of_the_input_do_not_leak(tmp_path: Path) -> None:
    """A DICOM extension (code 2) may hold the patient's name."""
    image = nib.Nifti1Image(numbers((4, 3, 2)), np.eye(4))
    image.header.extensions.append(nib.nifti1.Nifti1Extension(6, b"Doe^Jane"))
    nib.save(image, tmp_path / "a.nii")
    volume = read_nifti(tmp_path / "a.nii")
    np.testing.assert_array_equal(volume.source.restore(volume.data), image.dataobj)
    saved = write_nifti(tmp_path / "b.nii", volume.data, volume)
    assert b"Doe^Jane" not in saved.read_bytes()


@pytest.mark.realdata
def test_a_dicom_series_is_saved_as_an_independent_converter_does(
    shared_data: Path, tmp_path: Path
) -> None:
    """dicom2nifti's own result lies beside the series: same voxels at the same places."""
    folder = shared_data / "edge_cases" / "dicom2nifti" / "generic" / "anatomical"
    study = open_study(folder / "001")
    volume = study[study.reference]
    again = read_nifti(write_nifti(tmp_path / "a.nii.gz", volume.data, volume))
    judge = read_nifti(folder / "001_ground_truth.nii.gz")
    assert again.grid.matches(judge.grid)
    np.testing.assert_array_equal(again.data, judge.data)
