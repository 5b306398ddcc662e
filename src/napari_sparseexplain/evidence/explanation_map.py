"""One named array of an explanation: what it is, where it lies, how it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

MapKind = Literal[
    "segmentation", "component", "signal", "heatmap", "response", "parameter map", "colours"
]
MapSpace = Literal["study", "space", "frequency", "dictionary"]


@dataclass(frozen=True, eq=False)
class ExplanationMap:
    """One named array of an explanation.

    Attributes
    ----------
    name : str
        Short name, used in file and layer names (``"lin-ed"``, ``"mask"``).
    data : ndarray
        On the study's grid: shape (S, P, L) of the explained slices; of colours (S, P, L, 3),
        uint8. In another space: that space's own shape.
    kind : str
        Decides colours and how the file is written (segmentation: integers; colours: RGB).
    title : str
        For a person (``"Linear ED (α = 0)"``).
    space : {"study", "space", "frequency", "dictionary"}
        ``"study"``: voxels of the study; ``"space"``: millimetres about an impulse;
        ``"frequency"``: cycles per millimetre; ``"dictionary"``: atoms.
    unit : str
        Unit of the values.
    value_range : tuple of float or None
        Display limits; None lets the viewer choose.
    range_scope : {"slice", "volume", "shared"}
        What the limits were taken over; ``"shared"``: the same for several maps, announced.
    signed : bool
        Zero is a meaningful middle: a diverging colour map, symmetric limits.
    classes : mapping of int to str
        Names of the labels, for a segmentation; of colours, what red (1), green (2) and blue (3)
        stand for.
    axes : mapping
        For another space: ``{"spacing": (dy, dx), "unit": "mm"}`` or cycles/mm.
    """

    name: str
    data: npt.NDArray[Any]
    kind: MapKind
    title: str = ""
    space: MapSpace = "study"
    unit: str = ""
    value_range: tuple[float, float] | None = None
    range_scope: Literal["slice", "volume", "shared"] = "volume"
    signed: bool = False
    classes: Mapping[int, str] = field(default_factory=dict)
    axes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def limits(self) -> tuple[float, float]:
        """Values between which it is drawn: its own range, else that of its data.

        Symmetric about zero when it is signed.
        """
        if self.value_range is not None and self.value_range[1] > self.value_range[0]:
            return self.value_range
        data = np.asarray(self.data)
        finite = data[np.isfinite(data)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        if self.signed:
            high = max(abs(low), abs(high))
            low = -high
        return (low, high) if high > low else (low, low + 1.0)

    def __repr__(self) -> str:
        data = np.asarray(self.data)
        return f"<map {self.name!r}: {self.kind}, {data.shape} {data.dtype}>"


def apart_by_name(maps: tuple[ExplanationMap, ...]) -> tuple[ExplanationMap, ...]:
    """Maps whose names became alike are numbered, so that each keeps a file of its own."""
    found: list[ExplanationMap] = []
    taken: set[str] = set()
    for item in maps:
        names = (item.name if number == 1 else f"{item.name} {number}" for number in count(1))
        name = next(name for name in names if name not in taken)
        taken.add(name)
        found.append(item if name == item.name else replace(item, name=name))
    return tuple(found)
