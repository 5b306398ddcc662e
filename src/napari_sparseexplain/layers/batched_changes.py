"""Many changes of layers, after which the canvas is laid out once."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from napari.components import LayerList

#: Lists of layers within a block.
_changing: WeakSet[LayerList] = WeakSet()


@contextmanager
def batched_changes(layers: LayerList) -> Iterator[None]:
    """Let layers come, go, appear and disappear; napari lays out the canvas once, at the end.

    By itself napari places every layer, overlay and cell anew after each single change. Its own
    ``batched_update`` ends with the innermost of nested blocks; these end with the outermost.
    Within the block the canvas is not up to date: nothing may be measured on it or taken from it,
    and the grid may not be turned on.
    """
    if layers in _changing:
        yield
        return
    before, frozen = set(layers), False
    _changing.add(layers)
    try:
        with layers.batched_update():
            try:
                yield
            finally:
                # At the end napari collects garbage, a third of a second, for the sake of what
                # removed layers held on the graphics card. Where none was removed, it gets nothing
                # to look through.
                frozen = before <= set(layers) and not gc.get_freeze_count()
                if frozen:
                    gc.freeze()
    finally:
        if frozen:
            gc.unfreeze()
        _changing.discard(layers)
