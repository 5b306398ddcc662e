"""Attribution: where a model looked, by several methods side by side, and how far to trust it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ...explanation.catalogue import heat_methods
from ...progress import Work
from ...volumes import Study
from ..explain_tab import section_header
from ..method_tab import Asked, MethodTab
from ..parts.external_model_form import EXPLAINED_TASKS
from ..parts.external_models import ExternalModels
from ..parts.model_choice import ModelChoice
from ..parts.model_session import ModelKey
from ..parts.slice_range_choice import SliceRangeChoice
from ..parts.target_choice import TargetChoice
from ..parts.work_runner import Told
from ..view.click_read_out import voxel_lines
from ..window import Window
from .heat_controls import HeatControls
from .method_choice import MethodChoice
from .picture import AttributionPicture
from .session import AttributionAnswer, AttributionAsk, AttributionSession, answer_of
from .shown_attribution import ShownAttribution
from .trust_panel import TrustPanel

if TYPE_CHECKING:
    from napari.layers import Layer

    from ...explanation.slice_sheet.sheet import SheetPart

#: The method to begin with.
FIRST_METHOD = "xrai"


class AttributionTab(MethodTab[AttributionSession, ShownAttribution]):
    """Model, target, method, run; maps side by side; sliders; how far to trust them; clicks."""

    name = "attribution"
    title = "Attribution"

    def __init__(self, window: Window) -> None:
        models = ModelChoice(tasks=EXPLAINED_TASKS)
        foreign = ExternalModels(window, models)
        super().__init__(window, AttributionSession(), models, beside=[foreign.button])
        self._study: Study | None = None
        self._foreign = foreign
        self._fill_what()
        self._fill_results()
        self.follow_model()

    def _fill_what(self) -> None:
        """Part one and two: what to explain, and the buttons."""
        self._foreign.accepted.connect(self.session.set_card)
        self._foreign.resized.connect(self._width_timer.restart)
        self.foreign = self._foreign.form
        # Below the row of the model, above that of the device.
        self.what.insertRow(self.what.rowCount() - 1, self.foreign)
        self.target = TargetChoice(self._window)
        self.what.addRow("Target", self.target)
        self.method = MethodChoice(heat_methods(), FIRST_METHOD)
        self.what.addRow("Method", self.method)
        self.choose_method = self.method.choose
        self.parameters = self.method.parameters
        self.parameters.button.toggled.connect(self._width_timer.restart)
        self.what.addRow(self.parameters)
        self.range = SliceRangeChoice()
        self._window.signals.slice_changed.connect(self.range.follow)
        self.what.addRow("Range", self.range)
        add = self.add_run
        self.slice_button = add("Run on slice", "Explain the slice in the picture", self.run_slice)
        self.range_button = add(
            "Range", "Run on the slices of the range above; can be cancelled", self.run_range
        )
        self.volume_button = add("Volume", "Run on every slice; can be cancelled", self.run_volume)

    def _fill_results(self) -> None:
        """Part three: how maps are looked at, and the table of trust."""
        self.controls = HeatControls()
        self.extras.addWidget(self.controls)
        self.picture = AttributionPicture(self._window, self.controls)
        self.controls.view_changed.connect(lambda: self._show(self.in_picture))
        self.results_box.addWidget(self.notes)
        self._trust_header = section_header("How far to trust it")
        self.results_box.addWidget(self._trust_header)
        self.trust = TrustPanel()
        self.trust.whole_wanted.connect(self.run_trust)
        self.results_box.addWidget(self.trust)
        self.describe()

    # -- what a script can call --------------------------------------------------------------

    def run_range(self) -> None:
        """Explain the slices of the range."""
        self.run(self.range.slices)

    def run_trust(self) -> None:
        """Every figure of the maps in the picture."""
        wanted = [one.answer for one in self.in_picture if not one.answer.whole]
        study = self._window.study
        if wanted and study is not None:
            ask = wanted[0].ask
            asked = Asked(study, ask.key, ask.slices)
            self.start(asked, partial(self.session.trust_work, wanted))

    def show_table(self) -> None:
        """Scroll to the table of trust."""
        self.ensureWidgetVisible(self.read_out)

    @property
    def in_picture(self) -> list[ShownAttribution]:
        """Maps of the active study that are seen now."""
        return [s for s in self.shown if s.study is self._window.study and s.visible]

    # -- the form ----------------------------------------------------------------------------

    def follow_model(self) -> None:
        """Targets and scans are those of the model."""
        card = self.models.card
        self.target.set_card(card)
        self.controls.set_card(card)

    # -- runs --------------------------------------------------------------------------------

    def asked(self, study: Study, key: ModelKey, slices: slice, *, live: bool) -> Asked | None:
        """The map of the form; None where it was computed before, and is shown again."""
        target, region = self.target.target(study)
        single = not slices.stop - slices.start > 1
        if target.kind == "voxel" and target.index is not None and single:
            slices = slice(target.index[0], target.index[0] + 1)
        method, values = self.method.method, self.parameters.values()
        frame = self.frame_of(study)
        ask = AttributionAsk(study, key, method, values, target, slices, region, frame)
        identity = self.session.identity(ask)
        for one in self.shown:
            if one.study is study and self.session.identity(one.answer.ask) == identity:
                self._show_beside(one)
                self.run_bar.show_message("It was computed before, and is shown again.")
                return None
        return Asked(study, key, slices, setting=ask)

    def work(self, asked: Asked) -> Callable[[], Work[Any]]:
        """A map, and what can be said of it at once."""
        return partial(self.session.attribution_work, asked.setting)

    def _on_run_done(self, told: Told) -> None:
        # A map of a study whose layers were all removed stands beside nothing.
        if isinstance(told.result, list) or told.asked.study in self._window.studies:
            super()._on_run_done(told)

    def adopt(self, study: Study, key: ModelKey, part: SheetPart) -> list[list[Layer]]:
        """A map of a sheet among the results; gives the layers of its cells."""
        answer = answer_of(study, key, part)
        self.session.keep(answer)
        identity = self.session.identity(answer.ask)
        for one in [s for s in self.shown if s.study is study]:
            if self.session.identity(one.answer.ask) == identity:
                self.forget(one)
        shown = ShownAttribution(study, answer)
        self.add(shown)
        cells = self.picture.place(shown)
        self.describe()
        return [cells]

    def judge(self, part: SheetPart) -> None:
        """A map of a sheet was tested further: its table here is the same."""
        for one in self.shown:
            if one.explanation is part.explanation and not one.answer.whole:
                one.answer = replace(one.answer, trust=part.trust, why_not=part.why_not)
                self.session.keep(one.answer)
        self.describe()

    def put_result(self, asked: Asked, found: AttributionAnswer | list[AttributionAnswer]) -> None:
        """A new map beside those that are there, or the whole table of some."""
        if isinstance(found, AttributionAnswer):
            shown = ShownAttribution(asked.study, found)
            self.add(shown)
            self._show_beside(shown)
            return
        for answer in found:
            for one in self.shown:
                if one.answer.ask is answer.ask:
                    one.answer = answer
        self.describe()

    # -- studies -----------------------------------------------------------------------------

    def follow_study(self, study: Study | None) -> None:
        """Another study is active, or the active one was edited."""
        self.controls.set_study(study)
        if study is not self._study:
            self._study = study
            self.range.set_study(study, self._window.current_slice)
        super().follow_study(study)

    def _on_study_replaced(self, old: Study, new: Study) -> None:
        self._study = new if self._study is old else self._study
        super()._on_study_replaced(old, new)

    # -- the picture -------------------------------------------------------------------------

    def _show(self, shown: list[ShownAttribution]) -> None:
        """Put exactly these maps into the picture."""
        self.picture.show(shown)
        self.describe()

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
        if not one.explanation.covers(self._window.current_slice):
            self._window.go_to_slice(span.start)

    def show_result(self, shown: ShownAttribution, *, grid: bool) -> None:
        """Maps stand side by side, whichever button brings them."""
        self._show_beside(shown)

    def hide_result(self, shown: ShownAttribution) -> None:
        """The others stay."""
        self._show([s for s in self.in_picture if s is not shown])

    def follow_layers(self) -> None:
        """Let check boxes, table and words follow the layers' own eyes."""
        self.target.refresh_layers()
        for one in self.shown:
            one.drop_missing(self._viewer.layers)
        super().follow_layers()
        self.picture.follow(self.in_picture)
        self.describe()

    # -- results -----------------------------------------------------------------------------

    def follow_results(self) -> None:
        """Say what differs where two maps have one name."""
        for one in self.shown:
            one.suffix = ""
        names = [one.name for one in self.shown]
        for one, name in zip(self.shown, names, strict=True):
            alike = [s for s, n in zip(self.shown, names, strict=True) if n == name]
            if len({s.setting for s in alike}) > 1:
                one.suffix = one.setting
            one.write_names()
        self.picture.follow(self.in_picture)

    def describe(self) -> None:
        """Write lines, notes and the table of trust anew."""
        super().describe()
        seen = self.in_picture
        several = len({one.short for one in seen}) < len(seen)
        self.trust.show_trust([one.trust_entry(several) for one in seen])
        self._trust_header.setVisible(bool(seen))
        said = dict.fromkeys(note for one in seen for note in one.explanation.notes)
        self.notes.setText("\n".join(said))
        self.notes.setVisible(bool(said))
        self.read_again()

    def lines_at(self, study: Study, index: tuple[int, int, int]) -> list[str]:
        """The value of every map in the picture, and its region."""
        lines = voxel_lines(study, index)
        for one in self.in_picture:
            lines += one.lines_at(index)
        return lines

    def _on_click(self, index: tuple[int, int, int]) -> None:
        self.target.clicked(index)
        super()._on_click(index)
