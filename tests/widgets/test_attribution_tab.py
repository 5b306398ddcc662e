"""The Attribution tab in a real window: a network that finds what is bright, on the small study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_sparseexplain.evidence.region_table import REGIONS, region_at
from napari_sparseexplain.layers.cells.shown_cells import cells_of
from napari_sparseexplain.progress import Progress

from .conftest import new_workspace, settle, with_study
from .shared_window import SharedWindow, Step

pytestmark = pytest.mark.gui

ROLES = ("flair", "t1")


def bright() -> Any:
    """A small network of two channels whose second class is what is bright."""
    import torch
    from torch import nn

    class Bright(nn.Module):
        """Logits of background and lesion."""

        def __init__(self) -> None:
            super().__init__()
            self.smooth = nn.Conv2d(2, 1, 3, padding=1)
            with torch.no_grad():
                self.smooth.weight.fill_(0.02)
                self.smooth.weight[0, 0, 1, 1] = 0.7
                self.smooth.bias.fill_(-0.6)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            lesion = 8.0 * torch.tanh(2.0 * self.smooth(x))
            return torch.cat([-lesion, lesion], dim=1)

    return Bright().eval()


def saved(folder: Path, network: Any, name: str = "bright") -> Path:
    """The network as a TorchScript file."""
    import torch

    path = folder / f"{name}.pt"
    torch.jit.save(torch.jit.trace(network, torch.rand(2, 2, 32, 32)), path)
    return path


def use(workspace: Any, path: Path, **fields: str) -> None:
    """Choose a file from elsewhere by the form, as a person would."""
    tab = workspace.page("attribution")
    form = tab.foreign
    form.open_for(path)
    form.roles.setText(fields.get("roles", ", ".join(ROLES)))
    form.classes.setText(fields.get("classes", "0 background, 2 lesion"))
    form.side.setValue(32)
    form.use.click()
    assert tab.models.model == str(path)


@pytest.fixture(scope="session")
def bright_file(kept_folder: Path) -> Path:
    """The bright network as a file."""
    return saved(kept_folder, bright())


def with_bright_chosen(bright_file: Path) -> Step:
    """The bright network chosen, a quick method, the slice with the lesion in the picture."""

    def step(workspace: Any) -> None:
        tab = workspace.page("attribution")
        workspace.show_tab("attribution")
        tab.device.setCurrentIndex(tab.device.findData("cpu"))
        use(workspace, bright_file)
        tab.target.choose("predicted", "lesion")

    return "bright network", step


@pytest.fixture
def chosen(shared_window: SharedWindow, study_folder: Path, bright_file: Path) -> Any:
    """The bright network chosen, the slice with the lesion in the picture."""
    steps = [with_study(study_folder), with_bright_chosen(bright_file)]
    return shared_window.lend(new_workspace, steps)


def run_now(workspace: Any, method: str, **values: Any) -> Any:
    """Run a method on the slice in the picture."""
    workspace.page("attribution").choose_method(method, **values)
    workspace.page("attribution").run_slice()
    assert workspace.wait(120)
    settle()
    return workspace.page("attribution").shown[-1]


def calls_of(tab: Any) -> list[int]:
    """Counts the network's calls from now on."""
    (model,) = tab.session._models.values()
    calls: list[int] = []
    model.network.register_forward_pre_hook(lambda *_: calls.append(1))
    return calls


def seen(workspace: Any) -> list[str]:
    return [layer.name for layer in workspace.viewer.layers if layer.visible]


def test_methods_stand_side_by_side_and_the_scale_is_said(chosen: Any) -> None:
    tab = chosen.page("attribution")
    xrai = run_now(chosen, "xrai", n_steps=4, min_size=4)
    guided = run_now(chosen, "guided-ig", n_steps=10)
    assert seen(chosen) == ["FLAIR · tiny", "XRAI · lesion", "Guided IG · lesion"]
    assert [layer.name for (layer,) in cells_of(chosen.viewer).cells] == seen(chosen)
    assert "each map its own" in tab.picture.legend.text
    assert "highest 10 % of the head" in tab.picture.legend.text
    assert xrai.shown_limit != guided.shown_limit

    before = guided.layers["over"].data.copy()
    tab.controls.scale.setCurrentIndex(tab.controls.scale.findData("shared"))
    settle()
    assert "shared by all maps" in tab.picture.legend.text
    assert xrai.shown_limit == guided.shown_limit == max(xrai.limit(), guided.limit())
    tab.controls.scale.setCurrentIndex(tab.controls.scale.findData("own"))
    settle()
    np.testing.assert_array_equal(guided.layers["over"].data, before)

    guided.result.line.check.click()
    settle()
    assert seen(chosen) == ["FLAIR · tiny", "XRAI · lesion"]
    guided.result.line.check.click()
    settle()
    assert "Guided IG · lesion" in seen(chosen)


