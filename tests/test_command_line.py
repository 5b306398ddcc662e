"""The command line: exit status 0, 1 and 2, and one clear line where a person must act."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_sparseexplain.volumes.opening.sample import sample_path

from .command_line import run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["study", "no-such-scan.nii"], "no-such-scan.nii"),
        (["explain", sample_path(), "--model", "no-such", "--method", "signals", "--out", "x"], ""),
        (
            ["explain", sample_path(), "--model", "sum-rec", "--method", "magic", "--out", "x"],
            "signals",
        ),
        (["evaluate", "sum", "--data", "nowhere"], "nowhere"),
    ],
)
def test_what_a_person_can_mend_is_one_line_and_status_1(
    arguments: list[object], said: str
) -> None:
    done = run(*arguments)
    lines = [line for line in done.stderr.splitlines() if line.startswith("sparseexplain: ")]
    assert done.returncode == 1
    assert len(lines) == 1
    assert said in lines[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["study"],
        ["no-such-command"],
        ["explain", "a", "--model", "m", "--method", "x", "--out", "o", "--slices", "x"],
        ["study", "a", "--role", "flair"],
    ],
)
def test_wrong_usage_is_status_2(arguments: list[object]) -> None:
    assert run(*arguments).returncode == 2


def test_study_says_what_was_found() -> None:
    done = run("study", sample_path(), "--json")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert set(found["volumes"]) == {"t1", "t1ce", "t2", "flair", "seg"}
    assert found["spacing_mm"] == [1.0, 1.0, 1.0]


def test_explain_writes_maps_on_the_inputs_own_grid(tmp_path: Path) -> None:
    done = run(
        *("explain", sample_path(), "--model", "sum-rec", "--method", "signals"),
        *("--slices", "78", "--set", "alpha=0.5", "--out", tmp_path),
    )
    assert done.returncode == 0, done.stderr
    source = nib.load(sample_path() / "Phantom-00000_flair.nii.gz")
    signal = nib.load(tmp_path / "signals_signal.nii.gz")
    assert signal.shape == source.shape
    np.testing.assert_array_equal(signal.affine, source.affine)
    record = json.loads((tmp_path / "provenance.json").read_text(encoding="utf-8"))
    text = json.dumps(record)
    assert '"alpha": 0.5' in text
    assert '"sum-rec"' in text


def test_decompose_with_a_model_is_what_explain_gives(tmp_path: Path) -> None:
    common = ("--model", "jf-ml-ista", "--slices", "78", "--device", "cpu", "--out")
    first = run("decompose", sample_path(), *common, tmp_path / "decompose")
    second = run("explain", sample_path(), "--method", "components", *common, tmp_path / "explain")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    written = sorted(p.name for p in (tmp_path / "explain").glob("*.nii.gz"))
    assert "components_component-healthy-tissue-flair.nii.gz" in written
    assert sorted(p.name for p in (tmp_path / "decompose").glob("*.nii.gz")) == written
    for name in written:
        one, other = (nib.load(tmp_path / d / name) for d in ("decompose", "explain"))
        np.testing.assert_array_equal(np.asanyarray(one.dataobj), np.asanyarray(other.dataobj))


def test_a_proxy_is_fitted_to_a_network_and_not_interpreted_below_its_floor(tmp_path: Path) -> None:
    """From teacher to bundle; a few slices cannot make it faithful, so it is refused."""
    from napari_sparseexplain.training.fit.phantom_slices import PhantomSlices

    rng = np.random.default_rng(0)
    y = (rng.random((20, 32, 32)) > 0.8).astype(np.uint8)
    x = (60 + 120 * y + rng.integers(0, 20, y.shape)).astype(np.uint8)[:, None]
    patients = np.repeat(np.arange(10, dtype=np.int32), 2)
    PhantomSlices(x, y, patients, ("flair",), 1.875, 0).save(tmp_path / "slices.npz")
    proxy = tmp_path / "proxy"
    made = run(
        *("train", "proxy", "--teacher", "unet", "--data", tmp_path / "slices.npz"),
        *("--samples", "8", "--floor", "1", "--out", proxy),
    )
    assert made.returncode == 0, made.stderr
    done = run(
        *("explain", sample_path(), "--model", proxy, "--method", "responses"),
        *("--out", tmp_path / "out"),
    )
    assert done.returncode == 1
    assert "below" in done.stderr
    assert not (tmp_path / "out").exists()
