"""Files appear whole and together, or not at all; one place makes them, as the umask says."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import napari_sparseexplain
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.files.atomic_write import (
    check_free,
    check_writable,
    moved_together,
    write_atomically,
)
from napari_sparseexplain.files.folder_lock import folder_lock

PACKAGE = Path(napari_sparseexplain.__file__).parent


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, name: str, at: int, *, on: bool) -> Iterator[None]:
    """The ``at``-th call of a function of `os` fails, and all that follow where ``on``."""
    real, calls = getattr(os, name), 0

    def call(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at or (on and calls > at):
            raise OSError(28, "No space left on device")
        return real(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, name, call)
        yield


def put(folder: Path, files: dict[str, str], **options: Any) -> None:
    with moved_together(folder, **options) as making:
        for name, text in files.items():
            (making / name).write_text(text)


def contents(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", ["replace", "rename", "link", "mkdir"])
@pytest.mark.parametrize("on", [False, True], ids=["once", "from then on"])
def test_files_that_belong_together_come_together_or_not_at_all(
    name: str, on: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(1, 9):
        folder = tmp_path / str(at)
        folder.mkdir()
        for file in "abc":
            (folder / file).write_text(f"old {file}")
        before = contents(folder)
        failed = False
        with failing(monkeypatch, name, at, on=on):
            try:
                with moved_together(folder) as making:
                    (making / "sub").mkdir()
                    for file in ("a", "b", "new", "sub/deep"):
                        (making / file).write_text(f"new {file}")
            except OSError:
                failed = True  # of the test's own mkdir
            except SparseExplainError:
                failed = True
        now = contents(folder)
        after = {"c": "old c"} | {f: f"new {f}" for f in ("a", "b", "new", "sub/deep")}
        # What a broken disk does not let put back is kept beside, and the error says where.
        kept = {f: t for f, t in now.items() if not f.startswith(".replaced-")}
        if on and kept != now:
            assert set(before.values()) <= set(now.values())
        else:
            assert now == (before if failed else after)


def test_a_folder_in_the_way_is_found_before_anything_moves(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a").write_text("old")
    with pytest.raises(SparseExplainError, match="cannot be written"):
        put(tmp_path, {"a": "new", "b": "new"})
    assert contents(tmp_path) == {"a": "old"}
    with pytest.raises(SparseExplainError, match="folder has its name"):
        check_free([tmp_path / "b"], overwrite=True)


def test_what_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    """Between a check and the moving another process may have written the same name."""
    (tmp_path / "b").write_text("of another process")
    with pytest.raises(SparseExplainError, match="there already"):
        put(tmp_path, {"a": "mine", "b": "mine"}, overwrite=False)
    assert contents(tmp_path) == {"b": "of another process"}


def test_a_check_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "deep")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    for place in ("file", "file/out", "x" * 300):
        with pytest.raises(SparseExplainError, match="cannot be written"):
            check_writable(tmp_path / place)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("mask", [0o002, 0o027, 0o077])
def test_the_umask_is_kept(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        write_atomically(tmp_path / "in" / "file", "text")
        with moved_together(tmp_path / "together") as making:
            write_atomically(making / "file", "text")
    finally:
        os.umask(before)
    for path in tmp_path.rglob("*"):
        wanted = (0o777 if path.is_dir() else 0o666) & ~mask
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_only_one_place_decides_about_modes_and_temporary_files() -> None:
    """`tempfile` closes what it makes to all others, and a fixed mode ignores the umask."""
    words = re.compile(r"\bchmod\(|\bmkstemp\(|\bmkdtemp\(|NamedTemporaryFile\(")
    found = [
        path.name
        for path in PACKAGE.rglob("*.py")
        if path.name != "atomic_write.py" and words.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_what_utf8_cannot_hold_is_written_and_json_reads_it_back(tmp_path: Path) -> None:
    """A file name of another encoding has halves of characters in it."""
    name = os.fsdecode(b"sch\xe4del.nii")
    path = write_atomically(tmp_path / "a.json", json.dumps({"file": name}, ensure_ascii=False))
    assert json.loads(path.read_text(encoding="utf-8"))["file"] == name


def test_a_folder_is_held_by_one_alone_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    with folder_lock(tmp_path):
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(SparseExplainError, match="another program"), \
                folder_lock(tmp_path, seconds=0.05):  # fmt: skip
            pass
    with folder_lock(tmp_path, seconds=0.05):
        pass


def test_where_folders_cannot_be_locked_a_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    real = fcntl.flock

    def flock(handle: int, how: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(9, "Bad file descriptor")
        real(handle, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    with folder_lock(tmp_path):
        assert len(list(tmp_path.iterdir())) == 1
        with pytest.raises(SparseExplainError), folder_lock(tmp_path, seconds=0.05):
            pass
    assert list(tmp_path.iterdir()) == []
