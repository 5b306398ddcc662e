"""A region's values below the list, the slice's name in the grid, closing a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.export.burned_in import number_text
from napari_sparseexplain.review.region_values import region_values
from napari_sparseexplain.volumes.reading_order import first_shown
from napari_sparseexplain.widgets.unsaved_review import unsaved_folder

from .conftest import settle
from .reviewing import mark, show_heat

pytestmark = pytest.mark.gui


def test_the_chosen_region_tells_what_every_scan_measures(opened: Any) -> None:
    marking = opened.review.marking
    panel = marking.annotating
    opened.show_tab(type(opened.review))
    marking.add_annotation(mark(opened, "polygon", [(10, 10), (10, 20), (16, 20), (16, 10)]))
    marking.add_annotation(mark(opened, "distance", [(3, 3), (9, 9)]))
    panel.table.selectRow(0)
    settle()
    assert panel.values.isVisible()
    found = region_values(marking.annotations[0], opened.study)
    assert found[0].voxels > 50
    assert panel.values.text().splitlines() == [
        f"{found[0].voxels} voxels: mean ± SD (least to greatest)",
        *(
            f"{v.title}  {number_text(v.mean)} ± {number_text(v.sd)} "
            f"({number_text(v.least)} to {number_text(v.greatest)})"
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


def test_a_study_is_closed_with_what_was_found_and_its_marks_are_kept(opened: Any) -> None:
    tab, study = opened.study_tab, opened.study
    show_heat(opened)
    opened.review.marking.add_annotation(mark(opened, "distance", [(3, 3), (9, 9)]))
    assert tab.close_button.isEnabled()
    tab.close_button.click()
    settle(0.1)
    assert opened.study is None
    assert opened.studies == []
    assert not [la for la in opened.viewer.layers if "Annotations" not in la.name]
    assert not tab.close_button.isEnabled()
    assert (unsaved_folder(study) / "review.json").is_file()
    opened.open_path(study.path)
    assert opened.wait(30)
    settle()
    assert opened.review.marking.empty
    opened.review._on_found_link("restore")
    assert opened.wait(30)
    settle()
    assert [a.kind for a in opened.review.marking.annotations] == ["distance"]


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
