"""The canvas of the cells: it takes the place of napari's wherever the picture is painted.

That is while layers stand side by side, and in the single view as long as `SinglePicture` says.

It is painted by Qt, without a graphics card, and hears the mouse as napari's canvas does: the same
callbacks of the viewer are told, in the viewer's coordinates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from napari._qt.containers.qt_list_model import ListIndexMIMEType
from napari.utils._proxies import ReadOnlyWrapper
from napari.utils.interactions import (
    mouse_double_click_callbacks,
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
    mouse_wheel_callbacks,
)
from qtpy.QtCore import QEvent, QPoint, Qt, Signal
from qtpy.QtGui import QCursor, QImage, QPainter
from qtpy.QtWidgets import QWidget
from vispy.util import keys

from ...layers.cells.cell_painter import CellPainter
from ...layers.cells.shown_cells import CellCamera, cells_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from ...layers.cells.cell_view import CellView

#: vispy's numbers of the buttons, which napari's callbacks know.
_BUTTONS = {
    Qt.MouseButton.LeftButton: 1,
    Qt.MouseButton.RightButton: 2,
    Qt.MouseButton.MiddleButton: 3,
}

_MODIFIERS = (
    (Qt.KeyboardModifier.ShiftModifier, keys.SHIFT),
    (Qt.KeyboardModifier.ControlModifier, keys.CONTROL),
    (Qt.KeyboardModifier.AltModifier, keys.ALT),
    (Qt.KeyboardModifier.MetaModifier, keys.META),
)

#: What a layer tells of that is not seen in its cell.
_UNSEEN = {"thumbnail", "loaded", "help", "cursor", "cursor_size", "mode", "editable", "metadata"}

#: Pixels that a pointer may move within a click.
_CLICK = 3

#: What one notch of a wheel turns, in Qt's unit.
_NOTCH = 120.0


class CellsCanvas(QWidget):
    """Shows the cells of a viewer, and lets the mouse act in them.

    Parameters
    ----------
    viewer : Viewer
    unit : callable
        Unit of length of the study.
    qt_viewer : QtViewer
        What shows the viewer.

    Signals
    -------
    menu_asked(int, QPoint): a right click in a cell, and where on the screen.
    layers_dropped(int, list): layers that were dragged into a cell.
    """

    menu_asked = Signal(int, QPoint)
    layers_dropped = Signal(int, list)

    def __init__(self, viewer: ViewerModel, unit: Callable[[], str], qt_viewer: Any) -> None:
        super().__init__()
        self._viewer, self._cells = viewer, cells_of(viewer)
        self._painter = CellPainter(viewer)
        self._painter.unit = unit
        #: Whether every cell is zoomed and moved with all others.
        self.linked = True
        self._watched: list[Any] = []
        self._press: Any = None
        self._panned: tuple[float, float] | None = None
        self._qt_viewer: Any = qt_viewer
        self._native: QWidget = self._qt_viewer.canvas.native
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.hide()
        layout: Any = self._native.parentWidget()
        layout.layout().insertWidget(layout.layout().indexOf(self._native), self, 1)
        self._settling = False
        self._lens: tuple[float, float] | None = None
        #: Told of a digit that was typed, while no tool of napari's needs it; gives whether it did.
        self.on_digit: Callable[[int], bool] = lambda digit: False
        #: Called before each painting: what would be written a moment later is written first, and
        #: the picture is not painted twice.
        self.before_painting: list[Callable[[], object]] = []
        self._cells.events.changed.connect(self._on_cells)
        self._cells.events.single.connect(self._on_cells)
        self._cells.events.looks.connect(self._on_look)
        for name in ("point", "order", "margin_left", "margin_right"):
            getattr(viewer.dims.events, name).connect(self._on_look)
        for name in ("zoom", "center", "orientation"):
            getattr(viewer.scene.camera.events, name).connect(self._on_look)
        # Words and marks are read from the overlays; these tell of every change in one of them.
        viewer.canvas.overlays.events.connect(self._on_look)
        viewer.scene.overlays.events.connect(self._on_look)
        self._screenshot = self._qt_viewer.canvas.screenshot
        self._qt_viewer.canvas.screenshot = self._picture_of_canvas
        self._on_cells()

    def link(self, linked: bool) -> None:
        """Whether cells are zoomed and moved together; once they are, they see the same again."""
        self.linked = linked
        if linked:
            self._cells.look_together()

    @property
    def magnified(self) -> tuple[float, float] | None:
        """Where on the canvas the magnifier stands."""
        return self._lens

    def magnify(self, at: tuple[float, float] | None) -> None:
        """Show the magnifier at a point (x, y) of the canvas; None: nowhere."""
        self._lens = at
        self.update()

    @property
    def painted(self) -> bool:
        """Whether the picture is painted here, and not by napari."""
        return bool(self._cells.painted)

    @property
    def pointed(self) -> int | None:
        """The cell under the pointer."""
        place = self.mapFromGlobal(QCursor.pos())
        return self._cells.cell_at(place.x(), place.y(), self._size)

    # -- what is shown ---------------------------------------------------------------------

    def picture(self, size: tuple[int, int] | None = None) -> QImage:
        """The cells as they are on the screen, or on a canvas of another height and width."""
        self._settle()
        height, width = size or (self.height(), self.width())
        image = QImage(width, height, QImage.Format.Format_RGB32)
        painter = QPainter(image)
        self._draw(painter, (height, width))
        painter.end()
        return image

    def _draw(self, painter: QPainter, size: tuple[int, int]) -> None:
        self._painter.paint(painter, size)
        if self._lens is not None:
            self._painter.paint_lens(painter, size, self._lens)

    def _picture_of_canvas(self) -> QImage:
        """What napari takes as the picture of its canvas."""
        if self.painted:
            height, width = (int(v) for v in self._viewer.canvas.size)
            return self.picture((height, width))
        return self._screenshot()

    def _on_cells(self, _event: object = None) -> None:
        active = self.painted
        self._watch()
        if not active:
            self._painter.forget()
        if active == self.isHidden():
            had_focus = self._native.hasFocus() or self.hasFocus()
            if active:
                self.resize(self._native.size())
            self._native.setHidden(active)
            self.setHidden(not active)
            if had_focus:
                (self if active else self._native).setFocus()
        self.update()

    def _watch(self) -> None:
        """Hear of every change of what stands in the cells."""
        layers = {layer for cell in self._cells.painted for layer in cell}
        if layers == set(self._watched):
            return
        for layer in self._watched:
            layer.events.disconnect(self._on_layer)
        self._watched = list(layers)
        for layer in self._watched:
            layer.events.connect(self._on_layer)

    def _on_layer(self, event: Any) -> None:
        if event.type not in _UNSEEN and not self._settling:
            self._painter.forget(event.source)
            self.update()

    def _on_look(self, _event: object = None) -> None:
        if self.painted and not self._settling:
            self.update()

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """What layers and viewer tell of meanwhile changes nothing that is seen."""
        self._settling, before = True, self._settling
        try:
            yield
        finally:
            self._settling = before

    def _settle(self) -> None:
        with self.unchanged():
            for write in self.before_painting:
                write()

    # -- Qt's events -----------------------------------------------------------------------

    def paintEvent(self, _event: Any) -> None:
        """Draw what is shown."""
        self._settle()
        painter = QPainter(self)
        self._draw(painter, (self.height(), self.width()))
        painter.end()

    def resizeEvent(self, event: Any) -> None:
        """Everything that asks napari for the size of its canvas gets that of this one."""
        super().resizeEvent(event)
        if self.painted and not self.isHidden():
            self._viewer.canvas.size = (self.height(), self.width())

    def enterEvent(self, event: Any) -> None:
        """The pointer comes."""
        super().enterEvent(event)
        self._qt_viewer._enter_canvas()

    def leaveEvent(self, event: Any) -> None:
        """The pointer goes."""
        super().leaveEvent(event)
        self._qt_viewer._leave_canvas()

    def mousePressEvent(self, event: Any) -> None:
        """Begin a click, a drag of the picture, or a gesture of the viewer's own."""
        told = self._told("mouse_press", event)
        self._press = told
        if told is None:
            return
        mouse_press_callbacks(self._viewer, _wrapped(told))
        wants_pan = not told.handled and told.button in (1, 3)
        self._panned = (told.pos[0], told.pos[1]) if wants_pan else None

    def mouseMoveEvent(self, event: Any) -> None:
        """Follow a gesture, or the pointer."""
        told = self._told("mouse_move", event)
        if told is None:
            return
        if self._press is not None:
            told.handled = False
            mouse_move_callbacks(self._viewer, _wrapped(told))
            if self._panned is not None and not told.handled:
                self._pan(told)
            return
        mouse_move_callbacks(self._viewer, _wrapped(told))

    def mouseReleaseEvent(self, event: Any) -> None:
        """End a gesture."""
        told = self._told("mouse_release", event)
        began = self._press
        if told is not None:
            mouse_release_callbacks(self._viewer, _wrapped(told))
        self._press = self._panned = None
        right = event.button() == Qt.MouseButton.RightButton
        if told is None or began is None or not right or told.modifiers or not self._cells.active:
            return
        # A hand that trembles still clicks; a drag that sets the window does not.
        if np.abs(told.pos - began.pos).max() <= _CLICK:
            self.menu_asked.emit(told.cell, event.globalPosition().toPoint())

    def mouseDoubleClickEvent(self, event: Any) -> None:
        """A cell becomes the whole picture, and all come back."""
        if event.button() != Qt.MouseButton.LeftButton:
            self.mousePressEvent(event)
            return
        if not self._cells.active:
            if (told := self._told("mouse_double_click", event)) is not None:
                mouse_double_click_callbacks(self._viewer, _wrapped(told))
            return
        if self._cells.enlarged is not None:
            self._cells.enlarge(None)
            return
        place = event.position()
        self._cells.enlarge(self._cells.cell_at(place.x(), place.y(), self._size))

    def wheelEvent(self, event: Any) -> None:
        """Scroll slices; zoom with Shift or Ctrl."""
        told = self._told("mouse_wheel", event)
        if told is None:
            return
        turned = event.angleDelta()
        told.delta = np.array([turned.x() / _NOTCH, turned.y() / _NOTCH])
        own = self._own_camera(told)
        if own is not None and told.modifiers:
            self._zoom_own(told, own)
        else:
            mouse_wheel_callbacks(self._viewer, _wrapped(told))
        event.accept()

    def event(self, event: Any) -> bool:
        """Keys that move the focus in a form are the viewer's here."""
        if event.type() == QEvent.Type.KeyPress and event.key() in (
            Qt.Key.Key_Tab,
            Qt.Key.Key_Backtab,
        ):
            event.ignore()
            return False
        if event.type() == QEvent.Type.KeyPress and not event.modifiers():
            digit = event.key() - Qt.Key.Key_0
            if 0 <= digit <= 9 and self.on_digit(digit):
                return True
        return super().event(event)

    def dragEnterEvent(self, event: Any) -> None:
        """Take layers of napari's list; files are the window's."""
        event.setAccepted(bool(self._dragged_layers(event)))

    def dragMoveEvent(self, event: Any) -> None:
        """Only into a cell."""
        at = event.position()
        event.setAccepted(self._cells.cell_at(at.x(), at.y(), self._size) is not None)

    def dropEvent(self, event: Any) -> None:
        """Layers come into a cell."""
        at = event.position()
        cell = self._cells.cell_at(at.x(), at.y(), self._size)
        layers = self._dragged_layers(event)
        if cell is not None and layers:
            event.acceptProposedAction()
            self.layers_dropped.emit(cell, layers)

    def _dragged_layers(self, event: Any) -> list[Any]:
        if not event.mimeData().hasFormat(ListIndexMIMEType):
            return []
        return [layer for layer in self._viewer.layers if layer in self._viewer.layers.selection]

    # -- the mouse in a cell -----------------------------------------------------------------

    @property
    def _size(self) -> tuple[int, int]:
        return self.height(), self.width()

    def _told(self, kind: str, event: Any) -> Any:
        """An event as napari's callbacks know it; None between the cells.

        A gesture stays in the cell where it began.
        """
        at = event.position()
        began = self._press
        cell = (
            self._cells.cell_at(at.x(), at.y(), self._size)
            if began is None or kind == "mouse_press"
            else began.cell
        )
        place = None if cell is None else self._places[cell]
        if cell is None or place is None:
            return None
        view = self._cells.view(cell, place, self._viewer)
        position = list(self._viewer.dims.point)
        here = view.place(at.x() - place.left, at.y() - place.top)
        for axis, value in zip(self._viewer.dims.displayed, here, strict=True):
            position[axis] = value
        told = SimpleNamespace(
            type=kind,
            pos=np.array([at.x(), at.y()]),
            button=_BUTTONS.get(event.button()) if hasattr(event, "button") else None,
            buttons=[n for b, n in _BUTTONS.items() if event.buttons() & b],
            modifiers=tuple(key for flag, key in _MODIFIERS if event.modifiers() & flag),
            delta=np.zeros(2),
            position=tuple(position),
            viewbox=self._cells.viewbox(cell),
            cell=cell,
            view=view,
            view_direction=None,
            up_direction=None,
            camera_zoom=view.zoom,
            dims_displayed=list(self._viewer.dims.displayed),
            dims_point=list(self._viewer.dims.point),
            is_dragging=began is not None,
            press_event=began,
            native=event,
            handled=False,
        )
        self._viewer.cursor.position = told.position
        return told

    @property
    def _places(self) -> list[Any]:
        return self._cells.places(self._size)

    def _pan(self, told: Any) -> None:
        if self._panned is None:
            return
        view: CellView = told.view
        right, down = told.pos[0] - self._panned[0], told.pos[1] - self._panned[1]
        self._panned = (told.pos[0], told.pos[1])
        row = view.centre[0] - down / view.zoom * (1 if view.down else -1)
        column = view.centre[1] - right / view.zoom * (1 if view.right else -1)
        own = self._own_camera(told)
        if own is not None:
            self._cells.look(told.cell, CellCamera(own.ratio, (row, column)))
        else:
            self._viewer.scene.camera.center = (0.0, row, column)

    def _own_camera(self, told: Any) -> CellCamera | None:
        """What the cell sees by itself; where cells are not linked, from now on."""
        found = self._cells.camera(told.cell)
        if found is None and not self.linked:
            return self._cells.camera_now(told.view)
        return found

    def _zoom_own(self, told: Any, own: CellCamera) -> None:
        factor = 1.15 ** float(np.clip(np.sum(told.delta), -1, 1))
        here = [told.position[axis] for axis in self._viewer.dims.displayed]
        share = 1 - 1 / factor
        row, column = (c + (h - c) * share for c, h in zip(own.centre, here, strict=True))
        self._cells.look(told.cell, CellCamera(own.ratio * factor, (row, column)))


def _wrapped(told: Any) -> Any:
    """As napari hands events on: within a gesture it exchanges what the wrapper holds."""
    return ReadOnlyWrapper(told, exceptions=("handled",))
