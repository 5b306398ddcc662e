"""The button that brings the panel of priors below the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QPushButton

from ..view.plots_dock import show_plots
from .panel import PriorsPanel

if TYPE_CHECKING:
    from napari import Viewer


class PriorsButton(QPushButton):
    """Opens the panel."""

    def __init__(self, viewer: Viewer, panel: PriorsPanel) -> None:
        super().__init__("Priors")
        self.setToolTip("An earlier study beside this one, with linked position")
        self.clicked.connect(lambda: show_plots(viewer, panel))
