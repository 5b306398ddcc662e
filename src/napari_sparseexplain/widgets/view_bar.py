"""The bar above the tabs: how the picture is shown, whichever tab is in front."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QVBoxLayout, QWidget

from .window_control import WindowControl

if TYPE_CHECKING:
    from .workspace import Workspace


class ViewBar(QWidget):
    """What all tabs share of the view."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.window_control = WindowControl(workspace)
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 4, 8, 2)
        box.setSpacing(2)
        box.addWidget(self.window_control)

    def follow_layers(self) -> None:
        """Layers came, went, were shown or hidden."""
        self.window_control.follow()
