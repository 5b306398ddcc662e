"""What the README and the pages in ``docs/`` show as code runs, and every command line is one.

A Python block runs as it stands, those of a page in one session and in one folder; so do the shell
lines that are quick. Every other line of ``sparseexplain`` is read by the command line itself up to
the point where it would begin; ``make`` must know its target and ``pip`` the extra.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import napari_sparseexplain as se
from napari_sparseexplain.cli import app
from napari_sparseexplain.explanation.catalogue import method_info
from napari_sparseexplain.explanation.target import Target
from napari_sparseexplain.families import families, resolve
from napari_sparseexplain.volumes.opening.sample import sample_path

from .document_blocks import PAGES, ROOT, Block, blocks, commands, run_block, shell_lines
from .other_families import install_small, on_the_path

#: Commands that take less than two seconds: these are run.
QUICK = ("study", "models", "methods", "report")

#: What is there afterwards.
MADE = {
    "README.md": {"where"},
    "scripts.md": {"signals", "signals.png", "signals.json", "report.pdf", "report"},
    "phantom.md": {"slices.npz"},
    "volumes.md": {"bright.nii.gz", "found.nii.gz"},
}

#: What the command line raises for wrong usage. (typer brings click within itself, or beside it.)
WrongUsage: Any = typer.BadParameter.__base__

#: Its blocks are the files of tests/small_family (tests/test_families.py compares them), which
#: tests/test_other_families.py and tests/widgets/test_other_family_tab.py run.
A_PACKAGE = "adding-a-family.md"


def sample_as(folder: Path, name: Callable[[str], str]) -> None:
    """The sample study in ``folder``, its files called otherwise."""
    folder.mkdir()
    for path in sample_path().glob("*.nii.gz"):
        (folder / name(path.name)).symlink_to(path)


def oblique_pair(folder: Path) -> None:
    """FLAIR and T1 of one head, on two grids."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    for role, shape, spacing in (("flair", (12, 14, 9), 4.0), ("t1", (24, 28, 9), 2.0)):
        values = generator.integers(0, 900, shape, dtype=np.int16)
        affine = np.diag([spacing, spacing, 4.0, 1.0])
        nib.Nifti1Image(values, affine).to_filename(folder / f"{role}.nii.gz")


def material(page: str, here: Path) -> None:
    """The folders that a page speaks of."""
    if page == "scripts.md":
        sample_as(here / "my_study", str)
    if page == "microstructure.md":
        sample_as(here / "FOLDER", str)
    if page == "volumes.md":
        brats = {"t1ce": "t1c", "t1": "t1n", "flair": "t2f", "t2": "t2w", "seg": "seg"}
        sample_as(
            here / "my_scan",
            lambda name: f"Patient-{brats[name.split('.')[0].rpartition('_')[2]]}.nii.gz",
        )
        oblique_pair(here / "native")


def is_run(block: Block) -> bool:
    """Whether a block holds something that is executed."""
    return block.page != A_PACKAGE and (block.kind == "python" or bool(quick_lines(block)))


def quick_lines(block: Block) -> list[list[str]]:
    """The shell lines of a block that are run; DICOM needs a scanner's study."""
    lines = commands(block.text) if block.kind == "sh" else []
    return [
        words
        for words in lines
        if words[0] == "sparseexplain" and words[1] in QUICK and "--dicom" not in words
    ]


