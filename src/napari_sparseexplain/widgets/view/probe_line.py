"""Under the tabs: the pointer's place in the patient, and the value of every layer there."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from ...layers.canvas.corner_text import CornerText
from ...layers.canvas.linked_cameras import spatial_axes
from ...layers.canvas.probe import inside, layer_captions, patient_caption
from ..parts.wrapped_label import wrapped_label

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from ..window import Window
    from .modes import ViewModes

#: Milliseconds between two read-outs: as fast as one reads, however fast the pointer.
INTERVAL = 40

NOTHING = "Point at the picture."


class ProbeLine(QWidget):
    """Follows the pointer over the picture and over the other planes.

    Where the picture has the window for itself, or the tabs are folded, the same words stand in
    its corner.
    """

    def __init__(self, window: Window, modes: ViewModes) -> None:
        super().__init__()
        self._window, self._modes = window, modes
        self._folded = False
        self._view: ViewerModel | None = None
        self._place: tuple[float, float] = (0.0, 0.0)
        self._corner = CornerText(window.viewer, "probe", "bottom_left")
        self.place: QLabel = QLabel(NOTHING)
        self.values = wrapped_label()
        # Two lines always: nothing below the pointer's hand may jump.
        self.values.setMinimumHeight(2 * self.values.fontMetrics().lineSpacing() + 2)
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 2, 8, 4)
        box.setSpacing(0)
        box.addWidget(self.place)
        box.addWidget(self.values)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(INTERVAL)
        self._timer.timeout.connect(self.refresh)
        self.watch(window.viewer)
        window.viewer.dims.events.point.connect(self._restart)
        window.signals.study_changed.connect(lambda _study: self._restart())
        # A result comes into a layer that is there: its values are others under a resting pointer.
        window.viewer.layers.events.inserted.connect(lambda event: self._follow(event.value))
        for layer in window.viewer.layers:
            self._follow(layer)

    def watch(self, view: ViewerModel) -> None:
        """Follow the pointer over another view of the study."""
        view.mouse_move_callbacks.append(self._on_move)
        view.mouse_drag_callbacks.append(self._on_drag)

    def set_folded(self, folded: bool) -> None:
        """Whether the tabs, and this line with them, are folded."""
        self._folded = folded
        self.refresh()

    def refresh(self) -> None:
        """Read out again, as when a slice was scrolled under the pointer."""
        study, view = self._window.study, self._view
        axes = None if view is None else spatial_axes(view)
        if study is None or axes is None:
            self._write(NOTHING, "")
            return
        # Slices are the main viewer's, in the plane of the view that is pointed at.
        point = list(self._window.viewer.dims.point)
        for axis, value in zip(axes[1:], self._place, strict=True):
            point[len(point) - 3 + axis] = value
        if not inside(study, point[-3:]):
            self._write(NOTHING, "")
            return
        words = layer_captions(self._window.viewer.layers, study, point)
        self._write(patient_caption(study, point[-3:]), " · ".join(words))

    def _follow(self, layer: Layer) -> None:
        # Of a hidden layer `data` alone is told; not every kind of layer has it.
        for name in ("set_data", "data"):
            if name in layer.events.emitters:
                layer.events[name].connect(self._restart)

    def _on_move(self, view: Any, event: Any) -> None:
        axes = spatial_axes(view)
        if axes is not None:
            place = tuple(event.position)[-3:]
            self._view, self._place = view, (float(place[axes[1]]), float(place[axes[2]]))
            self._restart()

    def _on_drag(self, view: Any, event: Any) -> Generator[None, None, None]:
        """napari tells the movement of a pressed pointer to those alone who heard the press."""
        yield
        while event.type == "mouse_move":
            self._on_move(view, event)
            yield
        self._on_move(view, event)

    def _restart(self, _event: object = None) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _write(self, place: str, values: str) -> None:
        if self.place.text() != place:
            self.place.setText(place)
        if self.values.text() != values:
            self.values.setText(values)
        full = (self._modes.full or self._folded) and bool(values)
        self._corner.write(f"{place}\n{values.replace(' · ', chr(10))}" if full else "")
