"""Responses: what a model's linear part does to an impulse, and its filter at a clicked voxel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ...errors import SparseExplainError
from ...layers.canvas.frame_in_picture import frame_of_scans
from ...progress import Progress, Work
from ...volumes import Grid, Study
from ...volumes.captions import voxel_caption
from ..parts.elided_label import ElidedLabel
from ..parts.model_choice import WITH_THRESHOLDS, ModelChoice
from ..parts.model_session import ModelKey
from ..parts.notices import show_error_dialog
from ..parts.run_bar import BROKEN, RunBar
from ..parts.work_runner import LatestRunner, Told, WorkRunner
from .response_plot import ResponsePlot
from .session import ProxySession, ProxySetting

if TYPE_CHECKING:
    from ...explanation.proxy.effective_response import EffectiveResponse
    from ...explanation.proxy.responses import ModelResponses
    from ..window import Window

#: Width of the form beside the plots.
_FORM_WIDTH = 236

#: True of every shrinkage network; the panel must say so.
_ODDNESS = (
    "A SUM is odd, ED(−x) = −ED(x): bright and dark contrast count alike until the output clips."
)


class ResponsesPanel(QWidget):
    """The bottom dock: one or two models beside each other, or the filter at the last click.

    Parameters
    ----------
    window : Window
    session : ProxySession
        The Proxy tab's: a model that was run there is not loaded again.
    """

    def __init__(self, window: Window, session: ProxySession) -> None:
        super().__init__()
        self.setWindowTitle("Responses")
        self._window, self._session = window, session
        self._setting = ProxySetting()
        self._viewer = window.viewer
        self.found: dict[tuple[ModelKey, bool], ModelResponses] = {}
        self.effective: EffectiveResponse | None = None
        self._effective_where = ""
        self._last_click: tuple[int, int, int] | None = None
        self._clicked_grid: Grid | None = None

        self.model = ModelChoice(browse=False)
        self.beside = ModelChoice(empty="none", browse=False)
        self.phases = QCheckBox("All phases")
        self.phases.setChecked(True)
        self.phases.setToolTip(
            "A network with a wavelet transform responds differently to an impulse at each of its "
            "phases (positions). All phases together give the mean response and its range."
        )
        self.run_bar = RunBar()
        self.run_button = self.run_bar.add_button("Compute", "The responses of the models above")
        self.run_button.clicked.connect(lambda: self.refresh())
        self.views = QButtonGroup(self)
        self.model_view, self.click_view = QPushButton("Model"), QPushButton("Last click")
        self.note = ElidedLabel(_ODDNESS, Qt.TextElideMode.ElideRight)
        self.note.setToolTip(_ODDNESS)
        self.note.setEnabled(False)

        self.plot = ResponsePlot(self._viewer)
        plots = QVBoxLayout()
        plots.setSpacing(0)
        plots.addWidget(self.plot, 1)
        plots.addWidget(self.note)
        box = QHBoxLayout(self)
        box.setContentsMargins(4, 0, 4, 0)
        box.addWidget(self._form())
        box.addLayout(plots, 1)

        self.runner = WorkRunner(self)
        self.run_bar.cancel_pressed.connect(self.runner.cancel)
        self.runner.running_changed.connect(self.run_bar.set_running)
        self.runner.progressed.connect(self._on_step)
        self.runner.succeeded.connect(self._on_found)
        self.runner.failed.connect(self._on_failed)
        self.runner.broke.connect(lambda: self.run_bar.show_error(BROKEN))
        self.runner.cancelled.connect(lambda: self.run_bar.show_message("Cancelled."))
        self.steps = LatestRunner(self)
        self.steps.succeeded.connect(self._on_effective)
        self.steps.failed.connect(self._on_click_failed)
        self.steps.broke.connect(lambda: self.run_bar.show_error(BROKEN))
        window.signals.study_closed.connect(self._on_study_closed)

    # -- what a script can call --------------------------------------------------------------

    def load_early(self) -> None:
        """Load what the plots need before one is drawn: away from the window."""
        from matplotlib.backends import backend_qtagg

        from ...layers.plots import response_plots

        _ = backend_qtagg, response_plots

    def refresh(self) -> None:
        """Compute and draw the responses of the chosen models."""
        device = self._setting.device
        names = [name for name in (self.model.model, self.beside.model) if name]
        keys = list(dict.fromkeys(ModelKey(name, device) for name in names))
        if not keys:
            self._on_failed(
                SparseExplainError(
                    "no model is chosen",
                    remedy="Choose one in the list, or press Browse… in the Proxy tab",
                )
            )
            return
        session, phases, known = self._session, self.phases.isChecked(), self.found
        self.runner.start(lambda: _responses_work(session, keys, phases, dict(known)))

    def show_voxel(self, index: tuple[int, int, int]) -> None:
        """Compute and draw the filter in effect at a voxel of the active study."""
        study = self._window.study
        if study is None or not self.model.model:
            return
        self._last_click, self._clicked_grid = index, study.grid
        key = ModelKey(self.model.model, self._setting.device)
        card, alpha, session = self.model.card, self._setting.alpha, self._session
        name = "" if card is None else f"{card.title or card.name} · "
        where = f"{name}{voxel_caption(index)} · "
        roles = () if card is None else card.inputs.roles
        frame = frame_of_scans(self._window.viewer, study, roles)
        self.click_view.setChecked(True)
        self.steps.submit(lambda: Told(where, session.effective(study, key, index, alpha, frame)))

    def follow(self, setting: ProxySetting) -> None:
        """Take over model, device and α of the Proxy tab; another model may be chosen here."""
        before, self._setting = self._setting, setting
        name = setting.model
        if name and name != before.model and not self.runner.running:
            self.model.choose(name)
            self.beside.offer(name)
            card = self.model.card
            self.note.setVisible(card is not None and card.architecture in WITH_THRESHOLDS)

    def ask_voxel(self, index: tuple[int, int, int]) -> None:
        """A voxel was clicked where its filter is wanted, if the panel is seen."""
        if self.isVisible():
            self.show_voxel(index)

    def update_voxel(self) -> None:
        """A new α or slice: the filter at the voxel is another one."""
        study = self._window.study
        if study is None or study.grid is not self._clicked_grid:
            return  # the voxel was clicked in another one
        if self.isVisible() and self.click_view.isChecked() and self._last_click is not None:
            start = self._window.current_slice
            self.show_voxel((start, *self._last_click[1:]))

    @property
    def computing(self) -> bool:
        """Whether something is still being computed here."""
        return self.runner.running or self.steps.busy

    def wait(self, seconds: float = 60.0) -> bool:
        """Keep the window alive until nothing runs here; for scripts and tests."""
        return self.runner.wait(seconds) and self.steps.wait(seconds)

    def stop(self) -> None:
        """The window is closing."""
        self.runner.cancel()
        self.steps.drop()

    # -- the form ----------------------------------------------------------------------------

    def _form(self) -> QWidget:
        page = QWidget()
        form = QVBoxLayout(page)
        form.setContentsMargins(2, 2, 6, 2)
        form.setSpacing(4)
        rows = QFormLayout()
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setVerticalSpacing(4)
        rows.addRow("Model", self.model)
        rows.addRow("Beside", self.beside)
        form.addLayout(rows)
        form.addWidget(self.phases)
        form.addWidget(self.run_bar)
        line = QHBoxLayout()
        for button in (self.model_view, self.click_view):
            button.setCheckable(True)
            self.views.addButton(button)
            line.addWidget(button)
        self.model_view.setChecked(True)
        self.model_view.clicked.connect(self._draw_model)
        self.click_view.clicked.connect(self._draw_click)
        form.addLayout(line)
        form.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFixedWidth(_FORM_WIDTH)
        scroll.setWidget(page)
        return scroll

    # -- drawing -----------------------------------------------------------------------------

    def _draw_model(self) -> None:
        device = self._setting.device
        names = [name for name in (self.model.model, self.beside.model) if name]
        every = [self._found(ModelKey(name, device)) for name in dict.fromkeys(names)]
        if found := [item for item in every if item is not None]:
            self.plot.show_models(found)
            self.model_view.setChecked(True)

    def _draw_click(self) -> None:
        found = self.effective
        if found is None:
            self.run_bar.show_message("Click in the picture.")
            return
        self.plot.show_voxel(found, self._click_title(found))

    def _click_title(self, found: EffectiveResponse) -> str:
        said = f"signal {found.signal:.3g}, this filter alone {found.filtered:.3g}"
        return f"{self._effective_where}{said}"

    def _found(self, key: ModelKey) -> ModelResponses | None:
        return self.found.get((key, True)) or self.found.get((key, False))

    # -- answers -----------------------------------------------------------------------------

    def _on_step(self, step: Progress) -> None:
        self.run_bar.show_step(step)
        if step.preview is not None:
            key, found = step.preview
            if self._found(key) is None:
                self.found[key, False] = found
                self._draw_model()

    def _on_found(self, answer: tuple[dict[tuple[ModelKey, bool], Any], tuple[str, ...]]) -> None:
        found, notes = answer
        self.found.update(found)
        self.run_bar.show_message("\n".join(notes))
        self._draw_model()

    def _on_study_closed(self, _study: Study) -> None:
        """The voxel of the last click is another one on another grid."""
        self._last_click, self.effective = None, None
        self.steps.drop()
        if self.click_view.isChecked():
            self.model_view.setChecked(True)
            self.plot.reset()
            self._draw_model()

    def _on_effective(self, told: Told) -> None:
        # Of the model and voxel that it was asked for, whatever was chosen and clicked since.
        self._effective_where = told.asked
        self.effective, notes = told.result
        self.run_bar.show_message("\n".join(notes))
        if self.click_view.isChecked():
            self._draw_click()

    def _on_click_failed(self, error: SparseExplainError) -> None:
        # A click beside the brain is no mistake worth a notification.
        self.run_bar.show_error(str(error))

    def _on_failed(self, error: SparseExplainError) -> None:
        self.run_bar.show_error(str(error))
        show_error_dialog(error)


def _responses_work(
    session: ProxySession,
    keys: list[ModelKey],
    phases: bool,
    known: dict[tuple[ModelKey, bool], Any],
) -> Work[tuple[dict[tuple[ModelKey, bool], Any], tuple[str, ...]]]:
    """Responses of the models that were not computed before, and what to say of them."""
    yield Progress(0, 0, "Loading the model")
    found: dict[tuple[ModelKey, bool], Any] = {}
    notes: list[str] = []
    for key in keys:
        if (key, True) in known or (key, phases) in known:
            continue
        work = session.responses_work(key, phases=phases)
        while True:
            try:
                step = next(work)
            except StopIteration as end:
                found[key, phases], said = end.value
                notes += said
                break
            preview = None if step.preview is None else (key, step.preview)
            yield Progress(step.done, step.total, step.message, preview)
    return found, tuple(dict.fromkeys(notes))
