"""A prior beside the current study in a real window: what is said, moved, compared and refused."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtGui import QImage

from napari_sparseexplain.layers.cells.shown_cells import cells_of
from napari_sparseexplain.layers.priors.prior_layer import PriorLayer
from napari_sparseexplain.layers.study_layers import METADATA_KEY
from napari_sparseexplain.volumes import Finding, study_of_arrays
from napari_sparseexplain.volumes.registration.placement import Placement
from napari_sparseexplain.volumes.registration.rigid_motion import itk_text, rigid_motion
from napari_sparseexplain.widgets.priors.prior_works import Pair, PlacedPrior, kept_placement
from napari_sparseexplain.widgets.priors.saved_picture import save_canvas
from napari_sparseexplain.widgets.view.plots_dock import hide_plots, show_plots

from .conftest import new_workspace, settle, with_study

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .shared_window import SharedWindow

pytestmark = pytest.mark.gui


@pytest.fixture
def panel(shared_window: SharedWindow, study_folder: Path) -> Iterator[Any]:
    """The panel, with a prior of the small study that lies two slices (4 mm) lower."""
    window = shared_window.lend(new_workspace, [with_study(study_folder)])
    panel = window.page("review").priors
    show_plots(window.viewer, panel)
    panel.window_of_test = window
    panel.choose(earlier(window.study))
    wait(panel)
    try:
        yield panel
    finally:
        panel.choice.choose(None)
        panel._opened.clear()
        panel.follow_studies()
        panel.field_size.setValue(20.0)
        hide_plots(panel)
        settle()


def earlier(study: Any) -> Any:
    """The same patient, scanned two slices lower, with a brighter scale."""

    def moved(volume: Any) -> Any:
        data = np.roll(np.asarray(volume.data), -2, axis=0)
        return replace(volume, data=2 * data if volume.kind == "image" else data)

    shelves = {
        shelf: {role: moved(v) for role, v in getattr(study, shelf).items()}
        for shelf in ("images", "labels")
    }
    return replace(study, name="earlier", path=None, **shelves)


def wait(panel: Any) -> None:
    settle(0.3)  # a shift by hand is answered once it rests
    assert panel.wait(30)
    settle()


def captions(window: Any) -> list[str]:
    cells = cells_of(window.viewer)
    return [getattr(cells.caption_of(cell), "words", "") for cell in cells.cells]


def pixels(window: Any) -> np.ndarray:
    image = window.cells.picture((400, 800)).convertToFormat(QImage.Format.Format_RGB888)
    held = np.frombuffer(image.constBits(), np.uint8).reshape(400, image.bytesPerLine())
    return held[:, : 3 * 800].reshape(400, 800, 3).astype(int)


def test_an_unregistered_prior_says_so_in_every_cell_and_is_moved_by_hand(panel: Any) -> None:
    window = panel.window_of_test
    assert [cell[0].name for cell in window.grid_view.cells] == ["FLAIR · tiny", "FLAIR · prior"]
    assert all("NOT REGISTERED" in words for words in captions(window))
    assert "NOT REGISTERED" in panel.said.text()
    picture = pixels(window)
    orange = np.abs(picture - (255, 176, 0)).max(axis=-1) < 30
    assert orange[:, :400].sum() > 50
    assert orange[:, 400:].sum() > 50
    # It is no study of its own: nothing else in the window takes it for one.
    assert window.studies == [window.study]

    # A shift by hand moves it and is said.
    panel.offset.set_shift((0.0, 0.0, 4.0), tell=True)
    wait(panel)
    current = np.asarray(window.study_layer("flair").data)
    prior = np.asarray(panel.shown.layer("scan").data)
    assert prior[2:] == pytest.approx(2 * current[2:])
    assert "moved by hand S 4 mm" in captions(window)[1]
    panel.make("difference")
    wait(panel)
    left = panel.shown.layer("difference")
    assert np.abs(left.data[2:]).max() < 1e-3
    assert [len(cell) for cell in window.grid_view.cells] == [2, 2, 1]
    assert all("NOT REGISTERED" in words for words in captions(window))
    # Moved again, a picture of both is no longer true.
    panel.offset.set_shift((0.0, 0.0, 2.0), tell=True)
    wait(panel)
    assert panel.shown.layer("difference") is None
    assert len(window.grid_view.cells) == 2


def test_a_transform_file_registers_it_and_what_fails_moves_nothing(
    panel: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = panel.window_of_test
    path = tmp_path / "prior_to_current.tfm"
    path.write_text(itk_text(rigid_motion((0, 0, 0), (0, 0, 4))))
    panel.use_transform(path)
    wait(panel)
    assert captions(window)[1].endswith("placed by a transform file, prior_to_current.tfm")
    assert captions(window)[0] == "current"
    placed, before = panel.placed, np.array(panel.shown.layer("scan").data)
    path.write_text(itk_text(np.diag([-1.0, 1, 1, 1])))
    panel.use_transform(path)
    wait(panel)
    assert "mirrors the patient; nothing was moved" in panel.said.text()
    assert panel.placed is placed
    np.testing.assert_array_equal(panel.shown.layer("scan").data, before)

    # A registration that is cancelled, or cannot be, as well.
    panel.register()
    panel.run_bar.cancel.click()
    wait(panel)
    assert panel.said.text().startswith("Cancelled. Nothing was moved.")
    assert panel.placed is placed
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    panel.register()
    wait(panel)
    assert "SimpleITK" in panel.said.text()
    assert panel.placed is placed
    assert panel.shown.shown


def test_current_and_prior_by_turns_and_in_one_picture_until_removed(panel: Any) -> None:
    window = panel.window_of_test
    window.jumps.flicker()
    scan = panel.shown.layer("scan")
    assert window.grid_view.cells == ((window.study_layer("flair"), scan),)
    assert (window.jumps.said, scan.visible) == ("Prior", True)
    with_prior = pixels(window)
    window.jumps.flicker()
    assert (window.jumps.said, scan.visible) == ("Current", False)
    assert (pixels(window) != with_prior).any()
    panel.side_by_side()
    assert scan.visible
    panel.field_size.setValue(8.0)
    for what in ("checkerboard", "edges"):
        panel.make(what)
        wait(panel)
    assert "fields of 8 mm" in captions(window)[2]
    assert "edges lie within 2 mm" in captions(window)[3]
    # The scan taken away by hand takes all of the prior with it.
    window.viewer.layers.remove(panel.shown.layer("scan"))
    settle()
    known = [x.metadata.get(METADATA_KEY) for x in window.viewer.layers]
    assert not any(isinstance(k, PriorLayer) for k in known)
    assert panel.choice.prior is None
    assert not panel.board_button.isEnabled()
    window.jumps.flicker()
    assert "No prior is shown" in window.jumps.said


def test_lesions_are_followed_from_the_priors_mask_and_exports_leave_it_out(
    panel: Any, tmp_path: Path
) -> None:
    lesions = panel.window_of_test.page("review").lesions
    panel.offset.set_shift((0.0, 0.0, 4.0), tell=True)
    wait(panel)
    panel.lesions_button.click()
    try:
        assert lesions.wait(30)
        settle()
        assert lesions.earlier.layer is panel.shown.layer("mask")
        assert [c.title for c in lesions.table.columns][1] == "Change"
        assert lesions.table.shown()[0][1] == "same"
    finally:
        hide_plots(lesions)
    window = panel.window_of_test
    reading = window.reading(window.page("review").marks)
    assert any("prior" in finding.message for finding in reading.findings)
    assert len(reading.review.panels) == 1
    assert save_canvas(window.viewer, tmp_path / "both.png").stat().st_size > 1000


def test_a_registration_holds_for_the_other_scans_unless_they_do_not_lie_over_each_other() -> None:
    arrays = {"flair": np.zeros((4, 6, 6)), "t1": np.ones((4, 6, 6))}
    now, before = (study_of_arrays(arrays, name=name) for name in ("now", "before"))
    pair = Pair(now, before, "flair", "flair")
    placed = PlacedPrior(pair, Placement(rigid_motion((0, 0, 0), (1, 2, 3)), "rigid"), before)
    other = Pair(now, before, "t1", "t1")
    assert kept_placement(placed, pair) is kept_placement(placed, other) is placed.placement
    off = replace(before, findings=(Finding("warning", "not-registered", "t1 is off", "t1"),))
    placed = replace(placed, pair=replace(pair, prior=off))
    assert kept_placement(placed, replace(other, prior=off)) is None
    assert kept_placement(placed, replace(pair, prior=off)) is placed.placement
    assert kept_placement(placed, other) is None, "another prior"
