"""Several changes of layers are one for the canvas."""

from __future__ import annotations

import gc
from weakref import ref

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_sparseexplain.layers.batched_changes import batched_changes
from napari_sparseexplain.layers.cells.grid_view import GridView


@pytest.fixture
def told() -> tuple[ViewerModel, list[str]]:
    """A viewer, and what its canvas is told."""
    viewer, events = ViewerModel(), []
    for name in ("begin_batch", "end_batch"):
        getattr(viewer.layers.events, name).connect(lambda _, name=name: events.append(name))
    return viewer, events


def layer() -> Image:
    return Image(np.zeros((4, 4)))


def test_blocks_within_a_block_end_with_it(told: tuple[ViewerModel, list[str]]) -> None:
    viewer, events = told
    with batched_changes(viewer.layers):
        for _ in range(3):
            with batched_changes(viewer.layers):
                viewer.layers.append(layer())
    assert events == ["begin_batch", "end_batch"]
    assert len(viewer.layers) == 3


def test_what_goes_wrong_within_ends_the_block(told: tuple[ViewerModel, list[str]]) -> None:
    viewer, events = told
    with pytest.raises(RuntimeError), batched_changes(viewer.layers):
        raise RuntimeError
    with batched_changes(viewer.layers):
        viewer.layers.append(layer())
    assert events == ["begin_batch", "end_batch"] * 2


def test_garbage_is_looked_through_only_where_a_layer_went(
    told: tuple[ViewerModel, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, _ = told
    # What the suite itself keeps out of the collector's reach would be left there.
    monkeypatch.setattr(gc, "get_freeze_count", lambda: 0)
    calls: list[str] = []
    monkeypatch.setattr(gc, "freeze", lambda: calls.append("freeze"))
    monkeypatch.setattr(gc, "unfreeze", lambda: calls.append("unfreeze"))
    viewer.layers.events.end_batch.connect(lambda: calls.append("end"))
    with batched_changes(viewer.layers):
        viewer.layers.append(layer())
    with batched_changes(viewer.layers):
        viewer.layers.pop()
    assert calls == ["freeze", "end", "unfreeze", "end"]


def test_a_result_that_is_removed_leaves_the_memory() -> None:
    viewer = ViewerModel()
    view = GridView(viewer)
    viewer.layers.extend([layer(), layer()])
    gone = viewer.layers[0]
    kept = ref(gone)
    view.remove([gone])
    viewer.layers.selection.active = viewer.layers[0]  # napari itself keeps what was selected
    del gone
    gc.collect()
    assert kept() is None
