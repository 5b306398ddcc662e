"""What is seen while the slice just scrolled to is computed: its scan, in the cells of its maps.

Cells of label maps stay empty until then: a scan has no labels that could stand in for theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol, cast

from napari.layers import Layer

from ...evidence import Explanation
from ...layers.scan_placeholder import DIMMED, ScanPlaceholders
from ...volumes import Study
from ...volumes.frames import volume_at_frame
from ...volumes.reading_order import first_shown
from ..parts.resting_timer import RestingTimer
from .window_control import scan_window

if TYPE_CHECKING:
    from ..parts.work_runner import LatestRunner, WorkRunner
    from ..window import Window

#: Stands behind the name of a cell whose map is on its way.
COMPUTING = "computing…"

#: Milliseconds after which a slice is asked for that rests and that nobody computes.
ASK_MS = 150


class LiveResult(Protocol):
    """A result into whose layers a new slice goes."""

    study: Study
    explanation: Explanation

    @property
    def visible(self) -> bool:
        """Whether any of it is in the picture."""
        ...

    @property
    def all_layers(self) -> list[Layer]:
        """Every layer made so far."""
        ...

    def scans_below(self) -> dict[Layer, tuple[str, bool]]:
        """Picture layers: the scan each is of, and whether it shows that scan or a map of it."""
        ...

    def show_computing(self, on: bool) -> None:
        """Write names that say whether a slice is on its way."""
        ...


class AwaitedSlice:
    """Follows every scrolled slice: maps of another one go at once, its scan comes in their place.

    Parameters
    ----------
    results : callable
        Results into whose layers a new slice goes.
    follows : callable
        Whether the slice in the picture will be computed.
    ask : callable
        Lets the slice in the picture be computed, unless that is under way.
    changed : callable
        Told when names or pictures are others.
    frame_of : callable
        The frame in the picture, of a result that follows it as it follows the slice; None of one
        that stays at its own.
    """

    def __init__(
        self,
        window: Window,
        results: Callable[[], Iterable[LiveResult]],
        follows: Callable[[], bool],
        ask: Callable[[], None],
        changed: Callable[[], None] = lambda: None,
        frame_of: Callable[[Any], tuple[int, ...] | None] = lambda result: None,
    ) -> None:
        self._window = window
        self._results, self._follows, self._changed = results, follows, changed
        self._frame_of = frame_of
        self._placeholders = ScanPlaceholders()
        self._waiting: list[LiveResult] = []
        #: The frame whose scan each of them shows meanwhile.
        self._frames: dict[int, tuple[int, ...]] = {}
        # The window tells of a slice that rests unless it is where scrolling began: asked here,
        # nothing waits for an answer that nobody gives.
        self._asking = RestingTimer(window.signals, ASK_MS, lambda: ask() if self.waiting else None)
        window.viewer.dims.events.point.connect(self.update)
        # Its result may forget a removed layer before it is told what it showed.
        window.viewer.layers.events.removed.connect(
            lambda event: self._placeholders.take_back([event.value])
        )
        window.signals.study_changed.connect(self.update)

    def bind(self, runner: WorkRunner, steps: LatestRunner, again: Callable[[], None]) -> None:
        """Follow nothing while a run is under way, and wait for no answer that failed.

        Parameters
        ----------
        runner : WorkRunner
        steps : LatestRunner
            Computes slices scrolled to.
        again : callable
            Called at the end of a run, which is told before its result is here: a slice asked for
            before that would be computed twice.
        """
        runner.running_changed.connect(lambda on: self.update() if on else None)
        for ended in (runner.succeeded, runner.failed, runner.cancelled, runner.broke):
            ended.connect(lambda *_: again())
        steps.failed.connect(lambda _: self.end_all())
        steps.broke.connect(self.end_all)

    @property
    def waiting(self) -> bool:
        """Whether a slice in the picture is still to come."""
        return bool(self._waiting)

    def overtaken(
        self, result: LiveResult, index: int, frame: tuple[int, ...] | None = None
    ) -> bool:
        """Whether an answer for a slice and frame comes too late: the picture has gone on."""
        if not self._follows() or result.study is not self._window.study:
            return False
        wanted = None if frame is None else self._frame_of(result)
        return index != self._window.current_slice or wanted not in (None, frame)

    def elsewhere(self, result: LiveResult) -> bool:
        """Whether a result is of another slice or frame than the picture."""
        frame = self._frame_of(result)
        other = frame is not None and frame != result.explanation.frame
        return other or result.explanation.slices.start != self._window.current_slice

    def update(self, _event: object = None) -> None:
        """Compare the slice in the picture with those that were computed."""
        for result in list(self._results()):
            follows = self._follows() and result.study is self._window.study
            if follows and self.elsewhere(result):
                if self._frames.get(id(result), ()) != self._frame(result):
                    self.end(result)  # its scan is of another frame
                self._begin(result)
            else:
                self.end(result)
        if self._waiting:
            self._asking.restart()

    def place_of(self, result: LiveResult) -> int:
        """Slice to compute for a result: the one that it waits for, else its own."""
        waits = result in self._waiting
        return self._window.current_slice if waits else result.explanation.slices.start

    def follow_layers(self) -> None:
        """What was taken out of the picture waits for nothing; what came into it shows its scan."""
        for result in list(self._waiting):
            if result.visible:
                self._fill(result)
            else:
                self.end(result)

    def end(self, result: LiveResult) -> None:
        """Its own pictures come back, before a new answer goes into them."""
        if result in self._waiting:
            self._waiting.remove(result)
            self._frames.pop(id(result), None)
            self._placeholders.take_back(result.all_layers)
            result.show_computing(False)
            self._changed()

    def end_all(self) -> None:
        """No answer will come."""
        for result in list(self._waiting):
            self.end(result)

    def _begin(self, result: LiveResult) -> None:
        if result in self._waiting or not result.visible:
            return
        self._waiting.append(result)
        self._frames[id(result)] = self._frame(result)
        self._fill(result)
        result.show_computing(True)
        self._changed()

    def _fill(self, result: LiveResult) -> None:
        """Show scans in cells that have none yet: layers may be made or shown while it waits."""
        study = result.study
        for layer, (role, is_scan) in result.scans_below().items():
            if layer.visible and layer not in self._placeholders:
                role = role if role in study.images else first_shown(study)
                limits = scan_window(self._window, study, role)
                strength = 1.0 if is_scan else DIMMED
                volume, spacing = study[role], study.grid.spacing
                scan = volume_at_frame(volume, self._frame(result)).spatial()
                ends = study[role].grey_ends(limits)
                self._placeholders.put(cast(Any, layer), scan, spacing, ends, strength)

    def _frame(self, result: LiveResult) -> tuple[int, ...]:
        """Of which its scans are shown meanwhile."""
        frame = self._frame_of(result)
        return result.explanation.frame if frame is None else frame
