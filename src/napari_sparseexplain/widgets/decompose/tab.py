"""Decompose: what each class contributes to every modality, and the segmentation without it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ...evidence import Explanation
from ...explanation.catalogue import method_info
from ...layers.component_layers import class_colours, short_class, strongest_cells
from ...progress import Work
from ...volumes import Study
from ..live_method_tab import LiveMethodTab, Question
from ..method_tab import Asked
from ..parts.model_choice import ModelChoice
from ..parts.resting_timer import RestingTimer
from ..view.click_read_out import voxel_lines
from ..window import Window
from .cell_choice import CellChoice
from .class_quality import ClassQuality
from .class_table import ClassTable
from .parameter_panel import ParameterPanel
from .picture import DecompositionPicture
from .round_slider import RoundSlider
from .session import METHOD, DecomposeSession, Shown, SliceAnswer
from .shown_decomposition import ShownDecomposition
from .voxel_panel import VoxelPanel

if TYPE_CHECKING:
    from napari.layers import Layer

    from ...explanation.slice_sheet.sheet import SheetPart
    from ..parts.model_session import ModelKey

#: The model to begin with, once it ships.
FIRST_DECOMPOSER = "jf-ml-ista"


class DecomposeTab(LiveMethodTab[DecomposeSession, ShownDecomposition]):
    """Model, run; the grid of modalities and classes; rounds, switches, thresholds, clicks."""

    name = "decompose"
    title = "Decompose"

    def __init__(self, window: Window) -> None:
        architectures = method_info(METHOD).architectures
        models = ModelChoice(architectures=architectures, first=FIRST_DECOMPOSER)
        super().__init__(window, DecomposeSession(), models)
        self.slice_button = self.add_run(
            "Run on slice", "Decompose the slice in the picture", self.run_slice
        )
        self.volume_button = self.add_run(
            "Run on volume", "Decompose every slice; can be cancelled", self.run_volume
        )
        self.rounds = RoundSlider()
        self.rounds.changed.connect(self.ask_current)
        self.follow.setToolTip("Decompose again when you scroll to another slice")
        self.cells = CellChoice()
        self.picture = DecompositionPicture(window, self.cells)
        for widget in (self.rounds, self.follow, self.cells):
            self.extras.addWidget(widget)
        self.cells.cells_changed.connect(self._on_cells)
        self.cells.sharing_changed.connect(self._on_sharing)
        self.cells.view_changed.connect(self._on_view)

        self.classes = ClassTable()
        self.classes.switched.connect(self.ask_current)
        self.quality = ClassQuality()
        self.parameters = ParameterPanel()
        self.parameters.button.toggled.connect(self._width_timer.restart)
        for widget in (self.classes, self.quality, self.notes, self.parameters):
            self.results_box.addWidget(widget)
        self._words_timer = RestingTimer(self, 0, lambda: self.picture.follow(self.in_picture))
        self.voxel = VoxelPanel()
        self.add_below_read_out(self.voxel)
        self.follow_model()

    # -- what a script can call --------------------------------------------------------------

    def set_round(self, stage: int) -> None:
        """Move the slider: 1 is what is most salient, the last one the whole decomposition."""
        self.rounds.slider.setValue(stage)

    def switch(self, channel: int, on: bool) -> None:
        """Switch a class off, or on again, in the segmentation."""
        self.classes.checks[channel].setChecked(on)

    def likeliest(self, index: tuple[int, int, int]) -> int | None:
        """Channel of the likeliest class at a voxel of the decomposed slice."""
        shown = self.current
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

    # -- the form ----------------------------------------------------------------------------

    def follow_model(self) -> None:
        """Classes, modalities and rounds are those of the model."""
        card = self.models.card
        for part in (self.classes, self.quality, self.cells, self.rounds):
            part.set_card(card)
        self.ask_current()
        self.describe()

    @property
    def _state(self) -> Shown:
        """Round and switches as they are set."""
        return Shown(self.rounds.stage, self.classes.without)

    # -- runs and answers --------------------------------------------------------------------

    def work(self, asked: Asked) -> Callable[[], Work[Any]]:
        """A slice's pursuit, which is kept; a volume's maps."""
        study, key, frame = asked.study, asked.key, asked.frame
        if not asked.live:
            return partial(self.session.volume_work, study, key, frame)
        index = asked.slices.start
        return partial(self.session.slice_work, study, key, index, self._state, frame)

    def question(self, shown: ShownDecomposition, index: int, *, current: bool) -> Question:
        """Round and switches are the chosen model's; others keep theirs."""
        state = self._state if current else shown.shown
        frame = shown.explanation.frame
        return partial(self.session.answer, shown.study, shown.key, index, state, frame), state

    def put(self, shown: ShownDecomposition, found: SliceAnswer, setting: Any) -> None:
        """Another slice, round or switch."""
        shown.take(found)

    def make_shown(self, asked: Asked, found: SliceAnswer | Explanation) -> ShownDecomposition:
        """The cells of one model."""
        card = self.models.card if self.models.model == asked.key.model else None
        card = card or self.session.model(asked.key).card
        answer = found if isinstance(found, SliceAnswer) else None
        explanation = found if isinstance(found, Explanation) else found.explanation
        shown = ShownDecomposition(asked.study, asked.key, card, explanation, answer)
        shown.on_limits = self._words_timer.restart
        return shown

    def adopt(self, study: Study, key: ModelKey, part: SheetPart) -> list[list[Layer]]:
        """The components of a sheet among the results; each class where it contributed most."""
        found, choice = part.made()
        for one in [s for s in self.shown if s.study is study and s.key == key and not s.live]:
            if one.explanation.slices == found.slices:
                self.forget(one)
        shown = ShownDecomposition(study, key, choice.card, found)
        shown.on_limits = self._words_timer.restart
        self.add(shown)
        strongest = strongest_cells(found, choice.card.inputs.roles)
        shown.add_layers(self._viewer, self.cells.contrast, strongest)
        self.describe()
        return [[layer] for layer in shown.layers.values()]

    def put_result(self, asked: Asked, found: SliceAnswer | Explanation) -> None:
        """Round and switches may have been moved while it ran."""
        super().put_result(asked, found)
        if isinstance(found, SliceAnswer) and found.shown != self._state:
            self.ask_current()

    # -- the picture -------------------------------------------------------------------------

    def show_run(self, shown: ShownDecomposition) -> None:
        """Side by side or over a scan, as it was chosen."""
        self.show_result(shown, grid=False)

    def show_result(self, shown: ShownDecomposition, *, grid: bool) -> None:
        """Bring one result into the picture."""
        self.picture.show(shown, grid=grid or self.cells.grid_wanted)
        self.describe()

    @property
    def in_picture(self) -> ShownDecomposition | None:
        """The result that is looked at: that of the chosen model, else the latest visible one."""
        current = self.current
        if current is not None and current.visible:
            return current
        visible = [s for s in self.shown if s.study is self._window.study and s.visible]
        return visible[-1] if visible else current

    def _on_cells(self) -> None:
        shown = self.in_picture
        if shown is not None:
            self.show_result(shown, grid=True)

    def _on_sharing(self) -> None:
        for shown in self.shown:
            self.picture.share_anew(shown)
        self.describe()

    def _on_view(self) -> None:
        shown = self.in_picture
        if shown is not None:
            self.show_result(shown, grid=False)

    def follow_layers(self) -> None:
        """Let check boxes follow the layers' own eyes, and words on the canvas the picture."""
        super().follow_layers()
        self.picture.follow(self.in_picture)

    def follow_awaited(self) -> None:
        """Words on the canvas say so."""
        self._words_timer.restart()

    # -- results -----------------------------------------------------------------------------

    def follow_results(self) -> None:
        """Names say which model a cell is from where there are several."""
        several = len({s.card.title for s in self.shown}) > 1
        for shown in self.shown:
            shown.name_model(several)

    def describe(self) -> None:
        """Write scores, notes, thresholds and the last click anew."""
        super().describe()
        shown = self.in_picture
        self.classes.show_scores({} if shown is None else shown.explanation.scores)
        self.notes.setText("" if shown is None else shown.notes)
        answer = None if shown is None else shown.answer
        self.parameters.show_rows(() if answer is None else answer.parameters)
        self.read_again()
        self.picture.follow(shown)

    def lines_at(self, study: Study, index: tuple[int, int, int]) -> list[str]:
        """What is likeliest there; the panel below says what the voxel is made of."""
        lines = voxel_lines(study, index)
        shown = self.in_picture
        answer = None if shown is None or shown.study is not study else shown.answer
        if shown is None or answer is None or answer.components.index != index[0]:
            self.voxel.clear()
            if shown is not None:
                lines.append("No values of single classes here yet: press Run on slice.")
        else:
            reading = answer.components.reading(index[1], index[2], answer.shown.stage)
            colours = class_colours(int(value) for value in shown.card.classes)
            self.voxel.show_reading(reading, [colours[int(v)] for v in shown.card.classes])
            best = reading.classes[int(reading.probabilities.argmax())]
            said = f"{short_class(best).lower()} is likeliest here"
            lines.append(f"{shown.title}: {said if reading.inside else 'outside: no class here'}")
        self._width_timer.restart()
        return lines
