"""The tab *Microstructure* on a small scan of two crossing bundles, in a real window."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
from napari.layers import Labels

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.layers.cells.shown_cells import view_size
from napari_sparseexplain.layers.colour_bar import bar_length as bar_length_of
from napari_sparseexplain.microstructure.crossing_phantom import (
    CrossingPhantom,
    crossing_phantom,
    write_crossing_phantom,
)
from napari_sparseexplain.microstructure.gradient_table import HCP_MGH, shell_protocol
from napari_sparseexplain.microstructure.protocol.dipy_extra import has_dipy
from napari_sparseexplain.microstructure.protocol.finding_weight import NOISE_WORDS
from napari_sparseexplain.microstructure.walks.phases_file import save_phases
from napari_sparseexplain.widgets.microstructure.shown_microstructure import (
    bar_length,
    names_of,
    short_title,
)
from napari_sparseexplain.widgets.microstructure.warnings_block import WarningsBlock
from napari_sparseexplain.widgets.review.study_marks import Marks
from napari_sparseexplain.widgets.tour import _shown_parts

from ..microstructure.small_dictionary import small_dictionary, small_phases, small_protocol
from .conftest import new_workspace, settle, with_study

if TYPE_CHECKING:
    from .shared_window import SharedWindow

pytestmark = [
    pytest.mark.gui,
    pytest.mark.skipif(not has_dipy(), reason="gradients are compared with dipy installed"),
]

#: Slices, rows and columns; the crossing is rows 3 to 5 and columns 3 to 5.
SHAPE = (2, 8, 8)


def load_before_windows(folder: Path) -> None:
    """Numba, dipy and the compiled loops, which the first run of a session loads."""
    where = folder / "loaded"
    found = crossing_phantom(small_dictionary(), small_protocol(), shape=(1, 8, 8), snr=60.0)
    se.explain(
        se.open_study(write_crossing_phantom(found, where / "scan")), None, "fingerprint",
        dictionary=str(save_phases(small_phases(), where / "small.npz")), sigma=found.sigma,
    )  # fmt: skip


@pytest.fixture(scope="session")
def phantom() -> CrossingPhantom:
    return crossing_phantom(small_dictionary(), small_protocol(), shape=SHAPE, snr=60.0)


@pytest.fixture(scope="session")
def without_timings(kept_folder: Path, phantom: CrossingPhantom) -> Path:
    folder = write_crossing_phantom(phantom, kept_folder / "untimed")
    (folder / "dwi.json").unlink()
    return folder


@pytest.fixture(scope="session")
def scan_folder(kept_folder: Path, phantom: CrossingPhantom) -> Path:
    """The scan, with timings in its sidecar: δ between two values that the form can show."""
    folder = write_crossing_phantom(phantom, kept_folder / "crossing")
    said = json.loads((folder / "dwi.json").read_text())
    (folder / "dwi.json").write_text(json.dumps({**said, "SmallDelta": 0.0129049}))
    return folder


@pytest.fixture(scope="session")
def one_shell(kept_folder: Path) -> Path:
    table = shell_protocol([(0, 4), (1000, 20)], HCP_MGH)
    scan = crossing_phantom(small_dictionary(), table, shape=SHAPE, snr=60.0)
    return write_crossing_phantom(scan, kept_folder / "one-shell")


@pytest.fixture(scope="session")
def dictionary(kept_folder: Path) -> Path:
    return save_phases(small_phases(), kept_folder / "small.npz")


@pytest.fixture
def looked_at(shared_window: SharedWindow, scan_folder: Path, own_folder: Path) -> Any:
    """A scan open, the tab in front, its gradients read."""
    return shared_window.lend(new_workspace, [with_study(scan_folder), ("tab", look)])


@pytest.fixture
def run(
    shared_window: SharedWindow, scan_folder: Path, dictionary: Path, phantom: CrossingPhantom,
    own_folder: Path,
) -> Any:  # fmt: skip
    """The same, with the slice in the picture run."""

    def run_slice(workspace: Any) -> None:
        tab = workspace.page("microstructure")
        tab.form.how.dictionary.setText(str(dictionary))
        tab.form.how.sigma.setValue(phantom.sigma)
        tab.run_slice()
        assert tab.wait(120)
        assert tab.shown, tab.run_bar.message.text()
        settle()

    steps = [with_study(scan_folder), ("tab", look), ("run", run_slice)]
    return shared_window.lend(new_workspace, steps)


def look(workspace: Any) -> None:
    workspace.show_tab("microstructure")
    settle()
    assert workspace.page("microstructure").wait(30)


def opened_in(workspace: Any, folder: Path) -> Any:
    """The tab with another study read."""
    with_study(folder)[1](workspace)
    look(workspace)
    return workspace.page("microstructure")


def test_the_gradients_are_read_and_timings_of_the_files_stay_theirs(looked_at: Any) -> None:
    """Also when the scan gets another role; what a person fills in stays too."""
    window, tab = looked_at, looked_at.page("microstructure")
    form = tab.form
    said = form.said.text()
    assert said.startswith("6 at b = 0, 20 at 1000, 30 at 3000, 40 at 6000 s/mm²")
    assert "as the files say" in said
    assert form.timings == pytest.approx((12.9, 21.8), abs=0.006)
    for role in ("t1", "dwi"):
        assert form.small_delta.text() == "12.90 ms"
        assert form.values()["small_delta"] == 0, "they are the files' own; rounded, another one"
        study = window.study
        window.replace_study(study, study.with_role(form.role, role))
        assert tab.wait(30)
        assert form.role == role
    assert form.small_delta.text() == "12.90 ms", "they are read anew"
    form.set_timings(10.0, 30.0)
    settle()
    assert tab.wait(30)
    assert "δ 10 ms, Δ 30 ms, as filled in" in form.said.text()
    window.replace_study(window.study, window.study.with_role("dwi", "t2"))
    assert tab.wait(30)
    assert form.values()["small_delta"] == 10
    assert form.values()["big_delta"] == 30
    _ask_for_several_shells(form)


def test_the_maps_stand_side_by_side_with_bars_and_units(
    run: Any, phantom: CrossingPhantom
) -> None:
    tab = run.page("microstructure")
    (shown,) = tab.shown
    means = ["share-1", "radius-1", "density-1", "populations", "share-2", "radius-2", "density-2"]
    assert list(shown.layers) == means
    scan = run.study_layer(shown.role)
    assert list(run.grid_view.layers) == [scan, *shown.layers.values()]
    assert shown.layers["radius-1"].name == "Radius r 1 · µm"
    for layer in shown.layers.values():
        assert isinstance(layer, Labels) or (bar_length_of(layer) and layer.colormap.name != "gray")
    assert shown.result.score.startswith("misfit")
    # The bundle from right to left alone, and both where they cross.
    count = np.asarray(shown.explanation["populations"].data)[0]
    assert (count == (phantom.share[:, 0] > 0).sum(axis=0)).mean() > 0.9
    assert count[4, 4] == 2


def test_a_click_says_values_with_their_spread_and_where_nothing_was_compared(run: Any) -> None:
    tab, here = run.page("microstructure"), run.current_slice
    run.click((here, 4, 4))
    said = tab.read_out.text().split("\n")
    assert any(line.endswith("two populations") for line in said)
    for number in (1, 2):
        (line,) = [line for line in said if line.strip().startswith(f"{number}: ν ")]
        assert line.count("±") == 3
        assert "µm" in line
    assert "b 1000:" in said[-1]
    run.click((here, 4, 0))
    assert "one population" in tab.read_out.text()
    run.click((here, 0, 0))
    assert "Nothing was compared" in tab.read_out.text()
    run.click((1 - here, 4, 4))
    assert "This slice was not run" in tab.read_out.text()


def test_a_result_of_one_slice_says_so_where_it_is_black(run: Any) -> None:
    tab, here = run.page("microstructure"), run.current_slice
    (shown,) = tab.shown
    name = shown.layers["share-1"].name
    run.go_to_slice(1 - here)
    settle()
    assert shown.layers["share-1"].name == f"{name} · only slice {here + 1}"
    run.go_to_slice(here)
    settle()
    assert shown.layers["share-1"].name == name
    run.set_plane("coronal")
    assert "only slice" in shown.layers["radius-2"].name
    settle()
    low = view_size(run.viewer)[0]
    bars = [layer.colorbar.size[1] for name, layer in shown.layers.items() if "-" in name]
    assert bars == [bar_length(low)] * 6
    run.set_plane("axial")
    assert shown.layers["share-1"].name == name


def test_a_click_explains_the_voxel_below_and_its_picture_can_be_saved(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab, here = run.page("microstructure"), run.current_slice
    panel = tab.voxel
    assert not panel.isVisible()
    with pytest.raises(SparseExplainError, match="no voxel is explained"):
        panel.save(tmp_path / "none.png")
    run.click((here, 4, 0))
    run.click((here, 4, 4))  # the former is dropped
    assert panel.found is None, "the click does not wait"
    assert "Explaining" in panel.said.text()
    assert tab.wait(60)
    found = panel.found
    assert found.index == (here, 4, 4)
    assert found.populations == 2
    assert panel.picture.pixmap().width() == pytest.approx(panel.width(), abs=10)
    settle()
    seen = tab.read_out.mapTo(tab.viewport(), tab.read_out.rect().topLeft()).y()
    assert 0 <= seen < tab.viewport().height() / 4, "the tab scrolls to what explains the click"
    assert tab.voxel.isVisible()
    assert f"ν {found.mean[0, 0]:.2f} ± {found.sd[0, 0]:.2f}" in tab.read_out.text()
    tab.read_again()
    assert panel.found is found, "the same is not computed again"

    monkeypatch.setattr(panel, "_ask_file", lambda start: str(tmp_path / "chosen"))
    panel.save_button.click()
    assert (tmp_path / "chosen.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(SparseExplainError, match=r"\.png or \.pdf"):
        panel.save(tmp_path / "voxel.gif")

    run.show_tab("study")
    run.click((here, 4, 1))
    assert panel.found is found, "nobody looks"
    run.show_tab("microstructure")
    assert tab.wait(60)
    assert panel.found.index == (here, 4, 1)
    assert panel.found.populations == 1
    run.click((here, 0, 0))
    assert not panel.isVisible()
    assert tab.voxel.found is None


def test_fibre_directions_stand_in_every_cell_and_as_a_layer_in_the_single_view(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab, here = run.page("microstructure"), run.current_slice
    (shown,) = tab.shown
    cells = tab.fibres.cells
    assert cells.drawn is None
    scan = run.viewer.layers.selection.active
    tab.show_fibres()
    drawn = cells.drawn
    counted = np.asarray(shown.explanation["populations"].data).sum()
    assert len(drawn.ends) == len(drawn.colours) == 2 * counted
    assert shown.fibres is None, "a layer would have a cell of its own"
    # The bundle along the columns, alone at the edge: red lines from left to right.
    left = np.flatnonzero(drawn.ends[:, 0].reshape(-1, 2).mean(axis=1) < run.study.grid.spacing[2])
    assert (drawn.colours[2 * left, 0] > 0.95).all()
    assert np.ptp(drawn.ends.reshape(-1, 2, 2)[left], axis=1)[:, 0].min() > 1.5
    run.go_to_slice(1 - here)
    settle()
    assert cells.drawn is None, "that slice was not run"
    run.go_to_slice(here)
    settle()
    assert len(cells.drawn.ends) == 2 * counted

    run.grid_view.leave()
    settle()
    layer = shown.fibres
    assert cells.drawn is None
    assert layer.visible
    assert len(layer.data) == counted
    assert run.viewer.layers.selection.active is scan
    np.testing.assert_allclose(np.linalg.norm(layer.edge_color[:, :3], axis=1), 1.0, atol=1e-3)
    assert _fibre_notes(run), "a picture of the review says that it has none"

    # Of a whole volume the layer holds the slice in the picture, once scrolling rests.
    monkeypatch.setattr("napari_sparseexplain.widgets.microstructure.fibre_choice.MOST_LINES", 5)
    run.go_to_slice(1 - here)
    settle(0.3)
    assert len(layer.data) == 0
    run.go_to_slice(here)
    settle(0.3)
    assert len(layer.data) == counted
    run.set_plane("coronal")
    settle(0.3)
    assert 0 < len(layer.data) < counted
    run.set_plane("axial")

    # Glyphs in their place, on the slice alone, computed in the background.
    run.go_to_slice(here)
    tab.show_fibres(kind="glyphs")
    assert shown.glyphs is None, "the window does not wait"
    assert tab.wait(60)
    glyphs = shown.glyphs
    assert glyphs.visible
    assert not layer.visible
    tile = glyphs.data.shape[1] // SHAPE[1]
    across, along = (
        glyphs.data[0, : tile * SHAPE[1]]
        .reshape(SHAPE[1], tile, SHAPE[2], tile, 4)
        .sum(axis=(1, 3))[[4, 0], [0, 4], :3]
        .astype(float)
    )
    assert across[0] > 3 * across[1:].max(), "red from right to left"
    assert along[1] > 3 * along[[0, 2]].max(), "green to the front"
    assert tab.fibres.said.isHidden()
    run.set_plane("coronal")
    settle(0.3)
    assert "drawn on axial slices" in tab.fibres.said.text()
    run.set_plane("axial")
    run.go_to_slice(1 - here)
    settle(0.3)
    assert "this slice was not run" in tab.fibres.said.text()
    assert not glyphs.visible
    run.go_to_slice(here)
    settle(0.3)
    assert glyphs.visible
    tab.show_fibres()
    assert layer.visible
    assert not glyphs.visible

    tab.show_result(shown, grid=True)
    settle()
    assert not layer.visible
    assert cells.drawn is not None
    tab.show_fibres(False)
    assert cells.drawn is None


def _fibre_notes(workspace: Any) -> list[str]:
    """What a review says that it leaves out."""
    found = workspace.reading(Marks()).findings
    return [finding.message for finding in found if "fibre directions" in finding.message]


def test_other_maps_take_their_place_and_what_is_seen_goes_with_its_study(
    run: Any, study_folder: Path
) -> None:
    """One test, the last of this result: to bring it back costs as much as a run."""
    _choose_other_maps(run)
    _open_another_study(run, study_folder)


def _choose_other_maps(run: Any) -> None:
    tab = run.page("microstructure")
    (shown,) = tab.shown
    tab.show_maps("misfit")
    names = [layer.name for layer in run.grid_view.layers[1:]]
    shells = ["Misfit b 1000 · σ", "Misfit b 3000 · σ", "Misfit b 6000 · σ"]
    assert names == ["Misfit, all · σ", *shells]
    assert not shown.layers["share-1"].visible
    spreads = names_of(shown.explanation, "uncertainty")
    assert spreads[:4] == ["share-1-sd", "radius-1-sd", "density-1-sd", "entropy"]
    assert len(spreads) == 7
    assert short_title("radius-2-sd", "µm") == "Radius r 2 ± · µm"

    tab.run_volume()
    tab.run_bar.cancel.click()
    assert tab.wait(60)
    assert tab.shown == [shown]
    assert "Cancelled" in tab.run_bar.message.text()
    tab.volume_button.click()
    assert tab.wait(120)
    titles = [result.title for result in tab.results.items]
    first = f"Fingerprint 1 · slice {run.current_slice + 1}"
    assert titles == [first, "Fingerprint 2 · slices 1–2"]
    second = tab.shown[1]
    assert list(run.grid_view.layers[1:]) == second.chosen
    run.viewer.layers.remove(second.layers["misfit-b1000"])
    settle()
    tab.show_result(second, grid=True)
    again = [layer.name for layer in run.grid_view.layers[1:3]]
    expected = ["Misfit, all · σ · result 2", "Misfit b 1000 · σ · result 2"]
    assert again == expected, "made again, at its place"
    tab.forget(second)
    assert tab.shown == [shown]


def _open_another_study(run: Any, study_folder: Path) -> None:
    tab, crossing = run.page("microstructure"), run.study
    run.click((run.current_slice, 4, 4))
    assert tab.wait(60)
    steps = run.viewer.dims.nsteps
    assert steps == (96, *SHAPE)
    with_study(study_folder)[1](run)
    settle()
    assert run.study is not crossing
    assert run.viewer.dims.nsteps == (1, *run.study.grid.shape), "no directions here"
    assert tab.read_out.text() == "Click in the picture."
    assert tab.voxel.found is None
    run.activate(crossing)
    settle()
    assert run.viewer.dims.nsteps == steps
    assert run.viewer.dims.current_step[1] == run.current_slice
    assert tab.read_out.text() == "Click in the picture."
    # After an edit of its roles it is the same study.
    run.click((run.current_slice, 4, 4))
    run.replace_study(crossing, crossing.with_role("dwi", "t2"))
    assert "two populations" in tab.read_out.text()
    # Without its last result the tab has nothing to show.
    run.grid_view.leave()
    tab.show_fibres()
    (shown,) = tab.shown
    lines = shown.fibres
    assert lines in run.viewer.layers
    tab.show_result(shown, grid=True)
    tab.forget(shown)
    assert lines not in run.viewer.layers, "the lines go with their result"
    assert not tab.fibres.isEnabled()
    assert not run.grid_view.active
    assert tab.notes.text() == ""


def test_warnings_stand_in_one_line_the_heaviest_in_it(qapp: Any) -> None:
    block = WarningsBlock()
    block.show_warnings(["Tensor and axes are noise.", "Only one volume is at b = 0."])
    closed = block.sizeHint().height()
    assert block.opens.text() == "⚠ 2 warnings"
    assert block.first.text() == "Tensor and axes are noise."
    assert block.every.isHidden()
    block.opens.click()
    assert not block.every.isHidden()
    assert block.every.text().split("\n")[1] == "⚠ Only one volume is at b = 0."
    block.show_warnings(["Only one volume is at b = 0."])
    assert block.opens.text() == "⚠ 1 warning"
    assert block.every.isHidden(), "others are closed at first"
    assert block.sizeHint().height() == closed, "however many, the buttons below stay"
    block.show_warnings([])
    assert block.isHidden()


def test_the_demonstration_shows_chosen_parts_after_the_study() -> None:
    shown = _shown_parts(["microstructure"])
    assert [family.name for family in shown] == ["study", "microstructure"]
    with pytest.raises(SparseExplainError, match=r"no part 'microscope'.*microstructure"):
        _shown_parts(["microscope"])


def test_what_cannot_be_run_is_said_and_what_can_be_is_run(
    shared_window: SharedWindow,
    without_timings: Path,
    one_shell: Path,
    study_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No timings, one shell, no gradients, no scan of several volumes."""
    told: list[Any] = []
    monkeypatch.setattr("napari_sparseexplain.widgets.explain_tab.show_error_dialog", told.append)
    window = shared_window.lend(new_workspace, [with_study(without_timings), ("tab", look)])
    tab = window.page("microstructure")
    assert tab.form.timings == (0, 0)
    assert not told, "reading asks nothing of a person"
    for button in (tab.slice_button, tab.volume_button):
        assert not button.isEnabled()
        assert button.toolTip().startswith("δ and Δ are not known")
    assert "✗ δ and Δ are not known" in tab.form.said.text()
    tab.form.how.choose("tensor")
    assert tab.slice_button.isEnabled(), "a tensor needs none"
    assert "✗" not in tab.form.said.text()
    tab.form.how.choose("fingerprint")
    tab.run_slice()  # as a script calls it
    assert not tab.computing
    assert "δ and Δ" in str(told.pop())
    tab.form.set_timings(30.0, 20.0)
    tab.slice_button.click()
    assert "longer than Δ" in str(told.pop())

    tab = opened_in(window, one_shell)
    assert "cannot be estimated" in tab.form.said.text()
    assert "cannot be estimated" in tab.slice_button.toolTip()
    assert not tab.slice_button.isEnabled()
    assert not tab.volume_button.isEnabled()
    _run_the_tensor(window)

    bare = tmp_path / "bare"
    bare.mkdir()
    nib.save(nib.Nifti1Image(np.ones((6, 6, 4, 5), np.float32), np.eye(4)), bare / "dwi.nii")
    tab = opened_in(window, bare)
    assert tab.form.said.text().startswith("✗")
    assert "gradients" in tab.form.said.text()
    assert "\n" not in tab.form.said.text()

    tab = opened_in(window, study_folder)
    assert tab.form.role == ""
    assert not told, "nothing of this is a dialog"


