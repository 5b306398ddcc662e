"""*Explain this slice*: the button, cells that fill, results among those of their tabs, cancel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from napari_sparseexplain.layers.cells.shown_cells import cells_of
from napari_sparseexplain.layers.mask_style import mask_style

from .conftest import settle, until

pytestmark = pytest.mark.gui

#: A slice of the small study that holds the lesion.
SLICE = 4


@pytest.fixture
def panel(opened: Any, bundle: Path, pursuit: Path) -> Any:
    """The panel in a window with the small study, and small models to choose from."""
    opened.sheet.session.models = [bundle, pursuit]
    opened.go_to_slice(SLICE)
    return opened.sheet


def test_one_button_fills_a_sheet_of_ordinary_results(opened: Any, panel: Any) -> None:
    seen: list[list[str]] = []
    cells = cells_of(opened.viewer)
    panel.runner.progressed.connect(lambda step: seen.append(list(cells.notes.values())))
    assert panel.button in opened.view_bar.findChildren(type(panel.button))
    panel.button.click()
    assert panel.button.text().startswith("Cancel")
    assert "Sheet" in opened.busy
    assert panel.wait(60)
    settle()
    assert any("XRAI: waiting" in words for words in seen)
    assert panel.button.text() == "Explain this slice"
    sheet = panel.sheet
    assert sheet.index == SLICE
    titles = {p.name: [s.result.title for s in p.shown] for p in opened.tabs.pages()
              if p.name in ("proxy", "decompose", "attribution")}  # fmt: skip
    assert [len(titles[name]) for name in ("proxy", "decompose")] == [1, 1]
    assert len(titles["attribution"]) == sum(part.is_map for part in sheet.parts)
    masks = opened.page("proxy").shown[0].layers["mask"]
    assert mask_style(masks) == "outline"
    first = opened.grid_view.cells[0]
    assert first[-1] is masks
    missing = [f"{p.title}: {p.why_not}" for p in sheet.parts if p.explanation is None]
    assert sorted(cells.notes.values()) == sorted(missing)
    assert sheet.verdict.headline in panel.headline.text()
    assert all(line in panel.lines.text() for line in sheet.verdict.lines)
    assert cells.active
    # The same slice again takes the place of what was found before.
    count = len(opened.viewer.layers)
    panel.run()
    assert panel.wait(60)
    settle()
    assert len(opened.viewer.layers) == count


def test_cancel_leaves_no_words_and_keeps_what_is_done(opened: Any, panel: Any) -> None:
    panel.press()
    until(lambda: bool(opened.page("proxy").shown))
    panel.press()
    assert panel.wait(60)
    settle()
    assert "Cancelled" in panel.headline.text() or panel.sheet is not None
    assert len(opened.page("proxy").shown) == 1
    assert "waiting" not in str(cells_of(opened.viewer).notes)


def test_a_study_that_nothing_fits_is_told_what_it_lacks(
    opened: Any, panel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_sparseexplain.widgets.slice_sheet import panel as module

    told: list[Any] = []
    monkeypatch.setattr(module, "show_error_dialog", told.append)
    panel.session.models = ["left-ventricle-unet"]
    layers = list(opened.viewer.layers)
    panel.press()
    assert panel.wait(60)
    settle()
    assert "needs cine" in str(told[0])
    assert list(opened.viewer.layers) == layers
    assert panel.button.text() == "Explain this slice"


def test_a_closed_study_takes_its_sheet_with_it(opened_alone: Any, bundle: Path) -> None:
    panel = opened_alone.sheet
    panel.session.models = [bundle]
    opened_alone.go_to_slice(SLICE)
    panel.run()
    assert panel.wait(60)
    settle()
    assert panel.sheet is not None
    opened_alone.close_study(opened_alone.study)
    assert panel.sheet is None
    assert not panel.save.isEnabled()
    assert not list(opened_alone.viewer.layers)
