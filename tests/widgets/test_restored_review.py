"""A review saved in one window and opened in another; moved, changed and unsaved ones."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.export.pictures.compositor import compose
from napari_sparseexplain.export.pictures.picture_file import png_bytes
from napari_sparseexplain.layers.cells.shown_cells import cells_of
from napari_sparseexplain.layers.explanation_layers import BelowMap, ExplanationLayer
from napari_sparseexplain.layers.mask_style import line_width, mask_style, set_mask_style
from napari_sparseexplain.layers.study_layers import METADATA_KEY, grid_units
from napari_sparseexplain.review.store import restore_review

from .conftest import settle
from .reviewing import SIZE, TIME, another_window, heat, mark, rest, show_heat

pytestmark = pytest.mark.gui


def test_a_saved_review_comes_back_onto_another_window_and_gives_the_same_picture(
    tab: Any, opened: Any, tmp_path: Path
) -> None:
    show_heat(opened)
    opened.study_layer("flair").contrast_limits = (10.0, 180.0)
    opened.go_to_slice(opened.current_slice)
    opened.viewer.scene.camera.zoom *= 1.5
    tab.marking.mark_key_slice("grows")
    tab.marking.add_annotation(mark(opened, "distance", [(10, 6), (10, 18)]))
    tab.marking.add_annotation(mark(opened, "text", [(5, 5)], "rim"))
    opened.click((opened.current_slice, 12, 14))
    settle(0.2)
    first = png_bytes(compose(tab.reading(), SIZE, created=TIME))
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    assert "Saved" in tab.run_bar.message.text()

    with another_window(tmp_path / "review") as second:
        assert [k.note for k in second.page("review").marking.key_slices] == ["grows"]
        assert len(second.page("review").marking.annotations) == 2
        assert second.study_layer("flair").contrast_limits == [10.0, 180.0]
        assert second.current_slice == opened.current_slice
        again = png_bytes(compose(second.page("review").reading(), SIZE, created=TIME))
    assert again == first


def test_results_are_saved_whichever_view_is_on(tab: Any, opened: Any, tmp_path: Path) -> None:
    """A map takes minutes; that the single view was on when *Save* was pressed is no reason."""
    found = show_heat(opened)
    opened.viewer.layers[-1].visible = False
    rest()
    reading = tab.reading()
    assert list(reading.explanations.values()) == [found]
    assert reading.on_screen == (), "what is on the screen is another property"
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    assert "hidden" not in tab.run_bar.message.text()
    with another_window(tmp_path / "review") as second:
        (layer,) = [la for la in second.viewer.layers if la.name == "Heat"]
        assert not layer.visible, "the picture is as it was"
        (back,) = second.page("review").reading().explanations.values()
        assert np.array_equal(back["heat"].data, found["heat"].data)
        layer.visible = True
        rest()
        assert second.page("review").reading().on_screen
        # Saved again from there, and once more without its layer in the picture, it is kept.
        layer.visible = False
        second.page("review").save(tmp_path / "again")
        assert second.wait(30)
    assert len(restore_review(tmp_path / "again").explanations) == 1


def test_a_grid_with_marks_and_another_zoom_comes_back(
    tab: Any, opened: Any, tmp_path: Path
) -> None:
    tab.marking.add_annotation(mark(opened, "distance", [(10, 6), (10, 18)]))
    tab.marking.add_annotation(mark(opened, "text", [(5, 5)], "rim"))
    opened.grid_view.show([opened.study_layer("flair"), opened.study_layer("t1")])
    rest()
    opened.viewer.scene.camera.zoom *= 1.7
    rest()
    first = png_bytes(compose(tab.reading(), SIZE, created=TIME))
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    with another_window(tmp_path / "review") as second:
        assert len(second.page("review").marking.annotations) == 2
        # A cell for each scan alone.
        assert sum(layer.visible for layer in second.viewer.layers) == 2
        again = png_bytes(compose(second.page("review").reading(), SIZE, created=TIME))
    assert again == first


def test_the_grid_comes_back_with_its_cells(tab: Any, opened: Any, tmp_path: Path) -> None:
    found = show_heat(opened)
    layer = next(
        x for x in opened.viewer.layers
        if getattr(x.metadata.get(METADATA_KEY), "explanation", None) is found
    )  # fmt: skip
    layer.opacity = 1.0
    opened.grid_view.show([opened.study_layer("flair"), opened.study_layer("t1"), layer])
    settle(0.2)
    before = tab.reading()
    assert len(before.review.panels) == 3
    assert before.review.panels[-1].overlays[0].limits == (-2.0, 2.0)
    first = png_bytes(compose(before, SIZE, created=TIME))
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    opened.grid_view.leave()
    opened.go_to_slice(0)
    tab.open(tmp_path / "review")
    assert opened.wait(30)
    settle(0.3)
    assert opened.grid_view.active
    assert png_bytes(compose(tab.reading(), SIZE, created=TIME)) == first


def over_scan(workspace: Any) -> Any:
    """The map over the scan as the Attribution tab shows it: one picture in colour, its top."""
    found, grid = heat(workspace), workspace.study.grid
    below = BelowMap("flair", (10.0, 180.0), colour_limits=(-17.0, 17.0))
    known = ExplanationLayer(workspace.study, found, "heat", 0.3, 0.0, below)
    data = np.zeros((*found["heat"].data.shape, 3), np.uint8)
    return workspace.viewer.add_image(
        data, name="Gradient · WT", rgb=True, scale=grid.spacing, metadata={METADATA_KEY: known},
        translate=(found.slices.start * grid.spacing[0], 0, 0), units=grid_units(grid),
    )  # fmt: skip


def test_a_restored_map_says_what_its_colours_mean_and_where_it_is_not(
    tab: Any, opened: Any, tmp_path: Path
) -> None:
    opened.grid_view.show([opened.study_layer("flair"), over_scan(opened)])
    rest()
    start = opened.current_slice
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    with another_window(tmp_path / "review") as second:
        legend = second.page("review").words.legend
        cell = next(x for x in second.viewer.layers if x.name == "Gradient · WT")
        assert legend.text == "Colours ±17\nhighest 30 % of the head"
        assert second.viewer.canvas.overlays["restored_caption"].visible
        assert cells_of(second.viewer).is_named(cell)
        second.go_to_slice(start - 2)
        rest()
        where = f"slices {start + 1}–{start + 2}"
        assert legend.text == f"Gradient · WT: no map on this slice ({where})"
        assert not cells_of(second.viewer).is_named(cell)
        second.set_plane("coronal")  # across its slices some of it is always seen
        rest()
        assert "Colours ±17" in legend.text
        assert cells_of(second.viewer).is_named(cell)
        second.viewer.layers.remove(cell)
        rest()
        assert legend.text == ""
        assert not second.viewer.canvas.overlays["restored_caption"].visible


def test_words_of_a_restored_plain_map_follow_its_limits_and_its_eye(
    tab: Any, opened: Any, tmp_path: Path
) -> None:
    show_heat(opened)
    rest()
    assert tab.words.legend.text == ""  # not restored: left to who made it
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    with another_window(tmp_path / "review") as second:
        legend = second.page("review").words.legend
        assert legend.text == "Colours ±2"
        layer = second.viewer.layers[-1]
        layer.contrast_limits = (0.0, 1.5)
        assert legend.text == "Colours 0 … 1.5"
        layer.visible = False
        rest()
        assert legend.text == ""


def test_three_planes_come_back_and_give_the_same_picture(
    tab: Any, opened: Any, tmp_path: Path
) -> None:
    show_heat(opened)
    opened.modes.set_mode("orthogonal")
    rest()
    opened.click((opened.current_slice, 11, 20))
    opened.viewer.scene.camera.zoom *= 1.6
    opened.viewer.scene.camera.center = (0.0, 12.5, 15.25)
    rest()
    first = png_bytes(compose(tab.reading(), SIZE, created=TIME))
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    opened.modes.set_mode("single")
    opened.fit()
    opened.go_to_slice(0)
    tab.open(tmp_path / "review")
    assert opened.wait(30)
    rest()
    assert opened.modes.mode == "orthogonal"
    assert png_bytes(compose(tab.reading(), SIZE, created=TIME)) == first


def test_a_moved_study_is_asked_for_and_a_changed_one_refused(
    opened_alone: Any, own_study_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, tab = opened_alone, opened_alone.page("review")
    opened.show_tab("review")
    said = []
    monkeypatch.setattr("napari_sparseexplain.widgets.explain_tab.show_error_dialog", said.append)
    tab.marking.mark_key_slice()
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    opened.viewer.layers.clear()
    settle(0.2)
    own_study_folder.rename(tmp_path / "elsewhere")
    asked = []
    tab.dialogs.ask_folder = lambda title, start="": (
        asked.append(title) or str(tmp_path / "elsewhere")
    )
    tab.open(tmp_path / "review")
    assert tab.runner.wait(30)
    assert opened.wait(30)
    assert "where is it now" in asked[0]
    assert opened.study is not None
    assert len(tab.marking.key_slices) == 1
    scan = tmp_path / "elsewhere" / "tiny_t1.nii.gz"
    scan.write_bytes((tmp_path / "elsewhere" / "tiny_seg.nii.gz").read_bytes())
    tab.open(tmp_path / "review")
    assert opened.wait(30)
    assert "checksum differs" in str(said[-1])
    assert len(tab.marking.key_slices) == 1


def test_a_study_that_is_open_through_a_link_is_not_opened_twice(
    tab: Any, opened: Any, tmp_path: Path, study_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab.marking.mark_key_slice("kept")
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    (tmp_path / "link").symlink_to(study_folder, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    for way in (tmp_path / "link", Path(os.path.relpath(study_folder))):
        opened.viewer.layers.clear()
        settle(0.2)
        opened.open_path(way)
        assert opened.wait(30)
        rest()
        before = list(opened.studies)
        tab.open(tmp_path / "review")
        assert opened.wait(30)
        rest()
        assert opened.studies == before, way
        assert [k.note for k in tab.marking.key_slices] == ["kept"]


def click_link(label: Any) -> bool:
    """Click a label's first link with the mouse; whether there is one that can be clicked."""
    from qtpy.QtCore import QPoint, Qt
    from qtpy.QtTest import QTest

    settle()
    followed: list[str] = []
    label.linkActivated.connect(followed.append)
    for y in range(4, label.height(), 6):
        for x in range(4, label.width(), 6):
            QTest.mouseClick(label, Qt.MouseButton.LeftButton, pos=QPoint(x, y))
            if followed:
                return True
    return False


