"""The Decompose tab in a real window: a small pursuit on the small study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.utils.notifications import notification_manager

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.layers.cells.shown_cells import cells_of
from napari_sparseexplain.progress import Progress

from .conftest import held, settle, until
from .shared_window import SharedWindow
from .small_pursuit import CLASSES, ROLES, lend_pursuit, save_pursuit, the_one

pytestmark = pytest.mark.gui

COLUMNS = ["Classes", "Healthy", "Oedema", "Enhancing", "Residual"]


@pytest.fixture
def run(shared_window: SharedWindow, study_folder: Path, pursuit: Path) -> Any:
    """Run on the slice in the picture, with one modality in the grid: few cells come fast."""
    return lend_pursuit(shared_window, study_folder, pursuit)


@pytest.fixture
def run_all(shared_window: SharedWindow, study_folder: Path, pursuit: Path) -> Any:
    """Run on the slice in the picture, with both modalities in the grid."""
    return lend_pursuit(shared_window, study_folder, pursuit, all_roles=True)


def passes_of(tab: Any) -> tuple[list[int], Any]:
    """Counts the network's passes from now on."""
    # A window that others used may hold their models too.
    model = tab.session._models[tab.current.key]
    passes: list[int] = []
    decompose = model.network.decompose

    def counted(*args: Any, **options: Any) -> Any:
        passes.append(1)
        return decompose(*args, **options)

    model.network.decompose = counted
    return passes, model


def lesion_voxel(workspace: Any) -> tuple[int, int, int]:
    index = workspace.current_slice
    rows, columns = np.nonzero(workspace.study.labels["seg"].spatial()[index])
    return index, int(rows[0]), int(columns[0])


def test_rows_are_modalities_columns_classes_and_contrast_is_shared(run_all: Any) -> None:
    run, tab = run_all, run_all.page("decompose")
    visible = [layer for layer in run.viewer.layers if layer.visible]
    assert [layer.name for layer in visible] == [
        f"{title} · {column}" for title in ROLES.values() for column in COLUMNS
    ]
    cells = cells_of(run.viewer)
    assert cells.shape == (2, len(COLUMNS))
    assert [layer for (layer,) in cells.cells] == visible
    places = [cells.viewbox(place) for place in range(len(visible))]
    assert places == [(row, column) for row in range(2) for column in range(len(COLUMNS))]
    for layer in visible:
        assert cells_of(run.viewer).is_named(layer)
        assert layer.translate[0] == run.current_slice * 2.0
        assert {str(unit) for unit in layer.units} == {"millimeter"}

    signed = {cell: layer for cell, layer in the_one(run).layers.items() if cell.signed}

    def limits(role: str) -> set[tuple[float, float]]:
        return {tuple(layer.contrast_limits) for c, layer in signed.items() if c.role == role}

    assert all(len(limits(role)) == 1 for role in ROLES)
    assert "shared over each modality" in tab.picture.legend.text
    first, *others = [layer for cell, layer in signed.items() if cell.role == "flair"]
    first.contrast_limits = (-0.01, 0.01)
    assert all(tuple(layer.contrast_limits) == (-0.01, 0.01) for layer in others)
    assert limits("t1") != {(-0.01, 0.01)}
    settle()
    assert "FLAIR ±0.01" in tab.picture.legend.text

    tab.cells.sharing.setCurrentIndex(tab.cells.sharing.findData("all"))
    assert limits("t1") == limits("flair")
    assert "shared over all cells" in tab.picture.legend.text
    peak = max(float(np.abs(layer.data).max()) for layer in signed.values())
    (both,) = limits("t1")
    assert both == (pytest.approx(-peak), pytest.approx(peak))

    tab.cells.sharing.setCurrentIndex(tab.cells.sharing.findData("cell"))
    assert "each cell its own" in tab.picture.legend.text
    for layer in signed.values():
        high = float(np.abs(layer.data).max())
        assert layer.contrast_limits[1] == pytest.approx(high if high > 0 else 1.0)
    first.contrast_limits = (-0.02, 0.02)
    assert all(tuple(layer.contrast_limits) != (-0.02, 0.02) for layer in others)


