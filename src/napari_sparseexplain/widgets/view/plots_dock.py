"""The dock of plots below the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

if TYPE_CHECKING:
    from napari import Viewer

#: Name of the dock below the picture, and its height when it comes.
PLOTS_NAME = "Responses (SparseExplain)"
PLOTS_HEIGHT = 240


def show_plots(viewer: Viewer, plots: QWidget) -> None:
    """Dock the plots below the picture, or bring them back."""
    if viewer.window.dock_widgets.get(PLOTS_NAME) is None:
        viewer.window.add_dock_widget(plots, name=PLOTS_NAME, area="bottom")
    dock, window = plots.parentWidget(), plots.window()
    if isinstance(dock, QDockWidget) and isinstance(window, QMainWindow):
        # The tabs keep their full height; the plots run below the layers and the picture.
        window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        dock.show()
        window.resizeDocks([dock], [PLOTS_HEIGHT], Qt.Orientation.Vertical)


def hide_plots(plots: QWidget) -> None:
    """Give the picture the room of the plots."""
    dock = plots.parentWidget()
    if isinstance(dock, QDockWidget):
        dock.hide()