def test_sliders_act_on_the_result_without_computing(chosen: Any) -> None:
    tab = chosen.page("attribution")
    xrai = run_now(chosen, "xrai", n_steps=4, min_size=4)
    calls = calls_of(tab)
    shown = {}
    for share in (100, 30, 5):
        tab.controls.top.setValue(share)
        settle(0.05)
        shown[share] = int(np.count_nonzero(xrai.layers["heat"].data))
        assert (f"highest {share} %" in tab.picture.legend.text) is (share < 100)
    assert shown[100] > shown[30] > shown[5] > 0
    tab.controls.top.setValue(100)
    tab.controls.threshold.setValue(90)
    settle(0.05)
    kept = xrai.layers["heat"].data
    assert np.abs(kept[kept != 0]).min() >= 0.9 * np.abs(xrai.heat()).max()
    assert calls == []
    # What was found is not touched by how it is looked at.
    assert np.count_nonzero(xrai.explanation["heatmap"].data) == shown[100]


def test_regions_are_labels_by_rank_and_a_click_tells_gain_and_rank(chosen: Any) -> None:
    from napari.layers import Labels

    tab = chosen.page("attribution")
    xrai = run_now(chosen, "xrai", n_steps=4, min_size=4)
    tab.controls.regions.setChecked(True)
    settle()
    layer = xrai.layers[REGIONS]
    assert isinstance(layer, Labels)
    assert layer.visible
    place = np.argwhere(np.asarray(layer.data) == 1)[0]
    index = (chosen.current_slice, int(place[1]), int(place[2]))
    chosen.click(index)
    settle()
    reading = region_at(xrai.explanation, index)
    assert reading is not None
    assert reading.sentence() in tab.read_out.text()
    assert "Region 1 of" in tab.read_out.text()
    assert layer.selected_label == 1


def test_the_same_map_is_not_computed_twice(chosen: Any) -> None:
    tab = chosen.page("attribution")
    first = run_now(chosen, "integrated-gradients", n_steps=4)
    calls = calls_of(tab)
    assert run_now(chosen, "integrated-gradients", n_steps=4) is first
    assert "computed before" in tab.run_bar.message.text()
    tab.results.removed.emit(first.result)
    assert tab.shown == []
    again = run_now(chosen, "integrated-gradients", n_steps=4)
    assert again.explanation is first.explanation
    assert calls == []
    assert run_now(chosen, "integrated-gradients", n_steps=5) is not again
    assert calls
    # Two maps of one name say what tells them apart.
    assert {one.suffix for one in tab.shown} == {"bright, steps 4", "bright, steps 5"}


def test_trust_stands_beside_at_once_and_wholly_when_asked(chosen: Any) -> None:
    tab = chosen.page("attribution")
    one = run_now(chosen, "integrated-gradients", n_steps=4)
    panel = tab.trust
    assert not panel.isHidden()
    names = [panel.table.verticalHeaderItem(k).text() for k in range(panel.table.rowCount())]
    assert names == [row.name for row in one.answer.trust.rows]
    heads = [panel.table.horizontalHeaderItem(k).text() for k in range(panel.table.columnCount())]
    assert heads == ["IG", "Random", "Edges", "Centre"]
    assert one.answer.trust["AUPRC"].sentence.startswith("Beats all of a random map (")
    assert one.answer.trust["AUPRC"].sentence in panel.verdict.text()
    assert not one.answer.whole
    panel.button.click()
    assert chosen.wait(300)
    settle()
    assert one.answer.whole
    assert {"insertion AUC", "infidelity", "parameter randomisation"} <= {
        row.name for row in one.answer.trust.rows
    }
    assert panel.table.rowCount() == len(one.answer.trust.rows)
    # The method itself on random weights is a run more, so that it comes with all scores.
    added = panel.table.columnCount() - 1
    assert panel.table.horizontalHeaderItem(added).text() == "Untrained"
    place = [row.name for row in one.answer.trust.rows].index("AUPRC")
    assert panel.table.item(place, added).text() == f"{one.answer.trust['AUPRC'].untrained:.2f}"
    assert "random weights" in panel.table.item(place, 0).toolTip()
    assert panel.button.isHidden()


