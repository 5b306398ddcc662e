"""The table of lesions in a real window: it follows masks and keeps an edited copy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication

from napari_sparseexplain.layers.study_layers import METADATA_KEY
from napari_sparseexplain.layers.viewer_panels import AUXILIARY
from napari_sparseexplain.widgets.view.plots_dock import hide_plots, show_plots

from .conftest import new_workspace, settle, with_study

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .shared_window import SharedWindow

pytestmark = pytest.mark.gui


@pytest.fixture
def panel(shared_window: SharedWindow, study_folder: Path) -> Iterator[Any]:
    """The panel below the picture, with the small study's mask and a copy with a second lesion."""
    window = shared_window.lend(new_workspace, [with_study(study_folder)])
    own = window.study_layer("seg")
    two = np.array(own.data)
    two[1, 2:5, 2:5] = 1
    window.viewer.add_labels(two, name="two", scale=own.scale, units=own.units)
    panel = window.page("review").lesions
    show_plots(window.viewer, panel)
    assert panel.wait(30)
    panel.window_of_test = window
    try:
        yield panel
    finally:
        panel.reference.choose(None)
        panel.diameters.clear()
        hide_plots(panel)
        settle()


def choose(panel: Any, name: str) -> None:
    layer = panel.window_of_test.viewer.layers[name]
    assert panel.wait(30)  # what has just come is offered
    panel.mask_choice.choose(layer)
    assert panel.wait(30)
    settle()


def test_the_lesion_mask_of_the_study_is_measured_at_once(panel: Any) -> None:
    assert panel.mask_choice.layer is panel.window_of_test.study_layer("seg")
    assert panel.list.rowCount() == 1
    titles = [column.title for column in panel.table.columns]
    assert [t for t in ("T1", "FLAIR", "Volume (ml)") if t not in titles] == []
    assert "1 lesion" in panel.said.text()


def test_a_chosen_lesion_is_gone_to_and_its_diameters_are_drawn(panel: Any) -> None:
    choose(panel, "two")
    window = panel.window_of_test
    assert panel.list.rowCount() == 2
    assert not panel.mark_button.isEnabled()
    panel.list.choose(2)
    settle()
    assert window.current_slice == 1
    layer = panel.diameters.layer
    assert layer.metadata[METADATA_KEY] == AUXILIARY
    assert len(layer.data) == 1
    assert layer.features["label"][0].endswith("mm")
    panel.mark()
    marks = window.page("review").marking
    try:
        assert [mark.kind for mark in marks.annotations] == ["bidirectional"]
        assert marks.annotations[0].axes_mm[0] == pytest.approx(np.hypot(3, 3))
        assert marks.annotations[0].text == "Lesion 2"
    finally:
        marks.undo()


def test_a_lesion_is_switched_off_in_a_copy_with_its_dice_beside(panel: Any) -> None:
    choose(panel, "two")
    panel.reference.choose(panel.window_of_test.study_layer("seg"))
    assert panel.wait(30)
    panel.list.switch(2, False)
    copy = panel.edited.layer
    assert copy.name == "Edited: two"
    assert np.array_equal(copy.data != 0, panel.window_of_test.study_layer("seg").data != 0)
    assert "edited copy without 2, Dice 1.000" in panel.said.text()
    panel.list.switch(2, True)
    assert np.array_equal(copy.data, panel.found.mask)
    panel.window_of_test.viewer.layers.remove(copy)
    panel.list.switch(2, False)
    assert panel.edited.layer in panel.window_of_test.viewer.layers
    panel.window_of_test.viewer.layers.remove(panel.edited.layer)


def test_a_click_on_a_head_sorts_by_value_and_numbers_stay(panel: Any) -> None:
    choose(panel, "two")
    panel.list.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert panel.list.item(0, 0).text() == "2"
    panel.list.choose(1)
    assert panel.list.current == 1


def test_the_table_is_copied_and_saved(panel: Any, tmp_path: Path) -> None:
    choose(panel, "two")
    panel.copy()
    assert QGuiApplication.clipboard().text().startswith("No.\tVolume (ml)")
    path = panel.save(tmp_path / "lesions.csv")
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3


def test_a_mask_removed_by_hand_leaves_the_table(panel: Any) -> None:
    choose(panel, "two")
    panel.list.choose(1)
    layers = panel.window_of_test.viewer.layers
    layers.remove(layers["two"])
    settle()
    assert panel.wait(30)
    assert panel.mask_choice.layer is panel.window_of_test.study_layer("seg")
    assert panel.list.rowCount() == 1
    assert panel.diameters.layer is None


@pytest.mark.parametrize("shape", [(3, 32, 32), (8, 20, 20)])
def test_a_mask_of_another_grid_is_told(panel: Any, shape: tuple[int, int, int]) -> None:
    viewer = panel.window_of_test.viewer
    viewer.add_labels(np.ones(shape, dtype=np.uint8), name="other")
    choose(panel, "other")
    assert "not those of the study" in panel.said.text()
    assert panel.list.rowCount() == 0
    assert not panel.save_button.isEnabled()


def test_an_empty_mask_is_told(panel: Any) -> None:
    own = panel.window_of_test.study_layer("seg")
    empty = np.zeros_like(own.data)
    panel.window_of_test.viewer.add_labels(empty, name="empty", scale=own.scale, units=own.units)
    choose(panel, "empty")
    assert "the mask is empty" in panel.said.text()
    assert panel.list.rowCount() == 0


def test_the_difference_to_the_reference_is_one_picture_with_its_volumes(panel: Any) -> None:
    window = panel.window_of_test
    own = window.study_layer("seg")
    assert not panel.difference_button.isEnabled(), "there is nothing to compare with"
    choose(panel, "two")
    panel.reference.choose(own)
    assert panel.wait(30)
    settle()
    own.visible = True
    panel.difference_button.click()
    layer = panel.difference.layer
    assert layer is not None
    true, found = np.asarray(own.data) > 0, np.asarray(window.viewer.layers["two"].data) > 0
    np.testing.assert_array_equal(np.asarray(layer.data) == 3, found & ~true)
    assert not (np.asarray(layer.data) == 2).any()
    agreed = np.count_nonzero(true) * 2.0 / 1000
    assert f"agreed {agreed:.2f} ml · missed 0.00 ml · false 0.02 ml" in layer.name
    assert not own.visible
    panel.difference_button.click()
    assert panel.difference.layer is None
    window.grid_view.show_cells([[window.study_layer("flair"), own]])
    panel.difference_button.click()
    assert [len(cell) for cell in window.grid_view.cells] == [2, 2]
    window.viewer.layers.remove(panel.difference.layer)
    assert [len(cell) for cell in window.grid_view.cells] == [2, 1], "its scan stays"
    panel.reference.choose(None)
    assert panel.wait(30)
    settle()
    assert not panel.difference_button.isEnabled()
    window.grid_view.leave()
