"""What hands do in the real window, in CPU seconds, beside plain napari with the same arrays.

Twelve cells hold a scan, a map over it and the outlines of a mask. The window is on a virtual
screen, drawn without a graphics card.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import napari
import numpy as np
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from bench_cells import cells, cpu_milliseconds
from cell_canvases import CANVAS, NapariGrid, drawn
from napari_sparseexplain.layers.cells.grid_view import Layout
from napari_sparseexplain.layers.cells.shown_cells import cells_of
from napari_sparseexplain.layers.mask_style import set_mask_style
from napari_sparseexplain.volumes.opening.array_study import study_of_arrays
from napari_sparseexplain.widgets.workspace import Workspace, open_workspace
from paired_timing import Row

_FIRST, _STEPS = 5, 30

#: Seconds until early loading begins at the latest, and until it is over.
_STARTS, _SECONDS = 8.0, 90.0


def _cpu(act: Callable[[], Any], repeats: int) -> float:
    """Median milliseconds of CPU, once it is warm."""
    act()
    return cpu_milliseconds(act, repeats)


@contextmanager
def _window() -> Iterator[Workspace]:
    """The workspace with a study of one head, its panes and tabs folded."""
    shown = cells()
    viewer: Any = napari.Viewer(show=True)
    viewer.window.resize(CANVAS[0] + 60, CANVAS[1] + 110)
    workspace = open_workspace(viewer)
    study = study_of_arrays({"flair": shown[0].scan}, {"seg": shown[0].mask}, name="head")
    workspace.show_study(study)
    workspace.room.fold(True)
    # What is loaded early for a first run works in a thread of its own, and is no step's.
    end = time.monotonic() + _SECONDS
    while workspace.early.loading or time.monotonic() < end - _SECONDS + _STARTS:
        drawn()
        time.sleep(0.02)
        if time.monotonic() > end:
            break
    yield workspace
    viewer.close()
    drawn()


def _add_stacks(workspace: Workspace) -> list[list[Any]]:
    """A scan, a map and a mask for each of twelve cells."""
    viewer: Any = workspace.viewer
    with viewer.layers.batched_update():
        stacks = []
        for cell in cells():
            mask = viewer.add_labels(cell.mask, visible=False)
            stacks.append(
                [
                    viewer.add_image(cell.scan, contrast_limits=(0, 1), visible=False),
                    viewer.add_image(
                        cell.heat, contrast_limits=(0, 1), colormap="viridis", opacity=0.4,
                        visible=False,
                    ),
                    mask,
                ]
            )  # fmt: skip
            set_mask_style(mask, "outline", 2)
    drawn()
    return stacks


def _double_click(workspace: Workspace, cell: int) -> None:
    canvas = workspace.cells
    place = cells_of(workspace.viewer).places((canvas.height(), canvas.width()))[cell]
    assert place is not None
    at = QPointF(place.left + place.width / 2, place.top + place.height / 2)
    there = QPointF(canvas.mapToGlobal(at.toPoint()))
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(QEvent.Type.MouseButtonDblClick, at, there, left, left, none)
    QApplication.sendEvent(canvas, event)
    drawn()


def _acts(workspace: Workspace, repeats: int) -> dict[str, float]:
    """Milliseconds of CPU of each act."""
    viewer, here = workspace.viewer, iter(range(10**6))

    def step() -> None:
        viewer.dims.set_current_step(0, _FIRST + next(here) % _STEPS)
        drawn()

    def layout() -> None:
        shapes = (Layout(2, 6), Layout(3, 4), Layout(one_large=True))
        workspace.view_bar.layout_picker.choose(shapes[next(here) % 3])
        drawn()

    found = {"the wheel, single view: a slice": _cpu(step, repeats * _STEPS)}
    workspace.grid_view.show_cells(_add_stacks(workspace))
    workspace.view_bar.layout_picker.choose(Layout(3, 4))
    drawn()
    found["twelve cells: a slice"] = _cpu(step, repeats * 6)
    found["double click: one of twelve, or all"] = _cpu(
        lambda: _double_click(workspace, 5),
        repeats * 4,
    )
    workspace.grid_view.enlarge(None)
    found["another layout"] = _cpu(layout, repeats * 3)
    return found


def _cine(workspace: Workspace, repeats: int) -> float:
    """CPU milliseconds of a frame of 256 × 256 in the single view."""
    rng = np.random.default_rng(0)
    frames = rng.random((25, 8, 256, 256), dtype=np.float32)
    study = study_of_arrays({"flair": frames[0]}, name="cine")
    viewer: Any = workspace.viewer
    workspace.show_study(study)
    viewer.add_image(frames, contrast_limits=(0, 1))
    drawn()
    here = iter(range(10**6))

    def frame() -> None:
        viewer.dims.set_current_step(0, next(here) % 25)
        drawn()

    return _cpu(frame, repeats * 25)


def measure(repeats: int) -> list[Row]:
    """A row for each act with a number that the project set itself."""
    peer = NapariGrid(cells())
    here = iter(range(10**6))
    plain = {
        "twelve cells: a slice": _cpu(
            lambda: peer.slice_to(_FIRST + next(here) % _STEPS), 3 * repeats
        )
    }
    peer.close()
    drawn()
    with _window() as workspace:
        mine = _acts(workspace, repeats)
        mine["cine, 256 × 256: a frame"] = _cine(workspace, repeats)
    most = {
        "the wheel, single view: a slice": 25.0,
        "double click: one of twelve, or all": 150.0,
        "another layout": 400.0,
        "cine, 256 × 256: a frame": 1000 / 15,
    }
    rows = []
    for act, spent in mine.items():
        theirs = plain.get(act)
        limit = most.get(act, 1.5 * (theirs or 0.0))
        rows.append(
            Row(
                f"window, {act}",
                f"{spent:.0f} ms CPU",
                "" if theirs is None else f"plain napari {theirs:.0f} ms",
                "" if theirs is None else f"{spent / theirs:.2f}× the time",
                "≤ 1.5×" if act not in most else f"≤ {limit:.0f} ms",
                spent <= limit,
            )
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows.append(Row("window, peak memory of this benchmark", f"{peak:.0f} MB", "", "", "", True))
    return rows
