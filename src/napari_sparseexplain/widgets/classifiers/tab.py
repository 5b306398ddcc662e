"""Embedding: pictures of classes as a stack and as points, and the maps of a study."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QPushButton

from ...errors import SparseExplainError
from ...volumes import Study
from ..explain_tab import ExplainTab, section_header
from ..parts.model_choice import DeviceChoice, ModelChoice
from ..parts.model_session import ModelKey
from ..parts.resting_timer import RestingTimer
from ..parts.work_runner import Told, labelled_work
from ..parts.wrapped_label import wrapped_label
from ..view.plots_dock import show_plots
from ..window import Window
from .embedding_panel import EmbeddingPanel
from .filter_form import FilterForm
from .folder_form import FolderForm
from .session import ClassifierSession
from .shown_stack import ShownStack
from .shown_study import ShownStudy
from .study_form import StudyForm

if TYPE_CHECKING:
    from ...training.classifiers.picture_embedding import PictureEmbeddings
    from ...training.classifiers.picture_stack import PictureStack
    from ...training.classifiers.study_browser import StudyBrowser

_INVITATION = (
    "Open a folder of classes: its pictures become a stack. Embed shows them as points, by their "
    "pixels and by what a classifier makes of them."
)

#: The classifier to begin with, where it ships.
_FIRST = "tumour-classes"

#: Height of the panel below the picture: both pictures are square.
_PANEL_HEIGHT = 330

#: Notes that are told one by one.
_TOLD = 4


@dataclass(frozen=True)
class _Asked:
    """What a run is for: ``"open"``, ``"embed"`` or ``"study"``."""

    what: str
    folder: Path


class EmbeddingTab(ExplainTab):
    """Choose a folder of classes and a classifier; look through them, as a stack and as points.

    Attributes
    ----------
    stack : PictureStack or None
        The pictures that are open.
    found : PictureEmbeddings or None
        The same as points.
    filter : FilterForm
    shown : ShownStack
        Those of them that are in the viewer.
    panel : EmbeddingPanel
        Points, below the picture.
    browsed : ShownStudy
        A study whose maps are gone through.
    """

    name = "classifiers"
    title = "Embedding"

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self.session = ClassifierSession()
        self.stack: PictureStack | None = None
        self.found: PictureEmbeddings | None = None
        self._unlike = False
        self.shown, self.browsed = ShownStack(window), ShownStudy(window)
        self._fill_form()
        self.filter = FilterForm()
        self.filter.changed.connect(self._on_filter)
        self.extras.addWidget(self.filter)
        self._filter_timer = RestingTimer(self, 150, self.apply_filter)
        self.results.hide()
        self.summary = wrapped_label(_INVITATION)
        self.picture = wrapped_label()
        self.points_button = QPushButton("Points")
        self.points_button.setToolTip("Both pictures of points below the picture")
        self.points_button.clicked.connect(lambda: self.show_points())
        for widget in (self.picture, self.points_button, self.summary):
            self.results_box.addWidget(widget)
        self.study_form = StudyForm()
        self.study_form.opened.connect(lambda: self.open_study())
        self.study_form.stepped.connect(self.step_study)
        self.results_box.addWidget(section_header("Maps of a study"))
        self.results_box.addWidget(self.study_form)
        self.panel = EmbeddingPanel(window.viewer)
        self.panel.opened.connect(self.open_picture)
        self.panel.selected.connect(self.select)
        self.panel.cleared.connect(self.clear_selection)
        self.plots = self.panel
        for widget in (self.filter, self.points_button, self.picture):
            widget.hide()
        self.runner.succeeded.connect(self._on_done)
        signals = window.signals
        signals.slice_changed.connect(lambda _: self._follow_picture())
        signals.study_changed.connect(lambda _: self._follow_picture())
        signals.study_closed.connect(self._on_study_closed)
        signals.study_replaced.connect(self.shown.on_replaced)

    def what_header(self) -> str:
        """Part one is a folder."""
        return "Which pictures"

    def results_header(self) -> str:
        """Part three is what is in them."""
        return "Pictures"

    def _fill_form(self) -> None:
        self.folder = FolderForm(self.what)
        self.models = ModelChoice(empty="none: by pixels alone", tasks=("classification",))
        self.models.combo.setAccessibleName("Classifier")
        place = self.models.combo.findData(_FIRST)
        self.models.combo.setCurrentIndex(max(place, 0))
        self.device = DeviceChoice()
        self.what.addRow("Classifier", self.models)
        self.what.addRow("Run on", self.device)
        self.open_button = self.run_bar.add_button(
            "Open pictures", "Read them as a stack, with the answers of the classifier"
        )
        self.open_button.clicked.connect(lambda: self.open_pictures())
        self.embed_button = self.run_bar.add_button(
            "Embed", "Place all pictures in the plane; can be cancelled"
        )
        self.embed_button.clicked.connect(lambda: self.embed())
        self.folder.folder.line.returnPressed.connect(lambda: self.open_pictures())

    # -- what a script can call ----------------------------------------------------------------

    def open_pictures(
        self, folder: str | Path | None = None, *, table: str | Path | None = None
    ) -> None:
        """Read a folder of classes in the background; what the form says without one."""
        if folder is not None:
            self.folder.folder.choose(folder)
            self.folder.table.choose(table)
        try:
            place, csv, column = self.folder.asked()
        except SparseExplainError as error:
            self._on_failed(error)
            return
        key, session = self._key(), self.session
        asked = _Asked("open", place)
        self.runner.start(labelled_work(asked, lambda: session.open_work(place, csv, column, key)))

    def embed(self) -> None:
        """Place the open pictures in the plane, in the background."""
        stack, key, session = self.stack, self._key(), self.session
        if stack is None:
            self._on_failed(
                SparseExplainError(
                    "no pictures are open", remedy="Choose a folder, and press Open pictures"
                )
            )
            return
        asked = _Asked("embed", stack.root)
        self.runner.start(labelled_work(asked, lambda: session.embed_work(stack, key)))

    def open_picture(self, row: int) -> None:
        """Show a picture, by its row; where the filter keeps it out, all are let in."""
        if self.stack is None:
            return
        if not self.shown.go_to(row):
            self.filter.let_all()
            self._show_rows(row)
        self._follow_picture()

    def select(self, rows: tuple[int, ...]) -> None:
        """Only these pictures in the stack: what was drawn around in the panel."""
        self.filter.select(rows)

    def clear_selection(self) -> None:
        """All pictures again."""
        if self.filter.selection:
            self.filter.select(())

    def apply_filter(self) -> None:
        """Show the pictures that the form lets through; those before stay where there are none."""
        self._filter_timer.stop()
        if self.stack is not None:
            self._show_rows(self.shown.row)

    def show_points(self) -> None:
        """The points below the picture."""
        show_plots(self._window.viewer, self.panel, height=_PANEL_HEIGHT)

    def open_study(self, folder: str | Path | None = None) -> None:
        """Open an attribution study of the open pictures, in the background."""
        if folder is not None:
            self.study_form.folder.choose(folder)
        place, stack, session = self.study_form.folder.path, self.stack, self.session
        if place is None or stack is None:
            lacks = "no folder of a study is chosen" if place is None else "no pictures are open"
            remedy = (
                "Press Study…, and choose what compare-attribution was given with --out"
                if place is None
                else "First open the folder of pictures that the study was made of"
            )
            self._on_failed(SparseExplainError(lacks, remedy=remedy))
            return
        self.runner.start(
            labelled_work(_Asked("study", place), lambda: session.browse_work(place, stack))
        )

    def step_study(self, by: int) -> None:
        """The next picture of the study, or the one before, of the class that is chosen."""
        self.browsed.step(by, self.study_form.label.currentData() or "")
        self._follow_picture()

    # -- answers -------------------------------------------------------------------------------

    def _key(self) -> ModelKey:
        return ModelKey(self.models.model, self.device.device)

    def _on_done(self, told: Told) -> None:
        self.run_bar.show_message("Done.")
        if told.asked.what == "open":
            self._show_stack(told.result)
        elif told.asked.what == "embed":
            self._show_found(*told.result)
        else:
            self._show_study(told.result)

    def _show_stack(self, stack: PictureStack) -> None:
        self.stack, self.found, self._unlike = stack, None, stack.unlike
        self.panel.show_found(None)
        self.filter.let_all()
        self.filter.select(())
        self._filter_timer.stop()
        self.filter.offer(stack)
        self._describe()
        for widget in (self.filter, self.points_button):
            widget.show()
        self._show_rows(-1)
        self._width_timer.restart()

    def _show_found(self, stack: PictureStack, found: PictureEmbeddings) -> None:
        before, self.stack, self.found = self.stack, stack, found
        self.filter.offer(stack)
        self.panel.show_found(found)
        self.panel.points.show_selection(self.filter.selection)
        self._describe()
        if before is not None and before.card is not stack.card:
            # The role of the pictures is that of the scan that the classifier takes.
            self._show_rows(self.shown.row)
        self.shown.stack = stack
        self.show_points()
        self._follow_picture(anew=True)

    def _show_study(self, browser: StudyBrowser) -> None:
        self.browsed.show(browser)
        self.study_form.offer(browser.slices.classes)
        words = f"{len(browser)} pictures, each with {len(browser.columns)} maps."
        self.run_bar.show_message(" ".join((words, *(f"⚠ {note}." for note in browser.notes))))
        self._follow_picture()

    def _show_rows(self, row: int) -> None:
        stack = self.stack
        if stack is None:
            return
        try:
            rows = self.filter.query().rows(stack)
        except SparseExplainError as error:
            self._on_failed(error)
            return
        if not len(rows):
            self.run_bar.show_error("No picture is left by this choice; the stack stays as it was.")
            return
        gone = self.shown.study is None or self.shown.study not in self._window.studies
        same = len(rows) == len(self.shown.rows) and (rows == self.shown.rows).all()
        if gone or not same or self.shown.stack is not stack:
            self.shown.show(stack, rows, row)
        elif row >= 0:
            self.shown.go_to(row)
        # Afterwards: what was said of the study before goes with it.
        self.run_bar.show_message(f"{len(rows)} of {len(stack)} pictures.")
        self._follow_picture(anew=True)

    def _on_filter(self) -> None:
        only = self.filter.only_selected.isChecked()
        self.panel.points.show_selection(self.filter.selection if only else ())
        self._filter_timer.restart()

    def _describe(self) -> None:
        stack = self.stack
        if stack is None:
            return
        counts = [
            f"{sum(image.label == name for image in stack.images)} {name}"
            for name in stack.slices.classes
        ]
        lines = [f"{len(stack)} pictures: {', '.join(counts)}.", f"Split: {stack.how}."]
        if stack.step > 1:
            lines.append(
                f"Each pixel is the mean of {stack.step} × {stack.step}: the set is large. What is "
                "run on them here sees these means."
            )
        if self._unlike:
            lines.append(
                "⚠ Grey values of some are many times those of others (as of 16 bits and 8): one "
                "window shows these black or white. Shift-U sets it by the picture that is shown."
            )
        if (correct := stack.correct) is not None and stack.card is not None:
            judged = [side == "judging" for side in stack.sides]
            title = stack.card.title or stack.card.name
            lines.append(f"{title}: {correct.mean():.2f} of all are right")
            if any(judged):
                lines[-1] += f", {correct[judged].mean():.2f} of those to judge by"
            lines[-1] += "."
            unseen = [v for v in map(stack.unseen_view, range(len(stack))) if v]
            if unseen:
                lines.append(
                    f"⚠ {len(unseen)} pictures are of views that it was not trained on: "
                    f"{', '.join(sorted(set(unseen)))}."
                )
        if self.found is not None:
            lines += self.found.text().splitlines()[1:]
        lines += stack.notes[:_TOLD]
        if len(stack.notes) > _TOLD:
            lines.append(f"{len(stack.notes) - _TOLD} more notes.")
        self.summary.setText("\n".join(lines))

    def _follow_picture(self, *, anew: bool = False) -> None:
        """Another picture is in the viewer: say which, and mark it among the points."""
        row, stack = self.shown.row, self.stack
        if anew:
            self.panel.mark(-1)
        self.panel.mark(row if row >= 0 else self._row_of_study())
        self.shown.write_corner()
        told = "" if stack is None or row < 0 else "\n".join(stack.lines(row))
        self.picture.setText(told)
        self.picture.setVisible(bool(told))
        self.browsed.write_names()
        self.study_form.said.setText(self.browsed.words())

    def _row_of_study(self) -> int:
        """Row of the picture whose maps are shown; -1 where there is none."""
        image = self.browsed.image
        if image is None or self.stack is None:
            return -1
        paths = [each.path for each in self.stack.images]
        return paths.index(image.path) if image.path in paths else -1

    def _on_study_closed(self, study: Study, _reopened: bool) -> None:
        self.shown.on_closed(study)
        self.browsed.on_closed(study)
        if self.browsed.study is None:
            self.study_form.offer(())
        self._follow_picture()

    def lines_at(self, study: Study, index: tuple[int, int, int]) -> list[str]:
        """Where the last click was; of a picture of the stack also which one it is."""
        lines = super().lines_at(study, index)
        if self.stack is not None and study is self.shown.study:
            lines = [*self.stack.lines(int(self.shown.rows[index[0]])), *lines]
        return lines
