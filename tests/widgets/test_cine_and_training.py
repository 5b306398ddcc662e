"""The panels *Cine* and *Training* below the picture, in a real window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.export.pictures.compositor import compose
from napari_sparseexplain.export.pictures.picture_file import png_bytes
from napari_sparseexplain.layers.colour_bar import bar_length
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.phantom.short_axis_cine import (
    ShortAxisCine,
    short_axis_cine,
    write_short_axis_cine,
)
from napari_sparseexplain.training.fit.training_log import TrainingLog
from napari_sparseexplain.training.left_ventricle.watched_slice import save_watched
from napari_sparseexplain.volumes import open_study
from napari_sparseexplain.widgets.demo import Demo
from napari_sparseexplain.widgets.layer_maps import cardiac_demo
from napari_sparseexplain.widgets.review.study_marks import Marks
from napari_sparseexplain.widgets.view.plots_dock import hide_plots

from .conftest import new_workspace, settle, until, with_study
from .reviewing import SIZE, TIME, another_window
from .shared_window import SharedWindow

pytestmark = pytest.mark.gui

#: Whose answers are those of `TrueMasks`.
NAME = "left-ventricle-fcn"


class TrueMasks(torch.nn.Module):
    """A network that knows the answer: the true masks of a cine, time point after time point."""

    def __init__(self, cavity: np.ndarray) -> None:
        super().__init__()
        self.masks = torch.from_numpy(cavity.reshape(-1, 1, *cavity.shape[2:])).float()
        self.done = 0

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        rows = [(self.done + i) % len(self.masks) for i in range(len(x))]
        self.done += len(x)
        inside = self.masks[rows]
        return torch.cat((1 - inside, inside), dim=1), inside


@pytest.fixture(scope="module")
def cine() -> ShortAxisCine:
    return short_axis_cine(shape=(4, 64, 64), spacing=(16.0, 5.0, 5.0), points=6, noise=0.0)


@pytest.fixture(scope="module")
def heart(cine: ShortAxisCine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_short_axis_cine(cine, tmp_path_factory.mktemp("cine") / "heart")


@pytest.fixture
def window(shared_window: SharedWindow, heart: Path) -> Any:
    workspace = shared_window.lend(new_workspace, [with_study(heart)])
    workspace.show_tab("layers")
    return workspace


@pytest.fixture
def knowing(window: Any, cine: ShortAxisCine, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The panel *Cine* with a network that gives the true masks."""
    panels = window.page("layers").panels
    panels.cine_button.click()
    settle()
    panel = panels.cine
    card = se.models()[NAME]
    card = replace(card, inputs=replace(card.inputs, spacing_mm=5.0, size=64))
    monkeypatch.setattr(
        panel.session,
        "model",
        lambda key: Model.of_network(replace(card, name=key.model), TrueMasks(cine.cavity)),
    )
    yield panel
    panel.forget()
    hide_plots(panel)


