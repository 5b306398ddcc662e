"""What the scripts that make pictures of the window share: the window, its cells, and checks."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import napari
import numpy as np
from matplotlib.colors import to_rgb
from qtpy.QtWidgets import QApplication
from skimage.io import imsave

from napari_sparseexplain.layers.cells.shown_cells import cells_of
from napari_sparseexplain.widgets.tour import WINDOW_SIZE
from napari_sparseexplain.widgets.workspace import open_workspace


class Pictures:
    """The window, and what is looked for in its pictures."""

    def __init__(self, out: Path) -> None:
        self.out = out
        out.mkdir(parents=True, exist_ok=True)
        self.viewer = napari.Viewer(title="napari · SparseExplain")
        self.viewer.window.resize(*WINDOW_SIZE)
        self.workspace: Any = open_workspace(self.viewer)

    def settle(self, seconds: float = 1.2) -> None:
        """Let the window do what it has to do."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.01)

    def take(self, name: str) -> np.ndarray:
        """Write the whole window; gives the canvas."""
        self.settle()
        imsave(self.out / f"{name}.png", self._shot(whole=True), check_contrast=False)
        return self._shot(whole=False)

    def _shot(self, *, whole: bool) -> np.ndarray:
        return np.asarray(self.viewer.screenshot(canvas_only=not whole, flash=False))[..., :3]

    def cells(self, canvas: np.ndarray) -> dict[str, np.ndarray]:
        """The part of the canvas of each layer that stands in a cell, by the layer's name."""
        side, found = cells_of(self.viewer), {}
        for place, layers in zip(side.places(canvas.shape[:2]), side.cells, strict=True):
            if place is not None:
                rows = slice(place.top, place.top + place.height)
                columns = slice(place.left, place.left + place.width)
                found |= {layer.name: canvas[rows, columns] for layer in layers if layer.visible}
        return found

    def voxel(self, canvas: np.ndarray, row: int, column: int) -> np.ndarray:
        """The pixels of a voxel in the single view."""
        camera, spacing = self.viewer.scene.camera, self.workspace.study.grid.spacing[1:]
        size = np.array(canvas.shape[:2])
        corners = []
        for edge in (-0.5, 0.5):
            place = (np.array([row, column]) + edge) * spacing
            corners.append(
                np.rint((place - camera.center[-2:]) * camera.zoom + size / 2).astype(int)
            )
        (top, left), (bottom, right) = corners
        return canvas[top:bottom, left:right]


def drawn(canvas: Any) -> np.ndarray:
    """The pixels of a plot's canvas."""
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def rgb(colour: Any) -> np.ndarray:
    """A colour by name, 0 to 255."""
    return np.round(np.array(to_rgb(colour)) * 255)


def holds(picture: np.ndarray, colour: Any, tolerance: int = 40) -> int:
    """How many pixels have a colour (0 to 255), within so much."""
    return int((np.abs(picture.astype(int) - np.array(colour)).max(axis=-1) <= tolerance).sum())


def must(true: bool, words: str) -> None:
    """End with an error where something does not hold."""
    if not true:
        sys.exit(f"{Path(sys.argv[0]).name}: {words}")
