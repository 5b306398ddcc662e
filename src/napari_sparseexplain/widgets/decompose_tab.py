"""Decompose: what each class contributes to every modality, and the segmentation without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QCheckBox

from ..errors import SparseExplainError
from ..evidence import Explanation
from ..explanation.catalogue import method_info
from ..layers.component_layers import class_colours, short_class
from ..progress import Work
from ..volumes import Study
from .awaited_slice import AwaitedSlice
from .cell_choice import CellChoice
from .class_quality import ClassQuality
from .class_table import ClassTable
from .click_read_out import voxel_lines
from .decompose_session import METHOD, DecomposeSession, Shown, SliceAnswer
from .decomposition_picture import DecompositionPicture
from .explain_tab import ExplainTab
from .model_choice import DeviceChoice, ModelChoice, model_key
from .model_session import ModelKey
from .parameter_panel import ParameterPanel
from .preferences import preference
from .resting_timer import RestingTimer
from .results_list import Result
from .round_slider import RoundSlider
from .run_bar import BROKEN
from .shown_decomposition import ShownDecomposition
from .study_choice import StudyChoice
from .voxel_panel import VoxelPanel
from .work_runner import LatestRunner, Told, told_with
from .wrapped_label import wrapped_label

if TYPE_CHECKING:
    from .workspace import Workspace

#: The model to begin with, once it ships.
FIRST_DECOMPOSER = "jf-ml-ista"


@dataclass(eq=False)
class _Asked:
    """What a run is for."""

    study: Study
    key: ModelKey


class DecomposeTab(ExplainTab):
    """Model, run; the grid of modalities and classes; rounds, switches, thresholds, clicks."""

    title = "Decompose"

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._viewer = workspace.viewer
        self.session = DecomposeSession()
        self.shown: list[ShownDecomposition] = []
        self._asked: _Asked | None = None
        self._last_click: tuple[int, int, int] | None = None

        self.what.addRow("Study", StudyChoice(workspace))
        self.models = ModelChoice(
            architectures=method_info(METHOD).architectures, first=FIRST_DECOMPOSER
        )
        self.models.changed.connect(self._on_model)
        self.what.addRow("Model", self.models)
        self.device = DeviceChoice()
        self.what.addRow("Device", self.device)

        self.slice_button = self.run_bar.add_button(
            "Run on slice", "Decompose the slice in the picture"
        )
        self.volume_button = self.run_bar.add_button(
            "Run on volume", "Decompose every slice, with Cancel"
        )
        self.slice_button.clicked.connect(lambda: self.run_slice())
        self.volume_button.clicked.connect(lambda: self.run_volume())
        self.rounds = RoundSlider()
        self.rounds.changed.connect(self._on_state)
        self.follow = QCheckBox("Follow the slice")
        self.follow.setChecked(bool(preference("run.follow_slice")))
        self.follow.setToolTip("Decompose again when another slice is scrolled to")
        self.follow.toggled.connect(lambda on: self._on_follow())
        self.cells = CellChoice()
        self.picture = DecompositionPicture(workspace, self.cells)
        for widget in (self.rounds, self.follow, self.cells):
            self.extras.addWidget(widget)
        self.cells.cells_changed.connect(self._on_cells)
        self.cells.sharing_changed.connect(self._on_sharing)
        self.cells.view_changed.connect(self._on_view)

        self.classes = ClassTable()
        self.classes.switched.connect(self._on_state)
        self.results_box.addWidget(self.classes)
        self.quality = ClassQuality()
        self.results_box.addWidget(self.quality)
        self.notes = wrapped_label()
        self.notes.setEnabled(False)
        self.results_box.addWidget(self.notes)
        self.parameters = ParameterPanel()
        self.results_box.addWidget(self.parameters)
        self._words_timer = RestingTimer(self, 0, lambda: self.picture.follow(self._in_picture()))
        self._width_timer = RestingTimer(self, 0, self.fit_width)
        self.parameters.button.toggled.connect(self._width_timer.restart)
        self.voxel = VoxelPanel()
        page = self.widget()
        assert page is not None
        layout = page.layout()
        assert layout is not None
        # Below the words about the click, above the stretch at the foot.
        layout.insertWidget(layout.indexOf(self.read_out) + 1, self.voxel)  # pyright: ignore[reportAttributeAccessIssue]

        self.results.shown.connect(self._on_shown)
        self.results.grid.connect(lambda result: self._show(result.value, grid=True))
        self.results.removed.connect(lambda result: self._forget(result.value))
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
            self._words_timer.restart,
        )
        self.awaited.bind(self.runner, self.steps, self._on_follow)
        workspace.voxel_clicked.connect(self._on_click)
        workspace.slice_changed.connect(self._on_slice)
        workspace.study_replaced.connect(self._on_study_replaced)
        workspace.study_closed.connect(self._on_study_closed)
        workspace.study_changed.connect(lambda _: self._describe())
        self._on_model()

    # -- what a script can call --------------------------------------------------------------

    def run_slice(self, index: int | None = None) -> None:
        """Decompose one slice of the active study, the one in the picture unless told otherwise."""
        asked = self._ask_for()
        if asked is None:
            return
        number = self._workspace.current_slice if index is None else index
        state = self._state
        self._start(asked, partial(self.session.slice_work, asked.study, asked.key, number, state))

    def run_volume(self) -> None:
        """Decompose every slice of the active study."""
        asked = self._ask_for()
        if asked is not None:
            self._start(asked, partial(self.session.volume_work, asked.study, asked.key))

    def set_round(self, stage: int) -> None:
        """Move the slider: 1 is what is most salient, the last one the whole decomposition."""
        self.rounds.slider.setValue(stage)

    def switch(self, channel: int, on: bool) -> None:
        """Switch a class off, or on again, in the segmentation."""
        self.classes.checks[channel].setChecked(on)

    def likeliest(self, index: tuple[int, int, int]) -> int | None:
        """Channel of the likeliest class at a voxel of the decomposed slice."""
        shown = self._current()
        if shown is None or shown.answer is None or shown.answer.components.index != index[0]:
            return None
        reading = shown.answer.components.reading(index[1], index[2])
        return int(reading.probabilities.argmax())

    def show_grid(self) -> None:
        """Components side by side."""
        self.cells.show_view(grid=True)
        self._on_view()

    def show_classes_over_scan(self) -> None:
        """The predicted classes over one scan, with their names."""
        self.cells.show_view(grid=False)
        self._on_view()

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
        """Let check boxes follow the layers' own eyes, and words on the canvas the picture."""
        for shown in self.shown:
            if shown.result is not None and shown.result.line is not None:
                shown.result.line.set_shown(shown.visible)
        self.awaited.follow_layers()
        self.picture.follow(self._in_picture())

    # -- the form ----------------------------------------------------------------------------

    def _on_model(self) -> None:
        card = self.models.card
        self.classes.set_card(card)
        self.quality.set_card(card)
        self.cells.set_card(card)
        self.rounds.set_card(card)
        self._on_state()
        self._describe()

    @property
    def _state(self) -> Shown:
        """Round and switches as they are set."""
        return Shown(self.rounds.stage, self.classes.without)

    # -- running -----------------------------------------------------------------------------

    def _start(self, asked: _Asked, work: Callable[[], Work[Any]]) -> None:
        if self.runner.start(told_with(asked, work)):
            self._asked = asked

    def _ask_for(self) -> _Asked | None:
        try:
            key = model_key(self.models, self.device)
            study = self._workspace.needed_study()
        except SparseExplainError as error:
            self._on_failed(error)
            return None
        return _Asked(study, key)

    def _on_run_done(self, told: Told) -> None:
        asked: _Asked = told.asked
        found: SliceAnswer | Explanation = told.result
        study, key = asked.study, asked.key
        card = self.models.card if self.models.model == key.model else None
        self.show_done(study)
        answer = found if isinstance(found, SliceAnswer) else None
        explanation = found if isinstance(found, Explanation) else found.explanation
        shown = self._find(study, key) if answer is not None else None
        if shown is not None and answer is not None:
            self.awaited.end(shown)
            shown.take(answer)
        else:
            card = card or self.session.model(key).card
            shown = ShownDecomposition(study, key, card, explanation, answer)
            shown.on_limits = self._words_timer.restart
            self.shown.append(shown)
            shown.result = Result(shown.title, [], value=shown)
            self.results.add(shown.result)
        self._show(shown, grid=self.cells.grid_wanted)
        self._name_models()
        if answer is not None:
            self._workspace.go_to_slice(explanation.slices.start)
            if answer.shown != self._state:
                self._on_state()

    # -- round, switches, slice --------------------------------------------------------------

    def _on_state(self) -> None:
        """Another round or switch: answered from what is kept."""
        shown = self._current()
        if shown is not None:
            self._ask([shown], self.awaited.place_of(shown))

    def _on_follow(self) -> None:
        """Whether slices are followed may have changed."""
        self.awaited.update()
        self._on_slice(self._workspace.current_slice)

    def _on_slice(self, index: int) -> None:
        if not self.follow.isChecked() or self.runner.running:
            return
        moved = [
            s
            for s in self.shown
            if s.live
            and s.study is self._workspace.study
            and s.explanation.slices.start != index
            and s.visible
        ]
        if moved:
            self._ask(moved, index)

    def _ask(self, followers: list[ShownDecomposition], index: int) -> None:
        session, current, state = self.session, self._current(), self._state
        asks = [(s, (s.study, s.key, index, state if s is current else s.shown)) for s in followers]
        self.steps.submit(lambda: [(shown, session.answer(*ask)) for shown, ask in asks])

    def _on_answers(self, answers: list[tuple[ShownDecomposition, SliceAnswer]]) -> None:
        for shown, answer in answers:
            start = answer.explanation.slices.start
            if shown in self.shown and not self.awaited.overtaken(shown, start):
                self.awaited.end(shown)
                shown.take(answer)
        # A slider may have asked for one result in the place of all that waited: ask again.
        self.awaited.update()
        self._describe()

    def _on_study_replaced(self, old: Study, new: Study) -> None:
        """What was found in a study whose roles were edited goes on following the picture."""
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
            self._forget(shown)
        self.session.forget(study)

    # -- the picture -------------------------------------------------------------------------

    def _show(self, shown: ShownDecomposition, *, grid: bool) -> None:
        """Bring one result into the picture."""
        self.picture.show(shown, grid=grid)
        self._describe()

    def _in_picture(self) -> ShownDecomposition | None:
        """The result that is looked at: that of the chosen model, else the latest visible one."""
        current = self._current()
        if current is not None and current.visible:
            return current
        visible = [s for s in self.shown if s.study is self._workspace.study and s.visible]
        return visible[-1] if visible else current

    def _on_cells(self) -> None:
        shown = self._in_picture()
        if shown is not None:
            self._show(shown, grid=True)

    def _on_sharing(self) -> None:
        for shown in self.shown:
            self.picture.share_anew(shown)
        self._describe()

    def _on_view(self) -> None:
        shown = self._in_picture()
        if shown is not None:
            self._show(shown, grid=self.cells.grid_wanted)

    # -- results -----------------------------------------------------------------------------

    def _find(self, study: Study, key: ModelKey) -> ShownDecomposition | None:
        for shown in self.shown:
            if shown.live and shown.study is study and shown.key == key:
                shown.drop_missing(self._viewer.layers)
                return shown
        return None

    def _current(self) -> ShownDecomposition | None:
        """The slice of the chosen model and the active study."""
        study = self._workspace.study
        if study is None or not self.models.model:
            return None
        return self._find(study, ModelKey(self.models.model, self.device.device))

    def _describe(self) -> None:
        """Write scores, notes, thresholds and the last click anew."""
        shown = self._in_picture()
        for one in self.shown:
            if one.result is not None:
                one.describe()
                self.results.refresh(one.result)
        scores = {} if shown is None else shown.explanation.scores
        self.classes.show_scores(scores)
        self.notes.setText("" if shown is None else shown.notes)
        answer = None if shown is None else shown.answer
        self.parameters.show_rows(() if answer is None else answer.parameters)
        if self._last_click is not None:
            self._on_click(self._last_click)
        self.picture.follow(self._in_picture())
        self._width_timer.restart()

    def _name_models(self) -> None:
        several = len({s.card.title for s in self.shown}) > 1
        for shown in self.shown:
            shown.name_model(several)

    def _on_shown(self, result: Result, on: bool) -> None:
        shown: ShownDecomposition = result.value
        if on:
            self._show(shown, grid=self.cells.grid_wanted)
            self._on_slice(self._workspace.current_slice)
        elif self._workspace.grid_view.active:
            self._workspace.grid_view.discard(shown.all_layers)
        else:
            for layer in shown.all_layers:
                layer.visible = False

    def _forget(self, shown: ShownDecomposition) -> None:
        """Remove a result and its layers."""
        if shown in self.shown:
            self.shown.remove(shown)
        self.awaited.end(shown)
        self._workspace.grid_view.remove(shown.all_layers)
        if shown.result is not None:
            self.results.remove(shown.result)
        self._name_models()
        self._describe()

    def _on_click(self, index: tuple[int, int, int]) -> None:
        study = self._workspace.study
        if study is None:
            return
        self._last_click = index
        lines = voxel_lines(study, index)
        shown = self._in_picture()
        answer = None if shown is None or shown.study is not study else shown.answer
        if shown is None or answer is None or answer.components.index != index[0]:
            self.voxel.clear()
            if shown is not None:
                lines.append("This slice is not decomposed by itself: press Run on slice.")
        else:
            reading = answer.components.reading(index[1], index[2], answer.shown.stage)
            colours = class_colours(int(value) for value in shown.card.classes)
            self.voxel.show_reading(reading, [colours[int(v)] for v in shown.card.classes])
            best = reading.classes[int(reading.probabilities.argmax())]
            said = f"{short_class(best).lower()} is likeliest here"
            lines.append(f"{shown.title}: {said if reading.inside else 'outside: no class here'}")
        self._width_timer.restart()
        self.read_out.setText("\n".join(lines))