def test_a_cine_has_its_curve_its_figures_and_its_outlines(
    window: Any, knowing: Any, cine: ShortAxisCine
) -> None:
    panel = knowing
    assert [box.isChecked() for box in panel.boxes.values()] == [True, False]
    assert all("FCN" in b.text() or "U-Net" in b.text() for b in panel.boxes.values())
    panel.run_button.click()
    assert window.page("layers").busy_with() == ("Cine",)
    assert window.wait(60)
    (found,) = panel.found
    true = cine.cavity[:, found.used].sum(axis=(1, 2, 3)) * 16 * 25 / 1000
    np.testing.assert_allclose(found.volumes, true, rtol=0.02)
    assert (found.end_diastole, found.end_systole) == (0, int(true.argmin()))
    assert panel.table.text(0, 0) == f"{found.edv:.1f}"
    assert panel.table.text(3, 0) == f"{100 * found.ejection_fraction:.1f}"
    assert "slices 16 mm apart" in panel.table.said.text()
    (outline,) = panel.outlines
    assert outline.contour == 1
    assert outline.visible
    np.testing.assert_array_equal(outline.data > 0, found.masks)
    assert tuple(outline.scale) == tuple(panel._window.study_layer("cine").scale)

    # The cursor follows the time slider, and a click in the curve moves it.
    (axes,) = panel.plot.figure.axes
    assert axes.lines[0].get_ydata() == pytest.approx(found.volumes)
    panel.go_to(3)
    until(lambda: panel._cursor.get_xdata()[0] == 4)
    panel._on_press(SimpleNamespace(inaxes=axes, xdata=1.7, button=1))
    assert panel.point == 1
    until(lambda: panel._cursor.get_xdata()[0] == 2)
    panel._on_press(SimpleNamespace(inaxes=None, xdata=None, button=1))
    assert panel.point == 1

    # The area of the slice in its place, of whichever is in the picture.
    panel.area.setChecked(True)
    window.go_to_slice(2)
    settle()
    (axes,) = panel.plot.figure.axes
    assert axes.get_ylabel() == "area (cm²)"
    assert axes.lines[0].get_ydata() == pytest.approx(found.areas[:, 2] / 100)
    panel.area.setChecked(False)
    assert panel.plot.figure.axes[0].get_ylabel() == "volume (ml)"

    # Two networks: how far they are from each other.
    panel.boxes["left-ventricle-unet"].setChecked(True)
    panel.run()
    assert window.wait(60)
    assert len(panel.found) == len(panel.outlines) == 2
    assert outline not in window.viewer.layers
    assert panel.table.text(0, 2) == "0.0"
    panel.boxes["left-ventricle-unet"].setChecked(False)

    panel.run()
    panel.runner.cancel()
    assert window.wait(60)
    assert "Cancelled" in panel.run_bar.message.text()
    assert len(panel.found) == 2
    layers = list(panel.outlines)
    panel._on_closed(window.study)
    assert panel.found == []
    assert not any(layer in window.viewer.layers for layer in layers)
    assert not panel.table.table.isVisible()


