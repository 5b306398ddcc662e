"""The pictures in the viewer: a study whose slices they are, made anew when others are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...layers.canvas.corner_text import CornerText
from ...layers.open_studies import fits_layers, rename_study
from ...layers.study_layers import METADATA_KEY
from ...volumes import Study
from ..window import Window

if TYPE_CHECKING:
    from ...training.classifiers.picture_stack import PictureStack

#: Rows of a picture for each pixel that a box's outline is thick.
_ROWS_A_PIXEL = 200


class ShownStack:
    """Which pictures are in the viewer, and which of them is in the picture.

    Attributes
    ----------
    stack : PictureStack or None
    study : Study or None
        Whose slices are the rows; None once a person has closed it.
    rows : ndarray of int
        Of the stack, in the order of the slices.
    """

    def __init__(self, window: Window) -> None:
        self._window = window
        self.stack: PictureStack | None = None
        self.study: Study | None = None
        self.rows: npt.NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._opened_with: tuple[float, float] | None = None
        self.corner = CornerText(window.viewer, "class_picture", "bottom_left")

    @property
    def row(self) -> int:
        """Row of the picture in the viewer; -1 where something else is shown."""
        if self.study is None or self._window.study is not self.study:
            return -1
        index = self._window.current_slice
        return int(self.rows[index]) if 0 <= index < len(self.rows) else -1

    def show(self, stack: PictureStack, rows: npt.NDArray[np.intp], row: int = -1) -> None:
        """Show these pictures, on ``row`` where it is among them; what was shown makes way.

        What a person found in the study before, as a heat map, is not closed with it.
        """
        from ...training.classifiers.picture_study import BOX, stack_study

        before, limits = self.study, self._limits()
        study = stack_study(stack, rows)
        self.stack, self.rows, self.study = stack, rows, study
        leaves = before is not None and before in self._window.studies
        if before is None or not leaves or self._is_kept(before):
            self._window.show_study(study)
        elif fits_layers(self._window.viewer, before, study):
            self._window.close_study(before, into=study)
        else:
            self._window.show_study(study)
            self._window.close_study(before)
            # What went had their names, so that these came with a number behind.
            rename_study(self._window.viewer, study, study)
        if (box := self._window.study_layer(BOX)) is not None:
            outline: Any = box
            outline.contour = max(1, round(study.grid.shape[1] / _ROWS_A_PIXEL))
            outline.opacity = 1.0
        picture: Any = self._window.study_layer(study.reference)
        if picture is not None:
            self._opened_with = _limits_of(picture)
            if limits is not None:
                picture.contrast_limits = limits
        self.study = study
        places = np.flatnonzero(rows == row)
        self._window.go_to_slice(int(places[0]) if len(places) else 0)

    def go_to(self, row: int) -> bool:
        """Show a picture of those that are there; False where it is not among them."""
        places = np.flatnonzero(self.rows == row)
        if self.study is None or self.study not in self._window.studies or not len(places):
            return False
        if self._window.study is not self.study:
            self._window.activate(self.study)
        self._window.go_to_slice(int(places[0]))
        return True

    def write_corner(self) -> None:
        """Say in the picture which one it is; nothing where something else is shown."""
        row = self.row
        words = "" if self.stack is None or row < 0 else "\n".join(self.stack.lines(row))
        self.corner.write(words)

    def on_closed(self, study: Study) -> None:
        """A study goes."""
        if study is self.study:
            self.study = None

    def on_replaced(self, old: Study, new: Study) -> None:
        """The same study after an edit of its roles."""
        if old is self.study:
            self.study = new

    def _limits(self) -> tuple[float, float] | None:
        """Grey values that a person has chosen; None for those that it opened with."""
        if self.study is None or self._window.study is not self.study:
            return None
        layer: Any = self._window.study_layer(self.study.reference)
        limits = None if layer is None else _limits_of(layer)
        return None if limits == self._opened_with else limits

    def _is_kept(self, study: Study) -> bool:
        own = self._window.layers_of(study)
        return any(
            getattr(layer.metadata.get(METADATA_KEY), "study", None) is study and layer not in own
            for layer in self._window.viewer.layers
        )


def _limits_of(layer: Any) -> tuple[float, float]:
    """Grey values that are black and white in a layer."""
    low, high = layer.contrast_limits
    return float(low), float(high)
