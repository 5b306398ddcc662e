"""`sparseexplain simulate` and `evaluate microstructure`, in the tests' own process."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_sparseexplain.errors import ParameterError
from napari_sparseexplain.microstructure import tissue
from napari_sparseexplain.microstructure.gradient_table import HCP_MGH
from napari_sparseexplain.microstructure.protocol.chosen_timings import chosen_timings
from napari_sparseexplain.microstructure.walks.phases_file import load_phases, save_phases

from .command_line import run
from .explanation.test_fingerprint import SIGMA, write_scan
from .microstructure.small_dictionary import small_phases


def test_simulate_writes_a_dictionary_for_the_timings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = tissue.Tissue(np.array([1.4]), np.array([0.4, 0.6]))
    monkeypatch.setattr(tissue, "Tissue", lambda: few)
    out = tmp_path / "own.npz"
    asked = ["simulate", "--out", str(out), "--spins", "100"]
    asked += ["--small-delta", "1", "--big-delta", "2", "--echo-time", "60"]
    done = run(*asked)
    assert done.returncode == 0, done.stderr
    made = load_phases(out)
    assert (made.timings.small_delta, made.timings.echo_time) == (1e-3, 60e-3)
    assert (made.spins, made.outside.shape[:2]) == (100, (1, 2))
    assert "largest standard error" in done.stdout
    assert [file.name for file in tmp_path.iterdir()] == ["own.npz"], "parts are gone"
    again = run(*asked)
    assert again.returncode == 1
    assert "--overwrite" in again.stderr


def test_a_voxel_is_explained_as_a_picture_and_as_numbers(tmp_path: Path) -> None:
    write_scan(tmp_path / "scan")
    file = save_phases(small_phases(), tmp_path / "small.npz")
    given = ["voxel", str(tmp_path / "scan"), "--set", f"dictionary={file}"]
    given += ["--set", "small_delta=12.9", "--set", "big_delta=21.8", "--set", f"sigma={SIGMA}"]
    done = run(*given, "--at", "1,4,4", "--out", str(tmp_path / "voxel.pdf"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "voxel.pdf").read_bytes().startswith(b"%PDF")
    said = json.loads((tmp_path / "voxel.json").read_text(encoding="utf-8"))
    assert said["voxel"] == [1, 4, 4]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("population 1")]
    assert f"ν {said['populations'][0]['mean']['share']:.2f} ±" in line
    for at, out, words in (
        ("1,4,4", "voxel.pdf", "--overwrite"),
        ("1,4,4", "voxel.gif", ".png or .pdf"),
        ("1,0,0", "other.png", "was not compared"),
        ("9,0,0", "other.png", "no voxel 10, 1, 1"),
    ):
        again = run(*given, "--at", at, "--out", str(tmp_path / out))
        assert again.returncode == 1
        assert words in again.stderr
    assert run(*given, "--at", "1,4", "--out", str(tmp_path / "x.png")).returncode == 2


def test_evaluate_prints_errors_by_noise_and_direction(tmp_path: Path) -> None:
    file = save_phases(small_phases(), tmp_path / "small.npz")
    done = run(
        "evaluate", "microstructure", "--dictionary", str(file), "--voxels", "10", "--seeds", "2"
    )
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith(("| 25", "| 50", "| 100"))]
    assert len(rows) == 3 * 3 * 2
    assert all(line.count("±") == 3 for line in rows)


def test_timings_are_those_of_the_file_or_of_the_person(tmp_path: Path) -> None:
    assert chosen_timings(None, None, None, None) == HCP_MGH
    own = chosen_timings(None, 10.0, 40.0, 80.0)
    assert (own.small_delta, own.big_delta, own.echo_time) == (0.01, 0.04, 0.08)
    with pytest.raises(ParameterError, match="belong together"):
        chosen_timings(None, 10.0, None, None)
    (tmp_path / "dwi.json").write_text(json.dumps({"EchoTime": 0.09}))
    with pytest.raises(ParameterError, match="tells no timings"):
        chosen_timings(tmp_path / "dwi.nii.gz", None, None, None)
    (tmp_path / "dwi.scheme").write_text(
        "VERSION: STEJSKALTANNER\n0 0 0 0 0.03 0.01 0.09\n1 0 0 0.04 0.03 0.01 0.09\n"
    )
    found = chosen_timings(tmp_path / "dwi.nii.gz", None, None, None)
    assert (found.small_delta, found.big_delta, found.echo_time) == (0.01, 0.03, 0.09)
