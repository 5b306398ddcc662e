"""The Proxy tab and the Responses panel in a real window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.utils.notifications import notification_manager

from napari_sparseexplain.layers.cells.shown_cells import cells_of
from napari_sparseexplain.layers.colour_bar import bar_length
from napari_sparseexplain.progress import Progress
from napari_sparseexplain.widgets.view.plots_dock import show_plots

from .conftest import held, new_workspace, settle, until, with_study
from .shared_window import SharedWindow, Step

pytestmark = pytest.mark.gui

COLUMNS = ["Input", "Linear ED", "Signal α 1.00", "Estimated mask", "Reference segmentation"]


def with_small_model_run(bundle: Path) -> Step:
    """The small model run on the slice in the picture."""

    def step(workspace: Any) -> None:
        tab = workspace.page("proxy")
        tab.models.choose(bundle)
        tab.device.setCurrentIndex(tab.device.findData("cpu"))
        tab.run_slice()
        assert workspace.wait(60)
        settle()

    return "small model", step


@pytest.fixture
def run(shared_window: SharedWindow, study_folder: Path, bundle: Path) -> Any:
    """The small model run on the slice in the picture."""
    steps = [with_study(study_folder), with_small_model_run(bundle)]
    return shared_window.lend(new_workspace, steps)


def columns(workspace: Any) -> dict[str, Any]:
    (shown,) = workspace.page("proxy").shown
    return shown.layers


def test_a_run_gives_the_five_columns_side_by_side(run: Any) -> None:
    visible = [layer for layer in run.viewer.layers if layer.visible]
    assert [layer.name for layer in visible] == [f"{name} · Tiny" for name in COLUMNS]
    assert run.grid_view.active
    assert cells_of(run.viewer).shape[1] >= 2
    for layer in visible:
        assert cells_of(run.viewer).is_named(layer)
        assert {str(unit) for unit in layer.units} == {"millimeter"}
        assert layer.data.shape == (1, 32, 32)
        assert layer.translate[0] == run.current_slice * 2.0
    assert len(run.page("proxy").results.items) == 1


def test_one_alpha_step_costs_one_forward_pass(run: Any) -> None:
    """Issue: one α step on one slice costs one forward pass; the layers change in place."""
    proxy = run.page("proxy")
    proxy.set_alpha(0.9)  # the slice is prepared, the linear part known
    assert proxy.wait(30)
    (model,) = proxy.session._models.values()
    passes: list[int] = []
    handle = model.network.register_forward_hook(lambda *_: passes.append(1))
    layers = dict(columns(run))
    signal = np.array(layers["signal"].data)
    limits = layers["signal"].contrast_limits
    proxy.set_alpha(0.2)
    assert proxy.wait(30)
    handle.remove()
    assert len(passes) == 1
    assert columns(run) == layers
    assert not np.array_equal(layers["signal"].data, signal)
    assert layers["signal"].contrast_limits == limits
    assert layers["signal"].name == "Signal α 0.20 · Tiny"
    (shown,) = proxy.shown
    assert shown.explanation.provenance.parameters["alpha"] == pytest.approx(0.2)


def test_dragging_answers_the_last_alpha_and_skips_overtaken_ones(run: Any) -> None:
    proxy = run.page("proxy")
    proxy.set_alpha(0.95)
    assert proxy.wait(30)
    (model,) = proxy.session._models.values()
    passes: list[int] = []
    handle = model.network.register_forward_hook(lambda *_: passes.append(1))
    for step in range(60):
        proxy.set_alpha(0.9 - 0.01 * step)
    assert proxy.wait(30)
    handle.remove()
    assert len(passes) < 60
    assert proxy.shown[0].alpha == pytest.approx(0.31)


def test_the_linear_part_is_what_alpha_zero_gives(run: Any) -> None:
    run.page("proxy").set_alpha(0.0)
    assert run.page("proxy").wait(30)
    layers = columns(run)
    np.testing.assert_allclose(layers["signal"].data, layers["lin-ed"].data, atol=1e-5)


def test_the_result_follows_the_slice(run: Any) -> None:
    run.go_to_slice(2)
    until(lambda: columns(run)["signal"].translate[0] == 4.0)
    assert run.page("proxy").wait(30)
    run.page("proxy").follow.setChecked(False)
    run.go_to_slice(5)
    settle(0.4)
    assert columns(run)["signal"].translate[0] == 4.0


def test_the_scan_is_seen_at_once_and_the_slider_acts_on_what_is_waited_for(run: Any) -> None:
    tab, here = run.page("proxy"), run.current_slice
    (shown,) = tab.shown
    with held(tab.session):
        run.go_to_slice(here + 1)
        assert columns(run)["input"].name == "Input · computing…"
        grey = np.asarray(columns(run)["input"].data[here + 1])
        assert grey.max() > 0.5
        assert columns(run)["signal"].colormap.name == "gray"
        assert bar_length(columns(run)["signal"]) is None
        settle(0.3)
        tab.set_alpha(0.5)
        settle(0.1)
    until(lambda: not tab.awaiting)
    assert run.wait(30)
    assert shown.explanation.slices.start == here + 1
    assert shown.alpha == 0.5
    assert columns(run)["signal"].name == "Signal α 0.50 · Tiny"
    assert bar_length(columns(run)["signal"])
    tab.follow.setChecked(False)
    run.go_to_slice(here)
    settle(0.3)
    assert not tab.awaiting


def test_the_result_still_follows_after_a_role_was_edited(run: Any) -> None:
    """An edited study stands for the one before, also for what was found in it."""
    before = np.array(columns(run)["input"].data)
    extra = next(role for role in run.study.labels)
    run.replace_study(run.study, run.study.with_role(extra, "mask of mine"))
    assert "mask of mine" in run.study
    run.go_to_slice(run.current_slice + 1)
    until(lambda: columns(run)["input"].translate[0] == run.current_slice * 2.0)
    assert run.wait(30)
    assert not np.array_equal(columns(run)["input"].data, before)


def test_another_reference_takes_the_results_of_the_old_grid_away(run: Any) -> None:
    """Their layers go with the study that is replaced, so their lines must go too."""
    run.replace_study(run.study, run.study.with_role("t1", "t2"))
    old = run.study
    run.page("study").reference.setCurrentIndex(run.page("study").reference.findData("flair"))
    run.page("study")._on_reference()
    assert run.wait(30)
    settle()
    assert run.study is not old
    assert run.study.reference == "flair"
    assert "t2" in run.study, "the edited role is kept"
    assert run.page("proxy").results.items == []
    assert run.page("proxy").shown == []
    names = {layer.name for layer in run.viewer.layers}
    assert names == {"FLAIR · tiny", "T2 · tiny", "Mask · tiny"}


def test_cancel_keeps_what_was_there(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*_: Any, **__: Any) -> Any:
        while True:
            yield Progress(1, 9, "Busy")

    before = list(run.viewer.layers)
    results = list(run.page("proxy").results.items)
    monkeypatch.setattr(run.page("proxy").session, "run_work", endless)
    run.page("proxy").run_volume()
    settle(0.1)
    assert run.page("proxy").runner.running
    assert run.page("proxy").run_bar.cancel.isEnabled()
    run.page("proxy").run_bar.cancel.click()
    assert run.page("proxy").wait(20)
    assert list(run.viewer.layers) == before
    assert run.page("proxy").results.items == results
    assert "Cancelled" in run.page("proxy").run_bar.message.text()
    assert run.page("proxy").slice_button.isEnabled()


def test_a_whole_volume(run: Any) -> None:
    run.page("proxy").run_volume()
    assert run.page("proxy").wait(60)
    settle()
    volume = run.page("proxy").shown[-1]
    assert volume.layers["signal"].data.shape == (8, 32, 32)
    assert len(run.page("proxy").results.items) == 2


def test_bands_stand_side_by_side(run: Any) -> None:
    run.page("proxy").show_bands()
    settle()
    names = [layer.name for layer in run.viewer.layers if layer.visible]
    assert names[:2] == ["L0 before · Tiny", "L0 after · Tiny"]
    assert not run.page("proxy").bands.isHidden()


def test_a_result_is_removed_with_its_layers(run: Any) -> None:
    (result,) = run.page("proxy").results.items
    run.page("proxy").results.removed.emit(result)
    settle()
    assert run.page("proxy").results.items == []
    assert [layer.name for layer in run.viewer.layers] == [
        "T1 · tiny",
        "FLAIR · tiny",
        "Mask · tiny",
    ]
    assert not run.grid_view.active


def test_a_model_that_does_not_fit_is_told(opened: Any, bundle: Path) -> None:
    """A model that needs FLAIR, and a study in which no volume has that role."""
    opened.page("study").rows["flair"].role_edited.emit("flair", "t2")
    opened.page("proxy").models.choose(bundle)
    count = len(notification_manager.records)
    opened.page("proxy").run_slice()
    assert opened.wait(60)
    settle()
    told = [record.message for record in notification_manager.records[count:]]
    assert any("flair" in message for message in told)
    assert opened.page("proxy").shown == []


def test_responses_of_two_models_and_at_a_voxel(run: Any, bundle: Path) -> None:
    show_plots(run.viewer, run.page("proxy").responses)
    panel = run.page("proxy").responses
    panel.refresh()
    assert panel.wait(60)
    assert len(panel.plot.figure.axes) > 2
    lesion = np.argwhere(np.asarray(run.viewer.layers["Mask · tiny"].data) > 0)
    run.show_tab("proxy")
    run.signals.voxel_clicked.emit(tuple(int(v) for v in lesion[len(lesion) // 2]))
    assert panel.wait(60)
    assert panel.effective is not None
    assert panel.click_view.isChecked()
    assert "Linear ED" in run.page("proxy").read_out.text() or run.page("proxy").read_out.text()


def test_closing_the_window_stops_the_run(
    opened: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*_: Any, **__: Any) -> Any:
        while True:
            yield Progress(0, 0, "Busy")

    monkeypatch.setattr(opened.page("proxy").session, "run_work", endless)
    opened.page("proxy").models.choose(bundle)
    opened.page("proxy").run_slice()
    settle(0.1)
    worker = opened.page("proxy").runner._worker
    assert worker.is_running
    opened.viewer.close()
    until(lambda: not worker.is_running)
