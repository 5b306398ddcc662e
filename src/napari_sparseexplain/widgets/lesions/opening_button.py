"""The button that brings the table of lesions below the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QPushButton

from ..view.plots_dock import show_plots
from .panel import LesionsPanel

if TYPE_CHECKING:
    from napari import Viewer


class LesionsButton(QPushButton):
    """Opens the panel."""

    def __init__(self, viewer: Viewer, panel: LesionsPanel) -> None:
        super().__init__("Lesions")
        self.setToolTip("A table of the lesions of any mask, below the picture")
        self.clicked.connect(lambda: show_plots(viewer, panel))
