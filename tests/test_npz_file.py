"""Arrays of an .npz file: declared sizes are compared before anything is unpacked; no pickles."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path
from warnings import catch_warnings, simplefilter

import numpy as np
import pytest

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.files import npz_file
from napari_sparseexplain.files.npz_file import read_npz


def read(path: Path, **options: int) -> dict[str, np.ndarray]:
    return read_npz(path, problem="it cannot be read", remedy="Restore it", **options)


def member(header: str, body: bytes = b"", *, version: bytes = b"\1\0") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text + body


def archive(path: Path, *members: tuple[str, bytes]) -> Path:
    with catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        simplefilter("ignore")
        for name, content in members:
            file.writestr(name, content)
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_writes_comes_back(tmp_path: Path, save: object) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "data": rng.normal(size=(4, 5)),
        "columns": np.asfortranarray(rng.normal(size=(3, 7)).astype(">f4")),
        "labels": rng.integers(0, 9, (2, 3, 4)).astype(np.uint8),
        "flags": np.array([True, False]),
        "single": np.float32(2.5),
    }
    save(tmp_path / "a.npz", **arrays)  # type: ignore[operator]
    found = read(tmp_path / "a.npz")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert np.array_equal(found[name], array)
        assert found[name].dtype == np.asarray(array).dtype


class Harm:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


def test_pickles_are_refused_and_nobody_is_told_to_allow_them(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, np.array([Harm()], dtype=object), allow_pickle=True)
    cases = (stream.getvalue(), pickle.dumps(Harm()))
    for number, content in enumerate(cases):
        path = archive(tmp_path / f"{number}.npz", ("data.npy", content))
        with pytest.raises(ReadError) as caught:
            read(path)
        assert "pickle" not in caught.value.what


def test_terabytes_are_refused_before_memory_is_asked_for(tmp_path: Path) -> None:
    huge = member("{'descr': '<f8', 'fortran_order': False, 'shape': (100000, 100000, 1000), }")
    with pytest.raises(ReadError, match="not as long as the file says"):
        read(archive(tmp_path / "a.npz", ("data.npy", huge)))
    zeros = member(
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2000000,), }", bytes(2_000_000)
    )
    path = archive(tmp_path / "b.npz", ("data.npy", zeros), ("more.npy", zeros))
    assert read(path)["data"].size == 2_000_000
    with pytest.raises(ReadError, match="announces 4 MiB; no more than 3 MiB"):
        read(path, most_bytes=3 << 20)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<U9', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }",
        "__import__('os').getcwd()",
        "(" * 100,
    ],
)
def test_a_header_that_lies_is_one_line(tmp_path: Path, header: str) -> None:
    path = archive(tmp_path / "a.npz", ("data.npy", member(header, bytes(4))))
    with pytest.raises(ReadError, match="it cannot be read") as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_two_arrays_of_one_name_are_refused(tmp_path: Path) -> None:
    one = member("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", b"\1")
    with pytest.raises(ReadError, match="names an array twice"):
        read(archive(tmp_path / "a.npz", ("data.npy", one), ("data.npy", one)))


def test_a_long_list_of_members_is_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive(tmp_path / "a.npz", *((f"{k}.npy", b"") for k in range(3000)))
    monkeypatch.setattr(npz_file.zipfile, "ZipFile", lambda *_: pytest.fail("was read"))
    with pytest.raises(ReadError, match="list of arrays is too long"):
        read(path)


def test_damage_anywhere_is_refused(tmp_path: Path) -> None:
    """Every byte is either told of by a checksum, or by the sizes that must agree."""
    path = tmp_path / "a.npz"
    np.savez_compressed(path, data=np.arange(40, dtype=np.int16))
    whole, good = path.read_bytes(), read(path)["data"]
    opened = 0
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        try:
            found = read(path)
        except ReadError:
            continue
        opened += 1
        assert all(np.array_equal(array, good) for array in found.values())
    assert opened < len(whole) / 2  # dates, attributes
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        with pytest.raises(ReadError):
            read(path)