def test_components_and_residual_add_to_the_scan(run: Any) -> None:
    run.page("decompose").cells.columns.choose("input", True)
    named = {layer.name: layer for layer in run.viewer.layers}
    parts = [named[f"FLAIR · {column}"].data for column in COLUMNS[1:]]
    np.testing.assert_allclose(sum(parts), named["FLAIR · Input"].data, atol=1e-5)
    visible = [layer.name for layer in run.viewer.layers if layer.visible]
    assert visible == [f"FLAIR · {column}" for column in ("Input", *COLUMNS)]


def test_rounds_are_replayed_without_another_pass(run: Any) -> None:
    tab = run.page("decompose")
    passes, _ = passes_of(tab)
    shown = the_one(run)
    layers = dict(shown.layers)
    limits = shown.limit_groups("modality")
    energies = []
    for stage in (1, 2, 3):
        tab.set_round(stage)
        assert run.wait(30)
        energies.append(sum(float(np.square(x.data).sum()) for c, x in layers.items() if c.signed))
        assert f"Round {stage} of 3" in tab.picture.legend.text
        added = sum(layers[c].data for c in layers if c.signed)
        scan = shown.answer.components.prepared.array[:, 1]
        np.testing.assert_allclose(added, scan, atol=1e-5)
    assert passes == []
    assert shown.layers == layers
    assert shown.limit_groups("modality") == limits
    assert len(set(energies)) == 3


def test_a_class_switched_off_leaves_the_segmentation_at_once(run: Any) -> None:
    tab = run.page("decompose")
    passes, _ = passes_of(tab)
    shown = the_one(run)
    channel = int(
        np.bincount(shown.answer.components.found.class_channels().ravel(), minlength=3).argmax()
    )
    value = int(list(CLASSES)[channel])
    whole = np.array(shown.mask.data)
    tab.switch(channel, False)
    assert run.wait(30)
    expected = shown.answer.components.found.class_channels(without=[channel])
    labels = np.array([int(v) for v in CLASSES])[expected]
    inside = shown.answer.components.prepared.inside  # elsewhere there is no class
    np.testing.assert_array_equal(shown.mask.data, np.where(inside, labels, 0))
    assert np.count_nonzero(shown.mask.data == value) < np.count_nonzero(whole == value)
    assert "without" in shown.mask.name
    assert "without" in tab.picture.legend.text
    scores = shown.explanation.scores
    assert {"Dice WT", "Dice WT shown"} <= set(scores)
    tab.switch(channel, True)
    assert run.wait(30)
    np.testing.assert_array_equal(shown.mask.data, whole)
    assert passes == []


def test_a_click_says_what_the_voxel_is_made_of(run: Any) -> None:
    tab = run.page("decompose")
    index = lesion_voxel(run)
    run.signals.voxel_clicked.emit(index)
    reading = tab.voxel.reading
    assert reading is not None
    assert not tab.voxel.isHidden()
    np.testing.assert_allclose(
        reading.components.sum(0) + reading.residual, reading.input, atol=1e-5
    )
    named = {layer.name: layer for layer in run.viewer.layers}
    place = (0, *index[1:])
    for c, column in enumerate(COLUMNS[1:4]):
        value = named[f"FLAIR · {column}"].data[place]
        assert value == pytest.approx(float(reading.components[c, 1]), abs=1e-6)
    energy = np.square(reading.components).sum(axis=1)
    np.testing.assert_allclose(reading.shares, energy / energy.sum(), rtol=1e-4)
    assert reading.codes.shape == (3, 4)
    run.signals.voxel_clicked.emit((index[0] + 1, *index[1:]))
    assert tab.voxel.reading is None
    assert "Run on slice" in tab.read_out.text()


