"""What is seen, read and kept while the slice just scrolled to is computed, in a real window."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from napari_sparseexplain.layers.scan_placeholder import is_placeholder
from napari_sparseexplain.progress import Progress
from napari_sparseexplain.review.store import restore_review

from .conftest import held, settle, until
from .shared_window import SharedWindow
from .small_pursuit import ROLES, lend_pursuit, the_one

pytestmark = pytest.mark.gui


@pytest.fixture
def run(shared_window: SharedWindow, study_folder: Path, pursuit: Path) -> Any:
    """A small pursuit run on the slice in the picture, with one modality in the grid."""
    return lend_pursuit(shared_window, study_folder, pursuit)


def test_cells_that_come_and_go_while_a_slice_is_computed(run: Any) -> None:
    tab, shown = run.page("decompose"), the_one(run)
    with held(tab.session):
        run.go_to_slice(run.current_slice - 1)
        tab.cells.rows.choose("t1", True)
        settle(0.4)
        assert tab.awaiting
        assert {cell.role for cell in shown.cells} == set(ROLES)
        assert all(is_placeholder(layer.metadata) for layer in shown.grid_layers if layer.visible)
        removed = shown.grid_layers[-1]
        run.viewer.layers.remove(removed)
        assert not is_placeholder(removed.metadata)
        assert removed not in tab.awaited._placeholders
        settle(0.3)
    until(lambda: not tab.awaiting)
    assert run.wait(30)
    assert not any(is_placeholder(layer.metadata) for layer in run.viewer.layers)


def test_nothing_stands_in_while_a_run_is_under_way(run: Any) -> None:
    """Nobody computes the slice meanwhile; it is asked for when the run has ended."""
    tab, shown, before = run.page("decompose"), the_one(run), run.current_slice

    def long_work(*_: Any) -> Any:
        while True:
            time.sleep(0.01)
            yield Progress(0, 0, "Under way")

    tab.session.volume_work = long_work
    with held(tab.session):
        run.go_to_slice(before - 1)
        assert tab.awaiting
        tab.run_volume()
        assert not tab.awaiting
        run.go_to_slice(before - 2)
        settle(0.4)
        assert not tab.awaiting
        assert not any(layer.name.endswith("computing…") for layer in shown.grid_layers)
        assert run.page("review").reading() is not None
    tab.runner.cancel()
    until(lambda: shown.explanation.slices.start == before - 2)
    assert run.wait(30)
    assert not tab.awaiting


@pytest.mark.parametrize("pictured", [True, False])
def test_marks_are_kept_while_a_slice_is_computed(
    run: Any, own_folder: Path, pictured: bool
) -> None:
    tab, unsaved = run.page("decompose"), run.page("review").unsaved
    if pictured:
        run.page("review").marking.mark_key_slice("before")
        unsaved.poll(0.0)
    with held(tab.session):
        run.go_to_slice(run.current_slice - 1)
        run.page("review").marking.mark_key_slice("kept")
        for now in (1.0, 30.0, 60.0):
            unsaved.poll(now)
            assert unsaved.wait(20)
        assert tab.awaiting
        (file,) = own_folder.rglob("review.json")
    review = restore_review(file.parent).review
    assert [k.note for k in review.key_slices][-1] == "kept"
    assert bool(review.explanations) == pictured
    assert "computing" not in file.read_text(encoding="utf-8")
    until(lambda: not tab.awaiting)
    assert run.wait(30)


def test_a_slider_overtakes_no_other_result_that_waits(
    opened: Any, bundle: Path, tmp_path: Path
) -> None:
    """Two results wait behind an older answer; α of one is moved: the other comes too."""
    from napari_sparseexplain.networks.bundle.loading import load_model
    from napari_sparseexplain.networks.bundle.saving import save_bundle

    tab, here = opened.page("proxy"), opened.current_slice
    model = load_model(bundle)
    save_bundle(tmp_path / "second", replace(model.card, title="Second"), model.network)
    for folder in (bundle, tmp_path / "second"):
        tab.models.choose(folder)
        tab.device.setCurrentIndex(tab.device.findData("cpu"))
        tab.run_slice()
        assert opened.wait(60)
    first, second = tab.shown
    first.result.line.check.click()
    settle()
    assert first.visible
    assert second.visible
    with held(tab.session):
        opened.go_to_slice(here + 1)
        settle(0.3)
        opened.go_to_slice(here - 1)
        settle(0.3)
        tab.set_alpha(0.5)
    until(lambda: not tab.awaiting)
    assert opened.wait(30)
    assert [shown.explanation.slices.start for shown in tab.shown] == [here - 1, here - 1]
    assert (first.alpha, second.alpha) == (1.0, 0.5)
