"""What the README shows in Python runs as it stands there, in this order, in one session."""

from __future__ import annotations

import doctest
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import napari_sparseexplain as se
from napari_sparseexplain.volumes.opening.sample import sample_path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_readmes_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    blocks = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(blocks) == 2
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_study").symlink_to(sample_path())
    torch.manual_seed(0)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {"my_study", "where", "signals.png", "signals.json", "report.pdf"}


def test_examples_of_public_functions_run() -> None:
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner()
    found = [
        test
        for name in se.__all__
        for test in finder.find(getattr(se, name), name, globs={})
        if test.examples
    ]
    assert {test.name for test in found} >= {"explain", "sample_study", "save_picture"}
    for test in found:
        assert runner.run(test).failed == 0, test.name


def test_the_first_lines_come_before_everything_else() -> None:
    """Within the first screens: import, a study, explain, plot, save."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first = BLOCK.search(text)
    assert first is not None
    assert "```" not in text[: first.start()]
    for word in ("se.sample_study()", "se.explain(", "roles=", ".plot()", ".save("):
        assert word in first[1]


def test_the_package_says_that_it_is_typed_and_how_to_cite_it() -> None:
    assert files("napari_sparseexplain").joinpath("py.typed").is_file()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {project['version']}\n" in cited
    assert f"license: {project['license']}\n" in cited