def test_a_crash_loses_no_more_than_the_last_seconds(
    tab: Any, opened: Any, own_folder: Path
) -> None:
    tab.unsaved.poll(0.0)
    assert not own_folder.exists()
    tab.marking.mark_key_slice("kept")
    for now in (0.0, 10.0, 25.0):
        tab.unsaved.poll(now)
        assert tab.unsaved.wait(20)
    (folder,) = own_folder.rglob("review.json")
    assert [k.note for k in restore_review(folder.parent).review.key_slices] == ["kept"]

    tab.unsaved.leave(opened.study)  # as in a new window
    tab.marking.remove_key_slice(0)
    assert tab.offer.tell()
    assert click_link(tab.offer.line)
    assert opened.wait(30)
    assert not tab.offer.isVisible()
    assert [k.note for k in tab.marking.key_slices] == ["kept"]
    tab.save(own_folder.parent / "mine")
    assert opened.wait(30)
    assert not list(own_folder.rglob("review.json"))


def notes_in(folder: Path) -> list[str]:
    """Notes of the key slices of a review's folder."""
    return [key.note for key in restore_review(folder).review.key_slices]


def test_what_is_on_offer_is_never_written_over(opened: Any, own_folder: Path) -> None:
    """Marks made before it is answered have a folder of their own, and each comes back."""
    tab, study_tab = opened.page("review"), opened.page("study")
    path = opened.study.path

    def autosaved() -> None:
        for now in (0.0, 10.0, 25.0):
            tab.unsaved.poll(now)
            assert tab.unsaved.wait(20)

    tab.marking.mark_key_slice("first")
    tab.exports.identify.click()
    study_tab.close_button.click()
    assert "kept as an unsaved review" in study_tab.run_bar.message.text()
    opened.open_path(path)
    assert opened.wait(30)
    settle()
    tab._show_found()  # as on going to another study and back
    assert study_tab.run_bar.message.text().count("unsaved review") == 1
    assert not tab.exports.identify.isChecked(), "names were to be written of the last reading"
    tab.marking.mark_key_slice("second")
    autosaved()
    (first, second) = sorted(own_folder.rglob("review.json"))
    assert (notes_in(first.parent), notes_in(second.parent)) == (["first"], ["second"])
    assert not tab.offer.isHidden()

    tab.offer.answer("restore")
    assert opened.wait(30)
    assert [key.note for key in tab.marking.key_slices] == ["first"]
    assert not tab.offer.isHidden(), "what was marked before it is offered now"
    opened.go_to_slice(opened.current_slice + 1)
    settle()
    tab.marking.mark_key_slice("third")
    autosaved()
    assert (notes_in(first.parent), notes_in(second.parent)) == (["first", "third"], ["second"])

    tab.dialogs.ask = lambda question: False
    tab.offer.answer("discard")
    assert second.is_file()
    tab.dialogs.ask = lambda question: True
    tab.offer.answer("discard")
    assert tab.offer.isHidden()
    assert sorted(own_folder.rglob("review.json")) == [first]
    opened.page("review").save(own_folder.parent / "mine")
    assert opened.wait(30)
    assert not list(own_folder.rglob("review.json"))


