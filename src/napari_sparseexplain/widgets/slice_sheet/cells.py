"""The cells of a sheet: words over a dim scan until a part is there, then the part itself.

What a person has laid out otherwise meanwhile stays: a part then goes to its tab alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Layer

from ...evidence import Explanation
from ...explanation.slice_sheet.plan import (
    COMPONENTS,
    GUIDED,
    RESPONSES,
    SEGMENTATION,
    XRAI,
    SheetPlan,
)
from ...layers.cells.shown_cells import cells_of
from ...layers.colormaps import signed_colormap
from ...layers.colour_bar import show_colour_bar
from ...layers.mask_style import set_mask_style
from ...layers.study_layers import axis_labels, occupied_box
from ...volumes import Study
from ...volumes.frames import looked_at
from ...volumes.labels.reference_mask import reference_mask
from ...volumes.reading_order import first_shown

if TYPE_CHECKING:
    from ...explanation.slice_sheet.sheet import SheetPart
    from ..window import Window

#: In which order parts stand; they are run from cheap to dear.
PLACES = (SEGMENTATION, GUIDED, XRAI, COMPONENTS, RESPONSES)

#: Said of a part that is still to come.
WAITING = "waiting"

#: Share of the peak of an impulse response at which its colours end: beside its peak there would
#: be nothing to see.
RESPONSE_SHARE = 0.2


#: Pixels of a colour bar.
_BAR = 80.0


def barred(layers: list[Layer]) -> list[Layer]:
    """The layers of a cell, with the scale of their colours in it."""
    for layer in layers:
        if isinstance(layer, Image) and not layer.rgb:
            show_colour_bar(layer, _BAR)
    return layers


class SheetCells:
    """One sheet in the picture.

    Parameters
    ----------
    window : Window
    study : Study
    index : int
        Slice of the study.
    frame : tuple of int
        Point along the leading axes.
    """

    def __init__(self, window: Window, study: Study, index: int, frame: tuple[int, ...]) -> None:
        self._window = window
        self._viewer = window.viewer
        self.study, self.index, self._frame = study, index, frame
        self._role = first_shown(study)
        self._slots: dict[str, list[list[Layer]]] = {}
        self._notes: dict[str, str] = {}
        self._stood: tuple[tuple[Layer, ...], ...] | None = None
        self._responses: list[Layer] = []

    @property
    def notes(self) -> dict[str, str]:
        """What is said in the place of parts."""
        return dict(self._notes)

    def begin(self, plan: SheetPlan) -> None:
        """All parts as words over the scan: what is waited for, and what cannot be made."""
        roles = plan.explained.card.inputs.roles
        self._role = next((role for role in roles if role in self.study.images), self._role)
        scan = self._window.study_layer(self._role)
        below = [scan] if scan is not None else self._window.layers_of(self.study)[:1]
        titles = {part.name: part for part in plan.parts}
        for name in PLACES:
            part = titles[name]
            self._notes[name] = f"{part.title}: {part.why_not or WAITING}"
            self._slots[name] = [list(below)]
        self._show()
        self._window.go_to_slice(self.index)

    def place(self, part: SheetPart, cells: Sequence[Sequence[Layer]]) -> None:
        """Let a part stand where its words stood; without cells the words say why."""
        if cells:
            del self._notes[part.name]
            self._slots[part.name] = [list(cell) for cell in cells]
        else:
            self._notes[part.name] = f"{part.title}: {part.why_not}"
        if self._as_laid_out:
            self._show()
            # The controls beside the layer list are then those of grey values, not of a brush.
            self._viewer.layers.selection.active = self._window.study_layer(self._role)

    def end(self) -> None:
        """No part comes any more: what was waited for goes."""
        waiting = [name for name, words in self._notes.items() if words.endswith(f": {WAITING}")]
        for name in waiting:
            del self._notes[name]
            del self._slots[name]
        if not waiting or not self._as_laid_out:
            return
        if len(self._notes) == len(self._slots):
            self._window.grid_view.leave()
        else:
            self._show()

    def forget(self) -> None:
        """Take away what no tab holds: the response."""
        self._window.grid_view.remove(self._responses)
        self._responses.clear()

    @property
    def _as_laid_out(self) -> bool:
        """Whether a person has put nothing else side by side since."""
        return self._stood is not None and self._window.grid_view.cells == self._stood

    def _show(self) -> None:
        view = self._window.grid_view
        stacks = [(name, cell) for name in self._slots for cell in self._slots[name] if cell]
        view.show_cells([cell for _, cell in stacks], region=occupied_box(self.study[self._role]))
        self._stood = view.cells
        if len(self._stood) == len(stacks):
            named = enumerate(name for name, _ in stacks)
            notes = {place: self._notes[name] for place, name in named if name in self._notes}
            cells_of(self._viewer).note(notes)

    def contours(self, masks: Sequence[Layer]) -> list[Layer]:
        """The cell of the masks: scan, reference as a solid line, estimate as a dashed one."""
        scan = self._window.study_layer(self._role)
        seen = looked_at(self.study, self._frame)
        truth = reference_mask(seen, slice(self.index, self.index + 1))
        true = None if truth is None else self._window.study_layer(truth.role)
        lines = [layer for layer in (true, *masks) if isinstance(layer, Labels)]
        for layer in lines:
            set_mask_style(layer, "outline")
        return [*([] if scan is None else [scan]), *lines]

    def response(self, explanation: Explanation) -> list[Layer]:
        """The impulse response about the middle of the scan, at its true size in mm."""
        item = next((m for m in explanation.maps if m.space == "space"), None)
        if item is None:
            return []
        data = np.asarray(item.data)
        step = np.asarray(item.axes["spacing"], dtype=float)
        spacing = np.asarray(self.study.grid.spacing)
        middle = (np.asarray(self.study.grid.shape) - 1) * spacing / 2
        corner = middle[1:] - (np.asarray(data.shape) - 1) * step / 2
        high = RESPONSE_SHARE * (item.limits[1] or 1.0)
        options = {
            "name": item.title,
            "colormap": signed_colormap(),
            "contrast_limits": (-high, high),
            "scale": (spacing[0], *step),
            "translate": (self.index * spacing[0], *corner),
            "visible": False,
        }
        layer = Layer.create(data[None], {**options, **self._placed()}, "image")
        self._viewer.layers.append(layer)
        self._responses.append(layer)
        return [layer]

    def _placed(self) -> Mapping[str, Any]:
        unit = "mm" if self.study.grid.calibrated else "pixel"
        return {"units": (unit,) * 3, "axis_labels": axis_labels(self.study.grid)}
