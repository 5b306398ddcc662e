"""The SparseExplain workspace: one tabbed dock, and the view that its tabs share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Layer
from napari.utils.color import ColorValue
from qtpy.QtCore import QEvent, QObject, QTimer, Signal
from qtpy.QtWidgets import QApplication, QVBoxLayout, QWidget

from ..errors import SparseExplainError
from ..layers.clicked_voxel import ClickedVoxel
from ..layers.grid_view import GridView
from ..layers.linked_cameras import LinkedCameras, spatial_axes
from ..layers.open_studies import (
    guard_layer,
    layers_of,
    remove_study,
    rename_study,
    share_units,
    show_alone,
    studies_in,
    study_at,
)
from ..layers.orientation_letters import OrientationLetters, Plane, show_plane
from ..layers.slice_title import shown_index
from ..layers.slice_wheel import SliceWheel
from ..layers.slider_numbers import SliderNumbers
from ..layers.study_layers import METADATA_KEY, LayerTuple, study_layers
from ..review.review import Convention
from ..volumes import Study
from ..volumes.reading_order import first_shown, opening_point
from .attribution_tab import AttributionTab
from .click_read_out import ClickReadOut
from .decompose_tab import DecomposeTab
from .dropped_study import DroppedStudy
from .explain_tab import ExplainTab
from .fitted_view import FittedView
from .key_sheet import KeySheet, add_help_entry
from .preferences import preference
from .probe_line import ProbeLine
from .proxy_tab import ProxyTab
from .responses_panel import ResponsesPanel
from .resting_timer import RestingTimer
from .review_hooks import ReviewHooks
from .review_tab import ReviewTab
from .study_tab import StudyTab, open_already
from .tab_pages import TabPages
from .title_in_picture import TitleInPicture
from .view_bar import ViewBar
from .view_jumps import ViewJumps
from .view_keys import bind_keys
from .view_modes import ViewModes

if TYPE_CHECKING:
    from napari import Viewer

#: Name of the dock, as napari's Plugins menu would call it.
DOCK_NAME = "Workspace (SparseExplain)"


class Workspace(QWidget):
    """The tabs, the open studies, and the one view: slice, plane, letters, grid, last click.

    Signals
    -------
    study_changed(Study or None): another study is active, or the active one was edited.
    study_replaced(Study, Study): a study after an edit of its roles stands for the one before.
    study_closed(Study, bool): a study goes; whether for the same one opened anew, on another grid.
    voxel_clicked(tuple): (slice, row, column) of the active study.
    slice_changed(int): the slice of the active study in the picture, once scrolling rests.
    grid_changed(bool): whether pictures stand side by side.
    plane_changed(str): axial, coronal or sagittal.
    convention_changed(str): radiological or neurological.
    window_changed(): window or level of a layer in the picture, once the hand rests.
    """

    study_changed = Signal(object)
    study_replaced = Signal(object, object)
    study_closed = Signal(object, bool)
    voxel_clicked = Signal(tuple)
    slice_changed = Signal(int)
    grid_changed = Signal(bool)
    plane_changed = Signal(str)
    window_changed = Signal()
    convention_changed = Signal(str)

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.study: Study | None = None
        self._adding = self._closing = False
        self._known_studies: list[Study] = []
        self.grid_view = GridView(napari_viewer)
        self.letters = OrientationLetters(napari_viewer)
        self.letters.set_size(preference("view.letter_size"))
        self.letters.set_convention(preference("view.convention"))
        self.title = TitleInPicture(self)
        self.slider_numbers = SliderNumbers(napari_viewer)
        SliceWheel(napari_viewer, self.step_slice, self.wheel_scrolls)
        self.cameras = LinkedCameras(napari_viewer)
        self.grid_view.on_change = self._on_grid
        self.grid_view.before_change = self._before_grid
        self.grid_view.extent_layers = lambda: self.layers_of(self.study) if self.study else ()
        self._clicks = ClickReadOut(napari_viewer, self)
        self.marker = ClickedVoxel(napari_viewer)
        self._clicks.clicked.connect(self.marker.mark)
        self._clicks.clicked.connect(self.voxel_clicked)
        self._drops = DroppedStudy(self.open_path, self)

        self.tabs = TabPages(self)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        self.modes = ViewModes(self)
        self.review_hooks = ReviewHooks()
        self.review_hooks.key_slices = lambda: self.review.marking.key_slices
        self.review_hooks.mark = lambda: self.review.marking.mark_key_slice()
        self.review_hooks.export = lambda: self.show_tab(ReviewTab)
        self.jumps = ViewJumps(self)
        self.view_bar = ViewBar(self)
        self.view_bar.window_control.changed.connect(self.window_changed)
        box.addWidget(self.view_bar)
        box.addWidget(self.tabs)
        self.probe = ProbeLine(self)
        box.addWidget(self.probe)
        self.responses = ResponsesPanel(self)

        self._fit_width = RestingTimer(self, 0, self.tabs.fit_width)
        # What changes often is answered once, when it rests: scrolling must stay as fast as ever.
        self._slice_timer = RestingTimer(self, 60, self._on_slice_rests)
        self._layers_timer = RestingTimer(self, 0, self._on_layers_rest)
        napari_viewer.dims.events.point.connect(self._slice_timer.restart)
        self.fitted = FittedView(self)
        napari_viewer.layers.events.inserted.connect(lambda event: self._watch(event.value))
        napari_viewer.layers.events.removed.connect(self._layers_timer.restart)
        for layer in napari_viewer.layers:
            self._watch(layer)
        self._last_slice = -1
        self._key_sheet: KeySheet | None = None
        bind_keys(self)
        add_help_entry(napari_viewer, self.show_keys)
        self._on_layers_rest()

    @property
    def study_tab(self) -> StudyTab:
        """The Study tab."""
        return self.tabs.page(StudyTab)

    @property
    def proxy(self) -> ProxyTab:
        """The Proxy tab."""
        return self.tabs.page(ProxyTab)

    @property
    def decompose(self) -> DecomposeTab:
        """The Decompose tab."""
        return self.tabs.page(DecomposeTab)

    @property
    def attribution(self) -> AttributionTab:
        """The Attribution tab."""
        return self.tabs.page(AttributionTab)

    @property
    def review(self) -> ReviewTab:
        """The Review tab."""
        return self.tabs.page(ReviewTab)

    def show_tab(self, kind: type[ExplainTab]) -> None:
        """Bring a tab to the front."""
        self.tabs.setCurrentWidget(self.tabs.page(kind))

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
        self.study_tab.open_path(path, **options)

    def wait(self, seconds: float = 60.0) -> bool:
        """Keep the window alive until nothing runs in any tab; for scripts and tests."""
        done = self.tabs.wait(seconds)
        return self.responses.wait(seconds) and done

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
            self.review.keep(replaces)
        self._adding = True
        try:
            self.grid_view.leave()
            if replaces is not None:
                # First, so that the new layers get the names of the old ones.
                self._let_go(replaces, reopened=True)
            share_units(self.viewer, study)
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
        self.responses.run_bar.follow_replaced(old, new)
        self.study_replaced.emit(old, new)
        if self.study is old:
            self._set_active(new)

    def close_study(self, study: Study) -> None:
        """Close a study with everything found in it; another open one becomes the active one."""
        self.review.keep(study)
        self.modes.set_mode("single")
        self._let_go(study, reopened=False)
        if study is self.study and self.studies:
            self.activate(self.studies[-1])

    def _let_go(self, study: Study, *, reopened: bool) -> None:
        """Let the tabs let go of what they found in a study, and take its layers away."""
        self.study_closed.emit(study, reopened)
        for page in self.tabs.pages():
            page.forget_click()
        remove_study(self.viewer, study)

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

    def layers_of(self, study: Study) -> list[Layer]:
        """Layers of a study's volumes, in layer-list order."""
        return layers_of(self.viewer, study)

    def study_layer(self, role: str) -> Layer | None:
        """Layer of one role of the active study; None when it was removed."""
        if self.study is not None:
            for layer in self.layers_of(self.study):
                if layer.metadata[METADATA_KEY].role == role:
                    return layer
        return None

    # -- the view --------------------------------------------------------------------------

    @property
    def current_slice(self) -> int:
        """Slice of the active study in the picture (or last in it, in another plane)."""
        return 0 if self.study is None else shown_index(self.viewer, self.study.grid, 0)

    def go_to_slice(self, index: int) -> None:
        """Show a slice of the active study."""
        if self.study is not None:
            axis = self.viewer.dims.ndim - 3
            self.viewer.dims.set_point(axis, index * self.study.grid.spacing[0])

    def step_slice(self, by: int, axis: int | None = None) -> None:
        """Scroll, staying inside the study.

        Parameters
        ----------
        axis : int, optional
            0 S, 1 P, 2 L; the one through the picture when not given.
        """
        axes = spatial_axes(self.viewer)
        if self.study is None or axes is None:
            return
        grid, axis = self.study.grid, axes[0] if axis is None else axis
        index = shown_index(self.viewer, grid, axis) + by
        index = min(max(index, 0), grid.shape[axis] - 1)
        self.viewer.dims.set_point(self.viewer.dims.ndim - 3 + axis, index * grid.spacing[axis])

    def wheel_scrolls(self) -> bool:
        """Whether the plain wheel scrolls slices: a study is open and Preferences say so."""
        return self.study is not None and preference("view.wheel") == "slices"

    def go_to_voxel(self, index: tuple[int, int, int]) -> None:
        """Show the slices through a voxel of the active study, in every plane."""
        if self.study is not None:
            leading = self.viewer.dims.ndim - 3
            axes = tuple(range(leading, leading + 3))
            point = tuple(n * v for n, v in zip(index, self.study.grid.spacing, strict=True))
            self.viewer.dims.set_point(axes, point)

    def click(self, index: tuple[int, int, int]) -> None:
        """As if a voxel of the active study were clicked."""
        self._clicks.clicked.emit(index)

    def fit(self) -> None:
        """Fit the active study into the canvas, or into every cell of the grid."""
        self.fitted.fit()

    def set_plane(self, plane: Plane) -> None:
        """Axial, coronal or sagittal."""
        show_plane(self.viewer, plane)
        self.fit()
        self.plane_changed.emit(plane)

    @property
    def convention(self) -> Convention:
        """Radiological: the patient's left on the right of the picture; or neurological."""
        return self.letters.convention

    def set_convention(self, convention: Convention) -> None:
        """Radiological or neurological, in every view."""
        self.letters.set_convention(convention)
        if self.modes.views is not None:
            self.modes.views.set_convention(convention)
        self.title.write()
        self.convention_changed.emit(convention)

    def toggle_convention(self) -> None:
        """The other convention."""
        radiological = self.convention == "radiological"
        self.set_convention("neurological" if radiological else "radiological")

    def show_keys(self) -> None:
        """The sheet of keys and mouse."""
        if self._key_sheet is None:
            self._key_sheet = KeySheet(self)
        self._key_sheet.show()
        self._key_sheet.raise_()

    # -- events ----------------------------------------------------------------------------

    def _set_active(self, study: Study | None) -> None:
        self.study = study
        self._clicks.study = study
        self.letters.set_grid(None if study is None else study.grid)
        self.marker.set_grid(None if study is None else study.grid)
        self.cameras.start(None if study is None else study.grid)
        self.viewer.canvas.overlays.scale_bar.visible = study is not None
        # Scans are read on black, in a light theme too.
        black = ColorValue((0.0, 0.0, 0.0, 1.0))
        self.viewer.canvas.background_color_override = None if study is None else black
        self._last_slice = -1
        self.title.write()
        self.tabs.follow_study(study)
        self.responses.run_bar.follow_study(study)
        self.study_changed.emit(study)

    def _watch(self, layer: Layer) -> None:
        guard_layer(layer)
        layer.events.visible.connect(self._layers_timer.restart)
        self._layers_timer.restart()

    def _on_layers_rest(self) -> None:
        """Adopt a study that came by File › Open or drag-and-drop; let one go that was removed."""
        if self._adding:
            return
        self.view_bar.follow_layers()
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
                self.study_tab.run_bar.show_message(open_already(there))
            else:
                self.activate(newest)
        elif self.study is not None and self.study not in studies:
            self._set_active(newest)
        else:
            self.tabs.follow_layers()

    def _on_grid(self, active: bool) -> None:
        self.fitted.follow_grid(active)
        self.title.write()
        self.grid_changed.emit(active)

    def _before_grid(self, cells: int) -> None:
        # The single view comes back as it is now.
        self.cameras.pause()
        self.letters.set_cells(cells)

    def _on_slice_rests(self) -> None:
        index = self.current_slice
        if self.study is not None and index != self._last_slice:
            self._last_slice = index
            self.slice_changed.emit(index)

    # -- closing ---------------------------------------------------------------------------

    def showEvent(self, event: Any) -> None:
        """Watch the window that the dock is in, to stop the runs when it closes."""
        super().showEvent(event)
        # Only in its window does the form have the theme's font, and so its true width.
        self._fit_width.restart()
        self.window().removeEventFilter(self)
        self.window().installEventFilter(self)
        self._drops.watch(self.window())

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """The window closes, once its question was answered so: no thread may outlive it.

        The close event only begins it. napari asks within it, and whoever answers *Cancel* has
        closed nothing: what is marked is kept then, and no more happens. A window that does close
        is hidden next, before anything of it is taken apart; one that was hidden already closes
        without a question.
        """
        if event is not None and watched is self.window():
            if event.type() == QEvent.Type.Close:
                self._closing = True
                self.review.unsaved.save_now()
                if self.window().isHidden():
                    self.stop()
                else:
                    QTimer.singleShot(0, self, self._on_still_open)
            elif event.type() == QEvent.Type.Hide and self._closing and not event.spontaneous():
                self.stop()
        return super().eventFilter(watched, event)  # pyright: ignore[reportArgumentType]

    def _on_still_open(self) -> None:
        """The question was answered, and the window is there: nobody closes it any more."""
        if QApplication.activeModalWidget() is not None:
            QTimer.singleShot(100, self, self._on_still_open)
        elif self.window().isVisible():
            self._closing = False

    def stop(self) -> None:
        """The window goes: ask every run to stop at its next step, and take the canvases apart."""
        self._closing = False
        self.tabs.stop()
        self.responses.stop()
        self.jumps.stop()
        self.modes.close()


def run_window(viewer: Viewer) -> None:
    """Leave the window to a person until it is closed; Ctrl-C closes it as a person would."""
    import napari

    try:
        napari.run()
    except KeyboardInterrupt:
        viewer.close()  # what is marked is then kept
        raise


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
