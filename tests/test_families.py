"""What the families name is there, and what is there is named by a family."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

import napari_sparseexplain as se
from napari_sparseexplain.cli import app, evaluate, train
from napari_sparseexplain.families import FAMILIES, OWN, Family, resolve
from napari_sparseexplain.networks.bundle.catalogue import BUNDLES, bundle_folders

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PACKAGE = Path(se.__file__).parent


def references(family: Family) -> Iterator[str]:
    """Every reference of a family that needs no window."""
    yield from (family.methods,) if family.methods else ()
    for several in (family.commands, family.recipes, family.evaluations):
        yield from several.values()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_what_a_family_names_is_there(family: Family) -> None:
    for reference in references(family):
        assert resolve(reference) is not None
    assert (DOCS / family.page).is_file()


def names_of(to: typer.Typer) -> set[str]:
    return {str(info.name) for info in (*to.registered_commands, *to.registered_groups)}


def test_the_command_line_has_the_commands_of_the_families_and_the_houses_own() -> None:
    own = {"open", "demo", "models", "methods", "explain", "train", "evaluate", "bench"}
    named = {name for family in FAMILIES for name in family.commands}
    assert names_of(app) >= own | named
    assert names_of(train) >= {name for family in FAMILIES for name in family.recipes}
    assert names_of(evaluate) >= {name for family in FAMILIES for name in family.evaluations}
    assert not own & named


def test_the_methods_are_those_of_the_families_in_their_order() -> None:
    declared = [info for f in FAMILIES if f.methods for info in resolve(f.methods)]
    assert list(se.methods().values())[: len(declared)] == declared


def test_every_bundle_that_ships_belongs_to_a_family() -> None:
    shipped = {path.name for path in BUNDLES.iterdir() if path.is_dir()}
    own = {name for name, (family, _) in bundle_folders().items() if family.is_own}
    assert shipped == own
    assert list(se.models()) == [name for name in bundle_folders() if name in se.models()]


@pytest.fixture(scope="module")
def manifest() -> Any:
    return yaml.safe_load((PACKAGE / "napari.yaml").read_text(encoding="utf-8"))["contributions"]


def test_the_manifest_has_one_entry_for_the_window_and_one_for_each_tab(manifest: Any) -> None:
    """In the order of the tabs; after them the panels below the picture."""
    tabs = [family for family in FAMILIES if family.tab]
    panels = [title for family in FAMILIES for title in (family.plots, *family.panels) if title]
    widgets = [(entry["command"], entry["display_name"]) for entry in manifest["widgets"]]
    assert widgets == [
        (f"{OWN}.workspace", "Workspace"),
        *((f"{OWN}.{family.name}", family.title) for family in tabs),
        *((f"{OWN}.{title.lower()}", title) for title in panels),
    ]
    commands = {entry["id"]: entry for entry in manifest["commands"]}
    entries = {**{family.name: family.title for family in tabs}, **{t.lower(): t for t in panels}}
    for name, title in entries.items():
        entry = commands[f"{OWN}.{name}"]
        assert entry["title"] == title
        module, _, opener = entry["python_name"].partition(":")
        assert module == "napari_sparseexplain.widgets.tab_openers"
        assert opener == f"{title.replace(' ', '')}Opener"


def test_the_manifest_offers_the_sample_data_of_the_families(manifest: Any) -> None:
    commands = {entry["id"]: entry["python_name"] for entry in manifest["commands"]}
    offered = {entry["key"]: commands[entry["command"]] for entry in manifest["sample_data"]}
    assert offered == {key: name for f in FAMILIES for key, name in f.samples.items()}


def test_what_explains_is_in_the_menu_of_segmentation(manifest: Any) -> None:
    menu = {entry["command"] for entry in manifest["menus"]["napari/layers/segment"]}
    assert menu == {f"{OWN}.{family.name}" for family in FAMILIES if family.methods}


def test_every_tab_is_a_class_that_the_window_can_make() -> None:
    """Found by its text, without making a window."""
    for family in FAMILIES:
        if family.tab:
            module, _, name = family.tab.partition(":")
            path = PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
            classes = [
                node.name
                for node in ast.parse(path.read_text(encoding="utf-8")).body
                if isinstance(node, ast.ClassDef)
            ]
            assert name in classes


def test_the_page_on_families_shows_the_small_family_as_it_is() -> None:
    text = (DOCS / "adding-a-family.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"`(tests/small_family/\S+)`:\n\n```\w+\n(.*?)```", text, re.DOTALL))
    files = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in (ROOT / "tests" / "small_family").rglob("*")
        if path.suffix in (".py", ".toml")
    }
    assert shown == files


def test_the_page_on_families_names_every_field_of_the_record() -> None:
    text = (DOCS / "adding-a-family.md").read_text(encoding="utf-8")
    named = {
        name
        for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    filled_in = {"package", "version"}
    assert {field.name for field in fields(Family)} - filled_in <= named
