"""Room for the picture: one thin bar above it, napari's layer panes folded, tabs that fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QApplication,
    QDockWidget,
    QHBoxLayout,
    QMainWindow,
    QTabBar,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from ..parts.preferences import preference, set_preference

if TYPE_CHECKING:
    from napari import Viewer

    from ...volumes import Study
    from ..tab_pages import TabPages
    from ..window import WindowSignals

#: Name of the bar, by which Qt knows it in a saved window.
BAR_NAME = "SparseExplain view"

#: Pixels of a dock about what stands in it, and Qt's word for any width.
_FRAME, _ANY_WIDTH = 2, 16_777_215

#: Milliseconds after which a window that was asked to close and did not is folded again.
_STILL_OPEN = 300


class ReadingRoom(QObject):
    """Gives the picture the room that nothing else needs while one reads.

    Parameters
    ----------
    viewer : Viewer
    signals : WindowSignals
    dock : QWidget
        What stands in the dock of the tabs; its layout is made here.
    tabs : TabPages
    below : QWidget
        What stands below the tabs.

    Signals
    -------
    panes_changed(bool): whether napari's layer panes are seen.
    folded_changed(bool): whether the tabs are folded to their names.
    """

    panes_changed = Signal(bool)
    folded_changed = Signal(bool)

    def __init__(
        self,
        viewer: Viewer,
        signals: WindowSignals,
        dock: QWidget,
        tabs: TabPages,
        below: QWidget,
    ) -> None:
        super().__init__(dock)
        self._viewer, self._dock, self._tabs = viewer, dock, tabs
        self._read = False
        self._width = 0
        self.bar: QToolBar | None = None
        self._open = QWidget()
        column = QVBoxLayout(self._open)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(tabs)
        column.addWidget(below)
        self.strip = self._strip()
        row = QHBoxLayout(dock)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._open)
        row.addWidget(self.strip, 0, Qt.AlignmentFlag.AlignTop)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(0)
        self._rest.timeout.connect(self._fit_dock)
        signals.study_changed.connect(self._on_study)
        signals.closing.connect(self._on_closing)

    def put_bar(self, content: QWidget) -> None:
        """Let a widget stand above the picture, in one thin row."""
        main = self._main
        if main is None:
            return
        bar = QToolBar(BAR_NAME)
        bar.setObjectName(BAR_NAME)
        bar.setMovable(False)
        bar.setFloatable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.addWidget(content)
        main.addToolBar(Qt.ToolBarArea.TopToolBarArea, bar)
        self.bar = bar
        # The bar goes with the tabs that it belongs to.
        self._dock.destroyed.connect(bar.deleteLater)

    # -- napari's layer panes ----------------------------------------------------------------

    @property
    def panes_shown(self) -> bool:
        """Whether napari's list of layers and their controls are seen."""
        return any(not pane.isHidden() for pane in self._panes)

    def show_panes(self, shown: bool, *, remember: bool = True) -> None:
        """Show napari's layer panes, or fold them; a person's choice is remembered."""
        for pane in self._panes:
            pane.setVisible(shown)
        if remember:
            set_preference("view.layer_panes", shown)
        self.panes_changed.emit(shown)

    def toggle_panes(self) -> None:
        """Show napari's layer panes where they are folded, and fold them where they are seen."""
        self.show_panes(not self.panes_shown)

    # -- the tabs ----------------------------------------------------------------------------

    @property
    def folded(self) -> bool:
        """Whether the tabs are folded to a strip of their names."""
        return self._open.isHidden()

    def fold(self, folded: bool) -> None:
        """Fold the tabs to a strip of their names, or open them."""
        if folded == self.folded:
            return
        if folded:
            self._width = self._dock.width()
            self.strip.setCurrentIndex(self._tabs.currentIndex())
        self._open.setVisible(not folded)
        self.strip.setVisible(folded)
        dock = self._dock.parentWidget()
        if isinstance(dock, QDockWidget):
            title: Any = dock.titleBarWidget()
            if title is not None:
                title.setVisible(not folded)
            # Qt keeps how wide a dock must be until it is told to look again.
            dock.setMaximumWidth(_ANY_WIDTH)
            self._rest.start()
        self.folded_changed.emit(folded)

    def _fit_dock(self) -> None:
        """As wide as the strip, or as before it was folded."""
        dock, main = self._dock.parentWidget(), self._main
        if not isinstance(dock, QDockWidget) or main is None:
            return
        if (layout := dock.layout()) is not None:
            layout.invalidate()
        dock.setMinimumWidth(0)
        wide = self.strip.sizeHint().width() + 2 * _FRAME if self.folded else self._width
        if self.folded:
            dock.setMaximumWidth(wide)
        main.resizeDocks([dock], [wide], Qt.Orientation.Horizontal)

    def toggle_tabs(self) -> None:
        """Fold the tabs, or open them."""
        self.fold(not self.folded)

    # -- events ------------------------------------------------------------------------------

    @property
    def _main(self) -> QMainWindow | None:
        main = getattr(self._viewer.window, "_qt_window", None)
        return main if isinstance(main, QMainWindow) else None

    @property
    def _panes(self) -> tuple[QWidget, ...]:
        qt: Any = self._viewer.window._qt_viewer
        return (qt.dockLayerList, qt.dockLayerControls)

    def _strip(self) -> QTabBar:
        strip = QTabBar()
        strip.setShape(QTabBar.Shape.RoundedEast)
        strip.setDrawBase(False)
        strip.setExpanding(False)
        strip.setUsesScrollButtons(True)
        for place in range(self._tabs.count()):
            strip.addTab(self._tabs.tabText(place))
            strip.setTabToolTip(place, f"Open the tab {self._tabs.tabText(place)}")
        strip.hide()
        strip.tabBarClicked.connect(self._on_strip)
        return strip

    def _on_strip(self, place: int) -> None:
        if place >= 0:
            self.fold(False)
            self._tabs.setCurrentIndex(place)

    def _on_study(self, study: Study | None) -> None:
        """The first study is read: what is not needed for that makes room."""
        if study is None or self._read:
            return
        self._read = True
        if not preference("view.layer_panes"):
            self.show_panes(False, remember=False)
        self.fit_dock()

    def fit_dock(self) -> None:
        """Make the dock of the tabs as narrow as its row of tabs."""
        dock, main = self._dock.parentWidget(), self._main
        if isinstance(dock, QDockWidget) and main is not None and not dock.isFloating():
            narrow = self._dock.minimumSizeHint().width()
            main.resizeDocks([dock], [narrow], Qt.Orientation.Horizontal)
            # At once: what is put into the picture next is fitted to the room that it will have.
            if (layout := main.layout()) is not None:
                layout.activate()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)

    def _on_closing(self) -> None:
        """napari saves its window as it is now: without this plugin nobody would unfold it."""
        if not self._read or self.panes_shown:
            return
        self.show_panes(True, remember=False)
        QTimer.singleShot(_STILL_OPEN, self, self._on_still_open)

    def _on_still_open(self) -> None:
        main = self._main
        if QApplication.activeModalWidget() is not None:  # whoever closes is still asked
            QTimer.singleShot(_STILL_OPEN, self, self._on_still_open)
            return
        if main is not None and main.isVisible() and not preference("view.layer_panes"):
            self.show_panes(False, remember=False)
