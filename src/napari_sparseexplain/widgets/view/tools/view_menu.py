"""The menu *View* in the bar: left button, grey values, flips, size, slabs and cine."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QMenu, QToolButton

from ....layers.cells.slab import SLAB_WORDS, Slab, SlabKind, set_slab, slab_of
from .cine_play import RATES, CinePlay
from .left_drag import LEFT_TOOLS, LeftTool
from .picture_turns import actual_size, flip, invert, scans_in, smooth

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtGui import QAction

    from ..view_window import ViewWindow

#: Millimetres of a slab that can be chosen, and what the key begins with.
THICKNESSES = (5.0, 10.0, 20.0, 40.0)
USUAL_SLAB = Slab("max", 10.0)


class ViewMenu(QToolButton):
    """A button with a menu.

    Parameters
    ----------
    window : ViewWindow
    """

    def __init__(self, window: ViewWindow) -> None:
        super().__init__()
        self._window, self._viewer = window, window.viewer
        self._slab = USUAL_SLAB
        self.cine = CinePlay(window, self)
        self.setText("View")
        self.setToolTip("Left button, grey values, flips, size, slabs of several slices, cine")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        # The arrow of a menu is drawn over the last letter otherwise.
        self.setStyleSheet("QToolButton {padding: 2px 20px 2px 4px;}")
        menu = QMenu(self)
        self.left: dict[LeftTool, QAction] = {}
        lefts = menu.addMenu("Left drag")
        for tool, words in LEFT_TOOLS.items():
            self.left[tool] = self._choice(lefts, words, partial(self.choose_left, tool))
        self.left["move"].setChecked(True)
        menu.addSeparator()
        menu.addAction("Fit", window.fit)
        menu.addAction("Actual size (1 pixel a voxel)", partial(actual_size, self._viewer))
        self.smooth = self._choice(menu, "Smooth between voxels", self._on_smooth)
        menu.addAction("Invert grey values", partial(invert, self._viewer))
        menu.addSeparator()
        menu.addAction("Flip left to right", partial(flip, self._viewer, across=True))
        menu.addAction("Flip top to bottom", partial(flip, self._viewer, down=True))
        menu.addAction("Turn by 180°", partial(flip, self._viewer, across=True, down=True))
        menu.addSeparator()
        slabs = menu.addMenu("Slab")
        self.one_slice = self._choice(slabs, "One slice", partial(self.show_slab, None))
        self.slabs: dict[Slab, QAction] = {}
        kind: SlabKind
        for kind, words in SLAB_WORDS.items():
            slabs.addSeparator()
            for thickness in THICKNESSES:
                slab = Slab(kind, thickness)
                words_ = f"{words}, {thickness:g} mm"
                self.slabs[slab] = self._choice(slabs, words_, partial(self.show_slab, slab))
        cines = menu.addMenu("Cine")
        self.play = self._choice(cines, "Play frames, or slices", self.cine.toggle)
        self.cine.playing_changed.connect(self.play.setChecked)
        cines.addSeparator()
        self.rates: dict[int, QAction] = {}
        for rate in RATES:
            act = partial(self._on_rate, rate)
            self.rates[rate] = self._choice(cines, f"{rate} frames a second", act)
        self._on_rate(self.cine.rate)
        menu.aboutToShow.connect(self.write)
        self.setMenu(menu)
        window.signals.study_changed.connect(self._on_study)
        window.signals.plane_changed.connect(self._on_plane)

    def choose_left(self, tool: LeftTool) -> None:
        """What dragging with the left button does."""
        for name, action in self.left.items():
            action.setChecked(name == tool)

    @property
    def left_tool(self) -> LeftTool:
        """What dragging with the left button does."""
        return next(tool for tool, action in self.left.items() if action.isChecked())

    def show_slab(self, slab: Slab | None) -> None:
        """Show several slices as one; None: one slice."""
        if slab is not None:
            self._slab = slab
        set_slab(self._viewer, slab)
        self.write()

    def toggle_slab(self) -> None:
        """The slab that was chosen last, and one slice again."""
        self.show_slab(self._slab if slab_of(self._viewer) is None else None)

    def write(self) -> None:
        """Say what is on."""
        now, scans = slab_of(self._viewer), scans_in(self._viewer)
        self.one_slice.setChecked(now is None)
        for slab, action in self.slabs.items():
            action.setChecked(slab == now)
        self.smooth.setChecked(any(str(layer.interpolation2d) != "nearest" for layer in scans))

    def _on_smooth(self) -> None:
        smooth(self._viewer, self.smooth.isChecked())

    def _on_rate(self, rate: int) -> None:
        self.cine.set_rate(rate)
        for known, action in self.rates.items():
            action.setChecked(known == rate)

    def _on_study(self, _study: object) -> None:
        if slab_of(self._viewer) is not None:
            self.show_slab(None)

    def _on_plane(self, _plane: object) -> None:
        if (slab := slab_of(self._viewer)) is not None:
            set_slab(self._viewer, slab)

    def _choice(self, menu: QMenu, words: str, act: Callable[[], None]) -> QAction:
        action: QAction = menu.addAction(words)
        action.setCheckable(True)
        action.triggered.connect(lambda _checked=False: act())
        return action
