"""docs/architecture.md names nothing that is not there; docs/modules.md every module."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

from .package_modules import PACKAGE, modules

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "architecture.md"

#: What a file of the repository is called in the document: in backticks, or as a link's goal.
FILE_NAME = re.compile(r"[\w./-]+\.(?:py|md|yaml|toml|txt)|[\w./-]+/|Makefile|\.ci/run|scripts/\w+")

FLOORS = sorted(p.name for p in PACKAGE.iterdir() if (p / "__init__.py").is_file())


def sections() -> dict[str, str]:
    """Text under each heading that is a folder (``### `volumes/` ``), and all else under ``""``."""
    parts = re.split(r"^##+ (.*)$", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {"": parts[0]}
    for heading, text in zip(parts[1::2], parts[2::2], strict=True):
        folder = re.fullmatch(r"`([\w/]+)/`", heading.strip())
        name = folder[1] if folder else ""
        found[name] = found.get(name, "") + text
    return found


def test_the_list_of_modules_is_as_make_docs_writes_it() -> None:
    written = runpy.run_path(str(ROOT / "scripts" / "module_table"))["page"]()
    assert (DOCUMENT.parent / "modules.md").read_text(encoding="utf-8") == written, "make docs"


def test_every_module_says_what_it_is_for() -> None:
    silent = [name for name, tree in modules().items() if not (ast.get_docstring(tree) or "")]
    assert not silent


def test_every_folder_of_modules_is_a_floor_that_is_drawn() -> None:
    drawn = DOCUMENT.read_text(encoding="utf-8").split("```")[1]
    missing = [floor for floor in FLOORS if f"{floor}/" not in drawn]
    assert not missing, "not in the picture of the floors"


def test_every_file_named_is_there() -> None:
    lost = []
    for floor, text in sections().items():
        quoted = [*re.findall(r"`([^`\n]+)`", text), *re.findall(r"\]\(([^)#:]+)\)", text)]
        for name in quoted:
            if not FILE_NAME.fullmatch(name):
                continue
            homes = (PACKAGE / floor, PACKAGE, ROOT, DOCUMENT.parent)
            if not any((home / name).exists() for home in homes):
                lost.append(name)
    assert not lost, "named in the document and not in the repository"
