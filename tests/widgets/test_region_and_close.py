"""A region's values below the list, slice and marks in the grid, closing a study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.export.pictures.burned_in import number_text
from napari_sparseexplain.layers.cells.shown_cells import cells_of
from napari_sparseexplain.review.region_values import region_values
from napari_sparseexplain.review.store import restore_review
from napari_sparseexplain.volumes.reading_order import first_shown
from napari_sparseexplain.widgets.review.unsaved_review import unsaved_folder

from .conftest import settle
from .reviewing import mark, show_heat

pytestmark = pytest.mark.gui


def test_the_chosen_region_tells_what_every_scan_measures(opened: Any) -> None:
    marking = opened.page("review").marking
    panel = marking.annotating
    opened.show_tab("review")
    marking.add_annotation(mark(opened, "polygon", [(10, 10), (10, 20), (16, 20), (16, 10)]))
    marking.add_annotation(mark(opened, "distance", [(3, 3), (9, 9)]))
    panel.table.selectRow(0)
    settle()
    assert panel.values.isVisible()
    found = region_values(marking.annotations[0], opened.study)
    assert found[0].voxels > 50
    assert panel.values.text().splitlines() == [
        f"{found[0].voxels} voxels: mean ± SD (min to max)",
        *(
            f"{v.title}  {number_text(v.mean)} ± {number_text(v.sd)} a.u. "
            f"({number_text(v.minimum)} to {number_text(v.maximum)})"
            for v in found
        ),
    ]
    panel.table.selectRow(1)
    assert not panel.values.isVisible(), "a distance encloses nothing"
    panel.table.selectRow(0)
    marking.remove_annotation(0)
    assert "±" not in panel.values.text()


def test_the_grid_says_which_slice_it_is(opened: Any) -> None:
    single = opened.title.text.replace(" · ", " ").split()
    assert single[0] == "Axial"
    assert single[-1] == opened.convention
    show_heat(opened)
    opened.grid_view.show(opened.layers_of(opened.study))
    settle(0.1)
    assert opened.title.text.split() == single[:-1], "letters tell the side in every cell"
    index = opened.current_slice
    opened.viewer.dims.set_point(0, (index - 1) * opened.study.grid.spacing[0])
    settle(0.1)
    assert opened.title.text.split()[1] == f"{index}/{opened.study.grid.shape[0]}"
    opened.grid_view.leave()
    settle(0.1)
    assert opened.title.text.startswith(f"Axial {index}/")


def test_a_study_is_closed_with_what_was_found_and_its_marks_are_kept(
    opened: Any, own_folder: Path
) -> None:
    tab, study = opened.page("study"), opened.study
    show_heat(opened)
    opened.page("review").marking.add_annotation(mark(opened, "distance", [(3, 3), (9, 9)]))
    opened.signals.voxel_clicked.emit((4, 16, 16))
    assert "Voxel" in tab.read_out.text()
    assert tab.close_button.isEnabled()
    tab.close_button.click()
    settle(0.1)
    assert opened.study is None
    assert opened.studies == []
    assert "Voxel" not in tab.read_out.text()
    assert not [la for la in opened.viewer.layers if "Annotations" not in la.name]
    assert not tab.close_button.isEnabled()
    assert (unsaved_folder(study) / "review.json").is_file()
    opened.open_path(study.path)
    assert opened.wait(30)
    settle()
    assert opened.page("review").marking.empty
    opened.page("review").offer.answer("restore")
    assert opened.wait(30)
    settle()
    assert [a.kind for a in opened.page("review").marking.annotations] == ["distance"]


def test_of_two_studies_the_other_one_is_active_after_closing(
    opened: Any, study_folder: Path
) -> None:
    first, second = opened.study, se.open_study(study_folder)
    opened.show_study(second)
    settle()
    assert opened.study is second
    opened.close_study(second)
    settle(0.1)
    assert opened.study is first
    shown = opened.study_layer(first_shown(first))
    assert shown is not None
    assert shown.visible
    assert np.isfinite(shown.contrast_limits).all()


def test_marks_stand_in_every_cell_of_the_grid_on_their_slice_alone(opened: Any) -> None:
    drawing = opened.page("review").marking.drawing
    opened.page("review").marking.add_annotation(
        replace(mark(opened, "distance", [(16, 8), (16, 20)], "width"), colour="#F0E442")
    )
    opened.page("review").marking.add_annotation(
        mark(opened, "ellipse", [(3, 3), (3, 9), (8, 9), (8, 3)])
    )
    opened.page("review").marking.add_annotation(mark(opened, "text", [(20, 20)], "here"))
    settle(0.1)
    assert drawing.words.outlines.paths, "the single view is painted too"
    layers = [opened.study_layer(role) for role in opened.study.images]
    opened.grid_view.show(layers)
    settle(0.2)
    paths = drawing.words.outlines.paths
    assert [len(points) for points, _ in paths] == [2, 73, 2, 2]
    assert paths[0][0] == ((16.0, 8.0), (16.0, 20.0))
    words = [text for text, *_ in drawing.words.lines]
    assert (words[:2], words[-1]) == (["width", "12.0 mm"], "here")
    shot = opened.viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    height, width = opened.viewer.canvas.size
    side = cells_of(opened.viewer)
    places = side.places((height, width))
    assert len(places) == len(layers) > 1
    for cell, place in enumerate(places):
        assert place is not None
        x, y = np.rint(side.view(cell, place, opened.viewer).pixels([(16, 14)])[0]).astype(int)
        x, y = x + place.left, y + place.top
        spot = shot[y - 3 : y + 4, x - 8 : x + 9]
        yellow = (spot[..., 0] > 150) & (spot[..., 1] > 140) & (spot[..., 2] < 140)
        assert yellow.any(axis=0).mean() > 0.9, f"a line across the middle of cell {cell}"
    opened.go_to_slice(opened.current_slice + 1)
    settle(0.2)
    assert drawing.words.outlines.paths == ()
    opened.go_to_slice(opened.current_slice - 1)
    settle(0.1)
    assert len(drawing.words.outlines.paths) == 4
    opened.grid_view.leave()
    settle(0.1)
    assert len(drawing.words.outlines.paths) == 4


def test_closing_in_three_planes_keeps_what_was_marked_since_the_review_was_saved(
    opened: Any, own_folder: Path, tmp_path: Path
) -> None:
    tab, study = opened.page("review"), opened.study
    tab.marking.mark_key_slice("saved")
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    opened.modes.set_mode("orthogonal")
    settle(0.3)
    opened.go_to_slice(opened.current_slice + 1)
    settle(0.1)
    tab.marking.mark_key_slice("since then")
    opened.page("study").close_button.click()
    settle(0.2)
    assert opened.study is None
    kept = unsaved_folder(study) / "review.json"
    assert "since then" in kept.read_text()
    review = restore_review(kept.parent).review
    assert review.crosshair, "as it was on the screen, not as it was closed"
    assert len(review.panels) == 3


def test_removing_all_layers_in_three_planes_is_no_error(opened: Any) -> None:
    opened.modes.set_mode("orthogonal")
    settle(0.3)
    opened.viewer.layers.clear()
    settle(0.2)
    assert opened.study is None
