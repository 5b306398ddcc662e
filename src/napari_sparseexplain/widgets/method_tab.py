"""A method's tab: choose study, model and device, run, show results, let them go with their study.

A tab of a method is a form, a session (what runs, without Qt) and how its results come into the
picture; all else is here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from napari.layers import Layer
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from ..errors import SparseExplainError
from ..layers.batched_changes import batched_changes
from ..layers.canvas.frame_in_picture import frame_of_scans
from ..progress import Work
from ..volumes import Study
from .explain_tab import ExplainTab
from .parts.model_choice import DeviceChoice, ModelChoice, model_key
from .parts.model_session import NO_MODEL, ModelKey, ModelSession
from .parts.results_list import Result
from .parts.study_choice import StudyChoice
from .parts.work_runner import Told, labelled_work
from .parts.wrapped_label import wrapped_label
from .view.click_read_out import voxel_lines
from .window import Window


class ShownResult(Protocol):
    """A result and its layers in the viewer."""

    study: Study
    result: Result | None

    @property
    def title(self) -> str:
        """Line in the list of results."""
        ...

    @property
    def visible(self) -> bool:
        """Whether any of it is in the picture."""
        ...

    @property
    def all_layers(self) -> list[Layer]:
        """Every layer made so far."""
        ...

    def describe(self) -> None:
        """Write the line in the list of results."""
        ...

    def lines_at(self, index: tuple[int, int, int]) -> list[str]:
        """What a click says of it; nothing off its slices."""
        ...


SessionT = TypeVar("SessionT", bound=ModelSession)
ShownT = TypeVar("ShownT", bound=ShownResult)


@dataclass(eq=False)
class Asked:
    """What a run is for.

    Attributes
    ----------
    study : Study
        As it is now, whatever roles it had when the run began.
    key : ModelKey
        Its model is empty in a tab without models.
    live : bool
        Whether a new slice goes into the result later; a whole volume stays as it was run.
    setting : Any
        What else the form said.
    frame : tuple of int
        Point along the leading axes of its scans; empty for the first.
    """

    study: Study
    key: ModelKey
    slices: slice
    live: bool = False
    setting: Any = None
    frame: tuple[int, ...] = ()


class MethodTab(ExplainTab, Generic[SessionT, ShownT]):
    """Study, model, device, run; results and the last click.

    Attributes
    ----------
    session
        What runs.
    shown : list
        Results, the latest last.
    takes_model : bool
        Whether there is a choice of a model.
    notes : QLabel
        What a person must know; the tab puts it where it belongs.

    Parameters
    ----------
    models : ModelChoice or None
        None for methods without a model: there is no choice of one, nor of where it runs.
    beside : sequence of QWidget
        In the row of the model.
    """

    models: ModelChoice
    device: DeviceChoice

    def __init__(
        self,
        window: Window,
        session: SessionT,
        models: ModelChoice | None,
        *,
        beside: Sequence[QWidget] = (),
    ) -> None:
        super().__init__(window)
        self._viewer = window.viewer
        self.session = session
        self.shown: list[ShownT] = []
        self._asked: Asked | None = None
        self._last_click: tuple[int, int, int] | None = None

        self.what.addRow("Study", StudyChoice(window))
        self.takes_model = models is not None
        if models is not None:
            self.models = models
            self.models.changed.connect(self.follow_model)
            self.what.addRow("Model", _in_a_row(models, beside) if beside else models)
            self.device = DeviceChoice()
            self.what.addRow("Device", self.device)
        self.notes = wrapped_label()
        self.notes.setEnabled(False)

        self.results.shown.connect(self._on_shown)
        self.results.grid.connect(self._on_grid)
        self.results.removed.connect(lambda result: self.forget(result.value))
        self.runner.succeeded.connect(self._on_run_done)
        window.signals.study_changed.connect(self.follow_study)
        window.signals.study_replaced.connect(self._on_study_replaced)
        window.signals.study_closed.connect(self._on_study_closed)

    # -- what a tab of a method says -----------------------------------------------------------

    def follow_model(self) -> None:
        """Another model is chosen."""

    def asked(self, study: Study, key: ModelKey, slices: slice, *, live: bool) -> Asked | None:
        """What the form asks for; None where nothing is to be run.

        Raises
        ------
        SparseExplainError
            The form is not filled.
        """
        return Asked(study, key, slices, live)

    def work(self, asked: Asked) -> Callable[[], Work[Any]]:
        """What finds it, away from the window's thread."""
        raise NotImplementedError

    def put_result(self, asked: Asked, found: Any) -> None:
        """A run has ended: put what it found into the picture."""
        raise NotImplementedError

    def show_result(self, shown: ShownT, *, grid: bool) -> None:
        """Bring a result into the picture; side by side, or however the picture is."""
        raise NotImplementedError

    def hide_result(self, shown: ShownT) -> None:
        """Take a result out of the picture."""
        view = self._window.grid_view
        if view.active:
            view.discard(shown.all_layers)
        else:
            with batched_changes(self._viewer.layers):
                for layer in shown.all_layers:
                    layer.visible = False

    def follow_results(self) -> None:
        """A result came or went: what tells one from another may have changed."""

    def describe(self) -> None:
        """Write the lines of the results, and what the tab says of them, anew."""
        for shown in self.shown:
            if shown.result is not None:
                shown.describe()
                self.results.refresh(shown.result)
        self._width_timer.restart()

    # -- running -------------------------------------------------------------------------------

    def add_run(self, text: str, tooltip: str, run: Callable[[], None]) -> QPushButton:
        """A button that starts a run."""
        button = self.run_bar.add_button(text, tooltip)
        button.clicked.connect(lambda: run())
        return button

    def run_slice(self, index: int | None = None) -> None:
        """Run on one slice of the active study, the one in the picture unless told otherwise."""
        number = self._window.current_slice if index is None else index
        self.run(slice(number, number + 1), live=True)

    def run_volume(self) -> None:
        """Run on every slice of the active study."""
        study = self._window.study
        self.run(slice(0, 0 if study is None else study.grid.shape[0]))

    def run(self, slices: slice, *, live: bool = False) -> None:
        """Run on some slices of the active study."""
        try:
            key = model_key(self.models, self.device) if self.takes_model else NO_MODEL
            study = self._window.needed_study()
            asked = self.asked(study, key, slices, live=live)
        except SparseExplainError as error:
            self._on_failed(error)
            return
        if asked is not None:
            asked.frame = self.frame_of(study)
            self.start(asked, self.work(asked))

    def frame_of(self, study: Study) -> tuple[int, ...]:
        """The frame in the picture, of the scans that a run on a study would use."""
        card = self.models.card if self.takes_model else None
        roles = tuple(study.images) if card is None else card.inputs.roles
        return frame_of_scans(self._viewer, study, roles)

    def start(self, asked: Asked, work: Callable[[], Work[Any]]) -> None:
        """Start a run, unless one is under way."""
        if self.runner.start(labelled_work(asked, work)):
            self._asked = asked

    def _on_run_done(self, told: Told) -> None:
        self.show_done(told.asked.study)
        # A result that takes another one's place: napari lays out once, and not in between.
        with batched_changes(self._viewer.layers):
            self.put_result(told.asked, told.result)
        self._window.signals.result_shown.emit(self.name)

    # -- results -------------------------------------------------------------------------------

    def add(self, shown: ShownT) -> None:
        """A new result, with its line."""
        self.shown.append(shown)
        shown.result = Result(shown.title, [], value=shown)
        self.follow_results()
        self.results.add(shown.result)

    def forget(self, shown: ShownT) -> None:
        """Remove a result and its layers."""
        if shown in self.shown:
            self.shown.remove(shown)
        self._window.grid_view.remove(shown.all_layers)
        if shown.result is not None:
            self.results.remove(shown.result)
        self.follow_results()
        self.describe()

    def follow_layers(self) -> None:
        """Let the check boxes follow the layers' own eyes."""
        for shown in self.shown:
            if shown.result is not None and shown.result.line is not None:
                shown.result.line.set_shown(shown.visible)

    def _on_shown(self, result: Result, on: bool) -> None:
        if on:
            self.show_result(result.value, grid=False)
        else:
            self.hide_result(result.value)

    def _on_grid(self, result: Result) -> None:
        self.show_result(result.value, grid=True)

    # -- studies -------------------------------------------------------------------------------

    def early_loads(self) -> list[Callable[[], object]]:
        """The chosen model, and what it needs to know of the scans."""
        if not self.takes_model or not self.models.model:
            return []
        key = ModelKey(self.models.model, self.device.device)
        loads: list[Callable[[], object]] = [partial(self.session.load_early, key)]
        if (study := self._window.study) is not None:
            loads.append(partial(self.session.measure_early, key, study))
        return loads

    def follow_study(self, _study: Study | None) -> None:
        """Another study is active, or the active one was edited."""
        self.describe()

    def _on_study_replaced(self, old: Study, new: Study) -> None:
        """What was found in a study whose roles were edited stays, and goes on."""
        self.session.replace_study(old, new)
        for shown in self.shown:
            if shown.study is old:
                shown.study = new
        if self._asked is not None and self._asked.study is old:
            self._asked.study = new

    def _on_study_closed(self, study: Study) -> None:
        """It is no more: results on it go, and what still runs on it comes too late."""
        if self._asked is not None and self._asked.study is study:
            self._asked = None
            self.runner.cancel()
        for shown in [s for s in self.shown if s.study is study]:
            self.forget(shown)
        self.session.forget(study)

    def _on_cancelled(self) -> None:
        """A run that ended with its study leaves no earlier results of it."""
        if self._asked is None:
            self.run_bar.show_message("The run ended: its study was closed.")
        else:
            super()._on_cancelled()

    # -- the last click ------------------------------------------------------------------------

    def lines_at(self, study: Study, index: tuple[int, int, int]) -> list[str]:
        """Where it was, and what every result of the study says there."""
        lines = voxel_lines(study, index)
        for shown in self.shown:
            if shown.study is study:
                lines += shown.lines_at(index)
        return lines

    def forget_click(self) -> None:
        """The study that was clicked in is no more."""
        self._last_click = None
        super().forget_click()

    def read_again(self) -> None:
        """What the last click says may be something else now."""
        if self._last_click is not None:
            self._on_click(self._last_click)

    def _on_click(self, index: tuple[int, int, int]) -> None:
        self._last_click = index
        super()._on_click(index)


def _in_a_row(first: QWidget, others: Sequence[QWidget]) -> QWidget:
    """One row of the form that holds several widgets; the first takes what is left."""
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.addWidget(first, 1)
    for widget in others:
        line.addWidget(widget)
    return row
