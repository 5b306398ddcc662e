"""Review: mark and draw, save and open the whole reading, export what is on the screen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton

from ...errors import SparseExplainError
from ...export.export_work import Files, check_possible, existing_files, export_work
from ...files.atomic_write import check_writable
from ...progress import Progress, Work
from ...review.export_name import export_name
from ...review.former_review import ReviewThereError
from ...review.reading import Reading
from ...review.reviewed_study import StudyMovedError
from ...review.store import check_saving, save_review
from ...volumes import Study
from ..explain_tab import ExplainTab
from ..parts.notices import show_finding, show_warning_message
from ..parts.study_choice import StudyChoice
from ..parts.work_runner import Told, labelled_work
from .dialogs import ReviewDialogs
from .export_form import ExportForm
from .kept_reading import KeptReading
from .marks import ReviewMarks
from .panels_below import PanelsBelow
from .restored_captions import RestoredCaptions
from .restored_maps import RestoredMaps
from .study_marks import Marks
from .unsaved_offer import UnsavedOffer
from .unsaved_review import UnsavedReview, is_unsaved
from .window_restore import open_review_work
from .window_title import WindowTitle

if TYPE_CHECKING:
    from ..window import Window

#: Tooltip of a button that needs a study.
NO_STUDY = "Open a study first"


@dataclass(frozen=True, eq=False)
class _Saved:
    """A reading on its way to a folder, of the study that was active then."""

    study: Study | None
    reading: Reading
    folder: Path
    marks: Marks


def _save_work(saving: _Saved, arrays: bool, overwrite: bool) -> Work[_Saved]:
    yield Progress(0, 0, "Saving the review")
    save_review(saving.reading, saving.folder, arrays=arrays, overwrite=overwrite)
    return saving


class ReviewTab(ExplainTab):
    """Key slices, annotations, the review's folder, export; all of what is on the screen.

    Signals
    -------
    probe_restored(tuple): the voxel that was clicked in the review that was opened.
    """

    name = "review"
    title = "Review"
    probe_restored = Signal(tuple)

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self.dialogs = ReviewDialogs(self)
        self._study: Study | None = None
        self._codes: WeakKeyDictionary[Study, str] = WeakKeyDictionary()
        self._opening: tuple[Path, dict[str, str], bool] | None = None
        self._kept = KeptReading(self.reading)
        self._tips: dict[QPushButton, str] = {}
        self.unsaved = UnsavedReview(self, self._unsaved_state)
        self.unsaved.failed.connect(self._on_unsaved_failed)
        self._fill()
        self.runner.succeeded.connect(self._on_done)
        window.signals.study_changed.connect(self._on_study)
        window.signals.study_replaced.connect(self._on_study_replaced)
        window.signals.study_closing.connect(self._on_study_closing)
        window.signals.study_closed.connect(self._on_study_closed)
        window.signals.closing.connect(self.unsaved.save_now)
        self._let_act(window.study is not None)

    def what_header(self) -> str:
        """Part one is the reading itself."""
        return "Review"

    def results_header(self) -> str:
        """Part three is what a restored review brought."""
        return "Restored maps"

    def _fill(self) -> None:
        self.what.addRow("Study", StudyChoice(self._window))
        self.offer = UnsavedOffer(self.unsaved, lambda question: self.dialogs.ask(question))
        self.offer.restore.connect(lambda folder: self.open(folder))
        self.what.addRow(self.offer)
        add = self.run_bar.add_button
        self.save_button = add("Save…", "Save marks, results and view of this study in one folder")
        self.open_button = add("Open…", "Open a saved review: its study, marks, results and view")
        self.export_button = add("Export…", "Export what is chosen below, as shown on the screen")
        self.save_button.clicked.connect(lambda: self._choose_save())
        self.open_button.clicked.connect(lambda: self._choose_open())
        self.export_button.clicked.connect(lambda: self._choose_export())
        self.exports = ExportForm()
        self.extras.addWidget(self.exports)
        self.marking = ReviewMarks(self._window)
        self.marking.said.connect(self.run_bar.show_message)
        # What is on disk no longer holds all that is marked.
        self.marking.changed.connect(self.run_bar.forget)
        self.extras.addWidget(self.marking)
        self.title_of_window = WindowTitle(self._window, self.marking)
        self.below = PanelsBelow(self._window)
        self.lesions, self.priors = self.below.lesions, self.below.priors
        self.lesions.marked.connect(self.marking.add_annotations)
        self.extras.addWidget(self.below)
        self.restored = RestoredMaps(self._window)
        self.words = RestoredCaptions(self._window)
        self.results.hide()
        self.results_box.addWidget(self.restored)
        self.restored.repeat.connect(self._repeat)

    def follow_layers(self) -> None:
        """Words of restored maps go with their layers."""
        self.words.write()

    @property
    def marks(self) -> Marks:
        """All that was marked in the active study."""
        return Marks(
            self.marking.annotations,
            self.marking.key_slices,
            code=self.exports.code.text().strip(),
        )

    # -- save, open, export ----------------------------------------------------------------------

    def reading(self) -> Reading:
        """What is on the screen and what was marked.

        Raises
        ------
        SparseExplainError
            No study is open, the picture is in 3-D, or cells wait for a slice just scrolled to.
        """
        return self._window.reading(self.marks)

    def save(self, folder: str | Path, *, arrays: bool = True, overwrite: bool = False) -> None:
        """Save the review in a folder, in the background.

        A review of the same study that is there is replaced with ``overwrite`` or once a person
        says so; one of another study never.
        """
        try:
            reading = self.reading()
            try:
                check_saving(reading, folder)
            except ReviewThereError as there:
                if not there.same_study:
                    raise
                if not overwrite and not self.dialogs.ask(
                    f"{Path(folder).name} holds a review of this study already. Replace it?"
                ):
                    self.run_bar.show_message("Nothing was written.")
                    return
                overwrite = True
            check_writable(Path(folder))
        except SparseExplainError as error:
            self._on_failed(error)
            return
        self._say(reading)
        saving = _Saved(self._study, reading, Path(folder), self.marks)
        self.runner.start(partial(_save_work, saving, arrays, overwrite))

    def open(
        self,
        folder: str | Path,
        *,
        moved: dict[str, str] | None = None,
        elsewhere: bool | None = None,
    ) -> None:
        """Open a saved review, in the background; the window then shows it.

        What is unsaved is kept before, and offered afterwards.

        Parameters
        ----------
        folder : str or Path
        moved : dict, optional
            New place of a study by its key.
        elsewhere : bool, optional
            Whether maps are read from outside the review's folder. None: asked, where there are.
        """
        self.unsaved.save_now()
        if elsewhere is None:
            elsewhere = self.dialogs.may_read_elsewhere(Path(folder))
        opening = (Path(folder), dict(moved or {}), elsewhere)
        if self.runner.start(labelled_work(opening, partial(open_review_work, *opening))):
            self._opening = opening

    def export(self, path: str | Path, **choices: Any) -> None:
        """Export what the form says to a file or folder, in the background.

        Parameters
        ----------
        **choices
            Fields of `ExportChoice` that differ from the form.
        """
        try:
            choice = self.exports.choice(Path(path), **choices)
            reading = self.reading()
            check_possible(reading, choice.what)
            there = existing_files(reading, choice)
        except SparseExplainError as error:
            self._on_failed(error)
            return
        if there and not choice.overwrite:
            several = f" and {len(there) - 1} more" if len(there) > 1 else ""
            if not self.dialogs.ask(f"{there[0].name}{several} is there already. Replace?"):
                self.run_bar.show_message("Nothing was written.")
                return
            choice = replace(choice, overwrite=True)
        self._say(reading)
        if self.runner.start(partial(export_work, reading, choice)) and self._study is not None:
            self.dialogs.exported_to[self._study] = choice.path.parent

    @property
    def computing(self) -> bool:
        """What this tab does changes nothing in the picture."""
        return False

    def wait(self, seconds: float = 60.0) -> bool:
        """Keep the window alive until nothing runs here."""
        return super().wait(seconds) and self.below.wait(seconds) and self.unsaved.wait(seconds)

    def stop(self) -> None:
        """The window is closing."""
        super().stop()
        self.below.stop()
        self.unsaved.save_now()
        self.unsaved.stop()

    def _on_done(self, done: Any) -> None:
        if isinstance(done, _Saved):
            if done.study is not None:
                self.dialogs.saved_in[done.study] = done.folder
                self.unsaved.forget(done.study, done.reading)
                self.title_of_window.saved(done.study, done.marks)
            self.run_bar.show_message(f"Saved in {done.folder}.")
        elif isinstance(done, Files):
            more = f" and {len(done) - 1} more" if len(done) > 1 else ""
            said = "".join(f"\n{note[:1].upper()}{note[1:]}." for note in done.notes)
            self.run_bar.show_message(f"Written: {done[0]}{more}.{said}")
        elif isinstance(done, Told):
            self._on_opened(done.asked[0], *done.result)
        elif not self.restored.take(done):
            self.run_bar.show_message("Its study was closed meanwhile.")

    def _on_opened(self, folder: Path, reading: Reading, layers: Any) -> None:
        marks = self._window.show_reading(
            reading,
            layers,
            mark=lambda found: self.marking.put(found.annotations, found.key_slices),
        )
        study = self._window.study
        self.exports.code.setText(marks.code)
        if marks.probe is not None:
            self.probe_restored.emit(marks.probe)
        self.restored.show_reading(reading, study)
        if study is not None and not is_unsaved(folder):
            self.dialogs.saved_in[study] = folder
            self.title_of_window.saved(study, self.marks)
        if (now := self._unsaved_state()) is not None:
            self.unsaved.opened(now, folder)
        self.offer.tell()
        self.run_bar.show_message("Opened." + "".join(f"\n{f.message}." for f in reading.findings))
        for finding in reading.findings:
            if finding.level == "warning":
                show_finding(finding)

    def _on_failed(self, error: SparseExplainError) -> None:
        if isinstance(error, StudyMovedError) and self._opening is not None:
            self.run_bar.show_error(str(error))
            place = self.dialogs.ask_folder(f"{error.what}: where is it now?")
            if place:
                folder, moved, elsewhere = self._opening
                self.open(folder, moved={**moved, error.key: place}, elsewhere=elsewhere)
            return
        super()._on_failed(error)

    def _on_cancelled(self) -> None:
        self.run_bar.show_message("Cancelled: nothing was saved, opened or exported.")

    def _repeat(self, key: str) -> None:
        """Run a map again whose arrays were not kept."""
        work = self.restored.repeat_work(key)
        if work is not None:
            self.runner.start(work)

    def _choose_save(self) -> None:
        if folder := self.dialogs.folder_to_save():
            self.save(folder)

    def _choose_open(self) -> None:
        if folder := self.dialogs.folder_to_open():
            self.open(folder)

    def _choose_export(self) -> None:
        what = self.exports.chosen
        try:
            # Nobody chooses a folder for what is then refused.
            check_possible(reading := self.reading(), what)
        except SparseExplainError as error:
            self._on_failed(error)
            return
        if path := self.dialogs.path_to_export(what, export_name(reading, what)):
            self.export(path)

    # -- the study ---------------------------------------------------------------------------

    def _let_act(self, on: bool) -> None:
        """Buttons that need a study sleep without one, and say why."""
        runs = {self.save_button, self.export_button}
        self.run_bar.disable(() if on else runs)
        marking = self.marking
        buttons = [*runs, marking.keys.mark_button, *marking.annotating.tools.values()]
        for button in buttons:
            tip = self._tips.setdefault(button, button.toolTip())
            button.setToolTip(tip if on else NO_STUDY)
            if button not in runs:
                button.setEnabled(on)

    def _on_study(self, study: Study | None) -> None:
        self._let_act(study is not None)
        if study is not self._study:
            if self._study is not None:
                self._codes[self._study] = self.exports.code.text()
            self._study = self.dialogs.study = study
            self.exports.code.setText("" if study is None else self._codes.get(study, ""))
            self.marking.follow(study)
            self.unsaved.follow(study)
            self.exports.follow_names()
            self.restored.show_reading(None, study)
            self._show_found()

    def _on_study_replaced(self, old: Study, new: Study) -> None:
        self.marking.replace_study(old, new)
        self.dialogs.replace_study(old, new)
        if old in self._codes:
            self._codes[new] = self._codes.pop(old)
        if self._study is old:
            self._study = new
            self.unsaved.follow_replaced(old, new)

    def _on_study_closing(self, study: Study) -> None:
        """What is marked is kept as it is on the screen."""
        if self._study is study:
            self.unsaved.save_now()

    def _on_study_closed(self, study: Study, reopened: bool) -> None:
        """Its marks are kept: opened anew on another grid it has other slices and planes."""
        kept = self.unsaved.leave(study)
        if self.marking.close_study(study) and kept:
            words = "Its annotations and key slices were kept as an unsaved review"
            if reopened:
                show_warning_message(
                    f"{study.name} was opened again on another grid. {words} of the study on its "
                    "former grid"
                )
            else:
                self._window.show_message(f"{words}: open the study again to restore it.")
        if self._study is study:
            self._study = self.dialogs.study = None

    # -- the unsaved review ------------------------------------------------------------------

    def _unsaved_state(self) -> Reading | None:
        """What is worth keeping now; None where nothing is."""
        return self._kept.state(self._study, self.marks)

    def _show_found(self) -> None:
        """A study was opened, or another one chosen: is something of it unsaved?"""
        if self.offer.tell() and not self.isVisible() and self._study is not None:
            there = f"An unsaved review of {self._study.name} is there: see the Review tab."
            self._window.show_message(there)

    def _on_unsaved_failed(self, error: SparseExplainError) -> None:
        self.run_bar.show_error(f"The review is not saved by itself: {error}")

    def _say(self, reading: Reading) -> None:
        for finding in reading.findings:
            show_finding(finding)
