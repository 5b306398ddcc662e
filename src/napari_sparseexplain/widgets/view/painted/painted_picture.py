"""The painted picture of the window, and the hands on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari.layers import Image, Layer

from ....layers.canvas.slice_wheel import SliceWheel
from ..cell_menu import CellMenu, laid_over
from ..cells_canvas import CellsCanvas
from ..tools.left_drag import LeftDrag, LeftTool
from ..tools.raised_toasts import raise_toasts
from .resting_slices import RestingSlices
from .single_picture import SinglePicture

if TYPE_CHECKING:
    from qtpy.QtCore import QPoint
    from qtpy.QtWidgets import QWidget

    from ..bar import ViewBar
    from ..view_window import ViewWindow


class PaintedPicture:
    """What paints, what it is told to paint, and what mouse and digits do in it.

    Parameters
    ----------
    window : ViewWindow
    before : list of callable
        Called before each painting; see `CellsCanvas.before_painting`.

    Attributes
    ----------
    cells : CellsCanvas
    """

    def __init__(self, window: ViewWindow, before: list[Callable[[], object]]) -> None:
        self._window, viewer = window, window.viewer
        self._bar: ViewBar | None = None
        self._native: QWidget = viewer.window._qt_viewer.canvas.native
        self.cells = CellsCanvas(viewer, self.unit, viewer.window._qt_viewer)
        self.cells.before_painting += before
        raise_toasts()
        self._single = SinglePicture(viewer, lambda: window.study is not None)
        window.signals.study_changed.connect(self._single.update)
        self._slices = RestingSlices(viewer, self.cells)
        self._wheel = SliceWheel(viewer, window.step_slice, window.wheel_scrolls)
        self._left = LeftDrag(viewer, self.left_tool, window.step_slice, self.cells.magnify)
        self.cells.on_digit = self._on_digit
        self.cells.menu_asked.connect(self._show_menu)
        self.cells.layers_dropped.connect(self._on_dropped_layers)

    @property
    def widget(self) -> QWidget:
        """What the picture is drawn on: napari's canvas, or that of the cells."""
        return self.cells if self.cells.painted else self._native

    def follow(self, bar: ViewBar) -> None:
        """Do what is chosen in the bar above the picture."""
        self._bar = bar
        bar.layout_picker.linked.toggled.connect(self.cells.link)

    def unit(self) -> str:
        """Unit of length of the active study."""
        study = self._window.study
        return "mm" if study is None or study.grid.calibrated else "px"

    def left_tool(self) -> LeftTool:
        """What dragging with the left button does."""
        return "move" if self._bar is None else self._bar.view_menu.left_tool

    def stop(self) -> None:
        """The window goes: napari's canvas and wheel are its own again."""
        self._slices.stop()
        self._wheel.detach()
        self._left.detach()
        if self._bar is not None:
            self._bar.view_menu.cine.stop()

    def _on_digit(self, digit: int) -> bool:
        """A preset of the window, unless digits are tools of the selected layer."""
        active = self._window.viewer.layers.selection.active
        if self._bar is None or not (active is None or isinstance(active, Image)):
            return False
        return self._window.study is not None and self._bar.window_control.choose(digit)

    def _show_menu(self, cell: int, place: QPoint) -> None:
        CellMenu(self._window, cell, self.cells).exec(place)

    def _on_dropped_layers(self, cell: int, layers: list[Layer]) -> None:
        """Layers dragged into a cell lie over what stands in it."""
        stack = list(self._window.grid_view.cells[cell])
        for layer in layers:
            stack = laid_over(stack, layer)
        self._window.grid_view.fill_cell(cell, stack)