def test_the_table_flags_what_is_wrong_and_says_what_it_means(run: Any, tmp_path: Path) -> None:
    import torch

    tab = run.page("decompose")
    assert tab.parameters.table.rowCount() == 3 * 3
    _, model = passes_of(tab)
    with torch.no_grad():
        model.network.thresholds[1, 2] = -0.5
        model.network.thresholds[2, 2] = 1e6
    tab.session._slices.clear()
    tab.run_slice()
    assert run.wait(60)
    text = tab.parameters.sentences.text()
    assert "negative threshold (Oedema D2): The threshold is below 0" in text
    assert "dead codes (Enhancing" in text
    assert "flags" in tab.parameters.button.text()


def test_classes_over_the_scan_with_their_names(run: Any) -> None:
    tab = run.page("decompose")
    tab.show_classes_over_scan()
    settle()
    shown = the_one(run)
    assert not run.grid_view.active
    visible = [layer.name for layer in run.viewer.layers if layer.visible]
    assert visible == ["FLAIR · tiny", shown.mask.name]
    legend = [
        overlay.text
        for key, overlay in run.viewer.canvas.overlays.items()
        if key.startswith("class_legend") and overlay.visible
    ]
    assert legend == ["■ oedema", "■ enhancing tumour"]
    run.page("study").side_by_side.click()
    settle()
    assert not any(
        overlay.visible
        for key, overlay in run.viewer.canvas.overlays.items()
        if key.startswith("class_")
    )


def test_rows_and_columns_can_be_chosen_and_never_none(run: Any) -> None:
    tab = run.page("decompose")
    rows, columns = cells_of(run.viewer).shape
    assert rows * columns - len(COLUMNS) in range(columns), "one modality's cells, no empty row"
    tab.cells.rows.choose("flair", False)
    assert tab.cells.rows.chosen == ("flair",)
    for column in tab.cells.columns.chosen[:-1]:
        tab.cells.columns.choose(column, False)
    visible = [layer.name for layer in run.viewer.layers if layer.visible]
    assert visible == ["FLAIR · Residual"]


def test_the_result_follows_the_slice(run: Any) -> None:
    shown = the_one(run)
    before = run.current_slice
    run.go_to_slice(before - 1)
    until(lambda: shown.mask.translate[0] == (before - 1) * 2.0)
    assert run.wait(30)
    assert all(layer.translate[0] == (before - 1) * 2.0 for layer in shown.layers.values())
    run.page("decompose").follow.setChecked(False)
    run.go_to_slice(before)
    settle(0.4)
    assert shown.mask.translate[0] == (before - 1) * 2.0


def test_the_scan_is_seen_while_the_slice_scrolled_to_is_computed(run: Any) -> None:
    tab, shown = run.page("decompose"), the_one(run)
    before, names = run.current_slice, [layer.name for layer in shown.grid_layers]
    colours = [layer.colormap.name for layer in shown.grid_layers]
    former = [np.array(layer.data) for layer in shown.grid_layers]
    flair = run.study["flair"].spatial()
    with held(tab.session):
        run.go_to_slice(before - 1)  # no event of the window comes between
        for layer in shown.grid_layers:
            assert layer.name.endswith("computing…")
            assert layer.translate[0] == 0
            assert np.asarray(layer.data[before - 1]).shape[:2] == flair.shape[1:]
            if not layer.rgb:
                assert layer.colormap.name == "gray"
                grey = np.asarray(layer.data[before - 1])
                assert np.corrcoef(grey.ravel(), flair[before - 1].ravel())[0, 1] > 0.9
        settle(0.3)
        with pytest.raises(SparseExplainError, match="still computing"):
            run.page("review").reading()
        # Back where it was: what is known comes back at once, and the late answer is not shown.
        run.go_to_slice(before)
        assert [layer.name for layer in shown.grid_layers] == names
        for layer, data in zip(shown.grid_layers, former, strict=True):
            np.testing.assert_array_equal(layer.data, data)
    assert run.wait(30)
    assert shown.explanation.slices.start == before
    assert not tab.awaiting
    with held(tab.session):
        run.go_to_slice(before - 1)
        settle(0.3)
        run.go_to_slice(before - 2)
        settle(0.3)
        assert tab.awaiting
    until(lambda: not tab.awaiting)
    assert run.wait(30)
    assert shown.explanation.slices.start == before - 2
    assert [layer.name for layer in shown.grid_layers] == names
    assert [layer.colormap.name for layer in shown.grid_layers] == colours
    assert {layer.translate[0] for layer in shown.grid_layers} == {(before - 2) * 2.0}
    assert run.page("review").reading() is not None


