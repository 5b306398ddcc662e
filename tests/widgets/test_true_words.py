"""What a tab says is true: of the study in the picture, and of what is now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import pytest
from pytestqt.exceptions import capture_exceptions
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.progress import Progress, Work
from napari_sparseexplain.widgets.run_bar import BROKEN

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
    pages = [*tabs.pages(), opened.responses]

    # An exception, a defect of the program, ends the words of what ran; no run waits for it.
    for page in pages:
        with capture_exceptions() as caught:
            page.runner.start(breaks)
            page.runner.wait(10)
        assert [kind for kind, *_ in caught] == [ZeroDivisionError]
        assert said(page) == BROKEN
        assert not page.runner.running
    for page in (opened.proxy, opened.decompose, opened.responses):
        with capture_exceptions() as caught:
            page.steps.submit(lambda: 1 // 0)
            page.steps.wait(10)
        assert [kind for kind, *_ in caught] == [ZeroDivisionError]
        assert said(page) == BROKEN

    # Errors and what was done go with their study.
    opened.proxy.runner.start(refuses)
    opened.proxy.runner.wait(10)
    assert "no room" in said(opened.proxy)
    opened.review.save(tmp_path / "review")
    assert opened.wait(30)
    assert said(opened.review).startswith("Saved in")
    opened.show_study(other)
    assert [said(page) for page in pages] == [""] * len(pages)
    opened.decompose.say_done(first)
    assert said(opened.decompose) == "Done, of tiny."
    opened.close_study(other)
    assert opened.study is first

    # An error goes once a hand is at the form, not for a click on its own words.
    opened.show_tab(type(opened.proxy))
    opened.proxy.runner.start(refuses)
    opened.proxy.runner.wait(10)
    QTest.mouseClick(opened.proxy.run_bar.message, Qt.MouseButton.LeftButton)
    assert "no room" in said(opened.proxy)
    QTest.mouseClick(opened.proxy.follow, Qt.MouseButton.LeftButton)
    assert said(opened.proxy) == ""
    opened.proxy.run_bar.say_error("the voxel lies outside the brain")
    opened.proxy.run_bar.forget_error()
    assert said(opened.proxy) == ""

    # What is on disk is no longer all that is marked.
    opened.review.save(tmp_path / "again")
    assert opened.wait(30)
    assert said(opened.review).startswith("Saved in")
    opened.review.marking.mark_key_slice("new")
    assert said(opened.review) == ""


def test_a_folder_opened_twice_is_one_study(opened: Any, other: se.Study, tmp_path: Path) -> None:
    """By the button, through a link, or by napari's own reader; marks and results stay."""
    first = opened.study
    opened.review.marking.mark_key_slice("mine")
    link = tmp_path / "link"
    link.symlink_to(first.path)
    opened.show_study(other)
    for path in (first.path, link):
        opened.activate(other)
        opened.open_path(path)
        assert opened.wait(30)
        assert opened.study is first
        assert "open already" in said(opened.study_tab)
    opened.activate(other)
    count = len(opened.viewer.layers)
    opened.viewer.open(str(link), plugin="napari-sparseexplain")
    rest()
    assert (opened.study, opened.studies) == (first, [first, other])
    assert len(opened.viewer.layers) == count
    assert opened.review.marking.key_slices[0].note == "mine"
    # With other choices it is opened anew, in its own place.
    grid_of = "t1" if first.reference == "flair" else "flair"
    opened.open_path(first.path, reference=grid_of)
    assert opened.wait(30)
    settle()
    assert [study.reference for study in opened.studies if study is not other] == [grid_of]
