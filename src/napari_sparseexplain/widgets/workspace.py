"""The SparseExplain workspace: one tabbed dock, and the view that its tabs share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Layer
from napari.utils.color import ColorValue
from qtpy.QtWidgets import QWidget

from ..errors import SparseExplainError
from ..layers.batched_changes import batched_changes
from ..layers.canvas.clicked_voxel import ClickedVoxel
from ..layers.canvas.frame_in_picture import go_to_opening_frame
from ..layers.canvas.linked_cameras import LinkedCameras
from ..layers.canvas.orientation_letters import OrientationLetters
from ..layers.canvas.slider_numbers import SliderNumbers
from ..layers.canvas.study_range import StudyRange
from ..layers.cells.grid_view import GridView
from ..layers.open_studies import (
    guard_layer,
    remove_study,
    rename_study,
    share_units,
    show_alone,
    studies_in,
    study_at,
)
from ..layers.study_layers import LayerTuple, study_layers
from ..review.reading import Reading
from ..volumes import Study
from ..volumes.head_box import head_box, whole_box
from ..volumes.reading_order import first_shown, opening_point
from .early_models import EarlyModels
from .parts.preferences import preference
from .parts.resting_timer import RestingTimer
from .review.hooks import ReviewHooks
from .review.study_marks import Marks
from .review.window_reading import window_reading
from .review.window_restore import put_on_window
from .slice_sheet.panel import SheetPanel
from .study.dropped_study import DroppedStudy
from .study.tab import open_already
from .tab_connections import connect_keys
from .tab_pages import TabPages
from .view.bar import ViewBar
from .view.click_read_out import ClickReadOut
from .view.fitted_view import FittedView
from .view.jumps import ViewJumps
from .view.key_sheet import KeySheet, add_help_entry
from .view.keys import KeyTargets, bind_keys
from .view.mask_keys import MaskKeys
from .view.modes import ViewModes
from .view.orthogonal_views import OrthogonalViews
from .view.painted.painted_picture import PaintedPicture
from .view.probe_line import ProbeLine
from .view.reading_room import ReadingRoom
from .view.study_view import StudyView
from .view.title_in_picture import TitleInPicture
from .view.tools.corner_identity import CornerIdentity
from .window import WindowSignals
from .window_close import WindowClose

if TYPE_CHECKING:
    from napari import Viewer

#: Name of the dock, as napari's Plugins menu would call it.
DOCK_NAME = "Workspace (SparseExplain)"


class Workspace(QWidget, StudyView):
    """The tabs, the open studies, and the one view: slice, plane, letters, grid, last click.

    What a tab or a panel may ask of it is `Window`. It alone knows the tabs, by their names
    (`page`), and connects them with each other.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.signals = WindowSignals(self)
        self.viewer = napari_viewer
        self.study: Study | None = None
        self._adding = False
        self._known_studies: list[Study] = []
        self.grid_view = GridView(napari_viewer)
        self.letters = OrientationLetters(napari_viewer)
        self.letters.set_size(preference("view.letter_size"))
        self.letters.set_convention(preference("view.convention"))
        self.title = TitleInPicture(self)
        self.identity = CornerIdentity(self)
        self.study_range = StudyRange(napari_viewer)
        self.slider_numbers = SliderNumbers(napari_viewer)
        self.cameras = LinkedCameras(napari_viewer)
        self.grid_view.on_change = self._on_grid
        self.grid_view.before_change = self._before_grid
        self.grid_view.fitted_box = lambda: (
            None if self.study is None else head_box(self.study) or whole_box(self.study)
        )
        self.painted = PaintedPicture(self, [self.title.write_now, self.identity.write_now])
        self.cells = self.painted.cells
        self._clicks = ClickReadOut(napari_viewer, self)
        self.marker = ClickedVoxel(napari_viewer)
        self._clicks.clicked.connect(self.marker.mark)
        self._clicks.clicked.connect(self.signals.voxel_clicked)
        self._drops = DroppedStudy(self.open_path, self)

        self.tabs = TabPages(self)
        self.modes = ViewModes(self, self, self._other_planes)
        self.review_hooks = ReviewHooks()
        self.jumps = ViewJumps(self, self.modes, self.review_hooks)
        self.probe = ProbeLine(self, self.modes)
        self.room = ReadingRoom(napari_viewer, self.signals, self, self.tabs, self.probe)
        self.room.folded_changed.connect(self.probe.set_folded)
        self.view_bar = ViewBar(self, self.modes, self.room)
        self.room.put_bar(self.view_bar)
        self.painted.follow(self.view_bar)
        grey = self.view_bar.window_control
        grey.changed.connect(self.signals.window_changed)
        connect_keys(self.tabs, self.review_hooks)
        taking = {name: self.page(name) for name in ("proxy", "decompose", "attribution")}
        self.sheet = SheetPanel(self, taking)
        self.sheet.judged.connect(self.page("attribution").judge)
        self.view_bar.add_beside_layouts(self.sheet.button)
        self.early = EarlyModels(self, self.tabs, self.signals, self.sheet.early_loads)
        opens = self.page("study")
        opens.opened.connect(lambda new, layers, old: self.show_study(new, layers, replaces=old))
        opens.edited.connect(self.replace_study)
        opens.close_pressed.connect(self.close_study)
        self.page("review").probe_restored.connect(self.marker.mark)

        self._fit_width = RestingTimer(self, 0, self.tabs.fit_width)
        # What changes often is answered once, when it rests: scrolling must stay as fast as ever.
        self._slice_timer = RestingTimer(self, 60, self._on_slice_rests)
        self._layers_timer = RestingTimer(self, 0, self._on_layers_rest)
        napari_viewer.dims.events.point.connect(self._slice_timer.restart)
        self.fitted = FittedView(self, self.cameras)
        napari_viewer.layers.events.inserted.connect(lambda event: self._watch(event.value))
        napari_viewer.layers.events.removed.connect(self._layers_timer.restart)
        for layer in napari_viewer.layers:
            self._watch(layer)
        self._last_slice = -1
        self._key_sheet: KeySheet | None = None
        masks = MaskKeys(self, self.jumps, self.cells)
        bind_keys(
            KeyTargets(
                self,
                self.modes,
                self.jumps,
                grey,
                self.view_bar.layout_picker,
                masks,
                self.room,
                self.view_bar.view_menu,
                self.sheet,
            )
        )
        add_help_entry(napari_viewer, self.show_keys)
        self._close = WindowClose(self)
        self._close.asked.connect(self.signals.closing)
        self._close.closed.connect(self.stop)
        self._on_layers_rest()

    def page(self, name: str) -> Any:
        """The tab of a name: study, proxy, decompose, attribution or review."""
        return self.tabs.page(name)

    def show_tab(self, name: str) -> None:
        """Bring a tab to the front."""
        self.tabs.setCurrentWidget(self.page(name))

    def show_message(self, words: str) -> None:
        """Say something of a study that was opened, chosen or closed, once, in the Study tab."""
        self.page("study").run_bar.add_message(words)

    @property
    def busy(self) -> tuple[str, ...]:
        """Names of what is being computed now."""
        names = tuple(name for page in self.tabs.pages() for name in page.busy_with())
        return (*names, *(("Sheet",) if self.sheet.computing else ()))

    # -- reviews ---------------------------------------------------------------------------

    def reading(self, marks: Marks) -> Reading:
        """What is on the screen, with what was marked and the clicked voxel.

        Raises
        ------
        SparseExplainError
            No study is open, the picture is in 3-D, or cells wait for a slice just scrolled to.
        """
        if names := [page.title for page in self.tabs.pages() if page.awaiting]:
            raise SparseExplainError(
                f"{', '.join(names)}: still computing the slice in the picture",
                remedy="Wait until it is there",
            )
        return window_reading(self, replace(marks, probe=self.marker.index))

    def show_reading(
        self,
        reading: Reading,
        layers: Mapping[str, Sequence[LayerTuple]] | None = None,
        mark: Callable[[Marks], None] = lambda marks: None,
    ) -> Marks:
        """Put a saved reading on the screen; see `put_on_window`."""
        return put_on_window(self, reading, layers, mark)

    # -- studies ---------------------------------------------------------------------------

    @property
    def studies(self) -> list[Study]:
        """Studies with a layer in the viewer, in the order they came."""
        return studies_in(self.viewer)

    def needed_study(self) -> Study:
        """The active study.

        Raises
        ------
        SparseExplainError
            None is open.
        """
        if self.study is None:
            raise SparseExplainError(
                "no study is open", remedy="Open one in the Study tab, or try File › Open Sample"
            )
        return self.study

    def open_path(self, path: str | Path, **options: Any) -> None:
        """Open a study in the background; see `StudyTab.open_path`."""
        self.page("study").open_path(path, **options)

    def wait(self, seconds: float = 60.0) -> bool:
        """Keep the window alive until nothing runs in any tab; for scripts and tests."""
        done = self.sheet.wait(seconds)
        return self.tabs.wait(seconds) and done

    def show_study(
        self,
        study: Study,
        layers: Sequence[LayerTuple] | None = None,
        *,
        replaces: Study | None = None,
    ) -> None:
        """Add a study's layers and make it the active one; what was loaded before stays.

        Parameters
        ----------
        layers : sequence of layer tuples, optional
            From `study_layers`, when they were made already.
        replaces : Study, optional
            A study whose layers make way, since this one is the same opened anew.
        """
        made = [Layer.create(*item) for item in (layers or study_layers(study))]
        if replaces is not None:
            self.signals.study_closing.emit(replaces)
        self._adding = True
        try:
            self.grid_view.leave()
            if replaces is not None:
                # First, so that the new layers get the names of the old ones.
                self._let_go(replaces, reopened=True)
            share_units(self.viewer, study)
            with batched_changes(self.viewer.layers):
                self.viewer.layers.extend(made)
        finally:
            self._adding = False
        # Not taken for one that napari brought once the layers rest: another may be chosen by then.
        self._known_studies = self.studies
        self.activate(study)

    def replace_study(self, old: Study, new: Study) -> None:
        """The same study after an edit of its roles: its layers stay and take the new names."""
        rename_study(self.viewer, old, new)
        self.tabs.follow_replaced(old, new)
        self.signals.study_replaced.emit(old, new)
        if self.study is old:
            self._set_active(new)

    def close_study(self, study: Study, *, into: Study | None = None) -> None:
        """Close a study with everything found in it; another one becomes the active one.

        That is ``into``, which then has its layers (see `fits_layers`), or one that is open.
        """
        self.signals.study_closing.emit(study)
        self.modes.set_mode("single")
        self._let_go(study, reopened=False, into=into)
        if into is not None:
            self._known_studies = self.studies
            self.activate(into)
        elif study is self.study and self.studies:
            self.activate(self.studies[-1])

    def _let_go(self, study: Study, *, reopened: bool, into: Study | None = None) -> None:
        """Let the tabs let go of what they found in a study; its layers go, or show another."""
        self.signals.study_closed.emit(study, reopened)
        for page in self.tabs.pages():
            page.forget_click()
        remove_study(self.viewer, study, into=into)

    def activate(self, study: Study) -> None:
        """Make a study the active one: its layers are shown, those of others are hidden."""
        self.grid_view.leave()
        shown = first_shown(study)
        share_units(self.viewer, study)
        show_alone(self.viewer, study, shown)
        self._set_active(study)
        # The controls beside the layer list are then those of grey values, not of a brush.
        self.viewer.layers.selection.active = self.study_layer(shown)
        self.set_plane("axial")
        self.go_to_voxel(opening_point(study))
        go_to_opening_frame(self.viewer, study)

    # -- the view --------------------------------------------------------------------------

    def click(self, index: tuple[int, int, int]) -> None:
        """As if a voxel of the active study were clicked."""
        self._clicks.clicked.emit(index)

    def show_keys(self) -> None:
        """The sheet of keys and mouse."""
        if self._key_sheet is None:
            self._key_sheet = KeySheet(self)
        self._key_sheet.show()
        self._key_sheet.raise_()

    def _other_planes(self) -> OrthogonalViews:
        on_drag = self.view_bar.window_control.show_drag
        unit, left = self.painted.unit, self.painted.left_tool
        return OrthogonalViews(self, self.cameras, self.probe.watch, on_drag, unit, left)

    @property
    def picture(self) -> QWidget:
        """The widget that the picture is drawn on: napari's canvas, or that of the cells."""
        return self.painted.widget

    # -- events ----------------------------------------------------------------------------

    def _set_active(self, study: Study | None) -> None:
        self.study = study
        self.study_range.set_study(study)
        self._clicks.study = study
        self.letters.set_grid(None if study is None else study.grid)
        self.marker.set_grid(None if study is None else study.grid)
        self.cameras.start(study)
        self.viewer.canvas.overlays.scale_bar.visible = study is not None
        # Scans are read on black, in a light theme too.
        black = ColorValue((0.0, 0.0, 0.0, 1.0))
        self.viewer.canvas.background_color_override = None if study is None else black
        self._last_slice = -1
        self.title.write()
        self.tabs.follow_study(study)
        self.signals.study_changed.emit(study)

    def _watch(self, layer: Layer) -> None:
        guard_layer(layer)
        layer.events.visible.connect(self._layers_timer.restart)
        self._layers_timer.restart()

    def _on_layers_rest(self) -> None:
        """Adopt a study that came by File › Open or drag-and-drop; let one go that was removed."""
        if self._adding:
            return
        self.view_bar.follow_layers()
        self.identity.restart()
        self.title.restart()  # another scan may have no frame, or one of other axes
        studies = self.studies
        newest = studies[-1] if studies else None
        known = self._known_studies
        self._known_studies = studies
        if newest is not None and newest not in known and newest is not self.study:
            there = None if newest.path is None else study_at(self.viewer, newest.path)
            if there is not None and there is not newest:
                # What was found in it and marked is kept; the same scans twice help nobody.
                self._known_studies = studies[:-1]
                remove_study(self.viewer, newest)
                self.activate(there)
                self.page("study").run_bar.show_message(open_already(there))
            else:
                self.activate(newest)
        elif self.study is not None and self.study not in studies:
            self._set_active(newest)
        else:
            self.tabs.follow_layers()

    def _on_grid(self, active: bool) -> None:
        self.fitted.follow_grid(active)
        self.title.write()
        self.signals.grid_changed.emit(active)

    def _before_grid(self, cells: int) -> None:
        # The single view comes back as it is now.
        self.cameras.pause()
        self.letters.set_cells(cells)

    def _on_slice_rests(self) -> None:
        index = self.current_slice
        if self.study is not None and index != self._last_slice:
            self._last_slice = index
            self.signals.slice_changed.emit(index)

    # -- closing ---------------------------------------------------------------------------

    def showEvent(self, event: Any) -> None:
        """Watch the window that the dock is in, to stop the runs when it closes."""
        super().showEvent(event)
        # Only in its window does the form have the theme's font, and so its true width.
        self._fit_width.restart()
        self._close.watch()
        self._drops.watch(self.window())

    def stop(self) -> None:
        """The window goes: ask every run to stop at its next step, and take the canvases apart."""
        self.early.stop()
        self.tabs.stop()
        self.sheet.stop()
        self.jumps.stop()
        self.painted.stop()
        self.modes.close()


def open_workspace(viewer: Viewer) -> Workspace:
    """The viewer's workspace: the one that is docked already, else a new one."""
    # A viewer that napari hands to plugins warns its reader at every private name.
    viewer = getattr(viewer, "__wrapped__", viewer)
    docked = viewer.window.dock_widgets.get(DOCK_NAME)
    if isinstance(docked, Workspace):
        if (dock := docked.parentWidget()) is not None:
            dock.show()
        return docked
    workspace = Workspace(viewer)
    viewer.window.add_dock_widget(workspace, name=DOCK_NAME, area="right")
    return workspace