def test_a_failing_map_is_red_with_a_sentence(chosen: Any) -> None:
    from dataclasses import replace

    from napari_sparseexplain.explanation.trust.table import Trust, trust_rows
    from napari_sparseexplain.layers.colormaps import VERMILION
    from napari_sparseexplain.widgets.attribution.trust_panel import TrustPanel

    one = run_now(chosen, "integrated-gradients", n_steps=1)
    failing = Trust(
        "IG", trust_rows(None, {"completeness error": 0.4, "parameter randomisation": 0.9})
    )
    one.answer = replace(one.answer, trust=failing)
    chosen.page("attribution").describe()
    panel: TrustPanel = chosen.page("attribution").trust
    for row in (0, 1):
        assert panel.table.item(row, 0).background().color().name() == VERMILION.lower()
    assert "IG fails. The map leaves 40% of the change of score unexplained" in panel.verdict.text()
    assert "it shows the image, not what the network learned" in panel.verdict.text()
    assert one.result.title.startswith("✗")


@pytest.mark.parametrize("kind", ["labels", "shapes"])
def test_what_is_drawn_can_be_explained(chosen: Any, kind: str) -> None:
    tab, index = chosen.page("attribution"), chosen.current_slice
    scale = chosen.study.grid.spacing
    if kind == "labels":
        data = np.zeros(chosen.study.grid.shape, dtype=int)
        data[index, 8:14, 8:14] = 1
        layer = chosen.viewer.add_labels(data, name="mine", scale=scale)
    else:
        corners = np.array([[index, 8, 8], [index, 8, 13], [index, 13, 13], [index, 13, 8]])
        layer = chosen.viewer.add_shapes([corners], name="mine", scale=scale)
    settle()
    tab.target.choose("drawn", "lesion", "mine")
    one = run_now(chosen, "vanilla-gradient")
    assert one.explanation.target == "lesion in the drawn region"
    heat = np.abs(one.explanation["heatmap"].data[0])
    rows, columns = np.nonzero(heat > 0)
    assert rows.min() >= 6
    assert max(rows.max(), columns.max()) <= 15
    assert layer in chosen.viewer.layers
    # What was drawn is no part of the study that is open.
    assert set(chosen.study.labels) == {"seg"}


def test_the_form_has_the_parameters_of_every_method(opened: Any) -> None:
    from napari_sparseexplain.explanation.attribution.methods import ATTRIBUTION_METHODS

    tab = opened.page("attribution")
    for info in ATTRIBUTION_METHODS:
        tab.choose_method(info.name)
        assert tab.parameters.values() == {p.name: p.default for p in info.parameters}
        assert tab.parameters.changed() == {}
        for p in info.parameters:
            assert p.tooltip in tab.parameters.fields[p.name].toolTip()
    tab.choose_method("guided-ig", n_steps=17)
    assert tab.parameters.changed() == {"n_steps": 17}
    tab.choose_method("xrai")
    tab.choose_method("guided-ig")
    assert tab.parameters.values()["n_steps"] == 17


def test_range_volume_and_cancel(chosen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tab = chosen.page("attribution")
    tab.choose_method("xrai-3d", n_steps=2, min_size=4)
    index = chosen.current_slice
    tab.range.first.setValue(index + 2)  # from 1, and the wrong way about
    tab.range.last.setValue(index)
    tab.run_range()
    assert chosen.wait(120)
    (one,) = tab.shown
    assert one.explanation.slices == slice(index - 1, index + 2)
    assert one.layers["over"].data.shape == (3, 32, 32, 3)

    def endless(*_: Any, **__: Any) -> Any:
        while True:
            yield Progress(1, 9, "Busy")

    before = list(chosen.viewer.layers)
    monkeypatch.setattr(tab.session, "attribution_work", endless)
    tab.run_volume()
    settle(0.1)
    assert tab.runner.running
    tab.run_bar.cancel.click()
    assert tab.wait(20)
    assert list(chosen.viewer.layers) == before
    assert "Cancelled" in tab.run_bar.message.text()


def test_words_about_a_map_stay_on_its_own_slices(chosen: Any) -> None:
    tab = chosen.page("attribution")
    one = run_now(chosen, "vanilla-gradient")
    index, cell = chosen.current_slice, one.layers["over"]
    assert "Colours" in tab.picture.legend.text
    assert cells_of(chosen.viewer).is_named(cell)
    chosen.go_to_slice(index + 1)
    settle(0.4)
    assert tab.picture.legend.text == (
        f"Gradient · lesion: no map on this slice (slice {index + 1})"
    )
    assert not cells_of(chosen.viewer).is_named(cell)
    chosen.set_plane("coronal")  # across its slices some of it is seen
    settle(0.4)
    assert "no map" not in tab.picture.legend.text
    chosen.set_plane("axial")
    chosen.go_to_slice(index + 1)
    settle(0.4)
    chosen.go_to_slice(index)
    settle(0.4)
    assert "Colours" in tab.picture.legend.text
    assert "no map" not in tab.picture.legend.text
    assert cells_of(chosen.viewer).is_named(cell)
