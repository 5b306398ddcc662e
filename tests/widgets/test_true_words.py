"""What a tab says is true: of the study in the picture, and of what is now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from pytestqt.exceptions import capture_exceptions
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.progress import Progress, Work
from napari_sparseexplain.widgets.parts.run_bar import BROKEN

from .conftest import LAS, settle, tiny_head
from .reviewing import rest

pytestmark = pytest.mark.gui


@pytest.fixture
def other(tmp_path: Path) -> se.Study:
    """Another patient."""
    path = tmp_path / "other_flair.nii.gz"
    nib.save(nib.Nifti1Image(tiny_head()[::-1] + 1, LAS), path)
    return se.open_study(path)


def breaks() -> Work[None]:
    yield Progress(0, 20, "Slice 1 of 20")
    raise ZeroDivisionError("a defect")


def refuses() -> Work[None]:
    yield Progress(0, 20, "Slice 1 of 20")
    raise SparseExplainError("no room", remedy="Make some")


def said(page: Any) -> str:
    return page.run_bar.message.text()


def test_words_go_when_they_are_no_longer_true(
    opened: Any, other: se.Study, tmp_path: Path
) -> None:
    """One window for all of it: each tab has the same run bar."""
    first, tabs = opened.study, opened.tabs
    pages = [*tabs.pages(), opened.page("proxy").responses]

    # An exception, a defect of the program, ends the words of what ran; no run waits for it.
    for page in pages:
        with capture_exceptions() as caught:
            page.runner.start(breaks)
            page.runner.wait(10)
        assert [kind for kind, *_ in caught] == [ZeroDivisionError]
        assert said(page) == BROKEN
        assert not page.runner.running
    for page in (opened.page("proxy"), opened.page("decompose"), opened.page("proxy").responses):
        with capture_exceptions() as caught:
            page.steps.submit(lambda: 1 // 0)
            page.steps.wait(10)
        assert [kind for kind, *_ in caught] == [ZeroDivisionError]
        assert said(page) == BROKEN

    # Errors and what was done go with their study.
    opened.page("proxy").runner.start(refuses)
    opened.page("proxy").runner.wait(10)
    assert "no room" in said(opened.page("proxy"))
    opened.page("review").save(tmp_path / "review")
    assert opened.wait(30)
    assert said(opened.page("review")).startswith("Saved in")
    opened.show_study(other)
    assert [said(page) for page in pages] == [""] * len(pages)
    opened.page("decompose").show_done(first)
    assert said(opened.page("decompose")) == "Done, of tiny."
    opened.close_study(other)
    assert opened.study is first

    # An error goes once a hand is at the form, not for a click on its own words.
    opened.show_tab("proxy")
    opened.page("proxy").runner.start(refuses)
    opened.page("proxy").runner.wait(10)
    QTest.mouseClick(opened.page("proxy").run_bar.message, Qt.MouseButton.LeftButton)
    assert "no room" in said(opened.page("proxy"))
    QTest.mouseClick(opened.page("proxy").follow, Qt.MouseButton.LeftButton)
    assert said(opened.page("proxy")) == ""
    opened.page("proxy").run_bar.show_error("the voxel lies outside the brain")
    opened.page("proxy").run_bar.forget_error()
    assert said(opened.page("proxy")) == ""

    # What is on disk is no longer all that is marked.
    opened.page("review").save(tmp_path / "again")
    assert opened.wait(30)
    assert said(opened.page("review")).startswith("Saved in")
    opened.page("review").marking.mark_key_slice("new")
    assert said(opened.page("review")) == ""


def test_a_folder_opened_twice_is_one_study(opened: Any, other: se.Study, tmp_path: Path) -> None:
    """By the button, through a link, or by napari's own reader; marks and results stay."""
    first = opened.study
    opened.page("review").marking.mark_key_slice("mine")
    link = tmp_path / "link"
    link.symlink_to(first.path)
    opened.show_study(other)
    for path in (first.path, link):
        opened.activate(other)
        opened.open_path(path)
        assert opened.wait(30)
        assert opened.study is first
        assert "open already" in said(opened.page("study"))
    opened.activate(other)
    count = len(opened.viewer.layers)
    opened.viewer.open(str(link), plugin="napari-sparseexplain")
    rest()
    assert (opened.study, opened.studies) == (first, [first, other])
    assert len(opened.viewer.layers) == count
    assert opened.page("review").marking.key_slices[0].note == "mine"
    # With other choices it is opened anew, in its own place.
    grid_of = "t1" if first.reference == "flair" else "flair"
    opened.open_path(first.path, reference=grid_of)
    assert opened.wait(30)
    settle()
    assert [study.reference for study in opened.studies if study is not other] == [grid_of]


def test_a_slice_has_one_number_wherever_it_is_shown(opened: Any, bundle: Path) -> None:
    """Counted from 1 in the corner, beside the slider, in lists and for a clicked voxel."""
    sliders = opened.viewer.window._qt_viewer.dims.slider_widgets
    for plane, axis in (("axial", 0), ("coronal", 1), ("sagittal", 2)):
        opened.set_plane(plane)
        count = opened.study.grid.shape[axis]
        for index in (0, count - 1, 2):
            opened.step_slice(index - 10 * count)
            opened.step_slice(index)
            rest()
            corner = opened.title.text.split("\n")[0]
            assert f"{plane.capitalize()} {index + 1}/{count}" in corner
            slider = sliders[axis]
            assert slider.curslice_label.text() == str(index + 1)
            assert slider.totslice_label.text() == str(count)
        opened.page("review").marking.mark_key_slice()
        assert opened.page("review").marking.keys.table.item(0, 0).text().endswith(" 3")
        opened.page("review").marking.remove_key_slice(0)

    # A stack of pictures has thousands.
    many = opened.viewer.add_image(np.zeros((1898, 2, 2), dtype=np.uint8))
    rest()
    total = sliders[0].totslice_label
    assert total.text() == "1898"
    assert total.width() >= total.sizeHint().width()
    opened.viewer.layers.remove(many)
    rest()

    # A longer name of an axis is seen whole, though nobody typed it.
    opened.set_plane("axial")
    names, dims = opened.viewer.dims.axis_labels, opened.viewer.dims
    for name in ("x", "direction of it"):
        dims.axis_labels = (name, *names[1:])
        rest()
        written = sliders[0].axis_label
        assert written.width() >= written.fontMetrics().horizontalAdvance(name)
    dims.axis_labels = names

    # What is typed counts from 1 too, and ends at the last slice.
    label, count = sliders[0].curslice_label, opened.study.grid.shape[0]
    for typed, shown in (("5", 5), ("1", 1), ("9999", count), ("0", 1), ("", 1)):
        label.setText(typed)
        label.editingFinished.emit()
        assert (opened.current_slice, label.text()) == (shown - 1, str(shown))

    opened.page("proxy").models.choose(bundle)
    place = np.argwhere(np.asarray(opened.study["seg"].data) > 0)
    index = tuple(int(v) for v in place[len(place) // 2])
    opened.go_to_slice(index[0])
    opened.page("proxy").run_slice()
    assert opened.wait(60)
    opened.click(index)
    words = "slice {}, row {}, column {}".format(*(v + 1 for v in index))
    assert words in opened.page("proxy").read_out.text()
    opened.page("proxy").responses.show_voxel(index)
    assert opened.wait(60)
    assert words in opened.page("proxy").responses._effective_where
