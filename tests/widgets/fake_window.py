"""A window that is none: what a tab needs to open and to run, without a canvas."""

from __future__ import annotations

from typing import Any

from napari_sparseexplain.layers.cells.grid_view import GridView
from napari_sparseexplain.widgets.window import WindowSignals


class FakeWindow:
    """As much of a window as a tab needs to open."""

    def __init__(self, viewer: Any) -> None:
        self.signals, self.viewer, self.grid_view = WindowSignals(), viewer, GridView(viewer)
        self.study, self.studies, self.current_slice = None, [], 0

    def layers_of(self, study: Any) -> list[Any]:
        return []

    def study_layer(self, role: str) -> None:
        return None

    def needed_study(self) -> Any:
        return self.study

    def go_to_slice(self, index: int) -> None:
        self.current_slice = index
