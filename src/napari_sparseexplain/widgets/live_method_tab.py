"""A method's tab whose results follow the slice in the picture, and the controls of their form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox

from ..evidence import Explanation
from ..volumes import Study
from .method_tab import Asked, MethodTab, SessionT, ShownResult
from .parts.model_choice import ModelChoice
from .parts.model_session import ModelKey
from .parts.preferences import preference
from .parts.resting_timer import RestingTimer
from .parts.results_list import Result
from .parts.run_bar import BROKEN
from .parts.work_runner import LatestRunner
from .view.awaited_slice import AwaitedSlice, LiveResult
from .window import Window


class LiveShown(ShownResult, LiveResult, Protocol):
    """A result into whose layers a new slice goes."""

    study: Study
    explanation: Explanation
    key: ModelKey

    @property
    def live(self) -> bool:
        """Whether a new slice goes into it; a whole volume stays as it was run."""
        ...

    def drop_missing(self, present: Any) -> None:
        """Forget layers that a person has removed."""
        ...


LiveT = TypeVar("LiveT", bound=LiveShown)

#: What is computed in the background, and what the form said when it was asked for.
Question = tuple[Callable[[], Any], Any]


class LiveMethodTab(MethodTab[SessionT, LiveT]):
    """Runs again, in the background, when another slice is scrolled to; the latest one wins.

    Signals
    -------
    slice_shown(): a slice was run, or the answer to a slider or a scrolled slice is in its layers.
    """

    slice_shown = Signal()

    def __init__(self, window: Window, session: SessionT, models: ModelChoice) -> None:
        super().__init__(window, session, models)
        self.follow = QCheckBox("Follow the slice")
        self.follow.setChecked(bool(preference("run.follow_slice")))
        self.follow.setToolTip("Run again when you scroll to another slice")
        self.follow.toggled.connect(lambda on: self._on_follow())
        self.steps = LatestRunner(self)
        self.steps.succeeded.connect(self._on_answers)
        self.steps.succeeded.connect(lambda _: self.run_bar.forget_error())
        self.steps.failed.connect(self._on_failed)
        self.steps.broke.connect(lambda: self.run_bar.show_error(BROKEN))
        self.awaited = AwaitedSlice(
            window,
            lambda: [shown for shown in self.shown if shown.live],
            lambda: self.follow.isChecked() and not self.runner.running,
            lambda: None if self.computing else self._on_slice(window.current_slice),
            self.follow_awaited,
            self.frame_followed,
        )
        self.awaited.bind(self.runner, self.steps, self._on_follow)
        window.signals.slice_changed.connect(self._on_slice)
        self._frames_rest = RestingTimer(self, 60, self._on_frame)
        window.viewer.dims.events.point.connect(self._frames_rest.restart)
        # What comes back into the picture is of the slice that was in it last. After the event, in
        # which layers and results are not yet as they will be.
        self._returned = RestingTimer(self, 0, self._on_follow)
        window.signals.grid_changed.connect(lambda on: self._returned.restart() if on else None)

    # -- what a tab of a method says -----------------------------------------------------------

    def make_shown(self, asked: Asked, found: Any) -> LiveT:
        """A new result of a run."""
        raise NotImplementedError

    def fits(self, shown: LiveT, found: Any) -> bool:
        """Whether what was found goes into the layers of a result that is there."""
        return True

    def put(self, shown: LiveT, found: Any, setting: Any) -> None:
        """Put what was found into the layers of a result."""
        raise NotImplementedError

    def question(self, shown: LiveT, index: int, *, current: bool) -> Question:
        """What finds another slice of a result; the form's controls are those of the current."""
        raise NotImplementedError

    def show_run(self, shown: LiveT) -> None:
        """Bring what a run has found into the picture."""
        self.show_result(shown, grid=True)

    def follow_awaited(self) -> None:
        """Cells show a scan until their slice is computed, or do so no longer."""

    def frame_followed(self, shown: LiveT) -> tuple[int, ...] | None:
        """The frame in the picture, where a result follows it; None where it keeps its own."""
        return None

    # -- what a script can ask -----------------------------------------------------------------

    @property
    def computing(self) -> bool:
        """Whether a run, or the answer to a slider or a scrolled slice, is still to come."""
        return super().computing or self.steps.busy

    @property
    def awaiting(self) -> bool:
        """Whether cells show a scan until the slice scrolled to is computed."""
        return self.awaited.waiting

    def wait(self, seconds: float = 60.0) -> bool:
        """Keep the window alive until nothing runs here."""
        return super().wait(seconds) and self.steps.wait(seconds)

    def stop(self) -> None:
        """The window is closing."""
        super().stop()
        self.steps.drop()
        self.awaited.end_all()

    def slice_of(self, study: Study, key: ModelKey) -> LiveT | None:
        """The slice of a model in a study."""
        for shown in self.shown:
            if shown.live and shown.study is study and shown.key == key:
                shown.drop_missing(self._viewer.layers)
                return shown
        return None

    @property
    def current(self) -> LiveT | None:
        """The slice of the chosen model and the active study."""
        study = self._window.study
        if study is None or not self.models.model:
            return None
        return self.slice_of(study, ModelKey(self.models.model, self.device.device))

    # -- runs, slices, answers -----------------------------------------------------------------

    def put_result(self, asked: Asked, found: Any) -> None:
        """A slice goes into the layers that its model has there already."""
        shown = self.slice_of(asked.study, asked.key) if asked.live else None
        if shown is not None and self.fits(shown, found):
            self.awaited.end(shown)
            self.put(shown, found, asked.setting)
        else:
            if shown is not None:
                self.forget(shown)
            shown = self.make_shown(asked, found)
            self.add(shown)
        self.show_run(shown)
        start = shown.explanation.slices.start
        self._window.go_to_slice(start if asked.live else self._window.current_slice)
        self.slice_shown.emit()

    def ask_current(self) -> None:
        """A control of the form was moved: the slice of the chosen model follows."""
        shown = self.current
        if shown is not None:
            self._ask([shown], self.awaited.place_of(shown))

    def _on_follow(self) -> None:
        """Whether slices are followed may have changed."""
        self.awaited.update()
        self._on_slice(self._window.current_slice)

    def _on_slice(self, index: int) -> None:
        if not self.follow.isChecked() or self.runner.running:
            return
        study = self._window.study
        followers = [s for s in self.shown if s.live and s.study is study and s.visible]
        moved = [s for s in followers if s.explanation.slices.start != index or self._off_frame(s)]
        if moved:
            self._ask(moved, index)

    def _off_frame(self, shown: LiveT) -> bool:
        frame = self.frame_followed(shown)
        return frame is not None and frame != shown.explanation.frame

    def _on_frame(self) -> None:
        """The time slider rests; a slice that was moved with it is told of by the window."""
        index, study = self._window.current_slice, self._window.study
        mine = [s for s in self.shown if s.live and s.study is study and s.visible]
        if any(s.explanation.slices.start == index and self._off_frame(s) for s in mine):
            self._on_slice(index)

    def _ask(self, followers: list[LiveT], index: int) -> None:
        """Answer in the background; what is asked for meanwhile overtakes."""
        current = self.current
        asks = [
            (s, self.frame_followed(s), *self.question(s, index, current=s is current))
            for s in followers
        ]
        self.steps.submit(
            lambda: (index, [(s, at, find(), setting) for s, at, find, setting in asks])
        )

    def _on_answers(self, told: tuple[int, list[tuple[LiveT, Any, Any, Any]]]) -> None:
        index, answers = told
        taken = False
        for shown, frame, found, setting in answers:
            if shown in self.shown and not self.awaited.overtaken(shown, index, frame):
                self.awaited.end(shown)
                self.put(shown, found, setting)
                taken = True
        # A slider may have asked for one result in the place of all that waited: ask again.
        self.awaited.update()
        self.describe()
        if taken:
            self.slice_shown.emit()

    # -- results -------------------------------------------------------------------------------

    def follow_layers(self) -> None:
        """Let the check boxes follow the layers' own eyes."""
        super().follow_layers()
        self.awaited.follow_layers()

    def forget(self, shown: LiveT) -> None:
        """Remove a result and its layers."""
        self.awaited.end(shown)
        super().forget(shown)

    def _on_shown(self, result: Result, on: bool) -> None:
        super()._on_shown(result, on)
        if on:
            self._on_slice(self._window.current_slice)

    def _on_grid(self, result: Result) -> None:
        super()._on_grid(result)
        self._on_slice(self._window.current_slice)
