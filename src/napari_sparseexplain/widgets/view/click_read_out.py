"""What a click in the picture says: which voxel, where in the patient, and the values there."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from ...layers.canvas.frame_in_picture import frame_in_picture
from ...layers.study_layers import role_title
from ...review.frames import frame_name, frame_points
from ...volumes import Study
from ...volumes.captions import millimetre_caption, voxel_caption


class ClickReadOut(QObject):
    """Tells where a person clicked, as a voxel of the active study.

    Signals
    -------
    clicked(tuple): (slice, row, column), always inside the study.
    """

    clicked = Signal(tuple)

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.study: Study | None = None
        viewer.mouse_drag_callbacks.append(self._on_press)

    def detach(self) -> None:
        """Listen no more."""
        if self._on_press in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._on_press)

    def _on_press(self, _viewer: Any, event: Any) -> Generator[None, None, None]:
        start = tuple(event.position)
        pressed = tuple(event.pos)
        yield
        while event.type == "mouse_move":
            # A hand that trembles still clicks; a pan does not.
            if np.abs(np.subtract(event.pos, pressed)).max() > 3:
                return
            yield
        index = self.voxel_at(start)
        if index is not None:
            self.clicked.emit(index)

    def voxel_at(self, position: tuple[float, ...]) -> tuple[int, int, int] | None:
        """Voxel of the study at a position in the viewer's millimetres, None outside it."""
        if self.study is None or len(position) < 3 or self._viewer.dims.ndisplay != 2:
            return None
        grid = self.study.grid
        index = np.rint(np.asarray(position[-3:]) / grid.spacing).astype(int)
        if (index < 0).any() or (index >= grid.shape).any():
            return None
        s, p, l = (int(v) for v in index)  # noqa: E741
        return s, p, l


def describe_voxel(study: Study, index: tuple[int, int, int], leading: tuple[int, ...] = ()) -> str:
    """The voxel's place and the value of every volume there, one a line.

    Parameters
    ----------
    leading : tuple of int
        The frame in the picture, of volumes with leading axes (time, direction).
    """
    lines = voxel_lines(study, index)
    for role, volume in (*study.images.items(), *study.labels.items()):
        points = frame_points(volume, leading)
        values = np.atleast_1d(np.asarray(volume.data[points][index]))
        if volume.kind == "label":
            told = f"label {int(values[0])}"
        else:
            unit = f" {volume.unit}" if volume.unit else ""
            told = ", ".join(f"{v:.4g}" for v in values) + unit
        name = " · ".join(p for p in (role_title(role), frame_name(volume, points)) if p)
        lines.append(f"{name}  {told}")
    return "\n".join(lines)


def describe_in_picture(viewer: Any, study: Study, index: tuple[int, int, int]) -> str:
    """`describe_voxel` at the frame that a viewer shows."""
    return describe_voxel(study, index, frame_in_picture(viewer, study)[0])


def voxel_lines(study: Study, index: tuple[int, int, int]) -> list[str]:
    """Where a voxel lies: on the grid (from 1), and in the patient where the study knows that."""
    lines = ["Voxel  " + voxel_caption(index)]
    if study.grid.oriented and study.grid.calibrated:
        lines.append("Patient  " + millimetre_caption(study.grid.world(index)))
    return lines
