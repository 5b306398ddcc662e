"""A new tab is a form and a session: here one of thirty lines, in a window that is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from qtpy.QtWidgets import QComboBox, QLabel

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.progress import Progress, Work
from napari_sparseexplain.volumes import Study, open_study
from napari_sparseexplain.widgets.method_tab import Asked, MethodTab
from napari_sparseexplain.widgets.parts.model_choice import ModelChoice
from napari_sparseexplain.widgets.parts.model_session import ModelSession
from napari_sparseexplain.widgets.parts.results_list import Result

from .conftest import settle

pytestmark = pytest.mark.gui


@dataclass(eq=False)
class Mean:
    """The mean of a slice, as a layer of one value."""

    study: Study
    value: float
    layer: Any
    result: Result | None = None

    @property
    def title(self) -> str:
        return f"Mean {self.value:.0f}"

    @property
    def visible(self) -> bool:
        return self.layer.visible

    @property
    def all_layers(self) -> list[Any]:
        return [self.layer]

    def describe(self) -> None:
        if self.result is not None:
            self.result.title = self.title

    def lines_at(self, index: tuple[int, int, int]) -> list[str]:
        return [f"mean {self.value:.0f}"]


class MeanSession(ModelSession):
    """What runs."""

    def mean_work(self, study: Study, slices: slice) -> Work[float]:
        yield Progress(0, 1, "Adding")
        return float(study["flair"].spatial()[slices].mean())


class MeanTab(MethodTab[MeanSession, Mean]):
    """The form."""

    name, title = "mean", "Mean"

    def __init__(self, window: Any) -> None:
        super().__init__(window, MeanSession(), ModelChoice())
        self.slice_button = self.add_run("Run on slice", "The mean of a slice", self.run_slice)

    def work(self, asked: Asked) -> Callable[[], Work[float]]:
        return partial(self.session.mean_work, asked.study, asked.slices)

    def put_result(self, asked: Asked, found: float) -> None:
        layer = self._viewer.add_image(np.full((2, 2), found), name="mean")
        self.add(Mean(asked.study, found, layer))
        self.describe()

    def show_result(self, shown: Mean, *, grid: bool) -> None:
        shown.layer.visible = True


class ModellessTab(MeanTab):
    """The same without a model: its method looks at the scan alone."""

    def __init__(self, window: Any) -> None:
        MethodTab.__init__(self, window, MeanSession(), None)
        self.slice_button = self.add_run("Run on slice", "The mean of a slice", self.run_slice)


@pytest.fixture
def tab(fake_window: Any, study_folder: Any) -> MeanTab:
    """The tab, a study open."""
    fake_window.study = open_study(study_folder)
    fake_window.studies = [fake_window.study]
    return MeanTab(fake_window)


def run(tab: MeanTab, index: int = 4) -> Mean:
    tab.run_slice(index)
    assert tab.wait(20)
    return tab.shown[-1]


def test_a_run_gives_a_line_and_says_so(tab: MeanTab) -> None:
    shown = run(tab)
    assert [result.title for result in tab.results.items] == [shown.title]
    assert shown.value > 0
    assert tab.run_bar.message.text().startswith("Done")


def test_the_line_shows_hides_and_removes_what_it_is_of(tab: MeanTab, fake_window: Any) -> None:
    shown = run(tab)
    assert shown.result is not None
    assert shown.result.line is not None
    shown.result.line.check.setChecked(False)
    assert not shown.visible
    shown.result.line.check.setChecked(True)
    assert shown.visible
    shown.layer.visible = False
    tab.follow_layers()
    assert not shown.result.line.check.isChecked()
    shown.result.line.remove.emit()
    assert tab.shown == []
    assert tab.results.items == []
    assert len(fake_window.viewer.layers) == 0


def test_a_click_says_where_it_was_and_what_every_result_has_there(
    tab: MeanTab, fake_window: Any
) -> None:
    shown = run(tab)
    fake_window.signals.voxel_clicked.emit((4, 3, 2))
    said = tab.read_out.text().split("\n")
    assert said[0].startswith("Voxel")
    assert said[-1] == f"mean {shown.value:.0f}"
    tab.forget_click()
    tab.read_again()
    assert tab.read_out.text() == "Click in the picture."


def test_results_go_on_with_an_edited_study_and_go_with_a_closed_one(
    tab: MeanTab, fake_window: Any
) -> None:
    shown = run(tab)
    old = fake_window.study
    new = replace(old, name="edited")
    fake_window.signals.study_replaced.emit(old, new)
    assert shown.study is new
    fake_window.signals.study_closed.emit(old, False)
    assert tab.shown == [shown], "it is of another study now"
    fake_window.signals.study_closed.emit(new, False)
    assert tab.shown == []


def test_a_run_on_a_study_that_was_closed_comes_too_late(tab: MeanTab, fake_window: Any) -> None:
    tab.run_slice(4)
    fake_window.signals.study_closed.emit(fake_window.study, False)
    assert tab.wait(20)
    assert tab.shown == []


def test_without_a_study_the_error_is_said_and_nothing_runs(
    tab: MeanTab, fake_window: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr("napari_sparseexplain.widgets.explain_tab.show_error_dialog", told.append)

    def none() -> Study:
        raise SparseExplainError("no study is open")

    fake_window.needed_study = none
    tab.slice_button.click()
    settle(0.05)
    assert not tab.computing
    assert "no study is open" in tab.run_bar.message.text()
    assert len(told) == 1


def test_a_tab_without_models_has_no_choice_of_one_and_runs_all_the_same(
    tab: MeanTab, fake_window: Any
) -> None:
    without = ModellessTab(fake_window)
    labels = [without.what.labelForField(w) for w in without.findChildren(QComboBox)]
    rows = {label.text() for label in labels if isinstance(label, QLabel)}
    assert rows == {"Study"}
    shown = run(without)
    assert shown.value == run(tab).value
    without.slice_button.click()
    assert without.wait(20)
    assert len(without.shown) == 2
    fake_window.signals.study_closed.emit(fake_window.study, False)
    assert without.shown == []
