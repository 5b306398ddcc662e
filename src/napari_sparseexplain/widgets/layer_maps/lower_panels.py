"""The panels below the picture that the tab *Layers* owns: one of them is seen at a time."""

from __future__ import annotations

from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from ..view.plots_dock import hide_plots, show_plots
from ..window import Window
from .cine_panel import CinePanel
from .kernels_panel import KernelsPanel
from .training_panel import TrainingPanel

#: Height in which all figures of a cine stand below what must be read with them.
_FIGURES = 310

#: Height in which pictures of a training can be told apart.
_TALL = 330


class LowerPanels(QWidget):
    """Kernels, Cine and Training, and the buttons that show the last two.

    Attributes
    ----------
    kernels : KernelsPanel
    cine : CinePanel
    training : TrainingPanel
    """

    def __init__(self, window: Window) -> None:
        super().__init__()
        self._viewer = window.viewer
        self.kernels = KernelsPanel(window.viewer)
        self.cine = CinePanel(window)
        self.training = TrainingPanel(window)
        self.kernels.on_seen = lambda: self._alone(self.kernels)
        self.cine.seen.connect(lambda: self._alone(self.cine))
        self.training.seen.connect(lambda: self._alone(self.training))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self.cine_button = QPushButton("Cine")
        self.cine_button.setToolTip("Volume of the left ventricle over the cycle, in a panel below")
        self.cine_button.clicked.connect(lambda: self.show_cine())
        self.training_button = QPushButton("Training")
        self.training_button.setToolTip("Follow a training: curves and layers, in a panel below")
        self.training_button.clicked.connect(lambda: self.show_training())
        for button in (self.cine_button, self.training_button):
            row.addWidget(button)

    def show_cine(self) -> None:
        """The panel *Cine*, tall enough for its figures."""
        self._alone(self.cine)
        show_plots(self._viewer, self.cine, height=_FIGURES)

    def show_training(self) -> None:
        """The panel *Training*, tall enough for its pictures."""
        self._alone(self.training)
        show_plots(self._viewer, self.training, height=_TALL)

    def wait(self, seconds: float) -> bool:
        """Until nothing runs here."""
        return self.cine.runner.wait(seconds) and self.training.wait(seconds)

    def stop(self) -> None:
        """The window is closing."""
        self.cine.runner.cancel()
        self.training.stop()

    def _alone(self, seen: QWidget) -> None:
        """Hide the others: there is no room for two beside each other."""
        for panel in (self.kernels, self.cine, self.training):
            if panel is not seen and panel.isVisible():
                hide_plots(panel)
