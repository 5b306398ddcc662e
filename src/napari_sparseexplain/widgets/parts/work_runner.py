"""Long work in a thread: progress and cancel for `Work`, and latest-wins for a dragged slider.

The window stays alive because nothing here blocks it; a cancelled run changes nothing, because
its result is simply never delivered.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from napari.qt.threading import create_worker
from qtpy.QtCore import QCoreApplication, QObject, Signal

from ...errors import SparseExplainError
from ...progress import Progress, Work

Result = TypeVar("Result")


@dataclass(frozen=True)
class Told:
    """A result and what it was asked for."""

    asked: Any
    result: Any


@dataclass(frozen=True)
class _Ended:
    """What a run came to: a result, an error that a person can mend, or one of the program."""

    result: Any = None
    error: SparseExplainError | None = None
    defect: Exception | None = None


def _steps(make: Callable[[], Work[Any]]) -> Generator[Progress, None, _Ended]:
    """The work's own steps; an error is an outcome too, so that whoever waits hears of it."""
    try:
        # A first step, so that a Cancel pressed while libraries load is honoured before the work.
        yield Progress(0, 0, "Starting …")
        result = yield from make()
    except SparseExplainError as error:
        return _Ended(error=error)
    except Exception as error:
        return _Ended(defect=error)
    return _Ended(result=result)


def labelled_work(asked: object, make: Callable[[], Work[Result]]) -> Callable[[], Work[Told]]:
    """Work whose result comes back with what it was asked for."""

    def work() -> Work[Told]:
        result = yield from make()
        return Told(asked, result)

    return work


def _single(function: Callable[[], Any]) -> _Ended:
    try:
        return _Ended(result=function())
    except SparseExplainError as error:
        return _Ended(error=error)
    except Exception as error:
        return _Ended(defect=error)


def _tell_defect(defect: Exception) -> None:
    """As napari tells of any other exception in its window: with its traceback."""
    sys.excepthook(type(defect), defect, defect.__traceback__)


def cap_threads() -> None:
    """Leave one core to the window while a network runs. Loads torch: call it in a worker."""
    import torch

    cores = os.cpu_count() or 1
    torch.set_num_threads(max(1, min(torch.get_num_threads(), cores - 1)))


class WorkRunner(QObject):
    """Runs one piece of `Work` at a time in a thread.

    Signals
    -------
    progressed(Progress), succeeded(object), failed(SparseExplainError), cancelled(),
    broke(), running_changed(bool)
        Every run ends in one of the middle four; ``broke`` is an error of the program, which
        napari shows.
    """

    progressed = Signal(object)
    succeeded = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    broke = Signal()
    running_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker: Any = None
        self._cancelling = False
        self._steps: Generator[Progress, None, _Ended] | None = None
        self._ended: _Ended | None = None

    @property
    def running(self) -> bool:
        """Whether work is under way."""
        return self._worker is not None

    def start(self, make: Callable[[], Work[Any]]) -> bool:
        """Start ``make()`` in a thread; refused, and False, while other work runs.

        What the result is for must come back with it (`labelled_work`): a note beside a start
        that is refused would be taken for the note of the run under way.
        """
        if self.running:
            self.failed.emit(
                SparseExplainError("a run is under way", remedy="Wait for it, or press Cancel")
            )
            return False
        steps = _steps(make)

        def run() -> Generator[Progress, None, _Ended]:
            return (yield from steps)

        worker: Any = create_worker(run, _start_thread=False)
        self._worker, self._cancelling, self._steps = worker, False, steps
        worker.yielded.connect(self._on_step)
        worker.returned.connect(self._on_returned)
        worker.finished.connect(self._on_finished)
        self.running_changed.emit(True)
        worker.start()
        return True

    def cancel(self) -> None:
        """Stop at the next step; what was there before stays."""
        if self._worker is not None and not self._cancelling:
            self._cancelling = True
            self._worker.quit()

    def wait(self, seconds: float = 60.0) -> bool:
        """Keep the window alive until the run has ended; for scripts and tests.

        Returns False when it had not ended after ``seconds``.
        """
        return _wait_until(lambda: not self.running, seconds)

    def _on_step(self, step: Progress) -> None:
        if not self._cancelling:
            self.progressed.emit(step)

    def _on_returned(self, ended: _Ended) -> None:
        self._ended = ended

    def _on_finished(self) -> None:
        # Delivered here and not in `_on_returned`, so that a handler may start the next run.
        was_cancelled, ended = self._cancelling, self._ended
        self._worker, self._cancelling, self._ended = None, False, None
        if was_cancelled and self._steps is not None:
            # Its thread has ended; what the work made beside its goal is taken away now.
            self._steps.close()
        self._steps = None
        self.running_changed.emit(False)
        if was_cancelled:
            self.cancelled.emit()
        elif ended is not None and ended.error is not None:
            self.failed.emit(ended.error)
        elif ended is not None and ended.defect is not None:
            self.broke.emit()
            _tell_defect(ended.defect)
        elif ended is not None:
            self.succeeded.emit(ended.result)


class LatestRunner(QObject):
    """Runs short functions in a thread, one at a time; of those asked for meanwhile the last.

    A slider that is dragged asks more often than a network can answer: each answer is shown,
    and the questions that were overtaken are never computed.

    Signals
    -------
    succeeded(object), failed(SparseExplainError), broke()
        See `WorkRunner`.
    """

    succeeded = Signal(object)
    failed = Signal(object)
    broke = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker: Any = None
        self._next: Callable[[], Any] | None = None
        self._stopped = False
        self._ended: _Ended | None = None

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._worker is not None

    def submit(self, function: Callable[[], Any]) -> None:
        """Run ``function`` as soon as the one under way has ended, unless overtaken."""
        self._next = function
        if self._worker is None:
            self._start_next()

    def drop(self) -> None:
        """Forget what waits; the answer under way is not delivered."""
        self._next = None
        if self._worker is not None:
            self._stopped = True

    def wait(self, seconds: float = 60.0) -> bool:
        """Keep the window alive until nothing is left to answer; for scripts and tests."""
        return _wait_until(lambda: not self.busy, seconds)

    def _start_next(self) -> None:
        function, self._next = self._next, None
        if function is None:
            return
        worker: Any = create_worker(_single, function, _start_thread=False)
        self._worker, self._stopped = worker, False
        worker.returned.connect(self._on_returned)
        worker.finished.connect(self._on_finished)
        worker.start()

    def _on_returned(self, ended: _Ended) -> None:
        self._ended = ended

    def _on_finished(self) -> None:
        ended, stopped = self._ended, self._stopped
        self._worker, self._ended = None, None
        if ended is not None and ended.defect is not None:
            if not stopped:
                self.broke.emit()
            _tell_defect(ended.defect)
        elif ended is not None and not stopped:
            if ended.error is not None:
                self.failed.emit(ended.error)
            else:
                self.succeeded.emit(ended.result)
        if self._worker is None:
            self._start_next()


def _wait_until(done: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        QCoreApplication.processEvents()
        time.sleep(0.005)
    QCoreApplication.processEvents()
    return True
