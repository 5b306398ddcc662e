"""What is read follows from one list: manifest, documentation, napari, single files, folders."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import imageio.v3 as iio
import nibabel as nib
import numpy as np
import pytest
import yaml
from nifti_writing import tilted

import napari_sparseexplain
from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.families import resolve
from napari_sparseexplain.layers.io.napari_reader import get_reader, may_be_a_scan
from napari_sparseexplain.volumes import open_study
from napari_sparseexplain.volumes.readers import (
    READERS,
    Reader,
    first_file,
    name_patterns,
    reader_of_name,
    what_is_read,
)

PACKAGE = Path(napari_sparseexplain.__file__).parent
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "volumes.md"

RNG = np.random.default_rng(5)
VALUES = RNG.integers(1, 200, (4, 3, 2)).astype(np.int16)


def pair(folder: Path, *, header: str = "t1.hdr", image: str = "t1.img") -> tuple[Path, Path]:
    """A NIfTI in two files."""
    folder.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Pair(VALUES, tilted(10.0)), folder / "a.hdr")
    (folder / "a.hdr").rename(folder / header)
    (folder / "a.img").rename(folder / image)
    return folder / header, folder / image


def test_the_functions_of_every_reader_are_there() -> None:
    for reader in READERS:
        assert callable(reader.function())
        assert not reader.recognise or callable(resolve(reader.recognise))


def test_the_manifest_has_the_patterns_of_the_readers() -> None:
    manifest = yaml.safe_load((PACKAGE / "napari.yaml").read_text(encoding="utf-8"))
    files, folders = manifest["contributions"]["readers"]
    assert files["filename_patterns"] == list(name_patterns(READERS))
    assert (folders["filename_patterns"], folders["accepts_directories"]) == (["*"], True)


def test_the_documentation_has_a_row_for_every_reader() -> None:
    section = DOCUMENT.read_text(encoding="utf-8").split("## What is read")[1].split("\n## ")[0]
    table = section.split("| files | endings |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", table, re.MULTILINE)
    shown = [(t.lower(), set(re.findall("`(.+?)`", e)), r) for t, e, r in rows if t != "---"]
    assert shown == [
        (r.title.lower(), {*r.all_endings, *(n.upper() for n in r.names)}, r.reads) for r in READERS
    ]
    assert f"Choose a folder with {what_is_read()}." in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "names",
    [
        *(("t1.hdr", "t1.img"), ("T1.HDR", "T1.IMG"), ("t1.Hdr", "t1.Img")),
        *(("t1.hdr", "t1.IMG"), ("t1.HDR", "t1.img"), ("t1.hDR", "t1.iMg")),
    ],
)
def test_either_file_of_a_pair_opens_both(tmp_path: Path, names: tuple[str, str]) -> None:
    for given in pair(tmp_path, header=names[0], image=names[1]):
        study = open_study(given)
        (volume,) = study.images.values()
        np.testing.assert_array_equal(np.sort(volume.data, axis=None), np.sort(VALUES, axis=None))
        assert [p.name for p in volume.source.paths] == list(names)
        assert get_reader(str(given)) is not None
        assert may_be_a_scan(given)
    assert set(open_study(tmp_path).images) == {"t1"}


def test_a_packed_pair_is_read_by_either_file(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Pair(VALUES, tilted(10.0)), tmp_path / "t1.img.gz")
    files = sorted(p.name for p in tmp_path.iterdir())
    assert files == ["t1.hdr.gz", "t1.img.gz"]
    for name in files:
        assert set(open_study(tmp_path / name).images) == {"t1"}
        assert get_reader(str(tmp_path / name)) is not None


def test_an_image_without_its_header_is_left_to_others(tmp_path: Path) -> None:
    _, image = pair(tmp_path)
    image.with_suffix(".hdr").unlink()
    image.write_bytes(bytes(600))
    assert first_file(image) is None
    assert get_reader(str(image)) is None
    with pytest.raises(ReadError, match=re.escape(what_is_read())):
        open_study(image)


@pytest.mark.parametrize("names", [("t1.Hdr.GZ", "t1.Img"), ("t1.hdr", "t1.Img.Gz")])
def test_one_file_of_a_pair_may_be_packed(tmp_path: Path, names: tuple[str, str]) -> None:
    for path in pair(tmp_path, header=names[0], image=names[1]):
        if path.suffix.lower() == ".gz":
            path.write_bytes(gzip.compress(path.read_bytes()))
    for name in names:
        assert set(open_study(tmp_path / name).images) == {"t1"}
    assert set(open_study(tmp_path).images) == {"t1"}


@pytest.mark.parametrize("name", ["t1.img", "t1.Img", "T1.IMG", "t1.img.gz"])
def test_voxels_without_their_header_are_said_to_be_that(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(bytes(600))
    for given in (tmp_path / name, tmp_path):
        with pytest.raises(ReadError, match=r"voxels of a pair of files, and its header \(\.hdr\)"):
            open_study(given)
    # Beside a scan it may be anything, such as the image of a disk.
    nib.save(nib.Nifti1Image(VALUES, tilted(10.0)), tmp_path / "flair.nii.gz")
    assert not [f for f in open_study(tmp_path).findings if f.code == "unreadable"]


@pytest.mark.parametrize(
    "names", [("t1.hdr", "t1.img"), ("t1.Hdr", "t1.iMG"), ("T1.HDR", "T1.IMG")]
)
def test_an_analyze_pair_in_a_folder_is_said_to_be_one(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    nib.save(nib.AnalyzeImage(VALUES, np.eye(4)), tmp_path / "a.img")
    (tmp_path / "a.hdr").rename(tmp_path / names[0])
    (tmp_path / "a.img").rename(tmp_path / names[1])
    for given in (tmp_path, tmp_path / names[0], tmp_path / names[1]):
        with pytest.raises(ReadError, match=r"ANALYZE 7\.5 header, which does not tell left"):
            open_study(given)
    nib.save(nib.Nifti1Image(VALUES, tilted(10.0)), tmp_path / "flair.nii.gz")
    said = [f.message for f in open_study(tmp_path).findings if f.code == "unreadable"]
    assert len(said) == 1
    assert "ANALYZE 7.5" in said[0]


def test_an_analyze_header_is_refused_for_want_of_sides(tmp_path: Path) -> None:
    nib.save(nib.AnalyzeImage(VALUES, np.eye(4)), tmp_path / "t1.img")
    for name in ("t1.hdr", "t1.img"):
        with pytest.raises(ReadError, match=r"ANALYZE 7\.5 header, which does not tell left"):
            open_study(tmp_path / name)


@pytest.mark.parametrize("name", ["a.bmp", "A.BMP"])
def test_a_bitmap_is_a_picture(tmp_path: Path, name: str) -> None:
    pixels = VALUES[..., 0].astype(np.uint8)
    (tmp_path / name).write_bytes(iio.imwrite("<bytes>", pixels, extension=".bmp"))
    for given in (tmp_path / name, tmp_path):
        (volume,) = open_study(given).images.values()
        np.testing.assert_array_equal(volume.data, pixels[np.newaxis])
    reader = get_reader(str(tmp_path / name))
    assert reader is not None
    ((data, _, kind),) = reader(str(tmp_path / name))
    assert (np.shape(data)[-2:], kind) == (pixels.shape, "image")
    assert not may_be_a_scan(tmp_path / name)  # a plain picture may be meant for anything


@pytest.mark.parametrize("ending", [e for r in READERS for e in r.all_endings if not r.second])
def test_napari_takes_what_the_list_names(tmp_path: Path, ending: str) -> None:
    assert get_reader(str(tmp_path / f"scan{ending}")) is not None
    assert get_reader(str(tmp_path / f"SCAN{ending.upper()}")) is not None


def test_the_longest_ending_tells_the_reader() -> None:
    nifti, dicom, pictures = READERS
    for name, reader in {
        "a.nii.gz": nifti,
        "a.png.nii": nifti,
        "a.dcm.png": pictures,
        "DICOMDIR": dicom,
        "notes.txt": None,
        "a.tar.gz": None,
    }.items():
        assert reader_of_name(name) is reader


def test_a_reader_that_lacks_something_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="one function"):
        Reader(name="a", title="a", endings=(".a",), reads="")
    with pytest.raises(ValueError, match=r"'a\.b'"):
        Reader(name="a", title="a", endings=("a.b",), reads="", file="json:load")
