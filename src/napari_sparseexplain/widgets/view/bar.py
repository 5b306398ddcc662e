"""The bar above the picture: how it is shown, whichever tab is in front."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from .layout_picker import LayoutPicker
from .modes import Mode, ViewModes
from .tools.view_menu import ViewMenu
from .window_control import WindowControl

if TYPE_CHECKING:
    from .reading_room import ReadingRoom
    from .view_window import ViewWindow

#: Pixels of the choice of a window at most.
_WIDEST = 360

_MODES: dict[Mode, tuple[str, str]] = {
    "single": ("Single", "One view"),
    "grid": ("Side by side", "Last side-by-side view, otherwise all scans, on one slice"),
    "orthogonal": ("Three planes", "Axial, coronal and sagittal with one crosshair and one zoom"),
}


class ViewBar(QWidget):
    """What all tabs share of the view, in one row.

    Parameters
    ----------
    window : ViewWindow
    modes : ViewModes
    room : ReadingRoom
        What makes room for the picture.
    """

    def __init__(self, window: ViewWindow, modes: ViewModes, room: ReadingRoom) -> None:
        super().__init__()
        self._modes = modes
        self.window_control = WindowControl(window)
        self.modes: dict[str, QPushButton] = {}
        group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 1, 4, 1)
        row.setSpacing(4)
        for mode, (text, tip) in _MODES.items():
            button = self.modes[mode] = _button(text, tip)
            button.setCheckable(True)
            button.setChecked(mode == "single")
            button.clicked.connect(partial(self._on_mode, mode))
            group.addButton(button)
            row.addWidget(button)
        modes.changed.connect(lambda mode: self.modes[mode].setChecked(True))
        self.layout_picker = LayoutPicker(window, modes)
        row.addWidget(self.layout_picker)
        self.view_menu = ViewMenu(window)
        self.window_control.drag.left = lambda: self.view_menu.left_tool == "window"
        row.addWidget(self.view_menu)
        self.window_control.setMaximumWidth(_WIDEST)
        row.addWidget(self.window_control, 1)
        self.convention = _button(
            "", "Which side of the picture the patient's left is on. Press for the other one."
        )
        self.convention.clicked.connect(lambda _checked=False: window.toggle_convention())
        window.signals.convention_changed.connect(self._write_convention)
        self._write_convention(window.convention)
        row.addWidget(self.convention)
        row.addStretch(1)
        self.panes = _button("Layers", "napari's list of layers and their controls (F2)")
        self.panes.setCheckable(True)
        self.panes.setChecked(room.panes_shown)
        self.panes.clicked.connect(lambda on: room.show_panes(on))
        room.panes_changed.connect(self.panes.setChecked)
        row.addWidget(self.panes)
        self.fold = _button("Tabs", "The tabs; folded they are a strip of their names (F3)")
        self.fold.setCheckable(True)
        self.fold.setChecked(True)
        self.fold.clicked.connect(lambda on: room.fold(not on))
        room.folded_changed.connect(lambda folded: self.fold.setChecked(not folded))
        row.addWidget(self.fold)
        keys = _button("?", "Keys and mouse (F1)")
        keys.setMaximumWidth(28)
        keys.clicked.connect(lambda _checked=False: window.show_keys())
        row.addWidget(keys)

    def add_beside_layouts(self, button: QPushButton) -> None:
        """Put a button behind the picker of layouts."""
        row = self.layout()
        assert isinstance(row, QHBoxLayout)
        row.insertWidget(row.indexOf(self.layout_picker) + 1, button)

    def follow_layers(self) -> None:
        """Layers came, went, were shown or hidden."""
        self.window_control.follow()

    def _on_mode(self, mode: Mode, _checked: bool = False) -> None:
        self._modes.set_mode(mode)

    def _write_convention(self, convention: str) -> None:
        self.convention.setText(convention.capitalize())


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
