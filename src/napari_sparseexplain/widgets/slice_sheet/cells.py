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
from ...layers.batched_changes import batched_changes
from ...layers.colormaps import signed_colormap
from ...layers.colour_bar import show_colour_bar
from ...layers.mask_style import set_mask_style
from ...layers.scan_placeholder import DIMMED, PLACEHOLDER_KEY
from ...layers.study_layers import axis_labels, occupied_box
from ...volumes import Study
from ...volumes.frames import looked_at
from ...volumes.intensity.intensity_window import display_limits
from ...volumes.labels.reference_mask import reference_mask
from ...volumes.reading_order import first_shown

if TYPE_CHECKING:
    from ...explanation.slice_sheet.sheet import SheetPart
    from ..window import Window

#: In which order parts stand; they are run from cheap to dear.
PLACES = (SEGMENTATION, GUIDED, XRAI, COMPONENTS, RESPONSES)

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
        self.waiting: dict[str, Image] = {}
        self._responses: list[Layer] = []
        self._role = first_shown(study)

    def begin(self, plan: SheetPlan) -> None:
        """All parts as words: what is waited for, and what cannot be made."""
        roles = plan.explained.card.inputs.roles
        self._role = next((role for role in roles if role in self.study.images), self._role)
        titles = {part.name: part for part in plan.parts}
        for name in PLACES:
            part = titles[name]
            words = f"not made: {part.why_not}" if part.why_not else "waiting"
            self.waiting[name] = self._words(f"{part.title}: {words}")
        with batched_changes(self._viewer.layers):
            self._viewer.layers.extend(self.waiting.values())
        box = occupied_box(self.study[self._role])
        self._window.grid_view.show_cells([[x] for x in self.waiting.values()], region=box)
        self._window.go_to_slice(self.index)

    def place(self, part: SheetPart, cells: Sequence[Sequence[Layer]]) -> None:
        """Let a part stand where its words stood; without cells the words say why."""
        layer = self.waiting.get(part.name)
        if layer is None or layer not in self._viewer.layers:
            return
        if not cells:
            layer.name = f"{part.title}: not made: {part.why_not}"
            return
        view = self._window.grid_view
        stood = [list(cell) for cell in view.cells]
        here = next((n for n, cell in enumerate(stood) if layer in cell), None)
        del self.waiting[part.name]
        if here is not None:
            box = occupied_box(self.study[self._role])
            new = [*stood[:here], *(list(cell) for cell in cells), *stood[here + 1 :]]
            view.show_cells(new, region=box)
        view.remove([layer])
        # The controls beside the layer list are then those of grey values, not of a brush.
        self._viewer.layers.selection.active = self._window.study_layer(self._role)

    def end(self, *, keep: bool) -> None:
        """No part comes any more; ``keep`` the words of those that could not be made."""
        kept = {name for name, layer in self.waiting.items() if keep and "not made" in layer.name}
        self._window.grid_view.remove(
            [layer for name, layer in self.waiting.items() if name not in kept]
        )
        self.waiting = {name: layer for name, layer in self.waiting.items() if name in kept}

    def forget(self) -> None:
        """Take away what no tab holds: words, and the response."""
        self.end(keep=False)
        self._window.grid_view.remove(self._responses)
        self._responses.clear()

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
        layer = Image(
            data[None],
            name=f"{item.title}, ±{RESPONSE_SHARE:.0%} of peak",
            colormap=signed_colormap(),
            contrast_limits=(-high, high),
            scale=(spacing[0], *step),
            translate=(self.index * spacing[0], *corner),
            **self._placed(),
        )
        layer.visible = False
        self._viewer.layers.append(layer)
        self._responses.append(layer)
        return [layer]

    def _words(self, text: str) -> Image:
        """A dim slice of the scan whose name says what is missing."""
        volume = looked_at(self.study, self._frame)[self._role]
        low, high = display_limits(volume)
        data = np.nan_to_num(np.asarray(volume.spatial()[self.index], dtype=np.float32))
        spacing = self.study.grid.spacing
        layer = Image(
            data[None],
            name=text,
            colormap="gray",
            contrast_limits=(low, low + (high - low) / DIMMED),
            scale=spacing,
            translate=(self.index * spacing[0], 0.0, 0.0),
            metadata={PLACEHOLDER_KEY: True},
            **self._placed(),
        )
        layer.visible = False
        return layer

    def _placed(self) -> Mapping[str, Any]:
        unit = "mm" if self.study.grid.calibrated else "pixel"
        return {"units": (unit,) * 3, "axis_labels": axis_labels(self.study.grid)}
