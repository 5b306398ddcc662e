"""The layers of one viewer in another view: the same arrays, the same look, in both at once.

napari draws a layer in one viewer alone, so another view needs layers of its own. They share the
arrays (nothing is copied) and follow every change of how the first ones look. A layer that is
hidden has no twin, so that it costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from napari.layers import Image, Labels, Layer

from ..batched_changes import batched_changes
from ..mask_style import line_width, mask_style, set_mask_style

if TYPE_CHECKING:
    from napari.components import ViewerModel

_COMMON = ("opacity", "blending")

#: What twins of a kind share, by attribute; napari's event has the same name.
_LOOK: dict[type[Layer], tuple[str, ...]] = {
    Image: (*_COMMON, "contrast_limits", "colormap", "gamma", "interpolation2d"),
    Labels: (*_COMMON, "colormap", "contour", "show_selected_label", "selected_label"),
}

#: Events after which the voxels are others.
_VOXELS = ("data", "set_data", "paint", "labels_update")


class MirroredLayers:
    """Keeps the layers of ``view`` those that are visible in ``main``, while it is on.

    Shapes, points and other layers without voxels are made anew when they change.
    """

    def __init__(self, main: ViewerModel, view: ViewerModel) -> None:
        self._main, self._view = main, view
        self._twins: dict[Layer, Layer] = {}
        self._undo: dict[Layer, list[Callable[[], Any]]] = {}
        self._on = False
        main.layers.events.inserted.connect(self._on_inserted)
        main.layers.events.removed.connect(self._on_removed)
        main.layers.events.reordered.connect(self._on_reordered)

    @property
    def twins(self) -> dict[Layer, Layer]:
        """Twin of each layer that is shown."""
        return dict(self._twins)

    def start(self) -> None:
        """Show what is visible, and follow."""
        if self._on:
            return
        self._on = True
        # At once: napari builds the scene anew after every single change of the list.
        with batched_changes(self._view.layers):
            for layer in self._main.layers:
                self._watch(layer)
                self._follow_visible(layer)

    def stop(self) -> None:
        """Let all twins go."""
        self._on = False
        for undo in (call for calls in self._undo.values() for call in calls):
            undo()
        self._undo.clear()
        self._twins.clear()
        self._view.layers.clear()  # at once, as in start

    def detach(self) -> None:
        """Listen no more, for good."""
        self.stop()
        events = self._main.layers.events
        events.inserted.disconnect(self._on_inserted)
        events.removed.disconnect(self._on_removed)
        events.reordered.disconnect(self._on_reordered)

    def _on_inserted(self, event: Any) -> None:
        if self._on:
            self._watch(event.value)
            self._follow_visible(event.value)

    def _on_removed(self, event: Any) -> None:
        self._forget(event.value)

    def _on_reordered(self) -> None:
        for place, layer in enumerate(l for l in self._main.layers if l in self._twins):  # noqa: E741
            now = self._view.layers.index(self._twins[layer])
            if now != place:
                self._view.layers.move(now, place)

    def _watch(self, layer: Layer) -> None:
        if layer in self._undo:
            return
        undo = self._undo[layer] = []

        def listen(name: str, call: Callable[..., None]) -> None:
            emitter = getattr(layer.events, name, None)
            if emitter is not None:
                emitter.connect(call)
                undo.append(lambda: emitter.disconnect(call))

        listen("visible", lambda: self._follow_visible(layer))
        looks = _display_properties(layer)
        for name in looks:
            listen(name, partial(self._follow_display, layer, name))
        for name in _VOXELS:
            listen(name, lambda: self._follow_data(layer))
        if not looks:
            for name in (*_COMMON, "edge_color", "face_color", "current_edge_color", "features"):
                listen(name, lambda: self._make_anew(layer))

    def _forget(self, layer: Layer) -> None:
        for undo in self._undo.pop(layer, []):
            undo()
        twin = self._twins.pop(layer, None)
        if twin is not None and twin in self._view.layers:
            self._view.layers.remove(twin)

    def _follow_visible(self, layer: Layer) -> None:
        if layer.visible and layer not in self._twins:
            self._make(layer)
        elif layer in self._twins:
            self._twins[layer].visible = layer.visible

    def _follow_display(self, layer: Layer, name: str, _event: Any = None) -> None:
        twin = self._twins.get(layer)
        if twin is None:
            return
        if name == "contour":
            labels, other = cast("Labels", layer), cast("Labels", twin)
            set_mask_style(other, mask_style(labels), line_width(labels))
        else:
            setattr(twin, name, getattr(layer, name))

    def _follow_data(self, layer: Layer) -> None:
        twin = self._twins.get(layer)
        if twin is None:
            return
        if not _display_properties(layer):
            self._make_anew(layer)
        elif twin.data is not layer.data:
            twin.data = layer.data
        else:
            twin.refresh()

    def _make_anew(self, layer: Layer) -> None:
        twin = self._twins.pop(layer, None)
        if twin is not None:
            self._view.layers.remove(twin)
            self._make(layer)

    def _make(self, layer: Layer) -> None:
        data, state, kind = layer.as_layer_data_tuple()
        # The metadata tell what a layer is and are looked up, never changed: no copy.
        state["metadata"] = layer.metadata
        twin = Layer.create(data, state, kind)
        twin.visible = layer.visible
        before = [l for l in self._main.layers if l in self._twins or l is layer]  # noqa: E741
        self._twins[layer] = twin
        if isinstance(layer, Labels):
            self._follow_display(layer, "contour")
        self._view.layers.insert(before.index(layer), twin)


def _display_properties(layer: Layer) -> tuple[str, ...]:
    names = next((names for kind, names in _LOOK.items() if isinstance(layer, kind)), ())
    if isinstance(layer, Image) and layer.rgb:
        return tuple(n for n in names if n in (*_COMMON, "interpolation2d"))
    return names
