"""Panels below the picture that the Review tab opens: lesions and priors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QWidget

from ..lesions.opening_button import LesionsButton
from ..lesions.panel import LesionsPanel
from ..priors.opening_button import PriorsButton
from ..priors.panel import PriorsPanel
from ..view.plots_dock import show_plots

if TYPE_CHECKING:
    from napari.layers import Labels

    from ..window import Window


class PanelsBelow(QWidget):
    """Their buttons in a row, and what they have to tell each other."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self._viewer = window.viewer
        self.lesions, self.priors = LesionsPanel(window), PriorsPanel(window)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(LesionsButton(window.viewer, self.lesions))
        row.addWidget(PriorsButton(window.viewer, self.priors))
        self.priors.lesions_asked.connect(self.show_change)

    def show_change(self, mask: Labels, earlier: Labels) -> None:
        """The table of the lesions of a mask, followed from an earlier one."""
        show_plots(self._viewer, self.lesions)
        self.lesions.refresh()  # so that both are offered
        self.lesions.mask_choice.choose(mask)
        self.lesions.earlier.choose(earlier)

    def wait(self, seconds: float) -> bool:
        """Keep the window alive until nothing runs in them."""
        return self.lesions.runner.wait(seconds) and self.priors.wait(seconds)

    def stop(self) -> None:
        """The window goes."""
        self.lesions.runner.cancel()
        self.priors.stop()
