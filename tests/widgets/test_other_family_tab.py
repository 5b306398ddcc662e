"""A family of another package in a real window: its tab, and its result in the grid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from napari_sparseexplain.families import FAMILIES
from napari_sparseexplain.layers.study_layers import METADATA_KEY

from ..other_families import install, install_small, on_the_path
from .conftest import settle

pytestmark = pytest.mark.gui

#: Its module loads; its tab does not.
BROKEN = """
from napari_sparseexplain.families import Family
FAMILY = Family(name="broken", title="Broken", tab="broken_tab:Tab")
class Tab:
    def __init__(self, window):
        raise OSError("no such device")
"""


@pytest.fixture
def others(tmp_path: Path) -> Iterator[None]:
    """The small family, and one whose tab cannot be made, before the window opens."""
    install(tmp_path / "site", "broken-tab", BROKEN)
    with on_the_path(install_small(tmp_path / "site")):
        yield


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Warnings that the window shows."""
    from napari_sparseexplain.widgets import tab_pages

    said: list[str] = []
    monkeypatch.setattr(tab_pages, "show_warning_message", said.append)
    return said


def test_its_tab_opens_and_its_result_stands_in_the_grid(
    others: None, told: list[str], opened_alone: Any, bundle: Path
) -> None:
    opened = opened_alone
    titles = [opened.tabs.tabText(n) for n in range(opened.tabs.count())]
    assert titles == [*(family.title for family in FAMILIES if family.tab), "Small"]
    assert told == [
        "the family 'broken' of broken-tab 1.0 is left out (OSError: no such device)"
    ], "one line, and the window is there"
    tab = opened.tabs.widget(opened.tabs.count() - 1)
    opened.tabs.setCurrentWidget(tab)
    tab.models.choose(bundle)
    tab.target.setText("WT@seg")  # this network, which learned nothing, predicts none
    opened.go_to_slice(4)
    tab.run.click()
    assert tab.wait(60)
    settle()
    scan, heat = opened.grid_view.layers
    explained = heat.metadata[METADATA_KEY].explanation
    assert explained.method == "gradient-times-input"
    assert explained.provenance.versions["sparseexplain-small"] == "0.3"
    assert explained is tab.results.items[0].value
    assert scan.visible
    assert heat.visible
    assert opened.grid_view.active


def test_its_method_is_offered_where_heat_maps_are_compared(others: None, workspace: Any) -> None:
    tab = next(page for page in workspace.tabs.pages() if page.title == "Attribution")
    tab.choose_method("gradient-times-input", positive=True)
    assert tab.parameters.changed() == {"positive": True}
