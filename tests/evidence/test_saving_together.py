"""However a save ends, and whoever else saves: maps and record are of one run, none is lost."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import stat
import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.evidence.store import (
    check_place,
    explanation_names,
    load_explanation,
    write_explanation,
)

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

#: What Python tells a listener of before the system does it.
STEPS = ("os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> se.Study:
    path = tmp_path_factory.mktemp("case") / "case_flair.nii.gz"
    rng = np.random.default_rng(0)
    nib.save(nib.Nifti1Image(rng.random((6, 7, 5)).astype(np.float32), np.eye(4)), path)
    return se.open_study(path)


def run_of(study: se.Study, value: float, names: str = "abc", method: str = "m") -> Explanation:
    """A run all of whose maps and whose record say ``value``."""
    maps = tuple(
        ExplanationMap(name, np.full(study.grid.shape, value, np.float32), "signal")
        for name in names
    )
    record = Provenance(method, {"value": value})
    span = slice(0, study.grid.shape[0])
    return Explanation(method, maps, record, study.grid, span, notes=(str(value),))


def value_in(out: Path) -> float:
    """The run that is there; fails where maps and record are of several."""
    found = load_explanation(out)
    value = found.provenance.parameters["value"]
    assert found.notes == (str(value),)
    assert all(np.all(item.data == value) for item in found.maps)
    # As a program reads it that knows the record alone.
    record = json.loads((out / "provenance.json").read_text(encoding="utf-8"))
    for item in record["explanations"]["m"]["maps"]:
        assert np.all(np.asarray(nib.load(out / item["file"]).dataobj) == value)
    return value


def names_in(out: Path) -> list[str]:
    hidden = (".saving-", ".writing-")  # of a process that was killed; gone after a day
    return sorted(p.name for p in out.iterdir() if not p.name.startswith(hidden))


@needs_fork
def test_killed_at_any_step_leaves_one_run(study: se.Study, tmp_path: Path) -> None:
    found = []
    for at in range(1, 200):
        out = tmp_path / str(at)
        write_explanation(run_of(study, 1.0), study, out)
        child = os.fork()
        if child == 0:
            _save_and_die(run_of(study, 2.0, "abd"), study, out, at)
        _, status = os.waitpid(child, 0)
        found.append(value_in(out))
        write_explanation(run_of(study, 3.0), study, out, overwrite=True)
        assert value_in(out) == 3.0
        left = set(names_in(out)) - {"m_d.nii.gz"}
        assert left == {"m_a.nii.gz", "m_b.nii.gz", "m_c.nii.gz", "provenance.json"}
        if os.WIFEXITED(status):
            break
    assert found == sorted(found)
    assert set(found) == {1.0, 2.0}


def _save_and_die(explanation: Explanation, study: se.Study, out: Path, at: int) -> None:
    count = 0

    def listen(event: str, _: Any) -> None:
        nonlocal count
        if event in STEPS:
            count += 1
            if count == at:
                os.kill(os.getpid(), signal.SIGKILL)

    signal.alarm(60)  # what a thread of the parent held would be waited for without end
    try:
        sys.addaudithook(listen)
        write_explanation(explanation, study, out, overwrite=True)
        os._exit(0)
    finally:
        os._exit(1)


@pytest.mark.parametrize("name", ["replace", "rename", "link", "open", "mkdir", "unlink"])
@pytest.mark.parametrize("on", [False, True], ids=["once", "from then on"])
def test_a_save_that_fails_at_any_step_leaves_one_run(
    name: str, on: bool, study: se.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(os, name)
    for at in range(1, 100):
        out, calls, failed = tmp_path / str(at), 0, False
        write_explanation(run_of(study, 1.0), study, out)
        before = names_in(out)

        def call(*args: Any, at: int = at, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == at or (on and calls > at):
                raise OSError(28, "No space left on device")
            return real(*args, **options)

        with monkeypatch.context() as patch:
            patch.setattr(os, name, call)
            try:
                write_explanation(run_of(study, 2.0, "abd"), study, out, overwrite=True)
            except SparseExplainError:
                failed = True
        value = value_in(out)
        if not on:
            assert value == (1.0 if failed else 2.0)
            assert not failed or names_in(out) == before
        if calls < at:
            break


def _save_as(study: se.Study, out: Path, number: int) -> None:
    signal.alarm(60)
    write_explanation(run_of(study, float(number), method=f"m{number}"), study, out)


@needs_fork
def test_processes_that_save_into_one_folder_lose_nothing(study: se.Study, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for turn in range(5):
        out = tmp_path / str(turn)
        saving = [context.Process(target=_save_as, args=(study, out, n)) for n in range(4)]
        for process in saving:
            process.start()
        for process in saving:
            process.join()
        assert sorted(explanation_names(out)) == ["m0", "m1", "m2", "m3"]
        for n in range(4):
            assert load_explanation(out, f"m{n}").notes == (f"{n}.0",)


def test_a_folder_of_before_is_read_and_goes_on(study: se.Study, tmp_path: Path) -> None:
    """One record with all entries and lasting names, as every version has written it."""
    write_explanation(run_of(study, 1.0), study, tmp_path)
    assert names_in(tmp_path) == ["m_a.nii.gz", "m_b.nii.gz", "m_c.nii.gz", "provenance.json"]
    record = json.loads((tmp_path / "provenance.json").read_text(encoding="utf-8"))
    assert (record["format"], record["version"]) == ("napari-sparseexplain explanations", 1)
    assert [m["file"] for m in record["explanations"]["m"]["maps"]] == names_in(tmp_path)[:3]


def test_overwriting_takes_no_file_but_a_map_of_its_own(study: se.Study, tmp_path: Path) -> None:
    """Whatever a record says that came from elsewhere."""
    write_explanation(run_of(study, 1.0), study, tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    path = tmp_path / "provenance.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    record["explanations"]["m"]["maps"][2]["file"] = "notes.txt"
    path.write_text(json.dumps(record), encoding="utf-8")
    write_explanation(run_of(study, 2.0, "ab"), study, tmp_path, overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    # Map "b" of "m_a" has the name of map "a_b" of "m".
    other = tmp_path / "other"
    write_explanation(run_of(study, 1.0, "b", method="m.a"), study, other)
    entry = json.loads((other / "provenance.json").read_text(encoding="utf-8"))
    entry["explanations"]["m.a"]["maps"][0]["file"] = "m_b.nii.gz"
    (other / "m.a_b.nii.gz").rename(other / "m_b.nii.gz")
    (other / "provenance.json").write_text(json.dumps(entry), encoding="utf-8")
    with pytest.raises(SparseExplainError, match="map of another explanation"):
        write_explanation(run_of(study, 2.0, "b"), study, other, overwrite=True)


def test_it_is_said_before_that_there_is_no_place(study: se.Study, tmp_path: Path) -> None:
    check_place(tmp_path / "new", "m")
    assert not (tmp_path / "new").exists()
    write_explanation(run_of(study, 1.0), study, tmp_path / "out")
    check_place(tmp_path / "out", "n")
    check_place(tmp_path / "out", "m", overwrite=True)
    with pytest.raises(SparseExplainError, match="there already"):
        check_place(tmp_path / "out", "m")
    (tmp_path / "out" / "provenance.json").unlink()  # as after a kill before the record
    with pytest.raises(SparseExplainError, match="there already"):
        check_place(tmp_path / "out", "m")


@pytest.mark.parametrize("mask", [0o002, 0o077])
def test_the_umask_is_kept_by_maps_and_record(mask: int, study: se.Study, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        write_explanation(run_of(study, 1.0), study, tmp_path / "out")
        write_explanation(run_of(study, 2.0), study, tmp_path / "out", overwrite=True)
    finally:
        os.umask(before)
    for path in tmp_path.rglob("*"):
        wanted = (0o777 if path.is_dir() else 0o666) & ~mask
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path