def test_a_slice_that_fails_leaves_nothing_waiting(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab, shown = run.page("decompose"), the_one(run)
    names = [layer.name for layer in shown.grid_layers]

    def fail(*_: Any) -> Any:
        raise SparseExplainError("no room")

    monkeypatch.setattr(tab.session, "answer", fail)
    run.go_to_slice(run.current_slice - 1)
    assert tab.awaiting
    until(lambda: not tab.awaiting)
    assert run.wait(30)
    assert [layer.name for layer in shown.grid_layers] == names
    assert "no room" in tab.run_bar.message.text()


def test_a_blank_slice_is_shown_as_such(run: Any) -> None:
    count = len(notification_manager.records)
    run.page("decompose").run_slice(0)
    assert run.wait(60)
    assert the_one(run).answer.components.blank
    assert "holds no brain" in run.page("decompose").notes.text()
    assert len(notification_manager.records) == count


def test_a_whole_volume_beside_the_slice(run: Any) -> None:
    tab = run.page("decompose")
    tab.run_volume()
    assert run.wait(120)
    settle()
    volume = tab.shown[-1]
    assert not volume.live
    assert volume.mask.data.shape == (8, 32, 32)
    assert len(tab.results.items) == 2
    tab.results.removed.emit(tab.results.items[-1])
    settle()
    assert len(tab.results.items) == 1
    assert not any(layer in run.viewer.layers for layer in volume.layers.values())


def test_cancel_keeps_what_was_there(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*_: Any, **__: Any) -> Any:
        while True:
            yield Progress(1, 9, "Busy")

    tab = run.page("decompose")
    before = list(run.viewer.layers)
    monkeypatch.setattr(tab.session, "volume_work", endless)
    tab.run_volume()
    settle(0.1)
    assert tab.runner.running
    tab.run_bar.cancel.click()
    assert tab.wait(20)
    assert list(run.viewer.layers) == before
    assert "Cancelled" in tab.run_bar.message.text()


def test_separate_models_have_no_rounds_and_it_is_said(run: Any, tmp_path: Path) -> None:
    tab = run.page("decompose")
    tab.models.choose(save_pursuit(tmp_path / "separate", "Apart", separate=True))
    assert not tab.rounds.slider.isEnabled()
    assert "No rounds to replay" in tab.rounds.note.text()
    tab.run_slice()
    assert run.wait(60)
    assert len(tab.shown) == 2
    # Two models: every layer says whose it is.
    assert {layer.name.rpartition(" · ")[2] for s in tab.shown for layer in s.all_layers} == {
        "Small",
        "Apart",
    }


def test_a_missing_modality_is_named(opened: Any, pursuit: Path) -> None:
    opened.page("study").rows["t1"].role_edited.emit("t1", "pd")
    tab = opened.page("decompose")
    tab.models.choose(pursuit)
    count = len(notification_manager.records)
    tab.run_slice()
    assert opened.wait(60)
    settle()
    told = [record.message for record in notification_manager.records[count:]]
    assert any("lacks t1" in message for message in told)
    assert tab.shown == []


def test_a_model_without_components_is_refused(opened: Any, bundle: Path) -> None:
    from napari_sparseexplain.errors import ModelError

    with pytest.raises(ModelError, match="architecture is 'sum'"):
        opened.page("decompose").models.choose(bundle)


def test_results_go_with_their_study(run: Any) -> None:
    run.replace_study(run.study, run.study.with_role("seg", "mask of mine"))
    run.page("decompose").set_round(1)
    assert run.wait(30)
    assert the_one(run).explanation.scores["Dice WT"] is not None
    old = run.study
    run.close_study(old)
    settle()
    assert run.page("decompose").shown == []
    assert run.page("decompose").results.items == []