RUN = [page for page in PAGES if any(is_run(block) for block in blocks(page))]


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_a_pages_code_runs_in_its_order(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    material(page.name, tmp_path)
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    names: dict[str, Any] = {"__name__": page.name}
    for block in filter(is_run, blocks(page)):
        if block.kind == "python":
            run_block(block, names)
        for words in quick_lines(block):
            done = CliRunner().invoke(app, words[1:])
            assert done.exit_code == 0, f"{block.place}: {words}: {done.output}"
    made = {path.name for path in tmp_path.iterdir()}
    assert made >= MADE.get(page.name, set())


def test_the_study_on_the_page_of_volumes_is_said_as_it_is_printed_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = ROOT / "docs" / "volumes.md"
    shown = next(b.text for b in blocks(page) if b.text.startswith("$ sparseexplain study my_scan"))
    material(page.name, tmp_path)
    monkeypatch.chdir(tmp_path)
    printed = CliRunner().invoke(app, ["study", "my_scan"]).stdout
    assert printed.startswith(shown.partition("\n")[2])


@contextmanager
def the_pages_families(page: Path, site: Path) -> Iterator[None]:
    """The family that a page is about is installed meanwhile."""
    if page.name != A_PACKAGE:
        yield
        return
    with on_the_path(install_small(site)):
        yield


def command_named(name: str) -> Any:
    """A command of ``sparseexplain``, also of a family that came after the list was made."""
    known = typer.main.get_command(app)
    assert isinstance(known, typer.core.TyperGroup)
    for family in families():
        if name not in known.commands and name in family.commands:
            one = typer.Typer()
            one.command()(resolve(family.commands[name]))
            return typer.main.get_command(one)
    return known.commands[name]


def understood(words: list[str], *, whole: bool) -> None:
    """Let the command line read ``words`` up to where it would begin.

    ``whole``: all that it needs must be there. A word in capitals that stands for a command or a
    number is one.
    """
    if words[1].isupper():
        return
    command, rest = command_named(words[1]), words[2:]
    while isinstance(command, typer.core.TyperGroup) and rest:
        if rest[0].isupper():
            return
        command, rest = command.commands[rest[0]], rest[1:]
    if not rest and not whole:
        return
    rest = ["1" if word == "N" else word for word in rest]
    try:
        given = command.make_context(words[1], rest).params
    except typer.BadParameter as error:
        if whole or type(error).__name__ != "MissingParameter":
            raise
        return
    if words[1] in ("explain", "faithfulness"):
        for name in str(given.get("method") or given.get("methods")).split(","):
            if not name.isupper():
                method_info(name)
    model = given.get("model")
    assert model is None or model in se.models() or "/" in model or model.isupper(), model
    if isinstance(given.get("target"), str):
        Target.parse(given["target"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_line_is_understood(page: Path, tmp_path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with the_pages_families(page, tmp_path / "site"):
        for place, words in shell_lines(page):
            inline = ": " in place
            try:
                if words[0] == "sparseexplain":
                    understood(words, whole=not inline)
                elif words[0] == "make":
                    assert words[1] in targets
                elif words[0] == "pip":
                    for extras in re.findall(r"\[([\w,-]+)\]", " ".join(words)):
                        assert set(extras.split(",")) <= set(project["optional-dependencies"])
                elif words[0] == "python":
                    assert (ROOT / words[2].replace(".", "/")).is_dir()
                else:
                    raise AssertionError("what is this?")
            except (WrongUsage, se.SparseExplainError, KeyError, AssertionError) as error:
                pytest.fail(f"{place}: {' '.join(words)}: {error!r}")


def test_every_extra_that_is_named_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for page in PAGES:
        for name in re.findall(r"extras? `\[([a-z-]+)\]`", page.read_text(encoding="utf-8")):
            assert name in project["optional-dependencies"], f"{page.name}: [{name}]"


def test_every_block_says_what_it_is() -> None:
    for page in PAGES:
        for block in blocks(page):
            assert block.kind in ("python", "sh", "text", "toml"), block.place


def test_a_line_that_is_none_and_a_value_that_is_another_are_found() -> None:
    for wrong in ("explain s --method magic --out o", "study s --no-such", "report s"):
        with pytest.raises((WrongUsage, se.SparseExplainError, AssertionError)):
            understood(["sparseexplain", *wrong.split()], whole=True)
    with pytest.raises(AssertionError, match=r"page\.md:3"):
        run_block(Block("page.md", 3, "python", "a = 1\na, a + 1\n# 1, 3\n"), {})
