"""One view, side by side, three planes, or the picture alone: switched without losing any state.

The state (slice, zoom, contrast, what is visible) lives in the one viewer. The grid remembers the
single view that it covers, the other planes only follow, and the full window hides docks alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QDockWidget, QMainWindow, QToolBar, QWidget

from .orthogonal_views import VIEWS_NAME, OrthogonalViews

if TYPE_CHECKING:
    from ...volumes import Study
    from .view_window import ViewWindow

#: Share of the picture's height that the other planes get at first.
OTHER_SHARE = 0.46

Mode = Literal["single", "grid", "orthogonal"]


class ViewModes(QObject):
    """Switches how the study is shown.

    Parameters
    ----------
    window : ViewWindow
    dock : QWidget
        What stands in the dock of the tabs, in the window whose docks come and go.
    make_views : callable
        Makes the two other planes, once they are wanted.

    Signals
    -------
    changed(str): another mode.
    full_changed(bool): whether the picture has the window for itself.
    """

    changed = Signal(str)
    full_changed = Signal(bool)

    def __init__(
        self,
        window: ViewWindow,
        dock: QWidget,
        make_views: Callable[[], OrthogonalViews],
    ) -> None:
        super().__init__(dock)
        self._window, self._dock, self._make_views = window, dock, make_views
        self._viewer = window.viewer
        self._mode: Mode = "single"
        self._before_grid: Mode = "single"
        self._before_full: Mode = "single"
        self._hidden: list[QWidget] = []
        self.views: OrthogonalViews | None = None
        window.signals.grid_changed.connect(self._on_grid)
        window.signals.study_changed.connect(self._on_study)

    @property
    def mode(self) -> Mode:
        """How the study is shown."""
        return self._mode

    @property
    def full(self) -> bool:
        """Whether the picture has the window for itself."""
        return bool(self._hidden)

    def set_mode(self, mode: Mode) -> None:
        """Show one view, what stood side by side last (else the study's scans), or three planes."""
        study, grid = self._window.study, self._window.grid_view
        if study is None or mode == self._mode:
            self.changed.emit(self._mode)
            return
        if mode == "grid":
            if self.views is not None:
                # First, or the panes would follow every layer that comes into the grid.
                self.views.stop()
            # What follows is told by the grid itself, as when a tab puts its results there.
            if not grid.again():
                grid.show(self._window.layers_of(study))
            return
        self._before_grid = mode
        if grid.active:
            grid.leave()
            return
        self._become(mode)

    def toggle(self, mode: Mode) -> None:
        """A mode, or the single view when it is on already."""
        self.set_mode("single" if self._mode == mode else mode)

    def toggle_full(self) -> None:
        """The picture alone in the window; and all docks back as they were."""
        main = self._dock.window()
        if self._hidden:
            docks, self._hidden = self._hidden, []
            for dock in docks:
                dock.show()
            self.set_mode(self._before_full)
        elif isinstance(main, QMainWindow):
            self._before_full = self._mode
            if self._mode == "orthogonal":
                self.set_mode("single")
            besides = (*main.findChildren(QDockWidget), *main.findChildren(QToolBar))
            self._hidden = [widget for widget in besides if widget.isVisible()]
            for dock in self._hidden:
                dock.hide()
            self.focus_picture()
        self.full_changed.emit(self.full)

    def focus_picture(self) -> None:
        """Let the keys go to the picture."""
        self._window.picture.setFocus()

    def close(self) -> None:
        """The window goes."""
        if self.views is not None:
            self.views.close_canvases()

    def _become(self, mode: Mode) -> None:
        study = self._window.study
        if mode == "orthogonal" and study is not None:
            self._show_views(study)
        elif self.views is not None:
            self.views.stop()
            self._show_dock(False)
        if mode != self._mode:
            self._mode = mode
            self.changed.emit(mode)

    def _show_views(self, study: Study) -> None:
        if self.views is None:
            self.views = self._make_views()
            self.views.set_convention(self._window.convention)
            self.views.closed.connect(self._on_closed)
        # The cross in its title takes the dock away; what was in it is docked again.
        if self._viewer.window.dock_widgets.get(VIEWS_NAME) is not self.views:
            self._viewer.window.add_dock_widget(self.views, name=VIEWS_NAME, area="bottom")
        self._show_dock(True)
        self.views.start(study)

    def _show_dock(self, on: bool) -> None:
        dock = None if self.views is None else self.views.parentWidget()
        main = self._dock.window()
        if not isinstance(dock, QDockWidget) or not isinstance(main, QMainWindow):
            return
        # Below the picture alone: layers and tabs keep their height.
        area = Qt.DockWidgetArea
        main.setCorner(Qt.Corner.BottomRightCorner, area.RightDockWidgetArea)
        left = area.LeftDockWidgetArea if on else area.BottomDockWidgetArea
        main.setCorner(Qt.Corner.BottomLeftCorner, left)
        height = self._viewer.window._qt_viewer.height()
        dock.setVisible(on)
        if on and not dock.isFloating():
            main.resizeDocks([dock], [round(OTHER_SHARE * height)], Qt.Orientation.Vertical)

    def _on_grid(self, active: bool) -> None:
        if active and self._mode != "grid":
            self._before_grid = self._mode
            self._become("grid")
        elif not active and self._mode == "grid":
            self._become(self._before_grid)

    def _on_study(self, study: Study | None) -> None:
        if self._mode != "orthogonal" or self.views is None:
            return
        if study is None:
            self._become("single")
        else:
            self.views.start(study)

    def _on_closed(self) -> None:
        if self._mode == "orthogonal" and not self.full:
            self._become("single")
