"""The Data tab and the Measures panel in a real window: a click opens its slice."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from .conftest import new_workspace, settle, with_study
from .shared_window import SharedWindow, Step

pytestmark = pytest.mark.gui

SIDE = 40

#: The slice whose mask is far from the others'.
APART = "P-03-IM-0001-0001"


@pytest.fixture(scope="session")
def pictures(kept_folder: Path) -> Path:
    """Five patients, three slices each; one mask lies apart, one picture is damaged."""
    root = kept_folder / "pictures"
    rng = np.random.default_rng(0)
    rows, columns = np.indices((SIDE, SIDE))
    for folder in ("images", "labels"):
        (root / folder).mkdir(parents=True)
    for patient in range(5):
        for number in range(3):
            name = f"P-{patient:02d}-IM-0001-{number:04d}"
            column = 32 if name == APART else 18 + rng.uniform(-1, 1)
            disc = np.hypot(rows - 20 - rng.uniform(-1, 1), columns - column) < 4 + number / 4
            image = 60 + rng.normal(0, 8, disc.shape) + 90 * disc
            iio.imwrite(root / "images" / f"{name}.png", image.clip(0, 255).astype(np.uint8))
            iio.imwrite(root / "labels" / f"{name}.png", disc.astype(np.uint8) * 255)
    (root / "images" / "P-05-IM-0001-0000.png").write_bytes(b"no picture")
    return root


def explored(folder: Path) -> Step:
    """The folder explored, its plots below the picture."""

    def step(workspace: Any) -> None:
        tab = workspace.page("data")
        workspace.show_tab("data")
        tab.explore(folder)
        assert tab.wait(60)
        tab.show_plots()
        settle()

    return f"explored {folder}", step


@pytest.fixture
def window(shared_window: SharedWindow, study_folder: Path, pictures: Path) -> Any:
    """The small study open, the pictures explored."""
    return shared_window.lend(new_workspace, [with_study(study_folder), explored(pictures)])


def index_of(tab: Any, name: str) -> int:
    return next(i for i, r in enumerate(tab.found.records) if r.item.name == name)


def shown_names(workspace: Any) -> list[str]:
    return [layer.name for layer in workspace.viewer.layers if layer.visible]


def pixel_of(tab: Any, index: int) -> tuple[float, float]:
    """Where the point of a slice is on the canvas, from its lower left."""
    tab.panel.plot._canvas.draw()
    drawn = tab.panel.plot.drawn
    place = next(n for n, slices in enumerate(drawn.slices) if index in slices)
    x, y = drawn.axes.transData.transform((drawn.x[place], drawn.y[place]))
    return float(x), float(y)


def click_at(tab: Any, x: float, y: float, *, press: bool = True) -> None:
    """A hand at a pixel of the canvas."""
    canvas = tab.panel.plot._canvas
    ratio = canvas.device_pixel_ratio
    spot = QPoint(round(x / ratio), round(canvas.height() - y / ratio))
    QTest.mouseMove(canvas, spot)
    if press:
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=spot)
    settle()


def test_what_stands_out_is_listed_the_weightiest_first(window: Any) -> None:
    tab = window.page("data")
    assert "15 slices of 5 patients" in tab.summary.text()
    gravities = [note.gravity for note in tab.noted.notes]
    assert gravities[0] == "grave"
    assert "P-05-IM-0001-0000" in tab.noted.notes[0].words
    assert gravities == sorted(gravities, key=["grave", "look", "hint"].index)
    assert tab.noted.lines.count() == len(gravities)


def test_a_click_on_a_point_opens_its_slice_beside_what_is_open(window: Any) -> None:
    tab, study = window.page("data"), window.study
    before = list(window.viewer.layers)
    index = index_of(tab, APART)
    click_at(tab, *pixel_of(tab, index))
    assert tab.wait(30)
    assert window.study.name == APART
    assert shown_names(window) == [f"image · {APART}", f"Mask · {APART}"]
    assert [layer for layer in before if layer not in window.viewer.layers] == []
    assert study in window.studies
    mask = window.study.labels["seg"].spatial()
    assert mask.sum() == tab.found.records[index].measures["area"]
    assert not window.study.grid.calibrated
    assert not window.study.grid.oriented
    assert APART in tab.run_bar.message.text()


def test_the_next_slice_takes_the_place_of_the_one_before_unless_it_is_to_be_kept(
    window: Any,
) -> None:
    tab = window.page("data")
    for index in (0, 1):
        tab.open_slice(index)
        assert tab.wait(30)
    assert len(window.studies) == 2
    tab.keep.setChecked(True)
    tab.open_slice(2)
    assert tab.wait(30)
    assert len(window.studies) == 3


def test_slices_of_unknown_scans_keep_the_role_that_a_person_gave(window: Any) -> None:
    """In Study, for all that follow; or in the list of scans. Layers then has a model for them."""
    tab = window.page("data")
    tab.open_slice(0)
    assert tab.wait(30)
    old = window.study
    assert tuple(old.images) == ("image",)
    window.replace_study(old, old.with_role("image", "cine"))
    tab.open_slice(4)
    assert tab.wait(30)
    assert window.study is not old
    assert tuple(window.study.images) == ("cine",)
    assert window.page("layers").models.model == "left-ventricle-fcn"
    tab._role = ""
    tab.scan.setCurrentIndex(tab.scan.findData("cine"))
    tab.open_slice(5)
    assert tab.wait(30)
    assert tuple(window.study.images) == ("cine",)


def test_what_is_pointed_at_is_named(window: Any) -> None:
    tab = window.page("data")
    index = index_of(tab, APART)
    click_at(tab, *pixel_of(tab, index), press=False)
    assert APART in tab.panel.said.text()
    assert window.study.name != APART


def test_keys_go_through_the_points_and_enter_opens(window: Any) -> None:
    tab = window.page("data")
    canvas = tab.panel.plot._canvas
    QTest.keyClick(canvas, Qt.Key.Key_Right)
    areas = tab.found.values("area")
    smallest = tab.found.records[int(areas.argmin())].item.name
    assert smallest in tab.panel.said.text()
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    assert tab.wait(30)
    assert window.study.name == smallest


def test_a_line_lists_its_slices_and_enter_opens_the_first(window: Any) -> None:
    tab = window.page("data")
    row = next(i for i, note in enumerate(tab.noted.notes) if APART in note.words)
    tab.noted.lines.setCurrentRow(row)
    assert [tab.noted.slices.item(0).text()] == [APART]
    QTest.keyClick(tab.noted.lines, Qt.Key.Key_Return)
    assert tab.wait(30)
    assert window.study.name == APART


def test_a_bar_lists_its_slices(window: Any) -> None:
    tab = window.page("data")
    tab.panel.across.setCurrentIndex(tab.panel.across.findData("column"))
    tab.panel.show_kind("histogram")
    click_at(tab, *pixel_of(tab, index_of(tab, APART)))
    assert tab.noted.slices.count() == 1
    assert tab.noted.slices.item(0).text() == APART
    assert tab.noted.title.text().startswith("1 slice")
    tab.noted.slices.itemActivated.emit(tab.noted.slices.item(0))
    assert tab.wait(30)
    assert window.study.name == APART


def test_the_middles_of_the_masks_lie_on_their_map(window: Any) -> None:
    tab = window.page("data")
    tab.panel.show_kind("positions")
    index = index_of(tab, APART)
    drawn = tab.panel.plot.drawn
    place = next(n for n, slices in enumerate(drawn.slices) if index in slices)
    side = tab.found.position.shape[0]
    assert drawn.x[place] / side == pytest.approx(32.5 / SIDE, abs=0.02)
    click_at(tab, *pixel_of(tab, index))
    assert tab.wait(30)
    assert window.study.name == APART


def test_pages_and_table_are_saved(window: Any, tmp_path: Path) -> None:
    tab = window.page("data")
    for ending, button in tab.save_buttons.items():
        tab._ask_file = lambda _start, kind: str(tmp_path / f"set.{kind}")
        button.click()
        assert tab.wait(60)
        assert f"set.{ending}" in tab.run_bar.message.text()
    assert (tmp_path / "set.pdf").read_bytes().startswith(b"%PDF-")
    assert APART in (tmp_path / "set.html").read_text(encoding="utf-8")
    with (tmp_path / "set.csv").open(encoding="utf-8") as stream:
        assert len(list(csv.DictReader(stream))) == 15


def test_a_slice_that_is_gone_is_told_in_words(window: Any, tmp_path: Path) -> None:
    tab = window.page("data")
    record = tab.found.records[0]
    gone = replace(record, item=replace(record.item, image=tmp_path / "gone.png"))
    tab.found = replace(tab.found, records=(gone, *tab.found.records[1:]))
    tab.open_slice(0)
    assert tab.wait(30)
    assert "gone.png" in tab.run_bar.message.text()


def test_the_open_study_is_a_set_of_one_and_its_slices_are_gone_to(window: Any) -> None:
    tab, study = window.page("data"), window.study
    tab.place.choose()
    tab.explore()
    assert tab.wait(60)
    assert tab.found.studies[0].name == study.name
    assert "Of what is drawn: label 2 100.0%" in tab.summary.text()
    index = len(tab.found.records) - 1
    tab.open_slice(index)
    assert tab.wait(30)
    assert window.study is study
    assert window.current_slice == tab.found.records[index].item.index
    assert window.studies == [study]


def test_a_cancelled_run_changes_nothing(window: Any) -> None:
    tab = window.page("data")
    found = tab.found
    tab.explore()
    tab.run_bar.cancel.click()
    assert tab.wait(30)
    assert tab.found is found
    assert "Cancelled" in tab.run_bar.message.text()


def test_without_a_folder_and_a_study_it_says_what_to_do(fake_window: Any) -> None:
    from napari_sparseexplain.widgets.data_explorer.tab import DataTab

    tab = DataTab(fake_window)
    tab.explore()
    assert "no folder is chosen" in tab.run_bar.message.text()
    assert not tab.computing
    tab.stop()


def test_all_tabs_are_seen_none_behind_arrows(window: Any) -> None:
    bar = window.tabs.tabBar()
    assert bar.tabRect(bar.count() - 1).right() <= window.tabs.width()
