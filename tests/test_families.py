"""What the families name is there, and what is there is named by a family."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import napari_sparseexplain as se
from napari_sparseexplain.cli import app, evaluate, train
from napari_sparseexplain.families import FAMILIES, Family, resolve
from napari_sparseexplain.networks.catalogue import BUNDLES, bundle_folders

DOCS = Path(__file__).resolve().parents[1] / "docs"


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
