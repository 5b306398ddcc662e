"""Attribution: where a model looked, by several methods side by side, and how far to trust it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QPushButton, QWidget

from ..errors import SparseExplainError
from ..explanation.catalogue import heat_methods, method_info
from ..networks.model_card import ModelCard
from ..progress import Work
from ..volumes import Study
from .attribution_picture import AttributionPicture
from .attribution_session import AttributionAnswer, AttributionAsk, AttributionSession
from .click_read_out import voxel_lines
from .explain_tab import ExplainTab, section_header
from .foreign_model_form import EXPLAINED_TASKS, ForeignModelForm
from .heat_controls import HeatControls
from .model_choice import DeviceChoice, ModelChoice, model_key
from .parameter_form import ParameterForm
from .resting_timer import RestingTimer
from .results_list import Result
from .shown_attribution import ShownAttribution
from .slice_range_choice import SliceRangeChoice
from .study_choice import StudyChoice
from .target_choice import TargetChoice
from .trust_panel import TrustPanel
from .work_runner import Told, told_with
from .wrapped_label import wrapped_label

if TYPE_CHECKING:
    from .workspace import Workspace

#: The method to begin with.
FIRST_METHOD = "xrai"


@dataclass(eq=False)
class _Asked:
    """What a run is for: the study as it is now, whatever roles it had when the run began."""

    study: Study


class AttributionTab(ExplainTab):
    """Model, target, method, run; maps side by side; sliders; how far to trust them; clicks."""

    title = "Attribution"

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._viewer = workspace.viewer
        self.session = AttributionSession()
        self.shown: list[ShownAttribution] = []
        self._last_click: tuple[int, int, int] | None = None
        self._study: Study | None = None
        self._asked: _Asked | None = None
        self._fill_what()
        self._fill_results()

        self.results.shown.connect(self._on_shown)
        self.results.grid.connect(self._on_alone)
        self.results.removed.connect(lambda result: self._forget(result.value))
        self.runner.succeeded.connect(self._on_run_done)
        workspace.voxel_clicked.connect(self._on_click)
        workspace.study_changed.connect(self._on_study)
        workspace.study_replaced.connect(self._on_study_replaced)
        workspace.study_closed.connect(self._on_study_closed)
        self._on_model()
        self._on_method()

    def _fill_what(self) -> None:
        """Part one and two: what to explain, and the buttons."""
        self.what.addRow("Study", StudyChoice(self._workspace))
        self.models = ModelChoice(tasks=EXPLAINED_TASKS)
        self.models.other_folder = self._on_folder
        self.models.changed.connect(self._on_model)
        self.file_button = QPushButton("File…")
        self.file_button.setToolTip(
            "A TorchScript or .pt2 file from elsewhere. Browse… also takes a MONAI bundle's folder."
        )
        self.file_button.clicked.connect(self._on_file)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.models, 1)
        line.addWidget(self.file_button)
        both = QWidget()
        both.setLayout(line)
        self.what.addRow("Model", both)
        self.foreign = ForeignModelForm()
        self.foreign.accepted.connect(self._on_foreign)
        self.what.addRow(self.foreign)
        self.device = DeviceChoice()
        self.what.addRow("Device", self.device)
        self.target = TargetChoice(self._workspace)
        self.what.addRow("Target", self.target)
        self.method = QComboBox()
        for info in heat_methods():
            self.method.addItem(info.title, info.name)
            self.method.setItemData(self.method.count() - 1, info.summary, 3)
        self.method.setCurrentIndex(self.method.findData(FIRST_METHOD))
        self.method.currentIndexChanged.connect(lambda _: self._on_method())
        self.what.addRow("Method", self.method)
        self.parameters = ParameterForm()
        self.what.addRow(self.parameters)
        self.range = SliceRangeChoice()
        self.what.addRow("Range", self.range)
        add = self.run_bar.add_button
        self.slice_button = add("Run on slice", "Explain the slice in the picture")
        self.range_button = add("Range", "Run on the slices of the range above, with Cancel")
        self.volume_button = add("Volume", "Run on every slice, with Cancel")
        self.slice_button.clicked.connect(lambda: self.run_slice())
        self.range_button.clicked.connect(lambda: self.run_range())
        self.volume_button.clicked.connect(lambda: self.run_volume())

    def _fill_results(self) -> None:
        """Part three: how maps are looked at, and the table of trust."""
        self.controls = HeatControls()
        self.extras.addWidget(self.controls)
        self.picture = AttributionPicture(self._workspace, self.controls)
        self.controls.view_changed.connect(lambda: self._show(self.in_picture))
        self.notes = wrapped_label()
        self.notes.setEnabled(False)
        self.results_box.addWidget(self.notes)
        self._trust_header = section_header("How far to trust it")
        self.results_box.addWidget(self._trust_header)
        self.trust = TrustPanel()
        self.trust.whole_wanted.connect(self.run_trust)
        self.results_box.addWidget(self.trust)
        self._width_timer = RestingTimer(self, 0, self.fit_width)
        self.parameters.button.toggled.connect(self._width_timer.poke)
        self._describe()

    # -- what a script can call --------------------------------------------------------------

    def run_slice(self, index: int | None = None) -> None:
        """Explain one slice of the active study, the one in the picture unless told otherwise."""
        number = self._workspace.current_slice if index is None else index
        self._run(slice(number, number + 1))

    def run_range(self) -> None:
        """Explain the slices of the range."""
        self._run(self.range.slices)

    def run_volume(self) -> None:
        """Explain every slice of the active study."""
        study = self._workspace.study
        self._run(slice(0, 1 if study is None else study.grid.shape[0]))

    def run_trust(self) -> None:
        """Every figure of the maps in the picture."""
        wanted = [one.answer for one in self.in_picture if not one.answer.whole]
        study = self._workspace.study
        if wanted and study is not None:
            self._start(study, partial(self.session.trust_work, wanted))

    def show_table(self) -> None:
        """Scroll to the table of trust."""
        self.ensureWidgetVisible(self.read_out)

    def choose_method(self, name: str, **values: float | int | bool | str) -> None:
        """Choose a method, with some of its parameters.

        Raises
        ------
        SparseExplainError
            There is no such method or parameter.
        """
        self.method.setCurrentIndex(self.method.findData(method_info(name).name))
        if values:
            self.parameters.set_values(values)

    @property
    def in_picture(self) -> list[ShownAttribution]:
        """Maps of the active study that are seen now."""
        return [s for s in self.shown if s.study is self._workspace.study and s.visible]

    def follow_layers(self) -> None:
        """Let check boxes, table and words follow the layers' own eyes."""
        self.target.refresh_layers()
        for one in self.shown:
            one.drop_missing(self._viewer.layers)
            if one.result is not None and one.result.line is not None:
                one.result.line.set_shown(one.visible)
        self.picture.follow(self.in_picture)
        self._describe()

    # -- the form ----------------------------------------------------------------------------

    def _on_model(self) -> None:
        card = self.models.card
        self.target.set_card(card)
        self.controls.set_card(card)

    def _on_method(self) -> None:
        self.parameters.set_method(method_info(self.method.currentData()))
        self.method.setToolTip(method_info(self.method.currentData()).summary)

    def _on_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "A model from elsewhere", "", "Models (*.pt *.pth *.ts *.pt2);;All files (*)"
        )
        if path:
            self._open_form(path)

    def _on_folder(self, folder: str) -> bool:
        if not any((Path(folder) / name).is_dir() for name in ("models", "configs")):
            return False
        self._open_form(folder)
        return True

    def _open_form(self, path: str) -> None:
        study = self._workspace.study
        self.foreign.open_for(path, () if study is None else tuple(study.images)[:1])
        self._width_timer.poke()

    def _on_foreign(self, path: str, card: ModelCard) -> None:
        self.session.set_card(path, card)
        self.models.put(path, card)
        self._width_timer.poke()

    # -- running -----------------------------------------------------------------------------

    def _run(self, slices: slice) -> None:
        try:
            ask = self._ask(slices)
        except SparseExplainError as error:
            self._on_failed(error)
            return
        identity = self.session.identity(ask)
        for one in self.shown:
            if one.study is ask.study and self.session.identity(one.answer.ask) == identity:
                self._show_beside(one)
                self.run_bar.say("It was computed before, and is shown again.")
                return
        self._start(ask.study, partial(self.session.attribution_work, ask))

    def _start(self, study: Study, work: Callable[[], Work[Any]]) -> None:
        asked = _Asked(study)
        if self.runner.start(told_with(asked, work)):
            self._asked = asked

    def _ask(self, slices: slice) -> AttributionAsk:
        key, study = model_key(self.models, self.device), self._workspace.needed_study()
        target, region = self.target.target(study)
        if (
            target.kind == "voxel"
            and target.index is not None
            and not slices.stop - slices.start > 1
        ):
            slices = slice(target.index[0], target.index[0] + 1)
        method = self.method.currentData()
        return AttributionAsk(study, key, method, self.parameters.values(), target, slices, region)

    def _on_run_done(self, told: Told) -> None:
        found: AttributionAnswer | list[AttributionAnswer] = told.result
        if isinstance(found, list):
            self._on_trust_done(told.asked.study, found)
            return
        study = told.asked.study
        if study not in self._workspace.studies:
            return
        shown = ShownAttribution(study, found)
        shown.result = Result(shown.title, [], value=shown)
        self.shown.append(shown)
        self._tell_apart()
        self.results.add(shown.result)
        self.say_done(study)
        self._show_beside(shown)

    def _on_trust_done(self, study: Study, answers: list[AttributionAnswer]) -> None:
        self.say_done(study)
        for answer in answers:
            for one in self.shown:
                if one.answer.ask is answer.ask:
                    one.answer = answer
        self._describe()

    def _on_study(self, study: Study | None) -> None:
        self.controls.set_study(study)
        if study is not self._study:
            self._study = study
            self.range.set_study(study, self._workspace.current_slice)
        self._describe()

    def _on_study_replaced(self, old: Study, new: Study) -> None:
        """What was found in a study whose roles were edited stays in the picture."""
        self._study = new if self._study is old else self._study
        if self._asked is not None and self._asked.study is old:
            self._asked.study = new
        for one in self.shown:
            if one.study is old:
                one.study = new

    def _on_study_closed(self, study: Study) -> None:
        """It is no more: results on it go, and what still runs on it comes too late."""
        if self._asked is not None and self._asked.study is study:
            self._asked = None
            self.runner.cancel()
        for one in [s for s in self.shown if s.study is study]:
            self._forget(one)
        self.session.forget(study)

    # -- the picture -------------------------------------------------------------------------

    def _show(self, shown: list[ShownAttribution]) -> None:
        """Put exactly these maps into the picture."""
        self.picture.show(shown)
        self._describe()

    def _show_beside(self, one: ShownAttribution) -> None:
        """Put a map beside those in the picture that lie on a slice of it."""
        span = one.explanation.slices
        others = [
            s
            for s in self.in_picture
            if s is not one
            and s.explanation.slices.start < span.stop
            and span.start < s.explanation.slices.stop
        ]
        wanted = {*others, one}
        self._show([s for s in self.shown if s in wanted])
        if not one.covers(self._workspace.current_slice):
            self._workspace.go_to_slice(span.start)

    def _tell_apart(self) -> None:
        """Say what differs where two maps have one name."""
        for one in self.shown:
            one.suffix = ""
        names = [one.name for one in self.shown]
        for one, name in zip(self.shown, names, strict=True):
            alike = [s for s, n in zip(self.shown, names, strict=True) if n == name]
            if len({s.setting for s in alike}) > 1:
                one.suffix = one.setting
            one.write_names()

    def _describe(self) -> None:
        """Write lines, notes and the table of trust anew."""
        for one in self.shown:
            if one.result is not None:
                one.describe()
                self.results.refresh(one.result)
        seen = self.in_picture
        several = len({one.short for one in seen}) < len(seen)
        self.trust.show_trust(
            [
                (
                    one.name if several else one.short,
                    one.answer.trust,
                    one.answer.why_not,
                    one.answer.whole,
                )
                for one in seen
            ]
        )
        self._trust_header.setVisible(bool(seen))
        said = dict.fromkeys(note for one in seen for note in one.explanation.notes)
        self.notes.setText("\n".join(said))
        self.notes.setVisible(bool(said))
        if self._last_click is not None:
            self._read(self._last_click)
        self._width_timer.poke()

    def _on_shown(self, result: Result, on: bool) -> None:
        one: ShownAttribution = result.value
        if on:
            self._show_beside(one)
        else:
            self._show([s for s in self.in_picture if s is not one])

    def _on_alone(self, result: Result) -> None:
        self._show_beside(result.value)

    def _forget(self, one: ShownAttribution) -> None:
        """Remove a result and its layers; what it took to compute stays known."""
        if one in self.shown:
            self.shown.remove(one)
        self._workspace.grid_view.remove(one.layers.values())
        if one.result is not None:
            self.results.remove(one.result)
        self._tell_apart()
        self.picture.follow(self.in_picture)
        self._describe()

    # -- clicks ------------------------------------------------------------------------------

    def _on_click(self, index: tuple[int, int, int]) -> None:
        self.target.clicked(index)
        self._read(index)

    def _read(self, index: tuple[int, int, int]) -> None:
        study = self._workspace.study
        if study is None:
            return
        self._last_click = index
        lines = voxel_lines(study, index)
        for one in self.in_picture:
            lines += one.reading(index)
        self.read_out.setText("\n".join(lines))
