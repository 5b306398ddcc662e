"""What tests of reviews in a real window do: mark, show a map, open another window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.export.pictures.compositor import PictureSize
from napari_sparseexplain.layers.explanation_layers import explanation_layers
from napari_sparseexplain.review.annotation import annotation_on_grid
from napari_sparseexplain.widgets.workspace import open_workspace

from .conftest import settle

TIME = datetime(2026, 1, 2, tzinfo=UTC)
SIZE = PictureSize(900, 700)


def mark(workspace: Any, kind: Any, points: list[tuple[int, int]], text: str = "") -> Any:
    """An annotation on the slice in the picture."""
    index = workspace.current_slice
    return annotation_on_grid(
        kind, [(index, *p) for p in points], workspace.study.grid, study="study", plane="axial",
        index=index, text=text,
    )  # fmt: skip


def heat(workspace: Any) -> Explanation:
    """A signed map on two slices of the study."""
    study, index = workspace.study, workspace.current_slice
    data = np.random.default_rng(3).standard_normal((2, *study.grid.shape[1:])).astype(np.float32)
    item = ExplanationMap("heat", data, "heatmap", "Heat", value_range=(-2.0, 2.0), signed=True)
    record = Provenance("grad-cam", {"layer": "last"}, model="mine", weights_sha256="ab" * 32)
    return Explanation("grad-cam", (item,), record, study.grid, slice(index, index + 2), "WT")


def rest() -> None:
    """Let the window come to rest, also on a machine that has no time for it."""
    for _ in range(8):
        settle(0.05)


@contextmanager
def another_window(review: Path) -> Iterator[Any]:
    """The workspace of a new window in which a saved review was opened."""
    import napari

    window = napari.Viewer(show=True)
    try:
        window.window.resize(1280, 800)
        workspace = open_workspace(window)
        rest()
        workspace.show_tab("review")
        workspace.page("review").open(review)
        assert workspace.wait(30)
        rest()
        yield workspace
    finally:
        window.close()


def show_heat(workspace: Any) -> Explanation:
    """The map over the scan, half clear."""
    found = heat(workspace)
    (layer,) = (workspace.viewer._add_layer_from_data(*t) for t in
                explanation_layers(found, workspace.study))  # fmt: skip
    layer[0].opacity = 0.5
    settle(0.1)
    return found
