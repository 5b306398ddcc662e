"""How a command ends: in any encoding, by Ctrl-C, without a display, and before work in vain."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from napari_sparseexplain import cli
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.files.atomic_write import moved_together
from napari_sparseexplain.progress import Progress, Work, drain
from napari_sparseexplain.volumes.opening.sample import sample_path

#: Every command that computes and writes, with O for its place.
WRITING = {
    "explain": ["explain", "S", "--method", "signals", "--out", "O"],
    "decompose": ["decompose", "S", "--out", "O"],
    "decompose --model": ["decompose", "S", "--model", "jf-ml-ista", "--out", "O"],
    "faithfulness": ["faithfulness", "S", "--methods", "xrai", "--target", "WT", "--out", "O"],
    "evaluate sum": ["evaluate", "sum", "--data", "S", "--out", "O"],
    "evaluate jf-ml-ista": ["evaluate", "jf-ml-ista", "--data", "S", "--out", "O"],
    "report": ["report", "S", "--out", "O"],
    "export-dicom": ["export-dicom", "R", "--study", "S", "--out", "O"],
    "matched-filter": ["matched-filter", "--out", "O"],
    "train sum-rec": ["train", "sum-rec", "--data", "S", "--out", "O"],
    "train jf-ml-ista": ["train", "jf-ml-ista", "--data", "S", "--out", "O"],
    "train proxy": ["train", "proxy", "--teacher", "unet", "--data", "S", "--out", "O"],
    "phantom": ["phantom", "--out", "O"],
    "phantom-slices": ["phantom-slices", "--workers", "1", "--out", "O/s.npz"],
}

#: What each writes, or has written, there.
THERE = {
    "explain": "signals_mask.nii.gz",
    "decompose": "fista_trace.csv",
    "decompose --model": "components_input.nii.gz",
    "faithfulness": "faithfulness.txt",
    "evaluate sum": "evaluation.json",
    "evaluate jf-ml-ista": "jf-ml-ista.md",
    "report": "report.pdf",
    "matched-filter": "matched-filter.png",
    "train sum-rec": "card.json",
    "train jf-ml-ista": "card.json",
    "train proxy": "card.json",
    "phantom-slices": "s.npz",
}


def run_main(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """The entry point in this process."""
    monkeypatch.setattr(sys, "argv", ["sparseexplain", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.fixture
def nothing_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening, rendering and training fail the test: the refusal must come before them."""

    def too_late(*_: Any, **__: Any) -> Any:
        raise AssertionError("the work began")

    for place in (
        "napari_sparseexplain.volumes.open_study",
        "napari_sparseexplain.training.evaluate.matched_filter_demo.matched_filter_demo",
        "napari_sparseexplain.training.evaluate.evaluate_sum.evaluate_sum_work",
        "napari_sparseexplain.training.evaluate.evaluate_class_networks.evaluate_class_networks",
        "napari_sparseexplain.training.fit.train_bundle.read_slices",
        "napari_sparseexplain.training.fit.train_class_bundle.read_slices",
        "napari_sparseexplain.training.fit.distillation.load_model",
        "napari_sparseexplain.training.fit.phantom_slices.render_training_slices",
        "napari_sparseexplain.phantom.studies.make_phantom",
    ):
        monkeypatch.setattr(place, too_late)


def filled(command: str, out: Path, tmp_path: Path) -> list[str]:
    places = {"S": str(sample_path()), "R": str(tmp_path / "results"), "O": str(out)}
    return [places.get(a) or a.replace("O/", f"{out}/") for a in WRITING[command]]


def a_scan(path: Path) -> Path:
    import nibabel as nib
    import numpy as np

    path.parent.mkdir(exist_ok=True)
    nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.float32), np.eye(4)), path)
    return path


def a_result(folder: Path) -> None:
    """What `export-dicom` reads before it opens the study."""
    import numpy as np

    import napari_sparseexplain as se
    from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
    from napari_sparseexplain.evidence.store import write_explanation

    study = se.open_study(a_scan(folder.parent / "a_flair.nii"))
    item = ExplanationMap("heat", np.ones(study.grid.shape, np.float32), "heatmap")
    found = Explanation("xrai", (item,), Provenance("xrai"), study.grid, slice(0, 4), "WT")
    write_explanation(found, study, folder)


