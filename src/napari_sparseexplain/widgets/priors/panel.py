"""The panel *Priors*: an earlier study beside the current one, registered or moved by hand."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QFileDialog

from ...errors import SparseExplainError
from ...layers.priors.prior_layer import PriorLayer
from ...layers.priors.shown_prior import Captions, ShownPrior, made_volume
from ...layers.study_layers import METADATA_KEY
from ...volumes import Study
from ...volumes.comparison.made_pictures import (
    MadeOf,
    MadePicture,
    made_picture_work,
)
from ...volumes.reading_order import first_shown
from ...volumes.roles.label_roles import lesion_role
from ...volumes.study_identity import day_caption, pair_notes
from ...volumes.visits import of_one_kind, same_kind, visits_of
from ..parts.resting_timer import RestingTimer
from ..parts.run_bar import BROKEN
from ..parts.work_runner import Told, WorkRunner, labelled_work
from ..window import Window
from .form import INVITATION, PriorsForm
from .prior_works import (
    Pair,
    PlacedPrior,
    kept_placement,
    open_prior_work,
    place_work,
    register_work,
    transform_work,
)
from .saved_picture import ask_and_save

if TYPE_CHECKING:
    from napari.layers import Layer

#: Milliseconds of each picture while current and prior come by turns.
_FLICKER_TIME = 600


class PriorsPanel(PriorsForm):
    """Choice of the prior, how it is placed, and pictures of both.

    Signals
    -------
    lesions_asked(Layer, Layer): the lesions of a mask are to be followed from the prior's mask.
    """

    lesions_asked = Signal(object, object)

    def __init__(self, window: Window) -> None:
        super().__init__()
        self.setWindowTitle("Priors")
        self._window, self._viewer = window, window.viewer
        self._opened: list[Study] = []
        self._current: Study | None = None
        self.placed: PlacedPrior | None = None
        self.shown = ShownPrior(self._viewer, window.grid_view)
        self._connect_buttons()
        self.runner = WorkRunner(self)
        self.run_bar.cancel_pressed.connect(self.runner.cancel)
        self.runner.running_changed.connect(self._on_running)
        self.runner.progressed.connect(self.run_bar.show_step)
        self.runner.succeeded.connect(self._on_done)
        self.runner.failed.connect(self._on_failed)
        self.runner.broke.connect(lambda: self._say(BROKEN))
        self.runner.cancelled.connect(lambda: self._say("Cancelled. Nothing was moved."))
        self._moves = RestingTimer(self, 200, self.place)
        self._offers = RestingTimer(self, 50, self.follow_studies)
        self._flicker_timer = QTimer(self)
        self._flicker_timer.setInterval(_FLICKER_TIME)
        self._flicker_timer.timeout.connect(self.flicker)
        self.choice.currentIndexChanged.connect(lambda _: self._on_prior())
        self.scan.currentIndexChanged.connect(lambda _: self._on_scan())
        self.prior_scan.currentIndexChanged.connect(lambda _: self._on_prior_scan())
        self.offset.changed.connect(self._moves.restart)
        window.signals.study_changed.connect(lambda _: self._on_study())
        window.signals.study_replaced.connect(self._on_replaced)
        window.signals.study_closed.connect(self._on_closed)
        window.signals.grid_changed.connect(lambda on: None if on else self._flicker_timer.stop())
        self._viewer.layers.events.removed.connect(self._on_removed)
        self._on_study()

    def _connect_buttons(self) -> None:
        self.beside_button.clicked.connect(lambda: self.side_by_side())
        self.board_button.clicked.connect(lambda: self.make("checkerboard"))
        self.edges_button.clicked.connect(lambda: self.make("edges"))
        self.difference_button.clicked.connect(lambda: self.make("difference"))
        self.flicker_button.clicked.connect(lambda on: self.flicker_on(on))
        self.lesions_button.clicked.connect(lambda: self.ask_lesions())
        self.picture_button.clicked.connect(lambda: ask_and_save(self, self._viewer))
        self.remove_button.clicked.connect(lambda: self.choice.choose(None))
        self.open_button.clicked.connect(lambda: self._ask_and_open())
        self.register_button.clicked.connect(lambda: self.register())
        self.file_button.clicked.connect(lambda: self._ask_for_transform())

    # -- what a script can call ----------------------------------------------------------------

    @property
    def pair(self) -> Pair | None:
        """What is chosen."""
        current, prior = self._window.study, self.choice.prior
        if current is None or prior is None or not (self.scan.role and self.prior_scan.role):
            return None
        return Pair(current, prior, self.scan.role, self.prior_scan.role)

    def open_prior(self, path: str | Path) -> None:
        """Open an earlier study in the background, and choose it."""
        self._start("open", partial(open_prior_work, Path(path)))

    def choose(self, prior: Study) -> None:
        """Take a study as the prior."""
        if prior not in self.choice.offered:
            self._opened.append(prior)
            self.follow_studies()
        self.choice.choose(prior)

    def place(self) -> None:
        """Show the prior where it is placed now, with the shift by hand."""
        pair = self.pair
        if pair is None:
            return
        if self.runner.running:
            self._moves.restart()
            return
        placement = kept_placement(self.placed, pair)
        self._start(pair, partial(place_work, pair, placement, self.offset.shift))

    def register(self) -> None:
        """Register the prior to the current scan, in the background."""
        if (pair := self.pair) is not None:
            self._start(pair, partial(register_work, pair))

    def use_transform(self, path: str | Path) -> None:
        """Place the prior by a transform file."""
        if (pair := self.pair) is not None:
            self._start(pair, partial(transform_work, pair, Path(path)))

    def side_by_side(self) -> None:
        """Current and prior beside each other."""
        self.flicker_on(False)
        self.shown.side_by_side()

    def make(self, what: MadeOf) -> None:
        """Make a picture of both, and show it beside them."""
        placed, current = self.placed, self._current
        if placed is None or current is None:
            return
        self.flicker_on(False)
        prior = placed.study[placed.pair.prior_role]
        scan = current[placed.pair.role]
        work = partial(made_picture_work, what, scan, prior, size_mm=self.field_size.value())
        self._start(placed, work)

    def flicker(self) -> None:
        """The other one of current and prior, in one picture."""
        self.shown.flicker()

    def flicker_words(self) -> str:
        """As `flicker`, once by a key; says what is seen now."""
        if not self.shown.shown:
            return "No prior is shown: choose one in the Priors panel"
        self.flicker_on(False)
        return "Prior" if self.shown.flicker() else "Current"

    def flicker_on(self, on: bool) -> None:
        """Let them come by turns by themselves, or stop."""
        on = on and self.shown.shown
        self.flicker_button.setChecked(on)
        if on:
            self.flicker()
            self._flicker_timer.start()
        else:
            self._flicker_timer.stop()

    def ask_lesions(self) -> None:
        """Follow the lesions from the prior's mask to the current one."""
        mask, earlier = self._current_mask(), self.shown.layer("mask")
        if mask is not None and earlier is not None:
            self.lesions_asked.emit(mask, earlier)

    def wait(self, seconds: float = 60.0) -> bool:
        """Keep the window alive until nothing runs here; for scripts and tests."""
        return self.runner.wait(seconds)

    def stop(self) -> None:
        """The window goes."""
        self._flicker_timer.stop()
        self.runner.cancel()

    def follow_studies(self) -> None:
        """Offer the visits of the study, other open studies, and those opened here."""
        study = self._window.study
        visits = {} if study is None else self._visits_of(study)
        others = [s for s in self._window.studies if s is not study]
        self.choice.offer([*visits.values(), *others, *self._opened])
        self._let_act()

    # -- within --------------------------------------------------------------------------------

    def _visits_of(self, study: Study) -> dict[str, Study]:
        """Made once a study: what is chosen stays the same object."""
        if self._visits is None or self._visits[0] is not study:
            self._visits = study, visits_of(study)
        return self._visits[1]

    _visits: tuple[Study, dict[str, Study]] | None = None

    def _start(self, asked: object, make: Any) -> None:
        self.runner.start(labelled_work(asked, make))

    def _on_running(self, running: bool) -> None:
        self.run_bar.set_running(running)
        self._let_act()

    def _on_study(self) -> None:
        study = self._window.study
        if study is not self._current:
            self._drop()
            self._current = study
            with_visits = {} if study is None else self._visits_of(study)
            newest = list(with_visits.values())[-1:]
            first = "" if study is None else first_shown(newest[0] if newest else study)
            self.scan.offer(study, first)
            self.choice.choose(None)
        self.follow_studies()

    def _on_replaced(self, old: Study, new: Study) -> None:
        self.shown.replace_study(old, new)
        if self._current is old:
            self._current = new
            self._drop()  # a role may be another's now
            self.scan.offer(new, first_shown(new))
            self.choice.choose(None)
        self._offers.restart()

    def _on_closed(self, study: Study, _reopened: bool) -> None:
        if self.choice.prior is study or self._current is study:
            self._drop()
            self.choice.choose(None)
        self._offers.restart()

    def _on_prior(self) -> None:
        prior = self.choice.prior
        self.offset.set_shift((0.0, 0.0, 0.0))
        self._drop()
        self.prior_scan.offer(prior, "" if prior is None else same_kind(self.scan.role, prior))
        self._let_act()
        self.place()

    def _on_scan(self) -> None:
        if (prior := self.choice.prior) is not None:
            self.prior_scan.choose(same_kind(self.scan.role, prior))
            self._moves.restart()

    def _on_prior_scan(self) -> None:
        if self.choice.prior is not None:
            self._moves.restart()

    def _on_done(self, told: Told) -> None:
        if isinstance(told.result, Study):
            self._opened.append(told.result)
            self.follow_studies()
            self.choice.choose(told.result)
        elif isinstance(told.result, MadePicture):
            self._show_made(told.asked, told.result)
        else:
            self._show_placed(told.result)

    def _show_placed(self, placed: PlacedPrior) -> None:
        pair, study = placed.pair, self._window.study
        scan = self._window.study_layer(pair.role)
        if study is None or scan is None or study is not pair.current:
            return
        if pair.prior is not self.choice.prior:
            return  # another one was chosen meanwhile
        moved_only = self.placed is not None and self.placed.pair.prior is pair.prior
        self.placed, self._current = placed, study
        self.offset.set_shift(placed.placement.by_hand)
        day = day_caption(pair.prior)
        captions = Captions(
            day_caption(study),
            " · ".join(part for part in (day, placed.placement.caption()) if part),
            not placed.placement.registered,
        )
        roles = (pair.prior_role, pair.mask_role)
        pictures = scan, self._current_mask()
        whole = self.shown.show(study, pictures, placed.study, roles, captions)
        if not (whole and moved_only and self._window.grid_view.active):
            self.shown.side_by_side()
        self._say()
        self._let_act()

    def _show_made(self, placed: PlacedPrior, made: MadePicture) -> None:
        if placed is not self.placed or self._current is None:
            return
        like = self._current[placed.pair.role]
        kind = "label" if made.what == "edges" else "image"
        volume = made_volume(like, made.data, placed.pair.role, kind)
        self.shown.show_made(made.what, volume, made.limit, made.words)
        self.shown.side_by_side()
        self._say(f"{made.words}.")

    def _say(self, first: str = "") -> None:
        """What came of something, and below it how the prior is placed."""
        self.run_bar.show_message("")
        placed = self.placed
        lines = [first] if first else []
        if placed is not None:
            pair = placed.pair
            lines.append(f"{placed.said or placed.placement.caption()}.")
            notes = [*pair_notes(pair.current, pair.prior), *placed.notes]
            if not of_one_kind(pair.role, pair.prior_role):
                notes.append("the two scans are of different kinds: a difference says nothing")
            lines += [f"⚠ {note}." for note in notes]
        self.said.setText("\n".join(line[:1].upper() + line[1:] for line in lines))

    def _on_failed(self, error: SparseExplainError) -> None:
        self._say(str(error))

    def _drop(self) -> None:
        """Nothing of a prior is shown any more."""
        self._flicker_timer.stop()
        self.flicker_button.setChecked(False)
        self.placed = None
        self.shown.clear()
        self.said.setText(INVITATION)
        self._let_act()

    def _on_removed(self, event: Any) -> None:
        """A layer was taken away by hand: with the prior's scan all of it goes."""
        known = event.value.metadata.get(METADATA_KEY)
        if isinstance(known, PriorLayer) and known.what == "scan" and self.placed is not None:
            self.choice.choose(None)

    def _current_mask(self) -> Layer | None:
        study = self._window.study
        role = "" if study is None else lesion_role(study)
        return self._window.study_layer(role) if role else None

    def _let_act(self) -> None:
        shown = self.placed is not None and self.shown.shown
        for button in (
            self.beside_button,
            self.board_button,
            self.edges_button,
            self.flicker_button,
            self.difference_button,
            self.picture_button,
        ):
            button.setEnabled(shown)
        masks = self._current_mask() is not None and self.shown.layer("mask") is not None
        self.lesions_button.setEnabled(shown and masks)
        self.remove_button.setEnabled(self.choice.prior is not None)
        self.offset.setEnabled(shown)
        needs = {self.register_button, self.file_button}
        none = {self.open_button} if self._window.study is None else set()
        self.run_bar.disable(none | (needs if self.pair is None else set()))

    def _ask_and_open(self) -> None:
        if path := QFileDialog.getExistingDirectory(self, "Open the folder of an earlier study"):
            self.open_prior(path)

    def _ask_for_transform(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self,
            "A transform from the prior to the current scan",
            "",
            "Transforms (*.tfm *.txt *.mat *.xfm *.lta)",
        )
        if path:
            self.use_transform(path)
