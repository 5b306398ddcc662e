"""The numbers beside napari's sliders, counted from 1 as in the corner of the picture.

napari shows the index of a slice and the last index, so that one slice has two numbers on one
screen. Its sliders have no setting for that: their texts are written over after each change, and
what a person types there is read accordingly.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

if TYPE_CHECKING:
    from napari import Viewer

#: Most of a slider's width that the name of its axis takes, as in napari.
NAME_SHARE = 0.2


class SliderNumbers:
    """Counts every slider from 1, those of frames too, whether a study is open or not."""

    def __init__(self, viewer: Viewer) -> None:
        self._dims = viewer.dims
        self._sliders: Any = viewer.window._qt_viewer.dims
        self._mine: WeakSet[Any] = WeakSet()
        # Last: after the sliders have written theirs.
        for changed in ("current_step", "range", "ndim", "order", "ndisplay"):
            getattr(self._dims.events, changed).connect(self.write, position="last")
        self._dims.events.axis_labels.connect(self._widen_names, position="last")
        self.write()

    def write(self, _event: object = None) -> None:
        """Number every slider anew."""
        counts = self._dims.nsteps
        self._hide_gone()
        for axis, slider in enumerate(self._sliders.slider_widgets):
            if axis >= len(counts):
                return  # its axis went, and so will it
            self._adopt(slider)
            slider.curslice_label.setText(str(self._dims.current_step[axis] + 1))
            slider.totslice_label.setText(str(counts[axis]))
        # By the label itself: it has another font than what it stands in, and a margin.
        width = max((s.totslice_label.sizeHint().width() for s in self._mine), default=0)
        for slider in self._sliders.slider_widgets:
            for label in (slider.curslice_label, slider.totslice_label):
                label.setFixedWidth(max(width, label.minimumWidth()))

    def _widen_names(self, _event: object = None) -> None:
        """Give the names of axes room for the longest.

        napari does it where one is typed alone, and by the width of the first slider, which is
        another's where that one is hidden.
        """
        seen = [slider for slider in self._sliders.slider_widgets if not slider.isHidden()]
        if not seen:
            return
        metrics = seen[0].axis_label.fontMetrics()
        longest = max(metrics.horizontalAdvance(slider.axis_label.text()) for slider in seen)
        most = round(NAME_SHARE * max(slider.width() for slider in seen))
        for slider in self._sliders.slider_widgets:
            slider.axis_label.setFixedWidth(min(longest, most) + 4 * metrics.averageCharWidth())

    def _hide_gone(self) -> None:
        """Sliders of axes that went lie over those that are there until Qt deletes them."""
        there = list(self._sliders.slider_widgets)
        for slider in [s for s in self._mine if s not in there]:
            self._mine.discard(slider)
            with suppress(RuntimeError):  # it is deleted already
                slider.hide()

    def _adopt(self, slider: Any) -> None:
        """A slider that napari has just made."""
        if slider in self._mine:
            return
        self._mine.add(slider)
        label = slider.curslice_label
        label.editingFinished.disconnect(slider._set_slice_from_label)
        label.editingFinished.connect(partial(self._go, slider))
        label.setToolTip("Slice or frame in the picture, counted from 1")
        slider.totslice_label.setToolTip("How many there are")
        slider.size_changed.connect(self._widen_names)

    def _go(self, slider: Any) -> None:
        """A person typed a number."""
        count, typed = self._dims.nsteps[slider.axis], slider.curslice_label.text()
        number = min(max(int(typed or 1), 1), count)
        slider.curslice_label.clearFocus()
        self._dims.set_current_step(slider.axis, number - 1)
        self.write()
