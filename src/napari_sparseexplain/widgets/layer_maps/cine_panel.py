"""The panel *Cine* below the picture: volumes of the left ventricle over the cycle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ...errors import SparseExplainError
from ...layers.canvas.frame_in_picture import frame_in_picture, go_to_frame
from ...volumes import Study
from ..parts.model_session import ModelKey
from ..parts.notices import show_error_dialog
from ..parts.resting_timer import RestingTimer
from ..parts.run_bar import BROKEN, RunBar
from ..parts.save_place import save_place, with_ending
from ..parts.work_runner import Told, WorkRunner, labelled_work
from ..parts.wrapped_label import wrapped_label
from ..window import Window
from .cine_masks import CineOutlines
from .cine_networks import CineNetworks
from .cine_session import CineSession
from .cine_table import CineTable
from .themed_canvas import ThemedCanvas

if TYPE_CHECKING:
    from matplotlib.lines import Line2D
    from napari.layers import Labels

    from ...training.left_ventricle.cine_volumes import CineVolumes

#: Role of the scans that ventricle networks take.
ROLE = "cine"

#: Width of the column with the networks and of that with the figures.
_LEFT, _RIGHT = 210, 300


@dataclass(frozen=True, eq=False)
class _Asked:
    """What a run is for."""

    study: Study
    titles: tuple[str, ...]


class CinePanel(QWidget):
    """Networks to tick, Run, the curve with a cursor at the frame in the picture, the figures.

    Attributes
    ----------
    found : list of CineVolumes
        Of the study `study`, one a network; empty before a run.
    outlines : list of Labels
        What the networks mark, in the viewer.
    table : CineTable
    elsewhere : QLabel
        In the place of plot and figures while another study is in the picture.

    Signals
    -------
    seen(): it came into sight.
    """

    seen = Signal()

    def __init__(self, window: Window) -> None:
        super().__init__()
        self.setWindowTitle("Cine")
        self._window, self._viewer = window, window.viewer
        self.session = CineSession()
        self.study: Study | None = None
        self.found: list[CineVolumes] = []
        self.titles: tuple[str, ...] = ()
        self.marked = CineOutlines(window, ROLE)
        self.networks = CineNetworks(ROLE)
        self.networks.failed.connect(self._on_failed)
        self.boxes, self.device = self.networks.boxes, self.networks.device
        self._cursor: Line2D | None = None
        self._asked: _Asked | None = None
        self.area = QCheckBox("Area of the slice")
        self.area.setToolTip("Area over time of the slice in the picture, in place of the volume")
        self.area.toggled.connect(lambda _: self._draw())
        self.run_bar = RunBar()
        self.run_button = self.run_bar.add_button(
            "Run", "The ticked networks on every slice and time point; can be cancelled"
        )
        self.run_button.clicked.connect(lambda: self.run())
        self.save_button = QPushButton("Save…")
        self.save_button.setToolTip(
            "Curve, figures and what must be read with them: a picture on white (PNG, PDF), or a "
            "table with the area and volume of every time point (CSV)"
        )
        self.save_button.clicked.connect(lambda: self._ask_and_save())
        self.save_button.setEnabled(False)
        self.plot = ThemedCanvas(self._viewer, self._draw)
        self.table = CineTable()
        self.elsewhere = wrapped_label()
        # Nothing else is beside the networks while it is seen.
        self.elsewhere.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.elsewhere.hide()
        self._lay_out()
        self.runner = WorkRunner(self)
        self.run_bar.cancel_pressed.connect(self.runner.cancel)
        self.runner.running_changed.connect(self.run_bar.set_running)
        self.runner.progressed.connect(self.run_bar.show_step)
        self.runner.failed.connect(self._on_failed)
        self.runner.broke.connect(lambda: self.run_bar.show_error(BROKEN))
        self.runner.cancelled.connect(self._on_cancelled)
        self.runner.succeeded.connect(self._on_done)
        self._cursor_timer = RestingTimer(self, 20, self._follow_frame)
        self._viewer.dims.events.point.connect(self._cursor_timer.restart)
        window.signals.slice_changed.connect(lambda _: self._on_slice())
        window.signals.study_changed.connect(self._on_study)
        window.signals.study_replaced.connect(self._on_replaced)
        window.signals.study_closed.connect(self._on_closed)
        # A study also goes when a person removes its layers, and nobody tells of that.
        self._layers_timer = RestingTimer(self, 0, self._on_layers)
        self._viewer.layers.events.removed.connect(self._layers_timer.restart)

    def _lay_out(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.networks)
        line = QHBoxLayout()
        line.addWidget(self.area, 1)
        line.addWidget(self.save_button)
        column.addLayout(line)
        column.addWidget(self.run_bar)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidget(left)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFixedWidth(_LEFT)
        self.table.setFixedWidth(_RIGHT)
        figures = QHBoxLayout()
        figures.addWidget(self.plot, 1)
        figures.addWidget(self.table)
        right = QVBoxLayout()
        right.setSpacing(2)
        # Above the figures and as wide as both: what must be read with them is never out of sight.
        right.addWidget(self.table.said)
        right.addWidget(self.elsewhere)
        right.addLayout(figures, 1)
        box = QHBoxLayout(self)
        box.setContentsMargins(4, 0, 4, 0)
        box.addWidget(area)
        box.addLayout(right, 1)

    # -- what a script can call ----------------------------------------------------------------

    def choose(self, *models: str) -> None:
        """Tick these networks and no other; a folder that is not listed is added."""
        self.networks.choose(*models)

    def run(self) -> None:
        """Run the ticked networks on the cine in the picture."""
        self.networks.fill()
        models = self.networks.ticked
        try:
            if not models:
                raise SparseExplainError("no network is ticked", remedy="Tick one, or Browse…")
            study = self._window.needed_study()
        except SparseExplainError as error:
            self._on_failed(error)
            return
        keys = [ModelKey(model, self.device.device) for model in models]
        asked = _Asked(study, tuple(self.boxes[model].text() for model in models))
        cards = [self.networks.boxes[model].card for model in models]
        work = partial(self.session.cine_work, study, keys, cards)
        if self.runner.start(labelled_work(asked, work)):
            self._asked = asked

    @property
    def outlines(self) -> list[Labels]:
        """What the networks mark, in the viewer."""
        return self.marked.layers

    @property
    def point(self) -> int:
        """The time point in the picture, from 0."""
        if self.study is None:
            return 0
        frame, _ = frame_in_picture(self._viewer, self.study)
        return frame[-1] if frame else 0

    def go_to(self, point: int) -> None:
        """Show a time point in the picture."""
        go_to_frame(self._viewer, (point,))

    def save(self, path: Path, *, overwrite: bool = False) -> Path:
        """Write what was found, as PNG, PDF or CSV by the file's ending.

        Raises
        ------
        SparseExplainError
            Nothing was run, another ending, the file is there already or cannot be written.
        """
        if not self.found:
            raise SparseExplainError("no cine was run", remedy="Tick networks and press Run")
        if path.suffix.lower() == ".csv":
            from ...files.atomic_write import write_atomically
            from ...training.left_ventricle.cine_figures import figures_csv

            content = figures_csv(self.found).encode()
            return write_atomically(path, content, overwrite=overwrite)
        from ...layers.plots.cine_plot import save_cine_picture

        index = self._drawn_slice
        return save_cine_picture(self.found, self.titles, path, index=index, overwrite=overwrite)

    # -- within --------------------------------------------------------------------------------

    def _on_failed(self, error: SparseExplainError) -> None:
        self.run_bar.show_error(str(error))
        show_error_dialog(error)

    def _on_done(self, told: Told) -> None:
        asked: _Asked = told.asked
        if asked is not self._asked or asked.study not in self._window.studies:
            return  # its study was closed meanwhile
        self.study, self.titles = asked.study, asked.titles
        self.found, records = [one for one, _ in told.result], [record for _, record in told.result]
        here = self._window.study is self.study
        self.run_bar.show_message("Done." if here else f"Done, of {asked.study.name}.")
        self._draw()
        name = asked.study.name
        self.table.show_figures(self.found, self.titles, self.colours, study=name)
        self.marked.add(asked.study, self.found, self.titles, self.colours, records)
        self._show_whose()

    @property
    def colours(self) -> Sequence[str]:
        """Of the networks, in plot, table and picture."""
        from ...layers.plots.cine_plot import line_colour
        from ...layers.plots.plot_theme import DARK

        # Outlines lie on a scan, which is dark in a light viewer too.
        return [line_colour(DARK, place) for place in range(len(self.found))]

    @property
    def _drawn_slice(self) -> int | None:
        """The slice whose areas the curve has; None for volumes."""
        if not self.area.isChecked() or not self.found:
            return None
        # The slice in the picture may be one of another study, with more of them.
        return min(self._window.current_slice, self.found[0].areas.shape[1] - 1)

    def _ask_and_save(self) -> None:
        chosen = self._ask_file(save_place("cine.png"))
        if not chosen:
            return
        try:
            path = self.save(with_ending(chosen, "png"), overwrite=True)  # the dialog has asked
        except SparseExplainError as error:
            self._on_failed(error)
        else:
            self.run_bar.show_message(f"Saved {path.name}.")

    def _ask_file(self, start: str) -> str:
        kinds = "Pictures (*.png *.pdf);;Tables (*.csv)"
        return QFileDialog.getSaveFileName(self, "Save the curve and its figures", start, kinds)[0]

    def _draw(self) -> None:
        if not self.found:
            return
        from ...layers.plots.cine_plot import draw_cine

        first = self._cursor is None
        self._cursor = draw_cine(
            self.plot.figure, self.found, self.titles, self.plot.theme,
            point=self.point, index=self._drawn_slice,
            study="" if self.study is None else self.study.name,
        )  # fmt: skip
        if first:
            self.plot.canvas.mpl_connect("button_press_event", self._on_press)
            self.plot.canvas.mpl_connect("motion_notify_event", self._on_press)
        self.plot.redraw()

    def _on_slice(self) -> None:
        if self.area.isChecked() and self._window.study is self.study:
            self._draw()

    def _on_press(self, event: Any) -> None:
        """A click in the curve, or a drag over it, moves the time slider."""
        if event.inaxes is None or event.xdata is None or event.button != 1 or not self.found:
            return
        last = len(self.found[0].volumes) - 1
        self.go_to(min(max(round(event.xdata) - 1, 0), last))

    def _follow_frame(self) -> None:
        if self._cursor is None or self._window.study is not self.study:
            return
        from ...layers.plots.cine_plot import move_cursor

        move_cursor(self._cursor, self.point)
        self.plot.redraw()

    # -- studies -------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Somebody looks."""
        self.networks.fill()
        self.seen.emit()
        super().showEvent(event)

    def _on_study(self, study: Study | None) -> None:
        """Figures and outlines are of one study; another may be in the picture."""
        self.run_bar.follow_study(study)
        self._on_layers()
        self._show_whose()
        self._cursor_timer.restart()

    def _show_whose(self) -> None:
        """Plot, figures and outlines with their own study alone."""
        other = self.study is not None and self._window.study is not self.study
        if self.study is not None and other:
            self.elsewhere.setText(
                f"Volumes of {self.study.name} were found here. Another study is in the picture: "
                f"choose {self.study.name} to see them, or Run for this one."
            )
        self.elsewhere.setVisible(other)
        self.table.said.setVisible(not other)
        self.table.setVisible(not other)
        self.plot.setVisible(not other)
        self.save_button.setEnabled(bool(self.found) and not other)
        self.marked.place()

    def _on_layers(self) -> None:
        """Layers were removed: with the last one of a study it goes, too."""
        for study in {self.study, None if self._asked is None else self._asked.study}:
            if study is not None and study not in self._window.studies:
                self._on_closed(study)

    def _on_cancelled(self) -> None:
        if self._asked is None:
            self.run_bar.show_message("The run ended: its study was closed or changed.")
        else:
            self.run_bar.show_message("Cancelled. Earlier results are unchanged.")

    def _on_replaced(self, old: Study, new: Study) -> None:
        self.run_bar.follow_replaced(old, new)
        if self.study is old:
            self.study = self.marked.study = new
        if self._asked is not None and self._asked.study is old:
            self._asked = None
            self.runner.cancel()

    def _on_closed(self, study: Study) -> None:
        if self._asked is not None and self._asked.study is study:
            self._asked = None
            self.runner.cancel()
        if self.study is study:
            self.forget()
        self.session.forget(study)

    def forget(self) -> None:
        """What was found goes, with its outlines."""
        self.marked.remove()
        self.study, self.found, self.titles = None, [], ()
        if self._cursor is not None:
            from ...layers.plots.plot_theme import clear

            clear(self.plot.figure, self.plot.theme)
            self.plot.redraw()
        self.table.clear()
        self._show_whose()

    @property
    def computing(self) -> bool:
        """Whether a run is under way."""
        return self.runner.running
