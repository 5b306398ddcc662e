"""The review of the open study, saved by itself: a crash loses at most the last seconds.

What an earlier reading left is never written over: each reading has a folder of its own.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from weakref import WeakKeyDictionary

from platformdirs import user_data_path
from qtpy.QtCore import QObject, QTimer, Signal

from ...errors import SparseExplainError
from ...files.atomic_write import cannot_write
from ...review.autosave import POLL_S, Autosave, autosave
from ...review.reading import Reading
from ...review.review import Camera, Review
from ...review.store import REVIEW_FILE, save_review
from ...review.study_reference import study_code, study_reference
from ...volumes import Study
from ..parts.work_runner import LatestRunner

#: Maps of more bytes than this are not saved by themselves; the review says how they were made.
MOST_BYTES = 64 * 2**20


def unsaved_folder(study: Study) -> Path:
    """Where the review of a study is kept until a person saves it.

    Further readings of it, begun before that one was restored or discarded, lie beside it, with
    ``-2``, ``-3`` … behind the name.
    """
    root = user_data_path("napari-sparseexplain", appauthor=False) / "unsaved-reviews"
    return root / study_code(study_reference(study))


def is_unsaved(folder: Path) -> bool:
    """Whether a folder is one in which readings are kept by themselves, not by a person."""
    root = user_data_path("napari-sparseexplain", appauthor=False) / "unsaved-reviews"
    return folder.resolve().parent == root.resolve()


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
        self._own: WeakKeyDictionary[Study, Autosave] = WeakKeyDictionary()
        #: Folders that were made here, or taken over by restoring what was in them.
        self._made: set[Path] = set()
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
        self._study = study

    def follow_replaced(self, old: Study, new: Study) -> None:
        """The active study is the same after an edit of its roles."""
        self._writer.drop()
        kept = self._own.pop(old, None)
        if kept is not None and kept.folder in _folders(new):
            self._own[new] = Autosave(kept.folder)
        self._study = new

    def leave(self, study: Study) -> bool:
        """A study is closed; whether what was marked in it is kept."""
        kept = self._own.pop(study, None)
        return kept is not None and (kept.folder / REVIEW_FILE).is_file()

    def found(self) -> tuple[Path, datetime] | None:
        """The latest unsaved review of the study that another reading left, and when it did."""
        try:
            folders = [] if self._study is None else _folders(self._study)
        except SparseExplainError:
            return None  # a file of the study is gone: nothing can be restored onto it either
        own = {kept.folder for kept in self._own.values()}
        times = {
            folder: (folder / REVIEW_FILE).stat().st_mtime
            for folder in folders
            if folder not in own and (folder / REVIEW_FILE).is_file()
        }
        if not times:
            return None
        latest = max(times, key=lambda folder: times[folder])
        return latest, datetime.fromtimestamp(times[latest])

    def poll(self, now: float | None = None) -> None:
        """Save what has waited long enough; called by the clock."""
        reading = self._state()
        if reading is None or self._study is None or self._writer.busy or self._same(reading):
            return
        try:
            kept = self._claimed(self._study)
        except SparseExplainError as error:
            self._on_failed(error)
            return
        moment = time.monotonic() if now is None else now
        self._writer.submit(partial(autosave, kept, reading, moment, arrays=_small(reading)))

    def save_now(self) -> None:
        """The window closes, or another reading is opened: save what has changed, at once."""
        reading = self._state()
        if reading is None or self._study is None or self._same(reading):
            return
        try:
            folder = self._claimed(self._study).folder
            save_review(reading, folder, arrays=_small(reading), overwrite=True)
        except SparseExplainError as error:
            self._on_failed(error)
            return
        self._own[self._study] = Autosave(folder, reading.review)

    def forget(self, study: Study, saved: Reading) -> None:
        """A person saved the review of a study: what was kept of it goes.

        Parameters
        ----------
        saved : Reading
            What is now on disk elsewhere.
        """
        if study is self._study:
            self._writer.drop()
        kept = self._own.get(study)
        if kept is None and study is not self._study:
            return  # closed since, or edited: what is kept stays, to be found
        folder = self._autosave(study).folder
        shutil.rmtree(folder, ignore_errors=True)
        self._made.discard(folder)
        self._own[study] = Autosave(folder, saved.review)

    def discard(self, folder: Path) -> None:
        """A person does not want what another reading left."""
        shutil.rmtree(folder, ignore_errors=True)

    def opened(self, reading: Reading, folder: Path) -> None:
        """The window now shows what is on disk: nothing of it is unsaved.

        What was unsaved before stays, to be found; an unsaved review that was restored goes on.
        """
        if self._study is None:
            return
        own = self._own.pop(self._study, None)
        found = folder if folder in _folders(self._study) else None
        if found is not None:
            self._made.add(found)
        if found is None and own is not None and not own.folder.exists():
            found = own.folder
        self._own[self._study] = Autosave(found or self._free(self._study), reading.review)

    def _autosave(self, study: Study) -> Autosave:
        """What was saved of a study's reading last, in a folder that no other reading has."""
        if study not in self._own:
            self._own[study] = Autosave(self._free(study))
        return self._own[study]

    def _free(self, study: Study) -> Path:
        first = folder = unsaved_folder(study)
        taken = {kept.folder for kept in self._own.values()}
        number = 1
        while folder.exists() or folder in taken:
            number += 1
            folder = first.with_name(f"{first.name}-{number}")
        return folder

    def _claimed(self, study: Study) -> Autosave:
        """As `_autosave`, in a folder that is made for it, so that no other process writes there.

        Raises
        ------
        SparseExplainError
            None can be made.
        """
        kept = self._autosave(study)
        while kept.folder not in self._made and not _made(kept.folder):
            kept = self._own[study] = replace(kept, folder=self._free(study))
        self._made.add(kept.folder)
        return kept

    def _same(self, reading: Reading) -> bool:
        """Whether only the place in the scan is another than what was saved."""
        kept = None if self._study is None else self._own.get(self._study)
        saved = None if kept is None else kept.saved
        return saved is not None and _without_positions(saved) == _without_positions(reading.review)

    def wait(self, seconds: float = 60.0) -> bool:
        """Keep the window alive until nothing is being written; for scripts and tests."""
        return self._writer.wait(seconds)

    def stop(self) -> None:
        """Save no more."""
        self._timer.stop()
        self._writer.drop()

    def _on_saved(self, state: Autosave) -> None:
        self._said = ""
        if self._study is not None:
            self._own[self._study] = state

    def _on_failed(self, error: SparseExplainError) -> None:
        # Every few seconds the same sentence would hide all others.
        if str(error) != self._said:
            self._said = str(error)
            self.failed.emit(error)


def _made(folder: Path) -> bool:
    """Whether a folder was not there, and is now.

    Raises
    ------
    SparseExplainError
        It cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except FileExistsError:
        return False
    except OSError as error:
        raise cannot_write("the review", folder, error) from error
    return True


def _folders(study: Study) -> list[Path]:
    """Folders in which readings of a study were kept."""
    first = unsaved_folder(study)
    if not first.parent.is_dir():
        return []
    pattern = re.compile(re.escape(first.name) + r"(-\d+)?")
    return [place for place in first.parent.iterdir() if pattern.fullmatch(place.name)]


def _without_positions(review: Review) -> Review:
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


def _small(reading: Reading) -> list[str]:
    """Keys of the explanations whose maps may be written every time they change: small ones."""
    sizes = {
        key: sum(item.data.nbytes for item in explanation.maps)
        for key, explanation in reading.explanations.items()
    }
    found, used = [], 0
    for key in sorted(sizes, key=lambda key: (key not in reading.on_screen, sizes[key])):
        used += sizes[key]
        if used <= MOST_BYTES:
            found.append(key)
    return found
