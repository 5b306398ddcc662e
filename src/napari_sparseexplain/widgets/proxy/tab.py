"""Proxy: run a segmentation network and see the signals inside it, side by side, for any α."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton
from superqt import QLabeledDoubleSlider
from superqt.utils import signals_blocked

from ...errors import SparseExplainError
from ...evidence import Explanation
from ...explanation.catalogue import method_info
from ...layers.batched_changes import batched_changes
from ...progress import Work
from ...volumes import Study
from ..explain_tab import section_header
from ..live_method_tab import LiveMethodTab, Question
from ..method_tab import Asked
from ..parts.model_choice import WITH_THRESHOLDS, ModelChoice
from ..parts.model_session import ModelKey
from ..parts.notices import show_error_dialog
from ..parts.run_bar import RunBar
from ..view.plots_dock import show_plots
from ..window import Window
from .band_table import BandTable
from .live_slice import ShownExplanation
from .responses_panel import ResponsesPanel
from .session import METHOD, Ask, ProxySession, ProxySetting

if TYPE_CHECKING:
    from napari.layers import Layer

    from ...explanation.slice_sheet.sheet import SheetPart


class ProxyTab(LiveMethodTab[ProxySession, ShownExplanation]):
    """Model, device, run; the five columns of the paper's Fig. 2; α; what each level suppressed.

    Attributes
    ----------
    responses : ResponsesPanel
        Below the picture: what the linear part of the model does.

    Signals
    -------
    setting_changed(ProxySetting): another model, device or α is chosen.
    """

    name = "proxy"
    title = "Proxy"
    setting_changed = Signal(object)

    def __init__(self, window: Window) -> None:
        models = ModelChoice(architectures=method_info(METHOD).architectures)
        super().__init__(window, ProxySession(), models)
        self._told: ShownExplanation | None = None
        self.slice_button = self.add_run(
            "Run on slice", "The signals of the slice in the picture", self.run_slice
        )
        self.volume_button = self.add_run(
            "Run on volume", "The signals of every slice; can be cancelled", self.run_volume
        )
        self._add_alpha()
        self.extras.addWidget(self.follow)
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
        self.device.currentIndexChanged.connect(lambda _: self._show_setting())
        # Of this session: a model that was run here is not loaded again.
        self.plots = self.responses = ResponsesPanel(window, self.session)
        self.responses_button = QPushButton("Impulse and frequency responses")
        self.responses_button.setToolTip("What the network does to a point and to each frequency")
        self.responses_button.clicked.connect(lambda: show_plots(self._viewer, self.responses))
        self.extras.addWidget(self.responses_button)
        self.setting_changed.connect(self.responses.follow)
        self.slice_shown.connect(self.responses.update_voxel)
        window.signals.voxel_clicked.connect(self._ask_filter)
        self.follow_model()

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
        self.alpha.valueChanged.connect(lambda _: self._on_alpha())
        line = QHBoxLayout()
        self._alpha_label = QLabel("α")
        line.addWidget(self._alpha_label)
        line.addWidget(self.alpha, 1)
        self.extras.addLayout(line)

    # -- what a script can call --------------------------------------------------------------

    def set_alpha(self, alpha: float) -> None:
        """Move the slider: the current slice follows."""
        self.alpha.setValue(alpha)

    def show_bands(self) -> None:
        """Put the bands of the current model's slice side by side."""
        shown = self.current
        if shown is None:
            show_error_dialog(
                SparseExplainError("no slice was run yet", remedy="First press Run on slice")
            )
            return
        shown.add_layers(self._viewer, bands=True)
        if shown.bands:
            self._window.grid_view.show(shown.bands)

    @property
    def setting(self) -> ProxySetting:
        """Model, device and α as they are set."""
        return ProxySetting(self.models.model, self.device.device, self.alpha.value())

    # -- the form ----------------------------------------------------------------------------

    def follow_model(self) -> None:
        """α acts on networks with thresholds alone."""
        card = self.models.card
        bends = card is not None and card.architecture in WITH_THRESHOLDS
        self.alpha.setEnabled(bends)
        self._alpha_label.setEnabled(bends)
        if not bends:
            with signals_blocked(self.alpha):
                self.alpha.setValue(1.0)
        self._told = self.current or self._told
        self.describe()
        self._show_setting()

    def _on_alpha(self) -> None:
        self._show_setting()
        self.ask_current()

    def _show_setting(self) -> None:
        self.setting_changed.emit(self.setting)

    # -- runs and answers --------------------------------------------------------------------

    def asked(self, study: Study, key: ModelKey, slices: slice, *, live: bool) -> Asked:
        """At the slider's α."""
        return Asked(study, key, slices, live, self.alpha.value())

    def work(self, asked: Asked) -> Callable[[], Work[Any]]:
        """The signals; those of each level only of a single slice."""
        run = self.session.run_work
        given = {"bands": asked.live, "frame": asked.frame}
        return partial(run, asked.study, asked.key, asked.slices, asked.setting, **given)

    def question(self, shown: ShownExplanation, index: int, *, current: bool) -> Question:
        """The slider's α is the chosen model's; others keep theirs."""
        alpha = self.alpha.value() if current else shown.alpha
        before = shown.explanation
        ask = Ask(shown.study, shown.key, index, alpha, before, before.frame)
        return partial(self.session.answer, ask), alpha

    def fits(self, shown: ShownExplanation, found: Explanation) -> bool:
        """Whether it has the same maps."""
        return {m.name for m in shown.explanation.maps} == {m.name for m in found.maps}

    def put(self, shown: ShownExplanation, found: Explanation, setting: float) -> None:
        """Another slice, or the same one at another α."""
        shown.take(found, setting)
        self._told = shown

    def make_shown(self, asked: Asked, found: Explanation) -> ShownExplanation:
        """The columns of one model."""
        roles = self.session.model(asked.key).card.inputs.roles
        title = self._model_title(asked.key)
        return ShownExplanation(
            asked.study, asked.key, title, found, asked.setting, asked.live, roles
        )

    def adopt(self, study: Study, key: ModelKey, part: SheetPart) -> list[list[Layer]]:
        """The mask of a sheet among the results; gives the layer of its cell."""
        found, choice = part.made()
        for one in [s for s in self.shown if s.study is study and s.key == key and not s.live]:
            if (one.explanation.method, one.explanation.slices) == (found.method, found.slices):
                self.forget(one)
        card = choice.card
        title, roles = card.title or card.name, card.inputs.roles
        shown = ShownExplanation(study, key, title, found, 1.0, False, roles)
        self.add(shown)
        shown.add_layers(self._viewer, bands=False)
        self.describe()
        return [[shown.layers["mask"]]]

    def _model_title(self, key: ModelKey) -> str:
        card = self.models.card
        if card is not None and self.models.model == key.model:
            return card.title or card.name
        return key.model

    # -- the panel of responses --------------------------------------------------------------

    def _ask_filter(self, index: tuple[int, int, int]) -> None:
        # A click reads values; where this tab is in front and has run, it also asks what decided.
        if self.isVisible() and self.shown:
            self.responses.ask_voxel(index)

    def run_bars(self) -> tuple[RunBar, ...]:
        """The tab's, and the panel's."""
        return (self.run_bar, self.responses.run_bar)

    def early_loads(self) -> list[Callable[[], object]]:
        """Also what the panel draws with."""
        return [*super().early_loads(), self.responses.load_early]

    def busy_with(self) -> tuple[str, ...]:
        """The signals, the responses, or both."""
        return (*super().busy_with(), *(("Responses",) if self.responses.computing else ()))

    def wait(self, seconds: float = 60.0) -> bool:
        """Until nothing runs here or in the panel."""
        done = super().wait(seconds)
        return self.responses.wait(seconds) and done

    def stop(self) -> None:
        """The window is closing."""
        super().stop()
        self.responses.stop()

    # -- the picture -------------------------------------------------------------------------

    def show_run(self, shown: ShownExplanation) -> None:
        """The columns side by side, the signal selected."""
        self._told = shown
        super().show_run(shown)
        self.describe()
        self._viewer.layers.selection.active = shown.layers.get("signal")

    def show_result(self, shown: ShownExplanation, *, grid: bool) -> None:
        """The columns of Fig. 2; bands stand there when they are asked for."""
        view = self._window.grid_view
        if grid:
            shown.drop_missing(self._viewer.layers)
            shown.add_layers(self._viewer, bands=False)
            view.show(shown.columns)
            if shown.result is not None and shown.result.line is not None:
                shown.result.line.set_shown(True)
        elif view.active:
            view.add(shown.columns)
        else:
            with batched_changes(self._viewer.layers):
                for layer in shown.columns:
                    layer.visible = True

    def describe(self) -> None:
        """Lines, and notes and bands of what was run or answered last."""
        super().describe()
        if self._told not in self.shown:
            self._told = self.shown[-1] if self.shown else None
        told = self._told
        self.notes.setText("" if told is None else "\n".join(told.explanation.notes))
        self.bands.show_scores({} if told is None else told.explanation.scores)
        self._show_band_part(not self.bands.isHidden())

    def _show_band_part(self, on: bool) -> None:
        self._band_header.setVisible(on)
        self.bands_button.setVisible(on)