def _ask_for_several_shells(form: Any) -> None:
    """What a method cannot take is not asked for."""
    how = form.how
    how.choose("hybrid-microstructure")
    how.dictionary.clear()
    assert form.values()["refine"] is False
    how.choose("fingerprint")
    how.populations.setCurrentIndex(1)
    how.water.setChecked(True)
    said = form.values()
    assert (said["count_by"], said["populations"], said["water"]) == ("bic", 0, True)
    how.water.setChecked(False)
    how.populations.setCurrentIndex(0)


def _run_the_tensor(window: Any) -> None:
    """One shell is enough for it."""
    tab = window.page("microstructure")
    how = tab.form.how
    how.choose("tensor")
    assert tab.slice_button.isEnabled()
    assert set(tab.form.values()) == {"scan", "corrected", "denoise"}
    assert not how.sigma.isVisibleTo(tab)
    how.corrected.setCurrentIndex(how.corrected.findData("yes"))
    tab.run_slice()
    assert tab.wait(60)
    (shown,) = tab.shown
    assert [layer.name for layer in shown.chosen][1:] == ["FA", "MD · 10⁻³ mm²/s"]
    assert shown.explanation.provenance.parameters["corrected"] == "yes"
    assert tab.notes.isEnabled()
    assert tab.notes.text().count("• ") == len(shown.explanation.notes)
    told = shown.explanation
    shown.explanation = replace(told, notes=(f"{NOISE_WORDS}: …", *told.notes))
    shown.write_names()
    assert [layer.name for layer in shown.chosen][1] == "FA · noise, see notes"
    shown.explanation = told
    shown.write_names()
    assert shown.chosen[0].rgb
    window.click((window.current_slice, 4, 4))
    settle()
    assert "FA" in tab.read_out.text()
    assert not tab.voxel.isVisible(), "pairs were not compared"
