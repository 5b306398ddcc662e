"""What an explanation found, as plain data: no torch, no Qt, no napari."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import MissingNameError
from ..volumes.grid import Grid
from .provenance import Provenance

MapKind = Literal["segmentation", "component", "signal", "heatmap", "response", "parameter map"]
MapSpace = Literal["study", "space", "frequency", "dictionary"]


@dataclass(frozen=True, eq=False)
class ExplanationMap:
    """One named array of an explanation.

    Attributes
    ----------
    name : str
        Short name, used in file and layer names (``"lin-ed"``, ``"mask"``).
    data : ndarray
        On the study's grid: shape (S, P, L) of the explained slices. In another space: that
        space's own shape.
    kind : str
        Decides colours and how the file is written (segmentation: integers).
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
        Names of the labels, for a segmentation.
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


@dataclass(frozen=True, eq=False)
class Explanation:
    """Everything one run of one method found.

    Attributes
    ----------
    method : str
        Method name as in ``se.methods()``.
    maps : tuple of ExplanationMap
        The arrays found.
    provenance : Provenance
        How they were made.
    grid : Grid or None
        The study's grid, when maps lie on it.
    slices : slice
        Which slices of the grid the maps cover (``start``, ``stop``; step 1).
    target : str
        What was explained, for a person; empty when the method has no target.
    scores : mapping
        Name to number, or to None where the score does not apply.
    notes : tuple of str
        Sentences a person must read beside the result.
    """

    method: str
    maps: tuple[ExplanationMap, ...]
    provenance: Provenance
    grid: Grid | None = None
    slices: slice = field(default_factory=lambda: slice(0, 0))
    target: str = ""
    scores: Mapping[str, float | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> ExplanationMap:
        """The map called ``name``; MissingNameError tells what there is."""
        for item in self.maps:
            if item.name == name:
                return item
        have = ", ".join(item.name for item in self.maps) or "nothing"
        raise MissingNameError(
            f"no map is called {name!r} (there is {have})",
            where=self.method,
            remedy="Choose one of these, or another method",
        )

    def layer_data(self, name: str | None = None) -> tuple[Any, dict[str, Any], str]:
        """The map as a napari layer tuple ``(data, keyword arguments, layer type)``.

        ``napari.layers.Layer.create(*result.layer_data())`` makes the layer. Slices lie
        at their place in the study, in millimetres.
        """
        item = self.maps[0] if name is None else self[name]
        title = item.title or item.name
        label = f"{title} · {self.target}" if self.target else title
        options: dict[str, Any] = {"name": label}
        if item.space == "study" and self.grid is not None:
            options["scale"] = self.grid.spacing
            options["translate"] = (self.slices.start * self.grid.spacing[0], 0.0, 0.0)
            options["units"] = ("mm" if self.grid.calibrated else "pixel",) * 3
        else:
            spacing = item.axes.get("spacing")
            if spacing is not None:
                options["scale"] = tuple(spacing)
        options["metadata"] = {"sparseexplain": {"explanation": self, "map": item.name}}
        if item.kind == "segmentation":
            return np.asarray(item.data), options, "labels"
        if item.value_range is not None:
            options["contrast_limits"] = item.value_range
        options["colormap"] = "RdBu_r" if item.signed else "gray"
        return item.data, options, "image"
