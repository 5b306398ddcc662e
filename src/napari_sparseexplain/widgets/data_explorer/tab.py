"""Data: what a labelled set holds before any model, what stands out, and every slice of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QCheckBox, QComboBox, QFileDialog, QHBoxLayout, QPushButton, QWidget

from ...errors import SparseExplainError
from ...layers.open_studies import study_at
from ...layers.study_layers import METADATA_KEY
from ...volumes import Study
from ...volumes.reading_order import ROLE_TITLES
from ..explain_tab import ExplainTab
from ..parts.notices import show_error_dialog
from ..parts.save_place import save_place, with_ending
from ..parts.work_runner import LatestRunner, Told, labelled_work
from ..parts.wrapped_label import wrapped_label
from ..view.plots_dock import show_plots
from ..window import Window
from .measures_panel import MeasuresPanel
from .noted_list import NotedList
from .place_choice import PlaceChoice
from .session import KINDS, DataSession

if TYPE_CHECKING:
    from ...explanation.data_explorer.dataset import Dataset

_INVITATION = (
    "Explore a folder of images and masks, or studies with masks: what it holds, and what to look "
    "at before a model is trained on it."
)

#: Classes that are told in the summary.
_CLASSES = 6


@dataclass(frozen=True)
class _Saved:
    """A run that writes a file."""

    path: Path


@dataclass(frozen=True)
class _Explored:
    """A run that measures a set."""

    places: tuple[Path, ...]


#: Role of a scan of which nothing tells what it is.
UNKNOWN = "image"


class DataTab(ExplainTab):
    """Choose a set, explore it; what stands out, plots, and every slice in the picture.

    Attributes
    ----------
    found : Dataset or None
        The set that was explored last.
    noted : NotedList
        What stands out, and slices of it.
    panel : MeasuresPanel
        Plots, below the picture.
    openings : LatestRunner
        Reads slices that are wanted in the picture.
    """

    name = "data"
    title = "Data"

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self.session = DataSession()
        self.found: Dataset | None = None
        self._opened: Study | None = None
        #: What a person called a slice of this set in the Study tab: the others are the same scan.
        self._role = ""
        self._fill_form()
        self.results.hide()
        self.summary = wrapped_label(_INVITATION)
        self.results_box.addWidget(self.summary)
        self.noted = NotedList()
        self.noted.opened.connect(self.open_slice)
        self.noted.hide()
        self.results_box.addWidget(self.noted)
        self._fill_buttons()
        self.panel = MeasuresPanel(window.viewer)
        self.panel.opened.connect(self.open_slice)
        self.panel.listed.connect(self._on_listed)
        self.plots = self.panel
        self.runner.succeeded.connect(self._on_done)
        self.openings = LatestRunner(self)
        self.openings.succeeded.connect(self._on_opened)
        self.openings.failed.connect(self._on_failed)
        window.signals.study_closed.connect(self._on_study_closed)
        window.signals.study_replaced.connect(self._on_study_replaced)

    def what_header(self) -> str:
        """Part one is a set."""
        return "What to explore"

    def results_header(self) -> str:
        """Part three is what was found."""
        return "What was found"

    def _fill_form(self) -> None:
        self.place = PlaceChoice(self._window)
        self.what.addRow("Folder", self.place)
        self.scan = QComboBox()
        self.scan.setAccessibleName("Scan of studies")
        self.scan.setToolTip(
            "Of studies, the scan that is measured. Slices of which no file tells what scan they "
            "are open as this one"
        )
        self.scan.addItem("the one shown first", "")
        for role in ("flair", "t1", "t1ce", "t2", "dwi", "adc", "ct", "cine"):
            self.scan.addItem(ROLE_TITLES[role], role)
        self.what.addRow("Scan", self.scan)
        self.explore_button = self.run_bar.add_button(
            "Explore", "Read every slice of the set once; can be cancelled"
        )
        self.explore_button.clicked.connect(lambda: self.explore())
        self.place.line.returnPressed.connect(lambda: self.explore())
        self.keep = QCheckBox("Keep slices that were opened")
        self.keep.setToolTip(
            "Off: a slice makes way for the next one, unless something was found in it. What else "
            "is open stays in any case"
        )

    def _fill_buttons(self) -> None:
        self.buttons = QWidget()
        row = QHBoxLayout(self.buttons)
        row.setContentsMargins(0, 0, 0, 0)
        self.plots_button = QPushButton("Plots")
        self.plots_button.setToolTip("Its measures below the picture; a point opens its slice")
        self.plots_button.clicked.connect(lambda: self.show_plots())
        row.addWidget(self.plots_button, 1)
        self.save_buttons: dict[str, QPushButton] = {}
        for ending, words in KINDS.items():
            button = QPushButton(f"{ending.upper()}…")
            button.setToolTip(f"Save what was found as a {words}")
            button.setAccessibleName(f"Save as {words}")
            button.clicked.connect(partial(self._ask_and_save, ending))
            self.save_buttons[ending] = button
            row.addWidget(button, 1)
        self.results_box.addWidget(self.buttons)
        self.results_box.addWidget(self.keep)
        self.buttons.hide()
        self.keep.hide()

    # -- what a script can call ----------------------------------------------------------------

    def explore(self, *places: str | Path, scan: str | None = None) -> None:
        """Measure a set in the background; what the form says without places."""
        if places:
            self.place.choose(*places)
        if scan is not None:
            self.scan.setCurrentIndex(self.scan.findData(scan))
        try:
            chosen = tuple(self.place.places())
        except SparseExplainError as error:
            self._on_failed(error)
            return
        wanted, session = str(self.scan.currentData()), self.session
        asked = _Explored(chosen)
        self.runner.start(labelled_work(asked, lambda: session.explore_work(chosen, wanted)))

    def show_plots(self) -> None:
        """The measures below the picture."""
        show_plots(self._window.viewer, self.panel)

    def open_slice(self, index: int) -> None:
        """Show a slice with its mask, by its place among the records."""
        found = self.found
        if found is None:
            return
        self.noted.select_slice(index)
        self.panel.plot.point_at(index)
        item, session = found.records[index].item, self.session
        there = study_at(self._window.viewer, item.image)
        if there is not None and (number := getattr(item, "index", None)) is not None:
            self.openings.drop()
            self._show(there, number, item.name)
        else:
            self.openings.submit(lambda: Told(item, session.opened(item)))

    def save(self, path: Path) -> None:
        """Write what was found as what the path's ending says, in the background."""
        found, session = self.found, self.session
        if found is not None:
            asked = _Saved(path)
            self.runner.start(labelled_work(asked, lambda: session.save_work(found, path)))

    # -- answers -------------------------------------------------------------------------------

    def _on_done(self, told: Told) -> None:
        if isinstance(told.asked, _Saved):
            self.run_bar.show_message(f"Saved {told.result}.")
            return
        self.run_bar.show_message("Done.")
        self._show_found(told.result)

    def _show_found(self, found: Dataset) -> None:
        from ...explanation.data_explorer.dataset_text import summary_lines
        from ...explanation.data_explorer.noted import noted

        self.found, self._role = found, ""
        lines = summary_lines(found)
        if found.studies or len(found.classes) > 1:
            shares = list(found.classes.items())
            told = [f"{name} {total.share:.1%}" for name, total in shares[:_CLASSES]]
            more = " …" if len(shares) > _CLASSES else ""
            lines.append("Of what is drawn: " + ", ".join(told) + more + ".")
        self.summary.setText("\n".join(lines))
        notes = noted(found)
        self.noted.show_notes(notes, [record.item.name for record in found.records])
        worst = [""] * len(found.records)
        for note in reversed(notes):  # the weightiest last
            for index in note.slices:
                worst[index] = note.gravity
        self.panel.show_set(found, worst)
        for widget in (self.noted, self.buttons, self.keep):
            widget.show()
        self._width_timer.restart()

    def _on_listed(self, title: str, slices: tuple[int, ...]) -> None:
        self.noted.lines.setCurrentRow(-1)
        self.noted.show_slices(title, slices)

    def _on_opened(self, told: Told) -> None:
        study, index = told.result
        study = self._as_called(study)
        before = self._opened
        self._window.show_study(study)
        self._opened = study
        if scan := getattr(told.asked, "scan", ""):
            self._show_scan(study, scan)
        if before is not None and before in self._window.studies and not self._is_kept(before):
            self._window.close_study(before)
            self._opened = study
        self._show(study, index, told.asked.name)

    def _as_called(self, study: Study) -> Study:
        """A slice of which no file tells what scan it is, as the one that a person said it is."""
        role = self._role or str(self.scan.currentData() or "")
        unknown = tuple(study.images) == (UNKNOWN,) and role and role not in study
        return study.with_role(UNKNOWN, role) if unknown else study

    def _show(self, study: Study, index: int, name: str) -> None:
        if self._window.study is not study:
            self._window.activate(study)
        self._window.go_to_slice(index)
        self.run_bar.show_message(f"{name} is in the picture.")

    def _show_scan(self, study: Study, scan: str) -> None:
        """Of the scans of a study that has just come, the one that was measured."""
        for role in study.images:
            if (layer := self._window.study_layer(role)) is not None:
                layer.visible = role == scan

    def _is_kept(self, study: Study) -> bool:
        """Whether a person wants it, or something was found in it."""
        own = self._window.layers_of(study)
        return self.keep.isChecked() or any(
            getattr(layer.metadata.get(METADATA_KEY), "study", None) is study and layer not in own
            for layer in self._window.viewer.layers
        )

    def _on_study_replaced(self, old: Study, new: Study) -> None:
        if self._opened is old:
            self._opened = new
            if len(old.images) == len(new.images) == 1 and tuple(old.images) != tuple(new.images):
                (self._role,) = new.images

    def _on_study_closed(self, study: Study, _reopened: bool) -> None:
        if self._opened is study:
            self._opened = None

    # -- files ---------------------------------------------------------------------------------

    def _ask_and_save(self, ending: str, _checked: bool = False) -> None:
        found = self.found
        if found is None:
            return
        chosen = self._ask_file(save_place(f"{found.root.name}.{ending}"), ending)
        if chosen:
            self.save(with_ending(chosen, ending, only=True))

    def _ask_file(self, start: str, ending: str) -> str:
        kind = f"{KINDS[ending]} (*.{ending})"
        return QFileDialog.getSaveFileName(self, "Save what was found", start, kind)[0]

    # -- ends ----------------------------------------------------------------------------------

    def _on_failed(self, error: SparseExplainError) -> None:
        self.run_bar.show_error(str(error))
        show_error_dialog(error)

    @property
    def computing(self) -> bool:
        """Whether a set is being measured, or a slice being read."""
        return super().computing or self.openings.busy

    def wait(self, seconds: float = 60.0) -> bool:
        """Until nothing runs here."""
        return super().wait(seconds) and self.openings.wait(seconds)

    def stop(self) -> None:
        """The window is closing."""
        super().stop()
        self.openings.drop()
