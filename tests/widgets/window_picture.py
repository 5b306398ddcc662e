"""The picture of a window: its layers, their display, the view; read, put back, compared."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_sparseexplain.layers.cells.shown_cells import cells_of
from napari_sparseexplain.widgets.view.orthogonal_views import OrthogonalViews

#: What is set again on a layer, in this order; what a kind of layer lacks is passed over.
_SETTABLE = ("mode", "contrast_limits", "gamma", "opacity", "blending", "visible", "name")


def _layer_settings(layer: Any) -> dict[str, Any]:
    return {name: getattr(layer, name) for name in _SETTABLE if hasattr(layer, name)}


def _layer_words(layer: Any) -> dict[str, Any]:
    """What can be told of a layer."""
    data = np.ascontiguousarray(np.asarray(layer.data))
    colormap = getattr(layer, "colormap", None)
    return {
        "kind": type(layer).__name__,
        **{k: str(v) for k, v in _layer_settings(layer).items()},
        "data": (data.shape, str(data.dtype), zlib.crc32(data.tobytes())),
        "place": (tuple(layer.scale), tuple(layer.translate)),
        "units": str(layer.units),
        "colormap": getattr(colormap, "name", None),
        "overlays": {
            key: _overlay_words(overlay)
            for key, overlay in layer._overlays.items()
            if overlay.visible
        },
        "label": getattr(layer, "selected_label", None),
        "metadata": sorted(map(str, layer.metadata)),
    }


def _overlay_words(overlay: Any) -> tuple[Any, ...]:
    return type(overlay).__name__, overlay.visible, str(getattr(overlay, "text", ""))


def _view_words(viewer: Any) -> dict[str, Any]:
    camera, cells = viewer.scene.camera, cells_of(viewer)
    return {
        "point": tuple(viewer.dims.point),
        "order": tuple(viewer.dims.order),
        "displayed": viewer.dims.ndisplay,
        "range": str(viewer.dims.range),
        "zoom": round(float(camera.zoom), 4),
        "centre": tuple(round(float(v), 3) for v in camera.center),
        "orientation": str(camera.orientation),
        "cells": (cells.active, cells.shape, cells.one_large, cells.enlarged),
        # One that is made when it is first wanted, and not seen, is no difference.
        "overlays": {k: _overlay_words(o) for k, o in viewer.canvas.overlays.items() if o.visible},
        "scene": {k: _overlay_words(o) for k, o in viewer.scene.overlays.items() if o.visible},
        "title": viewer.title,
        "theme": viewer.theme,
        # Those of the other planes are made when first wanted, and hidden with them.
        "docks": sorted(k for k, dock in viewer.window.dock_widgets.items() if _stands(dock)),
        "callbacks": [
            sum(not _of_other_planes(one) for one in getattr(viewer, name))
            for name in ("mouse_drag_callbacks", "mouse_wheel_callbacks", "mouse_move_callbacks")
        ],
        "keys": sorted(map(str, viewer.keymap)),
    }


def _stands(docked: Any) -> bool:
    """Whether a dock is seen in a window that is."""
    dock = docked.parentWidget()
    return dock is not None and not dock.isHidden()


def _of_other_planes(callback: Any) -> bool:
    return isinstance(getattr(callback, "__self__", None), OrthogonalViews)


@dataclass
class Picture:
    """Layers and view."""

    layers: list[tuple[Any, dict[str, Any], dict[str, Any]]]
    metadata: list[dict[str, Any]]
    view: dict[str, Any]
    active: Any
    selected: set[Any]
    cells: tuple[Any, ...]
    shown: Any
    layout: Any
    camera: tuple[Any, Any, Any]
    overlays: dict[str, tuple[bool, str | None]]

    @classmethod
    def of(cls, workspace: Any) -> Picture:
        """As it is now."""
        viewer, grid = workspace.viewer, workspace.grid_view
        return cls(
            [(layer, _layer_settings(layer), _layer_words(layer)) for layer in viewer.layers],
            [dict(layer.metadata) for layer in viewer.layers],
            _view_words(viewer),
            viewer.layers.selection.active,
            set(viewer.layers.selection),
            grid.layers if grid.active else (),
            grid._shown,
            grid.layout,
            tuple(getattr(viewer.scene.camera, name) for name in ("center", "zoom", "orientation")),
            {k: (o.visible, getattr(o, "text", None)) for k, o in viewer.canvas.overlays.items()},
        )

    def remove_others(self, workspace: Any) -> bool:
        """Take layers away that were not there; whether all that were are."""
        viewer, ours = workspace.viewer, [layer for layer, _, _ in self.layers]
        if others := [layer for layer in viewer.layers if layer not in ours]:
            with viewer.layers.batched_update():
                workspace.grid_view.remove(others)
        if [layer for layer in ours if layer not in viewer.layers]:
            return False
        if list(viewer.layers) != ours:
            for place, layer in enumerate(ours):
                viewer.layers.move(viewer.layers.index(layer), place)
        return True

    def put_back(self, workspace: Any) -> None:
        """Layers' display, cells, slice, selection and camera as they were."""
        viewer, grid = workspace.viewer, workspace.grid_view
        for name, docked in viewer.window.dock_widgets.items():
            if name not in self.view["docks"] and _stands(docked):
                docked.parentWidget().hide()
        if (grid.layers if grid.active else ()) != self.cells:
            grid.leave()
        if grid.layout != self.layout:
            grid.set_layout(self.layout)
        grid.enlarge(None)
        cells_of(viewer).look_together()
        if not grid.active and self.cells:
            grid._put(self.shown)
        for (layer, settings, _), metadata in zip(self.layers, self.metadata, strict=True):
            # What a new answer wrote there: of the same map, once its data is the same.
            layer.metadata.clear()
            layer.metadata.update(metadata)
            for name, value in settings.items():
                if str(getattr(layer, name)) != str(value):
                    setattr(layer, name, value)
        for key, overlay in viewer.canvas.overlays.items():
            visible, text = self.overlays.get(key, (False, None))
            if text is not None and overlay.text != text:
                overlay.text = text
            if overlay.visible != visible:
                overlay.visible = visible
        viewer.dims.point = self.view["point"]
        viewer.layers.selection = self.selected
        viewer.layers.selection.active = self.active
        if viewer.scene.camera.orientation != self.camera[2]:
            viewer.scene.camera.orientation = self.camera[2]
        viewer.scene.camera.zoom = self.camera[1]
        viewer.scene.camera.center = self.camera[0]

    def differing(self, workspace: Any) -> str:
        """What of it is not as it was."""
        viewer = workspace.viewer
        if list(viewer.layers) != [layer for layer, _, _ in self.layers]:
            return f"other layers: {[layer.name for layer in viewer.layers]}"
        for layer, _, said in self.layers:
            if difference := _unlike(_layer_words(layer), said):
                return f"layer {layer.name}: {difference}"
        return _unlike(_view_words(viewer), self.view)


def _unlike(now: dict[str, Any], before: dict[str, Any]) -> str:
    return "; ".join(
        f"{key} {now.get(key)} was {before.get(key)}"
        for key in {**before, **now}
        if now.get(key) != before.get(key)
    )
