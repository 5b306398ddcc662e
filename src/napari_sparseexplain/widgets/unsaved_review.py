"""The review of the open study, saved by itself: a crash loses at most the last seconds."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from platformdirs import user_data_path
from qtpy.QtCore import QObject, QTimer, Signal

from ..errors import SparseExplainError
from ..review.autosave import POLL_S, Autosave, autosave
from ..review.reading import Reading
from ..review.review import Camera, Review
from ..review.store import REVIEW_FILE, save_review
from ..review.study_reference import study_code, study_reference
from ..volumes import Study
from .work_runner import LatestRunner

#: Maps of more bytes than this are not saved by themselves; the review says how they were made.
MOST_BYTES = 64 * 2**20


def unsaved_folder(study: Study) -> Path:
    """Where the review of a study is kept until a person saves it."""
    root = user_data_path("napari-sparseexplain", appauthor=False) / "unsaved-reviews"
    return root / study_code(study_reference(study))


class UnsavedReview(QObject):
    """Asks for the window's state now and then and saves what has changed, in a thread.

    Signals
    -------
    failed(SparseExplainError): it could not be saved; the next change tries again.
    """

    failed = Signal(object)

    def __init__(self, parent: QObject, state: Callable[[], Reading | None]) -> None:
        super().__init__(parent)
        self._state = state
        self._kept: Autosave | None = None
        self._study: Study | None = None
        self._writer = LatestRunner(self)
        self._writer.succeeded.connect(self._on_saved)
        self._writer.failed.connect(self._on_failed)
        self._said = ""
        self._timer = QTimer(self)
        self._timer.setInterval(round(POLL_S * 1000))
        self._timer.timeout.connect(self.poll)
        self._timer.start()

    def follow(self, study: Study | None) -> None:
        """Another study is active."""
        self._writer.drop()
        self._study, self._kept = study, None

    def found(self) -> datetime | None:
        """When the study's unsaved review was written; None where there is none."""
        try:
            path = None if self._study is None else unsaved_folder(self._study) / REVIEW_FILE
        except SparseExplainError:
            return None  # a file of the study is gone: nothing can be restored onto it either
        if path is None or not path.is_file():
            return None
        return datetime.fromtimestamp(path.stat().st_mtime)

    def poll(self, now: float | None = None) -> None:
        """Save what has waited long enough; called by the clock."""
        reading = self._state()
        if reading is None or self._study is None or self._writer.busy or self._same(reading):
            return
        try:
            kept = self._kept or Autosave(unsaved_folder(self._study))
        except SparseExplainError as error:
            self._on_failed(error)
            return
        moment = time.monotonic() if now is None else now
        self._writer.submit(partial(autosave, kept, reading, moment, arrays=_small(reading)))

    def save_now(self) -> None:
        """The window closes: save what has changed, at once."""
        reading = self._state()
        if reading is None or self._study is None or self._same(reading):
            return
        try:
            save_review(reading, unsaved_folder(self._study), arrays=_small(reading))
        except SparseExplainError as error:
            self._on_failed(error)

    def forget(self, saved: Reading | None = None) -> None:
        """A person saved the review, or does not want it: what was kept goes.

        Parameters
        ----------
        saved : Reading, optional
            What is now on disk elsewhere.
        """
        self._writer.drop()
        if self._study is None:
            return
        folder = unsaved_folder(self._study)
        shutil.rmtree(folder, ignore_errors=True)
        self._kept = Autosave(folder, None if saved is None else saved.review)

    def opened(self, reading: Reading) -> None:
        """The window now shows what is on disk: nothing of it is unsaved."""
        if self._study is not None:
            self._kept = Autosave(unsaved_folder(self._study), reading.review)

    def _same(self, reading: Reading) -> bool:
        """Whether only the place in the scan is another than what was saved."""
        saved = None if self._kept is None else self._kept.saved
        return saved is not None and _without_place(saved) == _without_place(reading.review)

    def wait(self, seconds: float = 60.0) -> bool:
        """Keep the window alive until nothing is being written; for scripts and tests."""
        return self._writer.wait(seconds)

    def stop(self) -> None:
        """Save no more."""
        self._timer.stop()
        self._writer.drop()

    def _on_saved(self, state: Autosave) -> None:
        self._kept, self._said = state, ""

    def _on_failed(self, error: SparseExplainError) -> None:
        # Every few seconds the same sentence would hide all others.
        if str(error) != self._said:
            self._said = str(error)
            self.failed.emit(error)


def _without_place(review: Review) -> Review:
    """What a person did, without where they look: scrolling alone is no change to be kept."""
    panels = tuple(
        replace(
            p,
            index=0,
            camera=Camera(),
            scan=None if p.scan is None else replace(p.scan, leading=()),
            overlays=tuple(replace(o, leading=()) for o in p.overlays),
        )
        for p in review.panels
    )
    return replace(review, panels=panels, probe=None)


def _small(reading: Reading) -> bool:
    """Whether the maps may be written every time they change."""
    sizes = [m.data.nbytes for e in reading.explanations.values() for m in e.maps]
    return sum(sizes) <= MOST_BYTES
