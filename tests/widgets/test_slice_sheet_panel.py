"""*Explain this slice*: the button, cells that fill, results among those of their tabs, cancel."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from napari.layers import Image, Layer

import napari_sparseexplain as se
from napari_sparseexplain.explanation.slice_sheet import plan
from napari_sparseexplain.layers.cells.shown_cells import cells_of
from napari_sparseexplain.layers.mask_style import mask_style
from napari_sparseexplain.layers.study_layers import METADATA_KEY, study_layers
from napari_sparseexplain.progress import Progress

from .conftest import settle, until

pytestmark = pytest.mark.gui

#: A slice of the small study that holds the lesion.
SLICE = 4


class Tab:
    """Takes parts, as the tabs of the families do."""

    def __init__(self, viewer: Any) -> None:
        self.viewer, self.taken = viewer, []

    def adopt(self, study: Any, key: Any, part: Any) -> list[list[Layer]]:
        """One layer a part."""
        self.taken.append(part)
        layer = Image(part.explanation.maps[0].data, name=part.title)
        self.viewer.layers.append(layer)
        return [[layer]]


@pytest.fixture
def alone(
    fake_window: Any, study_folder: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """The panel in a window that is none; ``told`` are its errors, ``tab`` takes all parts."""
    from napari_sparseexplain.widgets.slice_sheet import panel as module

    study = se.open_study(study_folder)
    layers = [Layer.create(*item) for item in study_layers(study)]
    fake_window.viewer.layers.extend(layers)
    fake_window.study, fake_window.studies, fake_window.current_slice = study, [study], SLICE
    by_role = {layer.metadata[METADATA_KEY].role: layer for layer in layers}
    fake_window.study_layer = by_role.get
    told: list[Any] = []
    monkeypatch.setattr(module, "show_error_dialog", told.append)
    monkeypatch.setattr(module, "show_plots", lambda *_, **__: None)
    tab = Tab(fake_window.viewer)
    panel = module.SheetPanel(
        fake_window, dict.fromkeys(("proxy", "decompose", "attribution"), tab)
    )
    panel.session.models = [bundle]
    panel.told, panel.tab, panel.own = told, tab, layers
    return panel


def test_words_stand_until_a_part_is_there(alone: Any) -> None:
    cells = cells_of(alone._window.viewer)
    seen: list[list[str]] = []
    alone.runner.progressed.connect(lambda _: seen.append(list(cells.notes.values())))
    alone.press()
    assert alone.button.text().startswith("Cancel")
    assert alone.wait(60)
    assert any("XRAI: waiting" in words for words in seen)
    assert alone.button.text() == "Explain this slice"
    sheet = alone.sheet
    assert (sheet.index, alone._window.current_slice) == (SLICE, SLICE)
    missing = [f"{p.title}: {p.why_not}" for p in sheet.parts if p.explanation is None]
    assert "Components: none of the models is for it" in missing
    assert sorted(cells.notes.values()) == sorted(missing)
    assert [part.name for part in alone.tab.taken] == [
        part.name for part in sheet.parts if part.explanation and part.name != "responses"
    ]
    assert sheet.verdict.headline in alone.headline.text()
    assert all(line in alone.lines.text() for line in sheet.verdict.lines)
    alone._window.signals.study_closed.emit(alone._window.study, False)
    assert alone.sheet is None
    assert not alone.save.isEnabled()


def test_what_a_person_laid_out_meanwhile_stays(alone: Any) -> None:
    view = alone._window.grid_view

    def lay_out(step: Any) -> None:
        if step.preview is not None and not alone.tab.taken:
            view.show(alone.own[:1])

    alone.runner.progressed.connect(lay_out)
    alone.run()
    assert alone.wait(60)
    assert alone.tab.taken
    assert view.cells == ((alone.own[0],),)


def test_cancel_leaves_no_words_and_keeps_what_is_done(alone: Any) -> None:
    whole = alone.session.sheet_work

    def first_part_only(*asked: Any) -> Any:
        for step in whole(*asked):
            yield step
            while step.message == "Segmentation is done":
                time.sleep(0.01)
                yield Progress(1, 5, "held")

    alone.session.sheet_work = first_part_only
    alone.press()
    until(lambda: bool(alone.tab.taken))
    alone.press()
    assert alone.wait(60)
    assert "Cancelled" in alone.headline.text()
    assert len(alone.tab.taken) == 1
    assert "waiting" not in str(cells_of(alone._window.viewer).notes)


def test_a_study_that_nothing_fits_is_told_what_it_lacks(alone: Any) -> None:
    alone.session.models = ["left-ventricle-unet"]
    alone.press()
    assert alone.wait(60)
    assert "needs cine" in str(alone.told[0])
    assert list(alone._window.viewer.layers) == alone.own
    assert not alone._window.grid_view.active


def test_one_button_fills_a_sheet_of_ordinary_results(
    opened: Any, pursuit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Maps of few steps are maps as well.
    monkeypatch.setattr(plan, "DEFAULTS", {name: {"n_steps": 3} for name in plan.MAPS})
    panel = opened.sheet
    panel.session.models = [pursuit]
    opened.go_to_slice(SLICE)
    assert panel.button in opened.view_bar.findChildren(type(panel.button))
    panel.button.click()
    assert "Sheet" in opened.busy
    assert panel.wait(60)
    settle()
    shown = {name: opened.page(name).shown for name in ("proxy", "decompose", "attribution")}
    last = panel.sheet.parts[-1]
    assert last.trust is not None
    assert {name: len(several) for name, several in shown.items()} == {
        "proxy": 1,
        "decompose": 1,
        "attribution": 2,
    }
    mask = shown["proxy"][0].layers["mask"]
    assert opened.grid_view.cells[0][-1] is mask
    assert mask_style(mask) == "outline"
    for several in shown.values():
        for one in several:
            assert any(one.explanation is e for e in panel.sheet.explanations.values())
    judged = replace(last, trust=replace(last.trust, notes=("Over 1 slice.",)))
    panel.judged.emit(judged)
    assert [one.answer.trust is judged.trust for one in shown["attribution"]] == [False, True]
