"""Microstructure: maps of axon radius, density and share, and how sure each of them is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel
from superqt.utils import signals_blocked

from ...errors import ParameterError, SparseExplainError
from ...evidence import Explanation
from ...layers.batched_changes import batched_changes
from ...layers.canvas.linked_cameras import spatial_axes
from ...layers.cells.shown_cells import cells_of, view_size
from ...progress import Work
from ...volumes import Study
from ..method_tab import Asked, MethodTab
from ..parts.model_session import ModelKey
from ..parts.resting_timer import RestingTimer
from ..parts.work_runner import LatestRunner
from ..view.click_read_out import voxel_lines
from ..window import Window
from .fibre_choice import FibreChoice
from .scan_form import ScanForm, sentence
from .session import Gradients, MicrostructureSession
from .shown_microstructure import (
    CHOICES,
    COLUMNS,
    MEANS,
    ShownMicrostructure,
    names_of,
    short_name,
)
from .voxel_panel import VoxelPanel


class MicrostructureTab(MethodTab[MicrostructureSession, ShownMicrostructure]):
    """The diffusion scan, its gradients and how it is compared; maps side by side; the last click.

    Attributes
    ----------
    form : ScanForm
        Scan, timings and parameters.
    maps : QComboBox
        Which maps stand in the grid.
    fibres : FibreChoice
        Whether fibre directions are shown.
    reader : LatestRunner
        Reads gradients.
    voxel : VoxelPanel
        Why the clicked voxel has its values.
    """

    name = "microstructure"
    title = "Microstructure"

    def __init__(self, window: Window) -> None:
        super().__init__(window, MicrostructureSession(), None)
        self.reader = LatestRunner(self)
        self.form = ScanForm(self.what, self)
        self.voxel = VoxelPanel(window.viewer, self)
        self.add_below_read_out(self.voxel)
        # After a click, once its explanation has its place in the page.
        self._clicked = False
        self._below = RestingTimer(self, 40, self._show_explanation)
        self.voxel.runner.succeeded.connect(lambda _: self._below.restart())
        if (bar := self.verticalScrollBar()) is not None:
            bar.rangeChanged.connect(lambda *_: self._below.restart() if self._clicked else None)
            bar.actionTriggered.connect(self._on_scrolled)
        self._unread = True
        self.slice_button = self.add_run(
            "Run on slice", "Compute the maps of the slice in the picture", self.run_slice
        )
        self.volume_button = self.add_run(
            "Run on volume", "Compute the maps of every slice; can be cancelled", self.run_volume
        )
        self._run_hints = {b: b.toolTip() for b in (self.slice_button, self.volume_button)}
        self._add_maps()
        self.notes.setEnabled(True)  # what must be known is read, not greyed
        self.results_box.addWidget(self.notes)
        window.signals.slice_changed.connect(self._follow_slice)
        for emitter in (cells_of(window.viewer).events.changed, window.viewer.canvas.events.size):
            emitter.connect(self._fit_bars)
        window.signals.plane_changed.connect(self._follow_slice)
        window.signals.voxel_clicked.connect(self._on_hand)
        self.form.scan_changed.connect(self._on_scan)
        self.form.how.method_changed.connect(self._allow_runs)
        self.reader.succeeded.connect(self._on_gradients)
        self.reader.failed.connect(self._on_unreadable)
        self.follow_study(window.study)

    def _add_maps(self) -> None:
        self.maps = QComboBox()
        for choice, words in CHOICES.items():
            self.maps.addItem(words, choice)
        self.maps.setToolTip("Which maps of the result stand side by side")
        self.maps.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.maps.currentIndexChanged.connect(lambda _: self._on_maps())
        line = QHBoxLayout()
        line.addWidget(QLabel("Maps"))
        line.addWidget(self.maps, 1)
        self.extras.addLayout(line)
        self.fibres = FibreChoice(self._window, self.session.glyphs)
        self.fibres.toggled.connect(self._follow_fibres)
        self.fibres.kind.currentIndexChanged.connect(self._follow_fibres)
        self._window.signals.grid_changed.connect(self._follow_fibres)
        beside = QHBoxLayout()
        beside.addWidget(self.fibres)
        beside.addWidget(self.fibres.kind, 1)
        self.extras.addLayout(beside)
        self.extras.addWidget(self.fibres.said)

    # -- what a script can call ----------------------------------------------------------------

    def show_maps(self, choice: str) -> None:
        """``"mean"``, ``"uncertainty"`` or ``"misfit"`` side by side."""
        place = self.maps.findData(choice)
        if place < 0:
            raise ParameterError(
                f"there is no choice of maps {choice!r}",
                remedy="Choose mean, uncertainty or misfit",
            )
        self.maps.setCurrentIndex(place)

    def show_read_out(self) -> None:
        """Scroll so that what the last click says stands above."""
        if (bar := self.verticalScrollBar()) is not None:
            bar.setValue(self.read_out.y() - self.read_out.fontMetrics().height() * 2)

    def _on_hand(self, _index: object) -> None:
        self._clicked = True

    def _show_explanation(self) -> None:
        """A click was explained below the fold: scroll there, once the page has grown."""
        area = self.viewport()
        if not self._clicked or not self.isVisible() or self.voxel.found is None or area is None:
            return
        foot = self.voxel.mapTo(area, self.voxel.rect().bottomLeft()).y()
        if foot <= area.height():
            self._clicked = False
            return
        self.show_read_out()
        top = self.read_out.mapTo(area, self.read_out.rect().topLeft()).y()
        self._clicked = top > 4 * self.read_out.fontMetrics().height()

    def _on_scrolled(self, _action: int) -> None:
        """A hand scrolls: it is not led elsewhere."""
        self._clicked = False

    @property
    def in_picture(self) -> list[ShownMicrostructure]:
        """Results of the active study that are seen now."""
        return [s for s in self.shown if s.study is self._window.study and s.visible]

    # -- the gradients -------------------------------------------------------------------------

    def showEvent(self, a0: Any) -> None:
        """Read the gradients, and explain the last click, once somebody looks."""
        super().showEvent(a0)
        self._read_if_seen()
        self.explain_click()

    def follow_study(self, study: Study | None) -> None:
        """Another study is active, or the active one was edited."""
        self.form.set_study(study)
        self._read_if_seen()
        self._allow_runs()
        super().follow_study(study)
        self._follow_fibres()

    def _on_study_replaced(self, old: Study, new: Study) -> None:
        super()._on_study_replaced(old, new)
        self.form.replace_study(old, new)

    def _on_scan(self) -> None:
        """Another scan is meant, or timings were filled in."""
        self._unread = True
        self.reader.drop()
        self._allow_runs()
        self.form.show_reading()
        self._read_if_seen()

    def _read_if_seen(self) -> None:
        study, role = self._window.study, self.form.role
        if not self._unread or not self.isVisible() or study is None or not role:
            return
        if study is not self.form.study:
            return  # it was edited, and is about to be the active one
        small, big = self.form.given_timings
        if bool(small) != bool(big):
            small = big = 0.0  # the other one is still to come
        self._unread = False
        read = self.session.gradients
        self.reader.submit(lambda: (study, read(study, role, small, big)))

    def _on_gradients(self, answer: tuple[Study, Gradients]) -> None:
        study, found = answer
        if study is self._window.study and found.role == self.form.role:
            self.form.show_gradients(found)
            self._allow_runs()
            self._width_timer.restart()

    def _on_unreadable(self, error: SparseExplainError) -> None:
        self.form.show_error(str(error))
        self._allow_runs()

    def _allow_runs(self) -> None:
        """Where nothing can be run the buttons say why, as the words beside the scan do."""
        why = self.form.refusal
        for button, words in self._run_hints.items():
            button.setToolTip(why.removeprefix("✗ ") or words)
        self.run_bar.disable(list(self._run_hints) if why else [])

    # -- runs ----------------------------------------------------------------------------------

    def frame_of(self, study: Study) -> tuple[int, ...]:
        """All volumes of the scan are compared, whichever is in the picture."""
        return ()

    def asked(self, study: Study, key: ModelKey, slices: slice, *, live: bool) -> Asked:
        """What the form says."""
        setting = (self.form.how.name, self.form.values())
        return Asked(study, key, slices, setting=setting)

    def work(self, asked: Asked) -> Callable[[], Work[Any]]:
        """The maps."""
        method, values = asked.setting
        return partial(self.session.run_work, asked.study, method, asked.slices, values)

    def put_result(self, asked: Asked, found: Explanation) -> None:
        """Its maps side by side, in place of those of other results."""
        shown = ShownMicrostructure(asked.study, found, self.maps.currentData())
        self.add(shown)
        self.show_result(shown, grid=True)
        self.describe()

    def wait(self, seconds: float = 60.0) -> bool:
        """Until nothing runs here, and the gradients are read."""
        runners = (self.reader, self.voxel, self.fibres.runner)
        return super().wait(seconds) and all(each.wait(seconds) for each in runners)

    def stop(self) -> None:
        """The window is closing."""
        super().stop()
        self.reader.drop()
        self.voxel.clear()
        self.fibres.runner.drop()

    # -- the picture ---------------------------------------------------------------------------

    def show_result(self, shown: ShownMicrostructure, *, grid: bool) -> None:
        """The chosen maps beside the scan; a second result beside the first where asked for."""
        shown.choice = self._choice_for(shown)
        shown.add_layers(self._viewer)
        view = self._window.grid_view
        if grid:
            scan = self._window.study_layer(shown.role)
            cells = [*([] if scan is None else [scan]), *shown.chosen]
            # The scan stands beside maps alone: without any the single view comes back.
            company = [] if scan is None else [scan]
            view.show(cells, columns=COLUMNS[shown.choice], company=company)
            # The controls beside the layer list are then those of grey values.
            self._viewer.layers.selection.active = scan
        elif view.active:
            view.add(shown.chosen)
        else:
            with batched_changes(self._viewer.layers):
                for layer in shown.chosen:
                    layer.visible = True
        if shown.result is not None and shown.result.line is not None:
            shown.result.line.set_shown(True)
        self._follow_fibres()
        self._fit_bars()

    def _fit_bars(self, _changed: object = None) -> None:
        """Colour bars keep clear of names and letters in low cells."""
        if cells_of(self._viewer).active:
            height = view_size(self._viewer)[0]
            for shown in self.in_picture:
                shown.fit_bars(height)

    def _choice_for(self, shown: ShownMicrostructure) -> str:
        """What is chosen; the means, and the box says so, where a method has nothing of it."""
        choice = self.maps.currentData()
        if names_of(shown.explanation, choice):
            return choice
        words = self.maps.currentText()
        with signals_blocked(self.maps):
            self.maps.setCurrentIndex(self.maps.findData(MEANS))
        self.run_bar.add_message(
            f"{short_name(shown.explanation.method)} gives no {words.lower()}."
        )
        return MEANS

    def hide_result(self, shown: ShownMicrostructure) -> None:
        """Take a result out of the picture."""
        super().hide_result(shown)
        self._follow_fibres()

    def forget(self, shown: ShownMicrostructure) -> None:
        """Remove a result and its layers."""
        super().forget(shown)
        self._follow_fibres()

    def show_fibres(self, on: bool = True, kind: str = "lines") -> None:
        """Fibre directions over the picture, or not; as ``"lines"`` or ``"glyphs"``."""
        self.fibres.kind.setCurrentIndex(self.fibres.kind.findData(kind))
        self.fibres.setChecked(on)

    def _follow_fibres(self, _changed: object = None) -> None:
        self.fibres.follow(self.shown)

    def _on_maps(self) -> None:
        """Other maps of what is in the picture."""
        seen = self.in_picture
        if seen:
            self.show_result(seen[-1], grid=True)

    def _follow_slice(self, _changed: object = None) -> None:
        """Results of other slices are black here: their names in the cells say so."""
        axes = spatial_axes(self._viewer)
        if axes is None:
            return
        for shown in self.shown:
            if shown.study is self._window.study:
                shown.follow_slice(axes[0], self._window.current_slice)

    def follow_layers(self) -> None:
        """Layers came, went, were shown or hidden."""
        for shown in self.shown:
            shown.drop_missing(self._viewer.layers)
        super().follow_layers()

    # -- results -------------------------------------------------------------------------------

    def follow_results(self) -> None:
        """Numbers tell several of one study apart."""
        for shown in self.shown:
            mine = [s for s in self.shown if s.study is shown.study]
            shown.number = mine.index(shown) + 1 if len(mine) > 1 else 0
            shown.write_names()
        self._follow_slice()

    def describe(self) -> None:
        """Lines, notes of the latest result, and the last click anew."""
        super().describe()
        here = [s for s in self.shown if s.study is self._window.study]
        notes = here[-1].explanation.notes if here else ()
        self.notes.setText("\n".join(f"• {sentence(note)}" for note in notes))
        self.notes.setVisible(bool(here))
        self.read_again()

    def lines_at(self, study: Study, index: tuple[int, int, int]) -> list[str]:
        """Values of every result that has the slice; where none has, that is said."""
        here = [s for s in self.shown if s.study is study]
        if here and not any(s.explanation.covers(index[0]) for s in here):
            return [*voxel_lines(study, index), "This slice was not run: press Run on slice."]
        return super().lines_at(study, index)

    # -- the clicked voxel ---------------------------------------------------------------------

    def _on_click(self, index: tuple[int, int, int]) -> None:
        super()._on_click(index)
        self.explain_click()

    def forget_click(self) -> None:
        """The study that was clicked in is no more."""
        super().forget_click()
        self.voxel.clear()

    def explain_click(self) -> None:
        """Explain the last click by the latest result that has the voxel, once somebody looks."""
        study, index = self._window.study, self._last_click
        if not self.isVisible():
            return
        mine = [s for s in self.shown if s.study is study]
        # What is explained are the maps in the picture, not those of another method.
        seen = [s for s in mine if s.visible] or mine
        shown = seen[-1] if seen else None
        if (
            study is None
            or index is None
            or shown is None
            or not shown.tells_why
            or not shown.population_count(index)
        ):
            self.voxel.clear()
            return
        explain = partial(self.session.voxel, study, shown.explanation, index)
        self.voxel.ask((shown, index), explain)
