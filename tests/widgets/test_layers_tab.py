"""The Layers tab and the Kernels panel in a real window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.widgets.layer_maps.probe_bars import DICE
from napari_sparseexplain.widgets.layer_maps.session import PROBES
from napari_sparseexplain.widgets.layer_maps.shown_layer_maps import CAM, FIELD
from napari_sparseexplain.widgets.method_tab import Asked

from .conftest import held, new_workspace, settle, until, with_study
from .shared_window import SharedWindow, Step

pytestmark = pytest.mark.gui

#: The last layers of the blocks of the small model.
BLOCKS = ["encoder.0.b", "encoder.1.b", "bottom.b", "decoder.1.b", "head.scale"]


def with_the_tab_in_front() -> Step:
    """A step of its own: what is seen of the window does not change when results are run anew."""

    def step(workspace: Any) -> None:
        workspace.show_tab("layers")
        settle()

    return "layers in front", step


def with_small_model_run(bundle: Path) -> Step:
    """The small model run on the slice in the picture."""

    def step(workspace: Any) -> None:
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
    steps = [with_study(study_folder), with_the_tab_in_front(), with_small_model_run(bundle)]
    return shared_window.lend(new_workspace, steps)


@pytest.fixture(scope="module")
def marking(kept_folder: Path) -> Path:
    """A small untrained U-Net that marks every pixel, so that there is something to explain."""
    import torch

    from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
    from napari_sparseexplain.networks.bundle.saving import save_bundle
    from napari_sparseexplain.networks.modules.architectures import build_network

    torch.manual_seed(1)
    arguments: dict[str, Any] = {"in_channels": 1, "classes": 1, "maps": 2, "levels": 2}
    network = build_network("unet", arguments)
    values = dict(network.named_parameters())
    with torch.no_grad():
        values["last.bias"].fill_(1.0)
        values["head.scale.weight"].fill_(8.0)
    card = ModelCard(
        name="marking",
        title="Marking",
        architecture="unet",
        arguments=arguments,
        task="segmentation",
        inputs=Inputs(("flair",), "brain-range", 1.0, 32),
        classes={"1": "lesion"},
    )
    save_bundle(kept_folder / "marking", card, network)
    return kept_folder / "marking"


@pytest.fixture
def marked(shared_window: SharedWindow, study_folder: Path, marking: Path) -> Any:
    """That network run on the slice in the picture."""
    steps = [
        with_study(study_folder),
        with_the_tab_in_front(),
        ("marking model's layers", with_small_model_run(marking)[1]),
    ]
    return shared_window.lend(new_workspace, steps)


def shown(workspace: Any) -> Any:
    (one,) = workspace.page("layers").shown
    return one


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
    assert run.grid_view.active
    for layer in shown(run).layers.values():
        assert layer.data.shape == (1, 32, 32)
        assert layer.translate[0] == run.current_slice * 2.0
    rows = {row.name: row for row in tab.layers.rows}
    assert (rows["bottom.b"].rows, rows["bottom.b"].stride) == (8, (4.0, 4.0))
    assert tab.layers.tree.topLevelItemCount() == len(rows)


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
    tab.models.choose(shown(run).key.model)
    assert tab.probes.isVisible()
    tab.probes.clear()


def test_what_is_ticked_is_shown_without_another_pass(run: Any) -> None:
    """Its record gives the same maps again."""
    import napari_sparseexplain as se

    tab = run.page("layers")
    passes, handle = passes_of(tab)
    tab.maps.setValue(2)
    tab.tick("encoder.1.b")
    tab.choose_order("agreement")
    assert run.wait(30)
    explanation = shown(run).explanation
    assert explanation.provenance.parameters["order"] == "agreement"
    names = [item.name for item in explanation.maps]
    assert len(names) == 3
    assert list(shown(run).layers) == names
    assert all(layer in run.viewer.layers for layer in shown(run).layers.values())
    tab.layers.blocks.click()
    assert run.wait(30)
    handle.remove()
    assert not passes
    assert list(tab.layers.ticked) == BLOCKS
    visible = [layer.name for layer in run.viewer.layers if layer.visible]
    assert [name.partition(" · ")[2] for name in visible[1:]] == BLOCKS  # in their order
    values = {k: explanation.provenance.parameters[k] for k in ("layers", "maps", "order")}
    again = se.explain(
        run.study, tab.models.model, "layer-maps", slices=run.current_slice, **values
    )
    assert [item.name for item in again.maps] == names
    for one, other in zip(again.maps, explanation.maps, strict=True):
        np.testing.assert_allclose(one.data, other.data, rtol=1e-5, atol=1e-7)
    assert again.provenance.parameters == explanation.provenance.parameters


def test_clicks_and_slices(run: Any) -> None:
    """Values and what a layer sees, of the latest click, on every slice scrolled to."""
    tab = run.page("layers")
    for column in range(10, 19):
        run.click((run.current_slice, 16, column))
    assert run.wait(30)
    assert shown(run).seen.target.endswith("column 19")
    text = tab.read_out.text()
    assert "bottom.b · all maps (rms)" in text
    assert "Seen by bottom.b from here" in text
    layer = shown(run).layers[FIELD]
    assert layer.visible
    assert layer.data.shape == (1, 32, 32, 3)
    tab.form.see("encoder.0.a")
    assert run.wait(30)
    assert layer.name == "seen by · encoder.0.a"
    assert "theoretical  3 × 3 mm" in tab.read_out.text()
    picture = np.asarray(layer.data)[0].astype(int)
    rows, columns = np.nonzero(picture[..., 2] > picture[..., 0] + 40)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (15, 17, 17, 19)
    first = shown(run).layers["04-encoder.0.b"]
    before, limits = np.array(first.data), first.contrast_limits
    with held(tab.session):
        run.go_to_slice(run.current_slice + 1)
        assert "computing…" in first.name
    until(lambda: shown(run).seen.slices.start == run.current_slice)
    assert run.wait(30)
    assert first.translate[0] == layer.translate[0] == run.current_slice * 2.0
    assert not np.array_equal(first.data, before)
    assert first.contrast_limits == limits
    assert first.name == "4 rms · encoder.0.b"
    tab.form.sees.setChecked(False)
    assert FIELD not in shown(run).layers
    assert layer not in run.viewer.layers


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
    layers = [layer for one in tab.shown for layer in one.all_layers]
    for one in list(tab.shown):
        one.result.line.remove.emit()
    assert not [layer for layer in layers if layer in run.viewer.layers]
    assert not tab.layers.rows


def test_a_model_whose_layers_are_one_piece_shows_its_head_alone(run: Any, pursuit: Path) -> None:
    tab = run.page("layers")
    tab.models.choose(pursuit)
    assert not tab.layers.rows
    assert tab.layers.hint.isVisible()
    tab.run_slice()
    assert run.wait(60)
    assert [row.name for row in tab.layers.rows] == ["head"]
    assert list(tab.layers.ticked) == ["head"]


def test_grad_cam_at_a_layer_stands_beside_the_maps_and_follows_the_slice(marked: Any) -> None:
    """The cell is what the method gives at that layer, and is a result of the study like any."""
    import napari_sparseexplain as se
    from napari_sparseexplain.layers.study_results import results_of

    tab = marked.page("layers")
    assert CAM not in shown(marked).layers
    tab.form.cam.setChecked(True)
    assert marked.wait(30)
    cell = shown(marked).layers[CAM]
    assert cell.name == "Grad-CAM · encoder.2.5 · WT"
    assert cell.visible
    visible = [layer.name for layer in marked.viewer.layers if layer.visible]
    assert visible[-1] == cell.name
    tab.show_cam("decoder.1.5", "lesion")
    assert marked.wait(30)
    assert cell.name == "Grad-CAM · decoder.1.5 · lesion"
    found = shown(marked).cam
    wanted = se.explain(
        marked.study, tab.models.model, "grad-cam", slices=marked.current_slice, target="lesion",
        layer="decoder.1.5",
    )  # fmt: skip
    heat = np.asarray(found["heatmap"].data)
    np.testing.assert_allclose(heat, wanted["heatmap"].data, rtol=1e-5, atol=1e-8)
    assert heat.any()
    assert cell.data.shape == (1, 32, 32, 3)
    colour = np.ptp(np.asarray(cell.data).astype(int), axis=-1)
    assert not colour[heat == 0].any()  # the scan alone is grey
    assert colour[heat == heat.max()].max() > 40
    assert any(one is found for one in results_of(marked.viewer, marked.study))

    marked.click((marked.current_slice, 16, 16))
    assert marked.wait(30)
    assert "Grad-CAM · decoder.1.5 · lesion  " in tab.read_out.text()
    marked.go_to_slice(marked.current_slice + 1)
    until(lambda: shown(marked).cam.slices.start == marked.current_slice)
    assert marked.wait(30)
    assert cell.translate[0] == marked.current_slice * 2.0

    tab.form.cam.setChecked(False)
    assert CAM not in shown(marked).layers
    assert cell not in marked.viewer.layers
    assert FIELD in shown(marked).layers


def test_grad_cam_that_cannot_be_found_is_said_and_no_former_one_stays(marked: Any) -> None:
    tab = marked.page("layers")
    tab.show_cam("decoder.1.5", "lesion")
    assert marked.wait(30)
    assert CAM in shown(marked).layers

    def empty(*_: Any) -> Any:
        raise StudyError("the target region 'lesion' is empty on these slices")

    real, tab.session.grad_cam = tab.session.grad_cam, empty
    try:
        tab.show_cam("encoder.2.5")
        assert marked.wait(30)
    finally:
        tab.session.grad_cam = real
    assert CAM not in shown(marked).layers
    assert "Grad-CAM at encoder.2.5: the target region 'lesion'" in tab.run_bar.message.text()
    tab.show_cam("encoder.0.2")
    assert marked.wait(30)
    assert shown(marked).layers[CAM].name.startswith("Grad-CAM · encoder.0.2")
    assert "empty" not in tab.run_bar.message.text()
    tab.show_cam(on=False)
