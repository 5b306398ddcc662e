"""The docks of panels below the picture: they stand in one place, as tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakSet

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from .faint_words import keep_faint_words_readable

if TYPE_CHECKING:
    from napari import Viewer

#: Height of a panel below the picture when it comes.
PLOTS_HEIGHT = 240

#: Panels of each window that were docked here.
_docked: WeakKeyDictionary[QWidget, WeakSet[QWidget]] = WeakKeyDictionary()


def show_plots(viewer: Viewer, plots: QWidget, *, height: int = PLOTS_HEIGHT) -> None:
    """Dock a tab's panel below the picture, or bring it back; it is called by its window title."""
    # As napari's Plugins menu calls it.
    name = f"{plots.windowTitle()} (SparseExplain)"
    # Hidden while this one comes: beside each other they would make the window wider.
    panels = _docked.setdefault(viewer.window._qt_window, WeakSet())
    docks = [_dock_of(panel) for panel in panels if panel is not plots]
    others = [dock for dock in docks if dock is not None and not dock.isHidden()]
    others = [dock for dock in others if not dock.isFloating()]
    panels.add(plots)
    for other in others:
        other.hide()
    if viewer.window.dock_widgets.get(name) is None:
        viewer.window.add_dock_widget(plots, name=name, area="bottom")
        keep_faint_words_readable(plots, viewer)
    dock, window = plots.parentWidget(), plots.window()
    if isinstance(dock, QDockWidget) and isinstance(window, QMainWindow):
        # The tabs keep their full height; the plots run below the layers and the picture.
        window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        for other in others:
            window.tabifyDockWidget(other, dock)
            other.show()
        dock.show()
        dock.raise_()
        window.resizeDocks([dock], [height], Qt.Orientation.Vertical)


def _dock_of(panel: QWidget) -> QDockWidget | None:
    dock = panel.parentWidget()
    return dock if isinstance(dock, QDockWidget) else None


def hide_plots(plots: QWidget) -> None:
    """Give the picture the room of the plots."""
    dock = plots.parentWidget()
    if isinstance(dock, QDockWidget):
        dock.hide()