def test_opening_a_review_keeps_what_was_unsaved(tab: Any, opened: Any, tmp_path: Path) -> None:
    tab.marking.mark_key_slice("saved")
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    tab.marking.write_note(0, "and changed")
    tab.open(tmp_path / "review")
    assert opened.wait(30)
    assert [key.note for key in tab.marking.key_slices] == ["saved"]
    tab.offer.answer("restore")
    assert opened.wait(30)
    assert [key.note for key in tab.marking.key_slices] == ["and changed"]


def test_what_cannot_be_in_a_review_is_said(tab: Any, opened: Any) -> None:
    opened.viewer.add_image(np.zeros((8, 32, 32)), name="foreign", scale=opened.study.grid.spacing)
    opened.study_layer("flair").colormap = "bop blue"
    reading = tab.reading()
    told = " ".join(f.message for f in reading.findings)
    assert "'foreign' belongs to no study" in told
    assert "bop blue" in told
    with pytest.raises(SparseExplainError, match="still being computed"):
        compose(replace(reading, pending=("XRAI",)), SIZE)


def test_pictures_with_outlined_masks_come_back_as_they_were(
    tab: Any, opened: Any, tmp_path: Path
) -> None:
    t1, flair, seg = (opened.study_layer(role) for role in ("t1", "flair", "seg"))
    opened.grid_view.show_cells([[t1, seg], [flair, seg]])
    set_mask_style(seg, "outline", 3)
    rest()
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    set_mask_style(seg, "fill")
    with another_window(tmp_path / "review") as second:
        names = [[layer.name.split(" ")[0] for layer in cell] for cell in second.grid_view.cells]
        assert names == [["T1", "Mask"], ["FLAIR", "Mask"]]
        mask = second.study_layer("seg")
        assert (mask_style(mask), line_width(mask)) == ("outline", 3)
