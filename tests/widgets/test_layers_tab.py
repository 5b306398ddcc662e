"""The Layers tab and the Kernels panel in a real window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_sparseexplain.widgets.layer_maps.probe_bars import DICE
from napari_sparseexplain.widgets.layer_maps.session import PROBES
from napari_sparseexplain.widgets.layer_maps.shown_layer_maps import FIELD
from napari_sparseexplain.widgets.method_tab import Asked

from .conftest import held, new_workspace, settle, until, with_study
from .shared_window import SharedWindow, Step

pytestmark = pytest.mark.gui

#: The last layers of the blocks of the small model.
BLOCKS = ["encoder.0.b", "encoder.1.b", "bottom.b", "decoder.1.b", "head.scale"]


def with_small_model_run(bundle: Path) -> Step:
    """The small model run on the slice in the picture."""

    def step(workspace: Any) -> None:
        workspace.show_tab("layers")
        tab = workspace.page("layers")
        tab.models.choose(bundle)
        tab.device.setCurrentIndex(tab.device.findData("cpu"))
        tab.run_slice()
        assert workspace.wait(60)
        settle()

    return "small model's layers", step


@pytest.fixture
def run(shared_window: SharedWindow, study_folder: Path, bundle: Path) -> Any:
    """The small model run on the slice in the picture."""
    return shared_window.lend(
        new_workspace, [with_study(study_folder), with_small_model_run(bundle)]
    )


def shown(workspace: Any) -> Any:
    (one,) = workspace.page("layers").shown
    return one


def voxel(workspace: Any) -> tuple[int, int, int]:
    return workspace.current_slice, 16, 18


def passes_of(tab: Any) -> tuple[list[int], Any]:
    (model,) = tab.session._models.values()
    passes: list[int] = []
    return passes, model.network.register_forward_hook(lambda *_: passes.append(1))


def test_the_last_layer_of_every_block_stands_beside_the_scan(run: Any) -> None:
    tab = run.page("layers")
    assert list(tab.layers.ticked) == BLOCKS
    visible = [layer.name for layer in run.viewer.layers if layer.visible]
    assert len(visible) == 1 + len(BLOCKS)
    assert [name.partition(" · ")[2] for name in visible[1:]] == BLOCKS
    assert run.viewer.canvas.grid.enabled
    for layer in shown(run).layers.values():
        assert layer.data.shape == (1, 32, 32)
        assert layer.translate[0] == run.current_slice * 2.0
    rows = {row.name: row for row in tab.layers.rows}
    assert (rows["bottom.b"].rows, rows["bottom.b"].stride) == (8, (4.0, 4.0))
    assert tab.layers.tree.topLevelItemCount() == len(rows)


def test_what_is_ticked_is_shown_without_another_pass(run: Any) -> None:
    tab = run.page("layers")
    passes, handle = passes_of(tab)
    tab.tick("encoder.1.b", "bottom.b")
    assert run.wait(30)
    assert [item.name.partition("-")[2] for item in shown(run).explanation.maps] == [
        "encoder.1.b",
        "bottom.b",
    ]
    tab.tick("encoder.1.b")
    assert run.wait(30)
    singles = shown(run).explanation.maps[1:]
    assert len(singles) == min(tab.maps.value(), 4)
    tab.maps.setValue(2)
    tab.choose_order("agreement")
    assert run.wait(30)
    handle.remove()
    assert not passes
    explanation = shown(run).explanation
    assert len(explanation.maps) == 3
    assert explanation.provenance.parameters["order"] == "agreement"
    assert set(shown(run).layers) == {item.name for item in explanation.maps}
    assert all(layer in run.viewer.layers for layer in shown(run).layers.values())
    tab.layers.blocks.click()
    assert run.wait(30)
    assert list(tab.layers.ticked) == BLOCKS
    names = [layer.name for layer in run.viewer.layers if layer.visible]
    assert [name.partition(" · ")[2] for name in names[1:]] == BLOCKS  # in their order


def test_the_record_gives_the_same_maps_again(run: Any) -> None:
    import napari_sparseexplain as se

    tab = run.page("layers")
    tab.tick("encoder.1.b")
    assert run.wait(30)
    explanation = shown(run).explanation
    values = {k: explanation.provenance.parameters[k] for k in ("layers", "maps", "order")}
    again = se.explain(
        run.study, tab.models.model, "layer-maps", slices=run.current_slice, **values
    )
    assert [item.name for item in again.maps] == [item.name for item in explanation.maps]
    for one, other in zip(again.maps, explanation.maps, strict=True):
        np.testing.assert_allclose(one.data, other.data, rtol=1e-5, atol=1e-7)
    assert again.provenance.parameters == explanation.provenance.parameters


def test_the_layers_follow_the_slice_and_the_scan_stands_in_meanwhile(run: Any) -> None:
    tab = run.page("layers")
    before = np.array(shown(run).layers["04-encoder.0.b"].data)
    limits = shown(run).layers["04-encoder.0.b"].contrast_limits
    with held(tab.session):
        run.go_to_slice(run.current_slice + 1)
        assert "computing…" in shown(run).layers["04-encoder.0.b"].name
    until(lambda: not tab.awaiting)
    assert run.wait(30)
    layer = shown(run).layers["04-encoder.0.b"]
    assert layer.translate[0] == run.current_slice * 2.0
    assert not np.array_equal(layer.data, before)
    assert layer.contrast_limits == limits
    assert layer.name == "4 rms · encoder.0.b"


def test_a_click_tells_values_and_shows_what_the_layer_sees(run: Any) -> None:
    tab = run.page("layers")
    run.click(voxel(run))
    assert run.wait(30)
    text = tab.read_out.text()
    assert "bottom.b · all maps (rms)" in text
    assert "Seen by bottom.b from here" in text
    assert "theoretical" in text and " mm" in text
    layer = shown(run).layers[FIELD]
    assert layer.visible and layer.rgb
    assert layer.data.shape == (1, 32, 32, 3)
    tab.form.see("encoder.0.a")
    assert run.wait(30)
    assert "Seen by encoder.0.a" in tab.read_out.text()
    assert layer.name == "seen by · encoder.0.a"
    assert "3 × 3 mm" in tab.read_out.text()
    blue = np.asarray(layer.data)[0].astype(int)
    rows, columns = np.nonzero(blue[..., 2] > blue[..., 0] + 40)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (15, 17, 17, 19)
    run.go_to_slice(run.current_slice + 1)
    until(lambda: shown(run).seen.slices.start == run.current_slice)
    assert run.wait(30)
    assert layer.translate[0] == run.current_slice * 2.0
    tab.form.sees.setChecked(False)
    assert FIELD not in shown(run).layers
    assert layer not in run.viewer.layers


def test_the_latest_click_wins(run: Any) -> None:
    tab = run.page("layers")
    for column in range(10, 20):
        run.click((run.current_slice, 16, column))
    assert run.wait(30)
    assert shown(run).seen.target.endswith("column 20")
    assert "column 20" in tab.read_out.text()


def test_the_kernels_of_the_first_convolution_stand_below(run: Any) -> None:
    tab = run.page("layers")
    tab.form.kernels_button.click()
    assert run.wait(30)
    assert tab.panel.isVisible()
    assert tab.panel.found.layer == "encoder.0.convolution_a"
    assert tab.panel.found.kernels.shape[:2] == (2, 1)
    (mosaic, *_) = tab.panel.figure.axes
    drawn = np.asarray(mosaic.images[0].get_array())
    assert np.nanmax(np.abs(drawn)) == pytest.approx(np.abs(tab.panel.found.kernels).max())


def test_probes_are_refused_in_words_or_stand_as_bars_of_their_model(run: Any) -> None:
    tab = run.page("layers")
    tab.form.probes_button.click()
    assert run.wait(60)
    assert "at least four slices" in tab.run_bar.message.text()
    found = replace(
        shown(run).explanation,
        method=PROBES,
        maps=(),
        scores={f"bottom.b{DICE}": 0.75, f"head.scale{DICE}": float("nan")},
        notes=("Fitted on even slices.",),
    )
    tab.put_result(Asked(run.study, shown(run).key, slice(0, 0)), found)
    assert tab.probes.dice["bottom.b"] == 0.75
    assert tab.probes.isVisible()
    assert len(tab.shown) == 1
    tab.models.choose("sum-seg")
    assert not tab.probes.isVisible()  # they are of another model


def test_run_on_volume_keeps_every_slice_or_is_refused_in_words(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_sparseexplain.explanation.layer_maps import layer_maps

    tab = run.page("layers")
    tab.run_volume()
    assert run.wait(60)
    assert len(tab.shown) == 2
    whole = tab.shown[-1]
    assert not whole.live
    assert whole.layers["04-encoder.0.b"].data.shape == (8, 32, 32)
    monkeypatch.setattr(layer_maps, "_MOST_BYTES", 1000)
    tab.run_volume()
    assert run.wait(60)
    assert "5 maps of 8 slices would take" in tab.run_bar.message.text()
    assert len(tab.shown) == 2


def test_a_model_whose_layers_are_one_piece_shows_its_head_alone(run: Any, pursuit: Path) -> None:
    tab = run.page("layers")
    tab.models.choose(pursuit)
    assert not tab.layers.rows
    assert tab.layers.hint.isVisible()
    tab.run_slice()
    assert run.wait(60)
    assert [row.name for row in tab.layers.rows] == ["head"]
    assert list(tab.layers.ticked) == ["head"]


def test_nothing_is_left_of_a_removed_result(run: Any) -> None:
    run.click(voxel(run))
    assert run.wait(30)
    one = shown(run)
    layers = one.all_layers
    assert one.layers[FIELD] in layers
    one.result.line.remove.emit()
    settle()
    assert not run.page("layers").shown
    assert not [layer for layer in layers if layer in run.viewer.layers]
    assert not run.page("layers").layers.rows
