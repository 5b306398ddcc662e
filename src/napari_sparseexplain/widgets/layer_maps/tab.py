"""Layers: what every layer of a network holds for the slice, and what a layer sees of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from napari.layers import Layer

from ...errors import SparseExplainError
from ...evidence import Explanation
from ...layers.batched_changes import batched_changes
from ...layers.canvas.frame_in_picture import frame_of_scans
from ...progress import Work
from ...volumes import Study
from ...volumes.reading_order import first_shown
from ..explain_tab import section_header
from ..live_method_tab import LiveMethodTab, Question
from ..method_tab import Asked
from ..parts.external_models import ExternalModels
from ..parts.model_choice import ModelChoice
from ..parts.model_session import ModelKey
from ..parts.resting_timer import RestingTimer
from ..parts.target_choice import offered_classes
from ..view.click_read_out import voxel_lines
from ..window import Window
from .cells_beside import CellsBeside
from .layer_form import LayerForm
from .lower_panels import LowerPanels
from .probe_bars import ProbeBars
from .session import METHOD, LayersAnswer, LayerSetting, LayersSession
from .shown_layer_maps import ShownLayerMaps


class LayersTab(LiveMethodTab[LayersSession, ShownLayerMaps]):
    """Model, run; the layers to tick; single maps; a click's receptive field; Grad-CAM; probes.

    Attributes
    ----------
    form : LayerForm
        Which layers and maps are shown, and whose receptive field.
    probes : ProbeBars
        How well the mask can be read from each layer.
    beside : CellsBeside
        Finds receptive fields, Grad-CAM and kernels.
    """

    name = "layers"
    title = "Layers"

    def __init__(self, window: Window) -> None:
        models = ModelChoice()
        foreign = ExternalModels(window, models)
        super().__init__(window, LayersSession(), models)
        self._told: ShownLayerMaps | None = None
        self._fill_models(foreign)
        self.slice_button = self.add_run(
            "Run on slice", "All layers of the slice in the picture, in one pass", self.run_slice
        )
        self.volume_button = self.add_run(
            "Run on volume", "The ticked layers of every slice; can be cancelled", self.run_volume
        )
        self._ask_timer = RestingTimer(self, 60, self._ask_ticked)
        self._fill_extras()
        self.results_box.addWidget(self.notes)
        self._fill_probes()
        self.panels = LowerPanels(window)
        self.plots = self.panel = self.panels.kernels
        self.beside = CellsBeside(self, window, self.panel, self)
        self.cine, self.training = self.panels.cine, self.panels.training
        self.extras.addWidget(self.panels)
        self.device.currentIndexChanged.connect(lambda _: self.follow_model())
        self.follow_model()

    def _fill_models(self, foreign: ExternalModels) -> None:
        foreign.accepted.connect(self.session.set_card)
        foreign.resized.connect(self._width_timer.restart)
        self._foreign = foreign
        row = self.models.layout()
        if row is not None:
            row.addWidget(foreign.button)
        self.what.insertRow(self.what.rowCount() - 1, foreign.form)

    def _fill_extras(self) -> None:
        self.extras.addWidget(self.follow)
        self.form = LayerForm()
        self.layers, self.maps, self.order = self.form.layers, self.form.maps, self.form.order
        self.extras.addWidget(self.form)
        self.form.changed.connect(self._ask_timer.restart)
        self.form.kernels_button.clicked.connect(lambda: self.show_kernels())
        self.form.probes_button.clicked.connect(lambda: self.run_probes())

    def _fill_probes(self) -> None:
        self._probes_header = section_header("Probes: the mask read from each layer")
        self.probes = ProbeBars()
        self._probed: tuple[Study, ModelKey] | None = None
        self.results_box.addWidget(self._probes_header)
        self.results_box.addWidget(self.probes)
        self._probes_header.hide()

    # -- what a script can call ----------------------------------------------------------------

    def tick(self, *names: str) -> None:
        """Show these layers; one alone with its single maps."""
        self.layers.tick(names)

    def choose_order(self, order: str) -> None:
        """``"energy"``, ``"agreement"`` or ``"effect"``."""
        self.order.setCurrentIndex(self.order.findData(order))

    def see(self, layer: str) -> None:
        """The layer whose receptive field a click shows."""
        self.form.see(layer)

    def show_cam(self, layer: str = "", name: str = "", *, on: bool = True) -> None:
        """Grad-CAM at a layer for a class, in a cell beside the maps; or none any more."""
        self.form.show_cam(layer, name, on=on)

    def show_kernels(self) -> None:
        """The kernels of the chosen model's first convolution, in the panel below."""
        if not self.models.model:
            self._on_failed(SparseExplainError("no model is chosen", remedy="Choose one"))
            return
        self.beside.ask_kernels(self._key)

    def run_probes(self) -> None:
        """Probes of the ticked layers, on all slices of the study that hold its mask."""
        try:
            study = self._window.needed_study()
            names = self._setting.layers
            if not self.layers.rows:
                raise SparseExplainError(
                    "the layers are not known yet", remedy="First press Run on slice"
                )
        except SparseExplainError as error:
            self._on_failed(error)
            return
        asked = Asked(study, self._key, slice(0, 0), setting=METHOD, frame=self.frame_of(study))
        probes = self.session.probes_work
        self.start(asked, partial(probes, study, asked.key, names, asked.frame))

    # -- the form ------------------------------------------------------------------------------

    @property
    def _key(self) -> ModelKey:
        return ModelKey(self.models.model, self.device.device)

    @property
    def _setting(self) -> LayerSetting:
        """Ticks, number and order as they are set."""
        return self.form.setting

    def follow_model(self) -> None:
        """The layers are those of the model."""
        self._told = self.current or self._told
        card = self.models.card
        self.form.show_classes([] if card is None else offered_classes(card))
        self._fill_list()
        self.describe()
        self.beside.ask_cam(self.current)

    def _fill_list(self) -> None:
        """The list of the chosen model's layers, as far as they are known."""
        shown = self.current
        answer = None if shown is None else shown.answer
        self.form.show_answer(answer)

    def _ask_ticked(self) -> None:
        """Ticks, number or order were changed."""
        if self.layers.ticked:
            self.ask_current()

    # -- runs and answers ----------------------------------------------------------------------

    def asked(self, study: Study, key: ModelKey, slices: slice, *, live: bool) -> Asked:
        """What the list and the boxes say."""
        return Asked(study, key, slices, live, self._setting)

    def work(self, asked: Asked) -> Callable[[], Work[Any]]:
        """A slice's layers, which are kept; a volume's maps."""
        study, key, setting, frame = asked.study, asked.key, asked.setting, asked.frame
        if not asked.live:
            return partial(self.session.volume_work, study, key, setting, frame)
        return partial(self.session.slice_work, study, key, asked.slices.start, setting, frame)

    def question(self, shown: ShownLayerMaps, index: int, *, current: bool) -> Question:
        """Ticks and order are the chosen model's; others keep theirs."""
        setting = self._setting if current and self.layers.ticked else shown.setting
        frame = self.frame_followed(shown)
        return partial(self.session.answer, shown.study, shown.key, index, setting, frame), setting

    def frame_followed(self, shown: ShownLayerMaps) -> tuple[int, ...]:
        """The frame in the picture while slices are followed, else its own."""
        if not self.follow.isChecked() or shown.study is not self._window.study:
            return shown.explanation.frame
        return frame_of_scans(self._viewer, shown.study, shown.roles)

    def _on_frame(self) -> None:
        super()._on_frame()
        self._tell_frames()

    def _tell_frames(self) -> None:
        """Cells of another frame than the picture say of which they are."""
        for shown in self.shown:
            here = frame_of_scans(self._viewer, shown.study, shown.roles)
            shown.tell_frame(bool(here) and here != shown.explanation.frame)

    def put_result(self, asked: Asked, found: LayersAnswer | Explanation) -> None:
        """Layers of a slice or a volume; or what probes found."""
        if isinstance(found, Explanation) and found.method != METHOD:
            self._probed = asked.study, asked.key
            words = "\n".join(found.notes[-1:])
            self.probes.show_scores(self._model_title(asked.key), found.scores, words)
            self._show_probes()
            return
        super().put_result(asked, found)

    def make_shown(self, asked: Asked, found: LayersAnswer | Explanation) -> ShownLayerMaps:
        """The cells of one model."""
        answer = found if isinstance(found, LayersAnswer) else None
        explanation = found if isinstance(found, Explanation) else found.explanation
        roles = self.session.model(asked.key).card.inputs.roles
        title = self._model_title(asked.key)
        return ShownLayerMaps(asked.study, asked.key, title, explanation, answer, roles)

    def put(self, shown: ShownLayerMaps, found: LayersAnswer, setting: Any) -> None:
        """Another slice, or other layers or maps."""
        before, after = shown.explanation, found.explanation
        moved = before.slices != after.slices or before.frame != after.frame
        visible = shown.visible
        gone = shown.take(found)
        self._told = shown
        if gone is not None:
            self._change_cells(shown, gone, visible)
        if moved:
            self.beside.follow(shown)

    def _change_cells(self, shown: ShownLayerMaps, gone: list[Layer], visible: bool) -> None:
        """Other maps in place of former ones; the cells are laid out once."""
        view, active = self._window.grid_view, self._viewer.layers.selection.active
        shown.add_layers(self._viewer)
        # The controls beside the layer list stay those of what was chosen there.
        self._viewer.layers.selection.active = active if active not in gone else None
        if visible and view.active:
            view.add([layer for layer in shown.cells if layer not in view.layers], without=gone)
        elif visible:
            self.show_result(shown, grid=False)
        view.remove(gone)

    def _model_title(self, key: ModelKey) -> str:
        card = self.models.card
        if card is not None and self.models.model == key.model:
            return card.title or card.name
        return key.model

    # -- the last click ------------------------------------------------------------------------

    @property
    def last_click(self) -> tuple[int, int, int] | None:
        """The voxel that was clicked last."""
        return self._last_click

    def _on_click(self, index: tuple[int, int, int]) -> None:
        super()._on_click(index)
        self.beside.see(index)

    # -- the picture ---------------------------------------------------------------------------

    def show_run(self, shown: ShownLayerMaps) -> None:
        """The layers side by side, the scan before them."""
        self._told = shown
        self._fill_list()
        super().show_run(shown)
        self.describe()

    def show_result(self, shown: ShownLayerMaps, *, grid: bool) -> None:
        """Layers side by side with the scan; beside what stands there where not asked alone."""
        shown.add_layers(self._viewer)
        view = self._window.grid_view
        if grid:
            role = next((r for r in shown.roles if r in shown.study.images), "")
            scan = self._window.study_layer(role or first_shown(shown.study))
            view.show([*([] if scan is None else [scan]), *shown.cells])
            self._viewer.layers.selection.active = scan
        elif view.active:
            view.add([layer for layer in shown.cells if layer not in view.layers])
        else:
            with batched_changes(self._viewer.layers):
                for layer in shown.cells:
                    layer.visible = True
        if shown.result is not None and shown.result.line is not None:
            shown.result.line.set_shown(True)
        if shown is self.current:
            self.beside.ask_cam(shown)

    # -- results -------------------------------------------------------------------------------

    def follow_results(self) -> None:
        """Names say which model a cell is from where there are several."""
        several = len({shown.key.model for shown in self.shown}) > 1
        for shown in self.shown:
            shown.name_model(several)
        self._fill_list()

    def describe(self) -> None:
        """Lines, notes, probes and the last click anew."""
        super().describe()
        if self._told not in self.shown:
            self._told = self.shown[-1] if self.shown else None
        told = self._told
        self._tell_frames()
        self.notes.setText("" if told is None else "\n".join(told.explanation.notes))
        self.notes.setVisible(told is not None)
        self._show_probes()
        self.read_again()

    def _show_probes(self) -> None:
        """Bars of the chosen model and the active study alone."""
        mine = self._probed is not None and self._probed == (self._window.study, self._key)
        self.probes.setVisible(mine)
        self._probes_header.setVisible(mine)
        self._width_timer.restart()

    def read_again(self) -> None:
        """Words alone: no field is asked for again."""
        if self._last_click is not None:
            super()._on_click(self._last_click)

    def lines_at(self, study: Study, index: tuple[int, int, int]) -> list[str]:
        """Values of the shown layers there, and what is seen from there."""
        here = [s for s in self.shown if s.study is study]
        if here and not any(s.explanation.covers(index[0]) for s in here):
            return [*voxel_lines(study, index), "This slice was not run: press Run on slice."]
        return super().lines_at(study, index)

    def follow_study(self, study: Study | None) -> None:
        """A study on which the chosen model cannot run gets one that can, where there is one."""
        if study is not None:
            self.models.choose_fitting(tuple(study.images))
        super().follow_study(study)

    # -- ends ----------------------------------------------------------------------------------

    def _on_study_closed(self, study: Study) -> None:
        super()._on_study_closed(study)
        if self._probed is not None and self._probed[0] is study:
            self._probed = None
            self.probes.clear()
            self._show_probes()

    @property
    def computing(self) -> bool:
        """Whether a run, an answer or a receptive field is still to come."""
        return super().computing or self.beside.computing or self._ask_timer.isActive()

    def busy_with(self) -> tuple[str, ...]:
        """Also a cine that is run in its panel."""
        return (*super().busy_with(), *(("Cine",) if self.cine.computing else ()))

    def wait(self, seconds: float = 60.0) -> bool:
        """Until nothing runs here."""
        if self._ask_timer.isActive():
            self._ask_timer.stop()
            self._ask_ticked()
        return super().wait(seconds) and self.beside.wait(seconds) and self.panels.wait(seconds)

    def stop(self) -> None:
        """The window is closing."""
        super().stop()
        self.beside.stop()
        self.panels.stop()
