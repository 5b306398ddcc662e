"""Results of every time point in one layer, of which a review takes that in the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ..evidence import Explanation
from ..volumes import Study

if TYPE_CHECKING:
    from napari.layers import Layer

#: Hidden layers of such maps that stand over a scan in its cell.
_over: WeakKeyDictionary[Layer, tuple[Layer, ...]] = WeakKeyDictionary()


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
    """Hidden layers of such maps that stand over a scan in its cell."""
    return _over.get(layer, ())


def put_over(layer: Layer, maps: tuple[Layer, ...]) -> None:
    """Let hidden layers of such maps stand over a scan in its cell; none: no longer."""
    if maps:
        _over[layer] = maps
    else:
        _over.pop(layer, None)
