"""Whatever is in a file, it is opened or refused by one clear line: some cases as of `make fuzz`.

The process, its limits and its end are what is tested, so each case has one of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from . import guarded_run
from .cases import KINDS, make_case
from .guarded_run import run_guarded
from .table import Row
from .valid_files import ValidFiles, make_valid_files

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="counts processes as Linux shows them"
)

#: Another seed than those of `make fuzz`; a few cases of each kind.
SEED, CASES = 20260, 10


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Lines that the command prints. It has one thread; a fork of this process could hang."""
    out = tmp_path_factory.mktemp("fuzz") / "fuzz.md"
    asked = ["--seeds", str(SEED), "--cases", str(CASES), "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *asked],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr[-3000:]
    assert out.read_text() in done.stdout
    return done.stdout.splitlines()


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_opened_or_refused(kind: str, said: list[str]) -> None:
    # How long a case takes says nothing on a machine that is busy with other tests.
    failed = [line for line in said if f"--only {kind}:" in line and not line.startswith("slow:")]
    assert not failed, "\n".join(failed)
    assert any(line.startswith(f"| {SEED} | {kind} | {CASES} |") for line in said)


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> ValidFiles:
    return make_valid_files(tmp_path_factory.mktemp("valid"))


def test_a_case_is_the_same_again(valid: ValidFiles, tmp_path: Path) -> None:
    for kind in KINDS:
        first, second = tmp_path / f"{kind}-1", tmp_path / f"{kind}-2"
        said = []
        for folder in (first, second):
            folder.mkdir()
            said.append(make_case(kind, 3, 1, valid, folder).said)
        assert said[0] == said[1]


@pytest.mark.parametrize(
    ("door", "end"),
    [
        (lambda: None, "opened"),
        (lambda: {}["x"], "traceback"),
        (lambda: os._exit(3), "crash"),
        (lambda: os.kill(os.getpid(), 11), "crash"),
        (lambda: time.sleep(60), "hang"),
    ],
)
def test_every_end_is_told_from_the_others(
    door: object, end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded_run, "_HANG_S", 0.5)
    outcome = run_guarded(door, tmp_path / "log")  # type: ignore[arg-type]
    assert outcome.end == end
    assert Row(1, "none", 0, "", outcome).failed == (end != "opened")


def _runs(process: int) -> bool:
    """Whether a process still does, a moment after it was ended."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        if state == "Z":
            return False
        time.sleep(0.02)
    return True


def test_memory_of_children_counts_and_none_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded_run, "LARGE_BYTES", 1 << 62)
    left = tmp_path / "pid"

    def with_child() -> None:
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)  # a group of its own does not hide it
            held = bytearray(200 << 20)
            left.write_text(str(os.getpid()))
            time.sleep(60)
            os._exit(len(held) & 1)
        while not left.exists():
            time.sleep(0.01)
        time.sleep(0.2)

    outcome = run_guarded(with_child, tmp_path / "log")
    monkeypatch.undo()
    assert outcome.end == "left behind"
    assert outcome.memory > 200 << 20
    assert not _runs(int(left.read_text()))