def test_a_cine_is_saved_and_its_outlines_are_part_of_a_review(
    window: Any, knowing: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the frame in the picture; another window shows the same."""
    panel = knowing
    assert not panel.save_button.isEnabled()
    with pytest.raises(SparseExplainError, match="no cine was run"):
        panel.save(tmp_path / "early.png")
    panel.run_button.click()
    assert window.wait(60)
    for chosen, written in (("curve", "curve.png"), ("a.pdf", "a.pdf"), ("a.csv", "a.csv")):
        monkeypatch.setattr(panel, "_ask_file", lambda _, name=chosen: str(tmp_path / name))
        panel.save_button.click()
        assert (tmp_path / written).stat().st_size > 200
        assert panel.run_bar.message.text() == f"Saved {written}."
    (found,) = panel.found
    assert f"ESV (ml): {NAME} {found.esv:.1f}" in (tmp_path / "a.csv").read_text()

    panel.go_to(2)
    window.go_to_slice(2)
    settle()
    reading = window.reading(Marks())
    assert not [each for each in reading.findings if "outline" in each.message]
    (explanation,) = reading.explanations.values()
    assert (explanation.method, explanation.frame) == ("cine", (2,))
    assert explanation.provenance.model == NAME
    np.testing.assert_array_equal(explanation["mask"].data > 0, found.masks[2])
    (colour,) = reading.review.panels[0].overlays[-1].colours.values()
    assert colour == panel.colours[0].upper()
    picture = np.asarray(compose(reading, SIZE, created=TIME).image.convert("RGB"))
    drawn = (picture == [int(colour[i : i + 2], 16) for i in (1, 3, 5)]).all(axis=-1)
    assert drawn.sum() > 50
    first = png_bytes(compose(reading, SIZE, created=TIME))
    review = window.page("review")
    window.show_tab("review")
    review.save(tmp_path / "review")
    assert window.wait(30)
    assert "Saved" in review.run_bar.message.text()
    with another_window(tmp_path / "review") as second:
        again = second.page("review").reading()
        (back,) = again.explanations.values()
        assert np.array_equal(back["outline"].data, explanation["outline"].data)
        assert back.scores == explanation.scores
        assert png_bytes(compose(again, SIZE, created=TIME)) == first

    # Another frame is another result.
    panel.go_to(4)
    settle()
    (other,) = window.reading(Marks()).explanations.values()
    assert other.frame == (4,)


def test_figures_and_outlines_are_with_their_own_study_alone(
    window: Any, knowing: Any, cine: ShortAxisCine, tmp_path: Path
) -> None:
    """Named by it; under another one neither stands; what a person hid stays hidden."""
    panel, first = knowing, window.study
    panel.run_button.click()
    assert window.wait(60)
    (axes,) = panel.plot.figure.axes
    assert axes.get_title() == f"{first.name} · Left ventricle"
    assert panel.table.name.text() == first.name
    assert panel.table.said.text().startswith("Research figures, not for diagnosis.")
    assert panel.table.said.isVisible()
    (outline,) = panel.outlines
    assert outline.visible

    window.show_study(open_study(write_short_axis_cine(cine, tmp_path / "other")))
    other = window.study
    settle()
    assert not outline.visible
    assert not panel.plot.isVisible()
    assert not panel.table.isVisible()
    assert not panel.save_button.isEnabled()
    assert f"Volumes of {first.name}" in panel.elsewhere.text()
    window.activate(first)
    settle()
    assert outline.visible
    assert panel.plot.isVisible()
    outline.visible = False
    settle()
    window.activate(other)
    settle()
    window.activate(first)
    settle()
    assert not outline.visible

    # Its layers were removed by hand: nobody closes the study, and it is gone all the same.
    for layer in window.layers_of(first):
        window.viewer.layers.remove(layer)
    until(lambda: window.study is other)
    assert panel.found == []
    assert outline not in window.viewer.layers
    assert not panel.elsewhere.isVisible()

    # A run whose study goes has no earlier results.
    panel.run()
    window.close_study(other)
    assert window.wait(60)
    settle()
    assert "Earlier results" not in panel.run_bar.message.text()
    assert panel.found == []


def test_side_by_side_outlines_lie_over_the_scan(
    window: Any, knowing: Any, cine: ShortAxisCine
) -> None:
    """And in no cell of their own, also in what is exported."""
    panel, viewer = knowing, window.viewer
    scan = window.study_layer("cine")
    map_layer = viewer.add_image(np.zeros(cine.image.shape[1:]), scale=window.study.grid.spacing)
    window.grid_view.show([scan, map_layer])
    window.go_to_slice(2)
    panel.run()
    assert window.wait(60)
    settle()
    (outline,) = panel.outlines
    assert not outline.visible
    assert panel.marked.cells.scan is scan
    here = np.count_nonzero(np.diff(np.pad(outline.data[panel.point, 2], 1), axis=0))
    here += np.count_nonzero(np.diff(np.pad(outline.data[panel.point, 2], 1), axis=1))
    assert panel.marked.cells.segments == here > 0
    panel_of_scan, *_ = window.reading(Marks()).review.panels
    (drawn,) = panel_of_scan.overlays
    assert drawn.colours == {1: panel.colours[0].upper()}
    outline.visible = True  # its eye in the layer list
    settle()
    assert not outline.visible
    assert panel.marked.cells.scan is None
    outline.visible = True
    settle()
    assert panel.marked.cells.segments == here
    window.grid_view.leave()
    settle()
    assert outline.visible
    assert panel.marked.cells.scan is None
    viewer.layers.remove(map_layer)


def test_a_network_of_other_scans_is_not_listed(window: Any, knowing: Any) -> None:
    with pytest.raises(SparseExplainError, match="Cine lists networks that segment"):
        knowing.networks.offer("unet", se.models()["unet"])
    assert "unet" not in knowing.boxes


def test_what_is_no_cine_is_refused_in_words(opened: Any) -> None:
    panel = opened.page("layers").panels.cine
    panel.run()
    assert opened.wait(60)
    assert "no scan 'cine' over time" in panel.run_bar.message.text()
    for box in panel.boxes.values():
        box.setChecked(False)
    panel.run()
    assert "no network is ticked" in panel.run_bar.message.text()


def log_of(folder: Path, epochs: range) -> None:
    log = TrainingLog(folder, epochs.start - 1)
    for epoch in epochs:
        entry = {"step": epoch, "epoch": epoch, "learning rate": 0.03, "loss": 1 / epoch}
        log.add(entry | {"pixel accuracy": 0.98, "micro Dice": 0.01 * epoch})
        maps = {"conv": np.full((3, 4, 4), epoch), "output": np.full((1, 4, 4), epoch / 10)}
        save_watched(folder, epoch, {name: m.astype(np.float16) for name, m in maps.items()})
    log.close()


def test_a_training_is_followed_and_its_epochs_are_slid_through(
    window: Any, tmp_path: Path
) -> None:
    log_of(tmp_path, range(1, 4))
    panels = window.page("layers").panels
    panels.cine_button.click()
    panels.training_button.click()
    settle()
    assert not panels.cine.isVisible()
    panel = panels.training
    panel.folder.setText(str(tmp_path))
    panel.folder.returnPressed.emit()
    assert panel.wait(30)
    loss, scores, rate = panel.curves.figure.axes
    assert [line.get_label() for line in scores.lines[:2]] == ["pixel accuracy", "micro Dice"]
    assert list(loss.lines[0].get_ydata()) == [1, 1 / 2, 1 / 3]
    assert rate.get_yscale() == "log"
    assert panel.epoch == 3
    assert "pixel accuracy 0.98 · micro Dice 0.03" in panel.said.toolTip()
    assert [a.get_title() for a in panel.pictures.figure.axes] == ["conv", "output"]

    # It goes on: the slider at its end follows, elsewhere it stays.
    log_of(tmp_path, range(4, 6))
    panel.look()
    assert panel.wait(30)
    assert panel.epoch == 5
    panel.go_to_epoch(2)
    assert panel.wait(30)
    assert panel.maps["conv"].max() == 2
    assert loss.figure.axes[0].lines[-1].get_xdata()[0] == 2
    log_of(tmp_path, range(6, 7))
    panel.look()
    assert panel.wait(30)
    assert len(panel.found.entries) == 6
    assert panel.epoch == 2
    panel.layer.setCurrentIndex(panel.layer.findData("conv"))
    titles = [a.get_title() for a in panel.pictures.figure.axes]
    assert titles == ["rms of all maps", "a map (1)", "a map (2)"]

    # Another recipe's log: no scores, no watched slice; then no training at all.
    other = tmp_path / "other"
    other.mkdir()
    (other / "log.jsonl").write_text('{"step": 5, "loss": 0.5}\n{"step": 10, "loss": 0.4}\n')
    panel.open_folder(other)
    assert panel.wait(30)
    assert not panel.pictures.isVisible()
    assert "keeps no maps of a watched slice" in panel.said.text()
    words = [text.get_text() for axes in panel.curves.figure.axes for text in axes.texts]
    assert words == ["this recipe does not log it"] * 2
    panel.open_folder(tmp_path / "nowhere")
    assert panel.wait(30)
    assert "there is no such folder" in panel.hint.text()
    assert not panel.curves.isVisible()
    panel.close_folder()
    assert not panel._poll.isActive()
    hide_plots(panel)


def test_damaged_maps_and_values_that_ran_away_are_told(window: Any, tmp_path: Path) -> None:
    """In whole sentences, and no picture of another epoch stays."""
    log_of(tmp_path, range(1, 3))
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write('{"step": 3, "epoch": 3, "loss": NaN}\n')
    (tmp_path / "watched" / "epoch-0003.npz").write_bytes(b"damaged")
    panels = window.page("layers").panels
    panels.training_button.click()
    panel = panels.training
    panel.open_folder(tmp_path)
    assert panel.wait(30)
    assert "marked red: epoch 3." in panel.lost.text()
    assert panel.lost.isVisible()
    assert panel.warning.text().startswith("Epoch 3: ")
    assert panel.warning.isVisible()
    assert panel.maps == {}
    panel.go_to_epoch(2)
    assert panel.wait(30)
    assert not panel.warning.isVisible()
    assert panel.pictures.figure.axes
    panel.go_to_epoch(3)
    assert panel.wait(30)
    assert not panel.pictures.figure.axes
    panel.close_folder()
    assert not panel.lost.isVisible()
    hide_plots(panel)


def test_layers_of_a_cine_follow_its_time_slider(
    window: Any, cine: ShortAxisCine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frame is answered as a slice is; what is not answered says of which frame it is."""
    from napari_sparseexplain.networks.modules.left_ventricle_fcn import LeftVentricleFcn

    tab = window.page("layers")
    assert tab.models.model == NAME  # the first that takes what there is
    card = se.models()[NAME]
    card = replace(card, inputs=replace(card.inputs, spacing_mm=5.0, size=64))
    torch.manual_seed(0)
    model = Model.of_network(card, LeftVentricleFcn(widths=[3, 3, 3, 3]).eval())
    monkeypatch.setattr(tab.session, "model", lambda key: model)
    window.viewer.dims.set_point(0, 1)
    tab.run_slice()
    assert window.wait(60)
    settle()
    (shown,) = tab.shown
    assert shown.explanation.frame == (1,)
    layer = next(iter(shown.layers.values()))
    assert bar_length(layer)
    before = np.array(layer.data)
    window.viewer.dims.set_point(0, 4)
    until(lambda: shown.explanation.frame == (4,))
    assert window.wait(30)
    settle()
    assert not np.array_equal(layer.data, before)
    assert "frame" not in layer.name
    assert "frame 5/6" in shown.title
    wanted = se.explain(window.study, model, "layer-maps", slices=window.current_slice, frame=4)
    name = next(iter(shown.layers))
    np.testing.assert_allclose(shown.explanation[name].data, wanted[name].data, atol=1e-6)

    tab.follow.setChecked(False)
    window.viewer.dims.set_point(0, 2)
    until(lambda: "frame 5/6" in layer.name)
    assert shown.explanation.frame == (4,)
    tab.follow.setChecked(True)
    until(lambda: shown.explanation.frame == (2,))
    assert window.wait(30)
    settle()
    assert "frame" not in layer.name


def test_the_demonstration_of_the_heart_needs_no_data(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A synthetic cine comes and goes; the study that was open stays."""
    monkeypatch.setattr(
        cardiac_demo,
        "short_axis_cine",
        lambda: short_axis_cine(shape=(2, 64, 64), spacing=(40.0, 5.0, 5.0), points=2),
    )
    before, names = opened.study, []
    # Where the layers of this network lie takes long to measure, and is asked elsewhere.
    tab = opened.page("layers")
    monkeypatch.setattr(tab, "run_slice", lambda: names.append(tab.models.model))
    cardiac_demo.show_cardiac(Demo(opened, tmp_path, NAME, tmp_path, names.append))
    assert names == ["cine-end-diastole", "cine-end-systole", NAME, "cine-layers"]
    assert "True: EDV 118.9 ml" in capsys.readouterr().out
    assert opened.study is before
    assert opened.studies == [before]
    panel = tab.cine
    assert (panel.found, panel.outlines) == ([], [])
