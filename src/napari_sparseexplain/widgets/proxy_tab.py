"""Proxy: run a segmentation network and see the signals inside it, side by side, for any α."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton
from superqt import QLabeledDoubleSlider
from superqt.utils import signals_blocked

from ..errors import SparseExplainError
from ..evidence import Explanation
from ..explanation.catalogue import method_info
from ..volumes import Study
from .awaited_slice import AwaitedSlice
from .band_table import BandTable
from .click_read_out import voxel_lines
from .explain_tab import ExplainTab, section_header
from .live_slice import ShownExplanation
from .model_choice import WITH_THRESHOLDS, DeviceChoice, ModelChoice, model_key
from .model_session import ModelKey
from .notices import tell_error
from .preferences import preference
from .proxy_session import METHOD, Ask, ProxySession
from .results_list import Result, details_text, score_text
from .run_bar import BROKEN
from .study_choice import StudyChoice
from .work_runner import LatestRunner, Told, told_with
from .wrapped_label import wrapped_label

if TYPE_CHECKING:
    from .workspace import Workspace


@dataclass(eq=False)
class _Asked:
    """What a run is for."""

    study: Study
    key: ModelKey
    alpha: float
    live: bool


class ProxyTab(ExplainTab):
    """Model, device, run; the five columns of the paper's Fig. 2; α; what each level suppressed.

    Signals
    -------
    slice_shown(ShownExplanation): a slice was run, or a new α or slice went into its layers.
    """

    title = "Proxy"
    slice_shown = Signal(object)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._viewer = workspace.viewer
        self.session = ProxySession()
        self.shown: list[ShownExplanation] = []
        self._asked: _Asked | None = None

        self.what.addRow("Study", StudyChoice(workspace))
        self.models = ModelChoice(architectures=method_info(METHOD).architectures)
        self.models.changed.connect(self._on_model)
        self.what.addRow("Model", self.models)
        self.device = DeviceChoice()
        self.what.addRow("Device", self.device)

        self.slice_button = self.run_bar.add_button(
            "Run on slice", "The signals of the slice in the picture"
        )
        self.volume_button = self.run_bar.add_button(
            "Run on volume", "The signals of every slice, with Cancel"
        )
        self.slice_button.clicked.connect(lambda: self.run_slice())
        self.volume_button.clicked.connect(lambda: self.run_volume())
        self._add_alpha()

        self.notes = wrapped_label()
        self.notes.setEnabled(False)
        self.results_box.addWidget(self.notes)
        self._band_header = section_header("Bands")
        self.results_box.addWidget(self._band_header)
        self.bands = BandTable()
        self.results_box.addWidget(self.bands)
        self.bands_button = QPushButton("Show bands side by side")
        self.bands_button.setToolTip(
            "Root mean square of each level's feature maps, before and after its thresholds"
        )
        self.bands_button.clicked.connect(lambda: self.show_bands())
        self.results_box.addWidget(self.bands_button)
        self._show_band_part(False)

        self.results.shown.connect(self._on_shown)
        self.results.grid.connect(self._on_grid)
        self.results.removed.connect(self._on_removed)
        self.runner.succeeded.connect(self._on_run_done)
        self.steps = LatestRunner(self)
        self.steps.succeeded.connect(self._on_answers)
        self.steps.succeeded.connect(lambda _: self.run_bar.forget_error())
        self.steps.failed.connect(self._on_failed)
        self.steps.broke.connect(lambda: self.run_bar.show_error(BROKEN))
        self.awaited = AwaitedSlice(
            workspace,
            lambda: [shown for shown in self.shown if shown.live],
            lambda: self.follow.isChecked() and not self.runner.running,
            lambda: None if self.computing else self._on_slice(workspace.current_slice),
        )
        self.awaited.bind(self.runner, self.steps, self._on_follow)
        workspace.voxel_clicked.connect(self._on_click)
        workspace.slice_changed.connect(self._on_slice)
        workspace.study_replaced.connect(self._on_study_replaced)
        workspace.study_closed.connect(self._on_study_closed)
        self._on_model()

    # -- what a script can call --------------------------------------------------------------

    def run_slice(self, index: int | None = None) -> None:
        """Run on one slice of the active study, the one in the picture unless told otherwise."""
        number = self._workspace.current_slice if index is None else index
        self._run(slice(number, number + 1), live=True)

    def run_volume(self) -> None:
        """Run on every slice of the active study."""
        if self._workspace.study is not None:
            self._run(slice(0, self._workspace.study.grid.shape[0]), live=False)
        else:
            self._run(slice(0, 0), live=False)

    def set_alpha(self, alpha: float) -> None:
        """Move the slider: the current slice follows."""
        self.alpha.setValue(alpha)

    def show_bands(self) -> None:
        """Put the bands of the current model's slice side by side."""
        shown = self._current()
        if shown is None:
            tell_error(
                SparseExplainError("no slice was run yet", remedy="First press Run on slice")
            )
            return
        shown.add_layers(self._viewer, bands=True)
        if shown.bands:
            self._workspace.grid_view.show(shown.bands)

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

    def follow_layers(self) -> None:
        """Let the check boxes follow the layers' own eyes."""
        for shown in self.shown:
            if shown.result is not None and shown.result.line is not None:
                shown.result.line.set_shown(shown.visible)
        self.awaited.follow_layers()

    # -- the form ----------------------------------------------------------------------------

    def _add_alpha(self) -> None:
        self.alpha = QLabeledDoubleSlider()
        self.alpha.setOrientation(Qt.Orientation.Horizontal)
        self.alpha.setRange(0.0, 1.0)
        self.alpha.setSingleStep(0.01)  # pyright: ignore[reportArgumentType]
        self.alpha.setDecimals(2)
        self.alpha.setValue(1.0)
        self.alpha.setToolTip(
            "Factor on every learned threshold. 1: the network as trained. 0: its linear part."
        )
        self.alpha.valueChanged.connect(self._on_alpha)
        line = QHBoxLayout()
        self._alpha_label = QLabel("α")
        line.addWidget(self._alpha_label)
        line.addWidget(self.alpha, 1)
        self.extras.addLayout(line)
        self.follow = QCheckBox("Follow the slice")
        self.follow.setChecked(bool(preference("run.follow_slice")))
        self.follow.setToolTip("Run again when another slice is scrolled to")
        self.follow.toggled.connect(lambda on: self._on_follow())
        self.extras.addWidget(self.follow)

    def _on_model(self) -> None:
        card = self.models.card
        bends = card is not None and card.architecture in WITH_THRESHOLDS
        self.alpha.setEnabled(bends)
        self._alpha_label.setEnabled(bends)
        if not bends:
            with signals_blocked(self.alpha):
                self.alpha.setValue(1.0)
        shown = self._current()
        if shown is not None:
            self._describe(shown)

    # -- running -----------------------------------------------------------------------------

    def _run(self, slices: slice, *, live: bool) -> None:
        try:
            key = model_key(self.models, self.device)
            study = self._workspace.needed_study()
        except SparseExplainError as error:
            self._on_failed(error)
            return
        alpha = self.alpha.value()
        asked = _Asked(study, key, alpha, live)
        work = partial(self.session.run_work, study, key, slices, alpha, bands=live)
        if self.runner.start(told_with(asked, work)):
            self._asked = asked

    def _on_run_done(self, told: Told) -> None:
        asked: _Asked = told.asked
        explanation: Explanation = told.result
        study, key, alpha, live = asked.study, asked.key, asked.alpha, asked.live
        self.show_done(study)
        shown = self._find(study, key) if live else None
        if shown is not None and {m.name for m in shown.explanation.maps} == {
            m.name for m in explanation.maps
        }:
            self.awaited.end(shown)
            shown.take(explanation, alpha)
        else:
            if shown is not None:
                self._forget(shown)
            roles = self.session.model(key).card.inputs.roles
            title = self._model_title(key)
            shown = ShownExplanation(study, key, title, explanation, alpha, live, roles)
            self.shown.append(shown)
        shown.add_layers(self._viewer, bands=False)
        if shown.result is None:
            shown.result = Result(shown.title, [], value=shown)
            self.results.add(shown.result)
        self._describe(shown)
        self._workspace.grid_view.show(shown.columns)
        self._viewer.layers.selection.active = shown.layers.get("signal")
        self._workspace.go_to_slice(
            explanation.slices.start if live else self._workspace.current_slice
        )
        self.slice_shown.emit(shown)

    def _model_title(self, key: ModelKey) -> str:
        card = self.models.card
        if card is not None and self.models.model == key.model:
            return card.title or card.name
        return key.model

    # -- a new α or slice --------------------------------------------------------------------

    def _on_alpha(self, alpha: float) -> None:
        shown = self._current()
        if shown is not None:
            self._ask([shown], self.awaited.place_of(shown), alpha)

    def _on_study_replaced(self, old: Study, new: Study) -> None:
        """What was found in a study whose roles were edited goes on following the picture."""
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
            self._forget(shown)
        self.session.forget(study)

    def _on_follow(self) -> None:
        """Whether slices are followed may have changed."""
        self.awaited.update()
        self._on_slice(self._workspace.current_slice)

    def _on_slice(self, index: int) -> None:
        if not self.follow.isChecked() or self.runner.running:
            return
        followers = [
            s for s in self.shown if s.live and s.study is self._workspace.study and s.visible
        ]
        moved = [s for s in followers if s.explanation.slices.start != index]
        if moved:
            self._ask(moved, index, self.alpha.value())

    def _ask(self, followers: list[ShownExplanation], index: int, alpha: float) -> None:
        """Answer in the background; what is asked for meanwhile overtakes.

        The slider's α is the chosen model's; others keep theirs.
        """
        current = self._current()
        asks = [
            (
                shown,
                Ask(
                    shown.study,
                    shown.key,
                    index,
                    alpha if shown is current else shown.alpha,
                    shown.explanation,
                ),
            )
            for shown in followers
        ]
        session = self.session
        self.steps.submit(lambda: [(shown, ask, session.answer(ask)) for shown, ask in asks])

    def _on_answers(self, answers: list[tuple[ShownExplanation, Ask, Explanation]]) -> None:
        for shown, ask, explanation in answers:
            if shown in self.shown and not self.awaited.overtaken(shown, ask.index):
                self.awaited.end(shown)
                shown.take(explanation, ask.alpha)
                self._describe(shown)
                self.slice_shown.emit(shown)
        # A slider may have asked for one result in the place of all that waited: ask again.
        self.awaited.update()

    # -- results -----------------------------------------------------------------------------

    def _find(self, study: Study, key: ModelKey) -> ShownExplanation | None:
        for shown in self.shown:
            if shown.live and shown.study is study and shown.key == key:
                shown.drop_missing(self._viewer.layers)
                return shown
        return None

    def _current(self) -> ShownExplanation | None:
        """The slice of the chosen model and the active study."""
        study = self._workspace.study
        if study is None or not self.models.model:
            return None
        return self._find(study, ModelKey(self.models.model, self.device.device))

    def _describe(self, shown: ShownExplanation) -> None:
        explanation = shown.explanation
        if shown.result is not None:
            shown.result.title = shown.title
            shown.result.layers = list(shown.layers.values())
            shown.result.score = score_text(explanation.scores)
            shown.result.details = details_text(explanation.scores, explanation.notes)
            self.results.refresh(shown.result)
        self.notes.setText("\n".join(explanation.notes))
        self.bands.show_scores(explanation.scores)
        self._show_band_part(not self.bands.isHidden())
        self.fit_width()

    def _show_band_part(self, on: bool) -> None:
        self._band_header.setVisible(on)
        self.bands_button.setVisible(on)

    def _on_shown(self, result: Result, on: bool) -> None:
        shown: ShownExplanation = result.value
        grid = self._workspace.grid_view
        if on:
            grid.add(shown.columns) if grid.active else _set_visible(shown, True)
            self._on_slice(self._workspace.current_slice)
        elif grid.active:
            grid.discard(list(shown.layers.values()))
        else:
            _set_visible(shown, False)

    def _on_grid(self, result: Result) -> None:
        shown: ShownExplanation = result.value
        shown.drop_missing(self._viewer.layers)
        shown.add_layers(self._viewer, bands=False)
        self._workspace.grid_view.show(shown.columns)
        if result.line is not None:
            result.line.set_shown(True)
        self._on_slice(self._workspace.current_slice)

    def _on_removed(self, result: Result) -> None:
        self._forget(result.value)

    def _forget(self, shown: ShownExplanation) -> None:
        """Remove a result and its layers."""
        if shown in self.shown:
            self.shown.remove(shown)
        self.awaited.end(shown)
        self._workspace.grid_view.remove(shown.layers.values())
        if shown.result is not None:
            self.results.remove(shown.result)
        if not self.shown:
            self.notes.setText("")
            self.bands.show_scores({})
            self._show_band_part(False)

    def _on_click(self, index: tuple[int, int, int]) -> None:
        study = self._workspace.study
        if study is None:
            return
        lines = voxel_lines(study, index)
        for shown in self.shown:
            if shown.study is study and (values := shown.values_at(index)):
                lines += [shown.title, *("   " + value for value in values)]
        self.read_out.setText("\n".join(lines))


def _set_visible(shown: ShownExplanation, on: bool) -> None:
    for layer in shown.columns:
        layer.visible = on