@pytest.mark.parametrize("command", WRITING)
def test_a_place_that_cannot_be_written_is_said_before(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    if command == "export-dicom":
        a_result(tmp_path / "results")
    request.getfixturevalue("nothing_is_computed")
    (tmp_path / "file").write_text("in the way")
    arguments = filled(command, tmp_path / "file" / "out", tmp_path)
    assert run_main(arguments, monkeypatch) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("sparseexplain: ")
    assert "cannot be written" in line or "cannot be made" in line
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.usefixtures("nothing_is_computed")
@pytest.mark.parametrize("command", THERE)
def test_what_is_there_already_is_said_before(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / THERE[command]).write_text("of before")
    assert run_main(filled(command, out, tmp_path), monkeypatch) == 1
    assert "already" in capsys.readouterr().err
    assert [p.name for p in out.iterdir()] == [THERE[command]]
    assert (out / THERE[command]).read_text() == "of before"


@pytest.mark.parametrize(
    ("place", "arguments"),
    [
        ("napari_sparseexplain.volumes.open_study", ["study", "x"]),
        ("napari_sparseexplain.volumes.open_study", ["report", "x", "--out", "o"]),
        ("napari_sparseexplain.networks.bundle.catalogue.models", ["models"]),
        (
            "napari_sparseexplain.training.evaluate.evaluate_sum.evaluate_sum_work",
            ["evaluate", "sum", "--data", "x"],
        ),
        (
            "napari_sparseexplain.training.fit.train_bundle.read_slices",
            ["train", "unet", "--data", "x", "--out", "o"],
        ),
    ],
)
def test_ctrl_c_is_one_word_and_status_1(
    place: str,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def pressed(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(place, pressed)
    assert run_main(arguments, monkeypatch) == 1
    assert capsys.readouterr().err == "sparseexplain: cancelled\n"


def test_work_that_is_interrupted_between_two_steps_leaves_nothing(tmp_path: Path) -> None:
    def writing() -> Work[None]:
        with moved_together(tmp_path) as making:
            (making / "half").write_text("half")
            yield Progress(1, 2)

    def pressed(_: Progress) -> None:
        raise KeyboardInterrupt

    work = writing()  # held on to, as a traceback does
    with pytest.raises(KeyboardInterrupt):
        drain(work, pressed)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_any_encoding_of_the_terminal_will_do(encoding: str, tmp_path: Path) -> None:
    """A scan's name holds letters that neither of them has; so do signs and units elsewhere."""
    scan = a_scan(tmp_path / "wątroba α−1_flair.nii")
    done = subprocess.run(
        [sys.executable, "-m", "napari_sparseexplain.cli", "study", str(scan)],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
    )
    assert done.returncode == 0, done.stderr
    assert rb"w\u0105troba \u03b1\u22121" in done.stdout


def test_without_a_display_there_is_one_line(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("elsewhere there is always a display")
    pytest.importorskip("qtpy.QtWidgets")
    away = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {k: v for k, v in os.environ.items() if k not in away}
    for arguments in (["open", str(sample_path())], ["demo", "--out", str(tmp_path / "out")]):
        done = subprocess.run(
            [sys.executable, "-m", "napari_sparseexplain.cli", *arguments],
            capture_output=True,
            text=True,
            env=environment,
        )
        assert done.returncode == 1
        (line,) = done.stderr.strip().splitlines()
        assert line.startswith("sparseexplain: there is no display")
    assert not (tmp_path / "out").exists()


def test_an_error_that_holds_any_character_is_still_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As one about a file whose name is of another encoding."""

    def refused(*_: Any, **__: Any) -> Any:
        raise SparseExplainError("sch\udce4del − is not there")

    monkeypatch.setattr("napari_sparseexplain.volumes.open_study", refused)
    assert run_main(["study", "x"], monkeypatch) == 1
    assert "is not there" in capsys.readouterr().err
