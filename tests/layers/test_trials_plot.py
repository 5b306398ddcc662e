"""The picture of a search: one line a trial, where its settings lie."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from napari_sparseexplain.layers.plots.plot_theme import DARK, LIGHT, PlotTheme, themed_figure
from napari_sparseexplain.layers.plots.trials_plot import draw_trials, save_trials_picture
from napari_sparseexplain.training.left_ventricle.parameter_search import drawn_trials


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_each_trial_is_a_line_through_its_settings(theme: PlotTheme) -> None:
    trials = [
        replace(t, epochs=2 * (1 + t.number), dice=0.1 * t.number, stopped=t.number < 4)
        for t in drawn_trials(6, seed=1)
    ]
    figure = themed_figure(theme)
    draw_trials(figure, trials, theme)
    lines = {line.get_gid(): line for line in figure.axes[0].lines if len(line.get_xdata()) > 2}
    assert set(lines) == {f"trial {n}" for n in range(6)}
    names = [text.get_text() for text in figure.axes[0].texts]
    for name in ("optimiser", "learning rate", "decay", "weight decay", "epochs", "Dice", "SGD"):
        assert name in names
    for trial in trials:
        places = np.asarray(lines[f"trial {trial.number}"].get_ydata(), dtype=float)
        assert places[0] == (trial.optimiser == "sgd")
        assert (places[2] < 0) == (trial.optimiser != "sgd"), "AdamW has no decay"
        assert places[-1] == pytest.approx(trial.number / 5)
        assert lines[f"trial {trial.number}"].is_dashed() == trial.stopped
    rates = [t.learning_rate for t in trials]
    low, high = np.log(min(rates)), np.log(max(rates))
    place = np.asarray(lines["trial 3"].get_ydata(), dtype=float)[1]
    assert place == pytest.approx((np.log(rates[3]) - low) / (high - low))


def test_a_search_of_one_trial_without_a_score_has_a_picture(tmp_path: Path) -> None:
    path = save_trials_picture(drawn_trials(1), tmp_path / "trials.png")
    assert iio.imread(path).std() > 5
