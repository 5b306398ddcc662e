"""The bar above the tabs: how the picture is shown, whichever tab is in front."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from .layout_picker import LayoutPicker
from .modes import Mode, ViewModes
from .window_control import WindowControl

if TYPE_CHECKING:
    from .view_window import ViewWindow

_MODES: dict[Mode, tuple[str, str]] = {
    "single": ("Single", "One view"),
    "grid": ("Side by side", "Last side-by-side view, otherwise all scans, on one slice"),
    "orthogonal": ("Three planes", "Axial, coronal and sagittal with one crosshair and one zoom"),
}


class ViewBar(QWidget):
    """What all tabs share of the view."""

    def __init__(self, window: ViewWindow, modes: ViewModes) -> None:
        super().__init__()
        self._modes = modes
        self.window_control = WindowControl(window)
        self.modes: dict[str, QPushButton] = {}
        group = QButtonGroup(self)
        first = QHBoxLayout()
        for mode, (text, tip) in _MODES.items():
            button = self.modes[mode] = _button(text, tip)
            button.setCheckable(True)
            button.setChecked(mode == "single")
            button.clicked.connect(partial(self._on_mode, mode))
            group.addButton(button)
            first.addWidget(button)
        modes.changed.connect(lambda mode: self.modes[mode].setChecked(True))
        self.convention = _button(
            "", "Which side of the picture the patient's left is on. Press for the other one."
        )
        self.convention.clicked.connect(lambda _checked=False: window.toggle_convention())
        window.signals.convention_changed.connect(self._write_convention)
        self._write_convention(window.convention)
        self.layout_picker = LayoutPicker(window, modes)
        first.addWidget(self.layout_picker)
        second = QHBoxLayout()
        second.addWidget(self.window_control, 1)
        second.addWidget(self.convention)
        keys = _button("?", "Keys and mouse (F1)")
        keys.setMaximumWidth(28)
        keys.clicked.connect(lambda _checked=False: window.show_keys())
        second.addWidget(keys)
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 4, 8, 2)
        box.setSpacing(4)
        for row in (first, second):
            row.setSpacing(4)
            box.addLayout(row)

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
