"""Tabs and panels know the window by what `Window` says, and nothing of each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import pytest

from napari_sparseexplain.families import FAMILIES, resolve
from napari_sparseexplain.widgets.review.reviewed_window import ReviewedWindow
from napari_sparseexplain.widgets.view.view_window import ViewWindow
from napari_sparseexplain.widgets.window import Window

from ..package_modules import imports, is_folder, modules

TABS = [resolve(family.tab) for family in FAMILIES if family.tab]

#: Who makes the window, opens it or goes through it as a person would.
WINDOW_OWN = ("workspace", "tab_openers", "tour", "demo")

#: Who knows the tabs themselves.
KNOW_TABS = (*WINDOW_OWN, "tab_pages")

PROTOCOLS = {kind.__name__: kind for kind in (Window, ViewWindow, ReviewedWindow)}

#: Every module of the floor, by its dotted name on it.
MODULES = {
    name.removeprefix("widgets."): tree
    for name, tree in modules().items()
    if name.startswith("widgets.") and not is_folder(name)
}


def is_tab(name: str) -> bool:
    """Whether a module holds the tab of a family, as ``proxy.tab`` does."""
    return name.endswith(".tab")


def known_from_here(name: str) -> set[tuple[str, str]]:
    """Modules of this floor, and names of them, that a module of it imports."""
    found = imports(f"widgets.{name}")
    return {(m.removeprefix("widgets."), what) for m, what in found if m.startswith("widgets.")}


def asked_of_the_window(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Attributes of ``self._window``, and of parameters that are the window, with their lines."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        of = node.value
        own = isinstance(of, ast.Attribute) and of.attr == "_window"
        if own or (isinstance(of, ast.Name) and of.id == "window"):
            yield node.attr, node.lineno


def test_nobody_but_its_own_knows_the_workspace() -> None:
    """Who needs the window takes `Window`, or what it needs of it as a parameter."""
    knows = {name for name in MODULES if ("workspace", "Workspace") in known_from_here(name)}
    assert knows <= set(WINDOW_OWN)


def test_nobody_asks_more_of_the_window_than_its_protocol_says() -> None:
    asked = []
    for name, tree in MODULES.items():
        known = [what for _, what in known_from_here(name) if what in PROTOCOLS]
        if name in WINDOW_OWN or not (known or is_tab(name)):
            continue
        # A subclass of a tab need not name the protocol again.
        kinds = [PROTOCOLS[what] for what in known] or [Window]
        allowed = {member for kind in kinds for base in kind.__mro__ for member in vars(base)}
        asked += [
            f"{name}, line {line}: {what}"
            for what, line in asked_of_the_window(tree)
            if what not in allowed
        ]
    assert not asked


def test_no_tab_or_panel_knows_another_tab() -> None:
    """What one has to tell another is a signal, which the window connects."""
    tabs = {name for name in MODULES if is_tab(name)}
    assert len(tabs) == len(TABS)
    for name in MODULES:
        of_its_room = name.rpartition(".")[0] + ".tab"
        known = {module for module, _ in known_from_here(name)} & (tabs - {of_its_room})
        assert name in KNOW_TABS or not known, name


@pytest.mark.gui
@pytest.mark.parametrize("kind", TABS)
def test_a_tab_opens_in_a_window_of_ten_lines(fake_window: Any, kind: Any) -> None:
    tab = kind(fake_window)
    fake_window.signals.voxel_clicked.emit((0, 0, 0))
    fake_window.signals.study_changed.emit(None)
    assert (tab.name, tab.title) in [(family.name, family.title) for family in FAMILIES]
    assert not tab.computing
    tab.stop()
    assert tab.wait(10)
