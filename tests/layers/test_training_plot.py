"""Curves of a training: what was not judged, and values that ran away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_sparseexplain.layers.plots.plot_theme import DARK, themed_figure
from napari_sparseexplain.layers.plots.training_plot import draw_training, not_finite
from napari_sparseexplain.training.fit.training_folder import read_training


def logged(folder: Path, losses: list[float], **scores: float) -> Path:
    lines = [
        json.dumps({"step": i, "epoch": i, "loss": loss, "learning rate": 0.1} | scores)
        for i, loss in enumerate(losses, start=1)
    ]
    (folder / "log.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.parametrize("watched", [True, False])
def test_a_training_without_held_out_slices_says_so(tmp_path: Path, watched: bool) -> None:
    if watched:
        (tmp_path / "watched").mkdir()
        (tmp_path / "watched" / "epoch-0001.npz").write_bytes(b"")
    found = read_training(logged(tmp_path, [1.0, 0.5]))
    figure = themed_figure(DARK)
    draw_training(figure, found, DARK)
    _, scores, _ = figure.axes
    words = [text.get_text() for text in scores.texts]
    assert words == ["nothing was held out" if watched else "this recipe does not log it"]
    assert not scores.axison  # no ticks below the words


def test_epochs_without_a_finite_loss_are_marked(tmp_path: Path) -> None:
    losses = [1.0, float("nan"), float("inf"), 0.5]
    found = read_training(logged(tmp_path, losses, **{"pixel accuracy": 0.9}))
    assert not_finite(found, found.names) == [2.0, 3.0]
    figure = themed_figure(DARK)
    draw_training(figure, found, DARK)
    loss, *_ = figure.axes
    marked = [list(line.get_xdata()) for line in loss.lines if line.get_color() == "#d62728"]
    assert [places[0] for places in marked if len(places)] == [2.0, 3.0]
    legend = loss.get_legend()
    assert legend is not None
    assert "not a finite number" in [text.get_text() for text in legend.get_texts()]
