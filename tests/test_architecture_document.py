"""docs/architecture.md names every module of the package, and nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import napari_sparseexplain

PACKAGE = Path(napari_sparseexplain.__file__).parent
ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "architecture.md"

#: What a file of the repository is called in the document: in backticks, or as a link's goal.
FILE_NAME = re.compile(r"[\w./-]+\.(?:py|md|yaml|toml|txt)|[\w./-]+/|Makefile|\.ci/run|scripts/\w+")

FLOORS = sorted(p.name for p in PACKAGE.iterdir() if (p / "__init__.py").is_file())

#: Floors and the rooms in them, as `export/privacy`.
ROOMS = sorted(
    path.parent.relative_to(PACKAGE).as_posix()
    for path in PACKAGE.rglob("__init__.py")
    if path.parent != PACKAGE
)


def sections() -> dict[str, str]:
    """Text under each heading that is a folder (``### `volumes/` ``), and all else under ``""``."""
    parts = re.split(r"^##+ (.*)$", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {"": parts[0]}
    for heading, text in zip(parts[1::2], parts[2::2], strict=True):
        folder = re.fullmatch(r"`([\w/]+)/`", heading.strip())
        name = folder[1] if folder else ""
        found[name] = found.get(name, "") + text
    return found


def rows(text: str) -> set[str]:
    """Files that have a line of their own in a table."""
    return set(re.findall(r"^\| `([\w.]+)` \|", text, flags=re.MULTILINE))


@pytest.mark.parametrize("floor", ROOMS)
def test_every_module_of_a_floor_has_its_line(floor: str) -> None:
    there = {p.name for p in (PACKAGE / floor).glob("*.py")} - {"__init__.py"}
    named = rows(sections().get(floor, ""))
    assert named == there, f"add to, or take out of, the tables of `{floor}/` in {DOCUMENT.name}"


def test_every_module_beside_the_floors_has_its_line() -> None:
    there = {p.name for p in PACKAGE.glob("*.py")} | {"napari.yaml"}
    assert rows(sections()["napari_sparseexplain"]) == there


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
