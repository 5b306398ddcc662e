"""Entries of the Plugins menu: each brings its tab of the one workspace to the front.

napari docks whatever a widget entry returns. There is one workspace and no second copy of a tab,
so an opener shows the tab and takes its own empty dock away again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QWidget

from .view.plots_dock import show_plots
from .workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from napari import Viewer


class _Opener(QWidget):
    """An empty widget that opens something and goes."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.setMaximumSize(0, 0)
        QTimer.singleShot(0, self._open_and_go)

    def show_in(self, workspace: Workspace) -> None:
        """Bring the tab to the front."""

    def _open_and_go(self) -> None:
        # Its own dock goes first: the plots' dock has the same name.
        if self.parentWidget() is not None:
            self._viewer.window.remove_dock_widget(self)
        self.show_in(open_workspace(self._viewer))
        self.deleteLater()


class StudyOpener(_Opener):
    """Plugins › SparseExplain › Study."""

    def show_in(self, workspace: Workspace) -> None:
        """Bring the tab to the front."""
        workspace.show_tab("study")


class ProxyOpener(_Opener):
    """Plugins › SparseExplain › Proxy."""

    def show_in(self, workspace: Workspace) -> None:
        """Bring the tab to the front."""
        workspace.show_tab("proxy")


class DecomposeOpener(_Opener):
    """Plugins › SparseExplain › Decompose."""

    def show_in(self, workspace: Workspace) -> None:
        """Bring the tab to the front."""
        workspace.show_tab("decompose")


class AttributionOpener(_Opener):
    """Plugins › SparseExplain › Attribution."""

    def show_in(self, workspace: Workspace) -> None:
        """Bring the tab to the front."""
        workspace.show_tab("attribution")


class ReviewOpener(_Opener):
    """Plugins › SparseExplain › Review."""

    def show_in(self, workspace: Workspace) -> None:
        """Bring the tab to the front."""
        workspace.show_tab("review")


class ResponsesOpener(_Opener):
    """Plugins › SparseExplain › Responses."""

    def show_in(self, workspace: Workspace) -> None:
        """Show the plots below the picture."""
        show_plots(workspace.viewer, workspace.responses)


def choose_study_folder(viewer: Viewer) -> None:
    """File › IO Utilities › Open a study's folder…"""
    workspace = open_workspace(viewer)
    path = QFileDialog.getExistingDirectory(workspace, "Open a study's folder")
    if path:
        workspace.show_tab("study")
        workspace.open_path(path)
