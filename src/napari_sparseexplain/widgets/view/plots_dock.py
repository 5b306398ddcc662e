"""The dock of plots below the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from .faint_words import keep_faint_words_readable

if TYPE_CHECKING:
    from napari import Viewer

#: Height of a panel below the picture when it comes.
PLOTS_HEIGHT = 240


def show_plots(viewer: Viewer, plots: QWidget, *, height: int = PLOTS_HEIGHT) -> None:
    """Dock a tab's panel below the picture, or bring it back; it is called by its window title."""
    # As napari's Plugins menu calls it.
    name = f"{plots.windowTitle()} (SparseExplain)"
    if viewer.window.dock_widgets.get(name) is None:
        viewer.window.add_dock_widget(plots, name=name, area="bottom")
        keep_faint_words_readable(plots, viewer)
    dock, window = plots.parentWidget(), plots.window()
    if isinstance(dock, QDockWidget) and isinstance(window, QMainWindow):
        # The tabs keep their full height; the plots run below the layers and the picture.
        window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        dock.show()
        window.resizeDocks([dock], [height], Qt.Orientation.Vertical)


def hide_plots(plots: QWidget) -> None:
    """Give the picture the room of the plots."""
    dock = plots.parentWidget()
    if isinstance(dock, QDockWidget):
        dock.hide()
