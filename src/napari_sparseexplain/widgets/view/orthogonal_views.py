"""The two other planes beside the picture: one slice each, with crosshair, letters and one zoom."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from napari._qt.qt_viewer import QtViewer
from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QSplitter, QVBoxLayout, QWidget

from ...layers.canvas.crosshair import Crosshair
from ...layers.canvas.grey_window import windowed_layer
from ...layers.canvas.linked_cameras import LinkedCameras, spatial_axes
from ...layers.canvas.plane_pane import PlanePane, show_crosshair
from ...layers.canvas.slice_title import plane_of
from ...layers.canvas.slice_wheel import SliceWheel
from ...layers.canvas.window_drag import WindowDrag
from ...layers.cells.shown_cells import cells_of
from ...layers.viewer_panels import in_plane_of
from ...review.review import Convention, Panel
from ...volumes import Study
from ...volumes.edge_letters import PLANES, Plane
from ..parts.preferences import preference
from ..parts.repaint_on_show import RepaintOnShow
from ..parts.resting_timer import RestingTimer
from .cells_canvas import CellsCanvas
from .click_read_out import ClickReadOut
from .painted.single_picture import SinglePicture
from .tools.left_drag import LeftDrag, LeftTool

if TYPE_CHECKING:
    from .view_window import ViewWindow

#: Name of the dock.
VIEWS_NAME = "Other planes (SparseExplain)"


class OrthogonalViews(QWidget):
    """Two views beside the main one; together they show all three planes.

    Parameters
    ----------
    window : ViewWindow
    cameras : LinkedCameras
        Zoom and centre that all views share.
    probe : callable
        Lets the probe follow the pointer over a view.
    on_drag : callable
        Told of the layer whose window and level are dragged, None when they rest.
    unit : callable
        Unit of length of the study.
    left : callable
        What dragging with the left button does.

    Signals
    -------
    closed(): the dock was closed by hand.
    """

    closed = Signal()

    def __init__(
        self,
        window: ViewWindow,
        cameras: LinkedCameras,
        probe: Callable[[ViewerModel], None],
        on_drag: Callable[[Image | None], None],
        unit: Callable[[], str],
        left: Callable[[], LeftTool],
    ) -> None:
        super().__init__()
        self._window, self._cameras = window, cameras
        self._main: ViewerModel = window.viewer
        self._study: Study | None = None
        self.crosshair = Crosshair(self._main)
        size = preference("view.letter_size")
        planes: tuple[Plane, Plane] = ("coronal", "sagittal")
        self.panes = tuple(PlanePane(self._main, plane, size) for plane in planes)
        self._clicks = [ClickReadOut(pane.model, self) for pane in self.panes]
        self.canvases: list[Any] = []
        #: What paints each of them.
        self.painted: list[CellsCanvas] = []
        self._unit, self._left = unit, left
        self._singles: list[SinglePicture] = []
        self._split = split = QSplitter(Qt.Orientation.Horizontal)
        for pane, clicks in zip(self.panes, self._clicks, strict=True):
            split.addWidget(self._canvas(pane))
            clicks.clicked.connect(window.click)
            drag = WindowDrag(pane.model)
            drag.layer_at = lambda _cell: windowed_layer(self._main)
            drag.on_drag = on_drag
            drag.left = lambda: left() == "window"
            step = partial(self._step, pane)
            SliceWheel(pane.model, step, window.wheel_scrolls)
            LeftDrag(pane.model, left, step, self.painted[-1].magnify)
            pane.model.mouse_move_callbacks.append(self._on_move)
            probe(pane.model)
        self._main.mouse_move_callbacks.append(self._on_move)
        window.signals.voxel_clicked.connect(self._on_click)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(split)

        # Several axes change one after the other: the panes follow once.
        self._follow = RestingTimer(self, 0, self.follow)
        self._fit = RestingTimer(self, 30, self._on_sizes)
        cells_of(self._main).events.single.connect(self._give_keys)
        cells_of(self._main).events.changed.connect(self._give_keys)
        self._main.dims.events.point.connect(self._follow.restart)
        self._main.dims.events.order.connect(self._on_order)
        self._main.dims.events.ndisplay.connect(self._on_order)
        for pane in self.panes:
            pane.model.canvas.events.size.connect(self._fit.restart)

    @property
    def active(self) -> bool:
        """Whether the views show a study."""
        return self._study is not None

    def start(self, study: Study) -> None:
        """Show the other two planes of a study."""
        self._study = study
        for clicks in self._clicks:
            clicks.study = study
        for pane, plane in zip(self.panes, self._other_planes(), strict=True):
            pane.start(study, plane)
            self._cameras.add(pane.model)
        for single in self._singles:
            single.update()
        self.follow()

    def stop(self) -> None:
        """Show nothing, follow nothing."""
        self._study = None
        for pane, clicks in zip(self.panes, self._clicks, strict=True):
            clicks.study = None
            self._cameras.remove(pane.model)
            pane.stop()
        self.crosshair.show(None)

    def set_convention(self, convention: Convention) -> None:
        """Radiological or neurological, in both."""
        for pane in self.panes:
            pane.set_convention(convention)

    def follow(self) -> None:
        """Slices and crosshairs where the main viewer's point is."""
        if self._study is None:
            return
        for pane in self.panes:
            pane.follow()
        show_crosshair(self.crosshair, self._main, self._main, self._study.grid)

    def panels(self, panel: Panel, *, whole: bool) -> tuple[Panel, ...]:
        """The main view's panel, and the same in the other two planes."""
        if self._study is None:
            return (panel,)
        others = (in_plane_of(panel, p.model, self._study, whole=whole) for p in self.panes)
        return (panel, *others)

    def close_canvases(self) -> None:
        """The window goes: the views' canvases must go before it."""
        self.stop()
        if self._on_move in self._main.mouse_move_callbacks:
            self._main.mouse_move_callbacks.remove(self._on_move)
        for pane in self.panes:
            pane.mirror.detach()
        for canvas in self.canvases:
            canvas.close()
            canvas.deleteLater()
        self.canvases, self.painted = [], []

    def _canvas(self, pane: PlanePane) -> QtViewer:
        canvas = QtViewer(pane.model)
        # One slider is enough, and it is the main viewer's.
        canvas.dims.hide()
        painted = CellsCanvas(pane.model, self._unit, canvas)
        painted.before_painting.append(self._follow_now)
        self.painted.append(painted)
        self._singles.append(SinglePicture(pane.model, lambda: self.active))
        for widget in (canvas, *canvas.findChildren(QWidget)):
            widget.setAcceptDrops(False)
        RepaintOnShow(canvas.canvas.native)
        canvas.setMinimumSize(120, 100)
        self.canvases.append(canvas)
        self._give_keys()
        return canvas

    def _give_keys(self, _event: object = None) -> None:
        """Keys go where those of the main viewer are bound."""
        for canvas, painted in zip(self.canvases, self.painted, strict=True):
            for widget in (canvas.canvas.native, painted):
                widget.setFocusProxy(self._window.picture)

    def _follow_now(self) -> None:
        if self._follow.isActive():
            self._follow.stop()
            self.follow()

    def _other_planes(self) -> tuple[Plane, ...]:
        shown = plane_of(self._main) or "axial"
        return tuple(plane for plane in PLANES if plane != shown)

    def _on_sizes(self) -> None:
        self._cameras.reapply()
        self.follow()

    def _on_order(self) -> None:
        if self._study is None:
            return
        for pane, plane in zip(self.panes, self._other_planes(), strict=True):
            pane.set_plane(plane)
        self._follow.restart()
        self._fit.restart()

    def _on_click(self, index: tuple[int, int, int]) -> None:
        """A click in any of the views takes the crosshair there."""
        if self._study is not None:
            self._window.go_to_voxel(index)

    def _on_move(self, viewer: Any, event: Any) -> None:
        """With Shift held the crosshair goes with the pointer."""
        if self._study is None or tuple(event.modifiers) != ("Shift",) or event.buttons:
            return
        index = self._clicks[0].voxel_at(tuple(event.position))
        if index is not None and spatial_axes(viewer) is not None:
            self._window.go_to_voxel(index)

    def _step(self, pane: PlanePane, by: int) -> None:
        if self._study is not None:
            self._window.step_slice(by, PLANES[pane.plane][0])

    def resizeEvent(self, event: Any) -> None:
        """Beside each other, or below each other where the dock is higher than wide."""
        super().resizeEvent(event)
        wide = self.width() >= self.height()
        self._split.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)

    def hideEvent(self, event: Any) -> None:
        """Closed by hand, or hidden with everything else."""
        super().hideEvent(event)
        dock = self.parentWidget()
        if self.active and (dock is None or dock.isHidden()):
            self.closed.emit()
