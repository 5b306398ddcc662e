"""The README begins with what a newcomer types, and every public name has an example that runs.

What the README shows is run by tests/test_documents_run.py.
"""

from __future__ import annotations

import doctest
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import napari_sparseexplain as se

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_public_name_has_an_example_that_runs() -> None:
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner()
    found = [
        test
        for name in se.__all__
        for test in finder.find(getattr(se, name), name, globs={})
        if test.examples
    ]
    assert {test.name for test in found} == set(se.__all__) - {"__version__"}
    for test in found:
        assert runner.run(test).failed == 0, test.name


def test_the_first_lines_come_before_everything_else() -> None:
    """Within the first screens: install, then import, a study, explain, plot, save."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first = BLOCK.search(text)
    assert first is not None
    assert re.findall(r"^```.*\n.*", text[: first.start()], re.MULTILINE)[0].startswith(
        "```sh\npip install"
    )
    assert text.count("```", 0, first.start()) == 2
    for word in ("se.sample_study()", "se.explain(", "roles=", ".plot()", ".save("):
        assert word in first[1]


def test_the_package_says_that_it_is_typed_and_how_to_cite_it() -> None:
    assert files("napari_sparseexplain").joinpath("py.typed").is_file()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {project['version']}\n" in cited
    assert f"license: {project['license']}\n" in cited


def test_the_readme_comes_in_the_order_in_which_a_newcomer_asks() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings[:4] == [
        "Install, and five lines",
        "The window in five minutes",
        "What is in it",
        "Limits",
    ]
    assert text.count("![") == 1
    assert text.index("![") < text.index("## ")
