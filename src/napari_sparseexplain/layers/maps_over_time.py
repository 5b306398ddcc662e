"""Results of every time point in one layer, of which a review takes that in the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..evidence import Explanation
from ..volumes import Study

if TYPE_CHECKING:
    from napari.layers import Layer

#: Key among a scan's overlays of that which shows hidden layers of such maps in its cell.
OVER = "maps_over_time"


@dataclass(frozen=True, eq=False)
class MapsOverTime:
    """What a layer (time, slices, rows, columns) is, kept in ``layer.metadata["sparseexplain"]``.

    Attributes
    ----------
    study : Study
    explanations : tuple of Explanation
        One a time point, each with its frame.
    map : str
        Label map of each that a picture shows.
    colours : mapping of label to ``"#RRGGBB"``
    """

    study: Study
    explanations: tuple[Explanation, ...]
    map: str
    colours: Mapping[int, str]

    def at(self, point: int) -> Explanation:
        """The result of a time point; of the last one beyond it."""
        return self.explanations[min(max(point, 0), len(self.explanations) - 1)]


def layers_over(layer: Layer) -> tuple[Layer, ...]:
    """Hidden layers of such maps that stand over a scan in its cell of the grid."""
    overlay = layer._overlays.get(OVER)
    return getattr(overlay, "layers", ()) if overlay is not None and overlay.visible else ()
