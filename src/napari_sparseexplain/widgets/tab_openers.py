"""Entries of the Plugins menu: each brings its tab of the one workspace to the front.

napari docks whatever a widget entry returns. There is one workspace and no second copy of a tab,
so an opener shows the tab and takes its own empty dock away again.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QWidget

from ..families import FAMILIES, Family
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
        """Bring what it opens to the front."""

    def _open_and_go(self) -> None:
        # Its own dock goes first: the plots' dock has the same name.
        if self.parentWidget() is not None:
            self._viewer.window.remove_dock_widget(self)
        self.show_in(open_workspace(self._viewer))
        self.deleteLater()


def __getattr__(name: str) -> type[_Opener]:
    """``StudyOpener`` and so on: one for every tab of a family, and for every panel below."""
    for family in FAMILIES:
        if family.tab and name == opener_name(family.title):
            return _opener(family.title, family.name)
        for title, attribute in below_of(family).items():
            if name == opener_name(title):
                return _opener(title, family.name, attribute)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def below_of(family: Family) -> dict[str, str]:
    """Panels below the picture of a family by their titles: attributes of its tab."""
    return {**({family.plots: "plots"} if family.plots else {}), **family.panels}


def opener_name(title: str) -> str:
    """Name of the class that opens what is called so."""
    return title.replace(" ", "") + "Opener"


@cache
def _opener(title: str, tab: str, panel: str = "") -> type[_Opener]:
    def show_in(_self: _Opener, workspace: Workspace) -> None:
        if panel:
            show_plots(workspace.viewer, getattr(workspace.page(tab), panel))
        else:
            workspace.show_tab(tab)

    members = {
        "__doc__": f"Plugins › SparseExplain › {title}.",
        "__module__": __name__,
        "show_in": show_in,
    }
    return type(opener_name(title), (_Opener,), members)


def choose_study_folder(viewer: Viewer) -> None:
    """File › IO Utilities › Open a study's folder…"""
    workspace = open_workspace(viewer)
    path = QFileDialog.getExistingDirectory(workspace, "Open a study's folder")
    if path:
        workspace.show_tab("study")
        workspace.open_path(path)
