"""What ``provenance.json`` says of one explanation, every field checked when it is read.

Maps and pictures are made from these values long after the file was opened; what cannot be right
is refused here, where the error can name the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from ..errors import ReadError
from ..files.plain_data import Ascending, AtMost, Between, from_plain, shown_location
from ..volumes import Grid
from ..volumes.grid import orientation_to_display
from .explanation_map import MapKind, MapSpace
from .provenance import Provenance
from .region_table import REGIONS

#: What an error about a record tells to do.
AGAIN = "Restore the file, or run the explanation again"

#: Voxels along an axis; NIfTI-1 holds 32,767.
_MOST_VOXELS = 100_000

#: Farther from the scanner's middle, in millimetres, nothing lies.
_FARTHEST_MM = 1e9

_Name = Annotated[str, AtMost(300)]
_Words = Annotated[str, AtMost(20_000)]
_Length = Annotated[int, Between(1, _MOST_VOXELS)]
_Place = Annotated[float, Between(-_FARTHEST_MM, _FARTHEST_MM)]
_Row = tuple[_Place, _Place, _Place, _Place]
_Turn = tuple[Annotated[float, Between(0, 2)], Annotated[float, Between(-1, 1)]]


@dataclass(frozen=True)
class GridRecord:
    """The grid that an explanation lies on, and how its maps are laid out on file."""

    shape: tuple[_Length, _Length, _Length]
    affine: tuple[_Row, _Row, _Row, _Row]
    calibrated: bool
    oriented: bool
    to_display: tuple[_Turn, _Turn, _Turn]

    def __post_init__(self) -> None:
        if self.affine[3] != (0, 0, 0, 1):
            raise ValueError("the last row of an affine is 0, 0, 0, 1")
        try:
            orientation_to_display(self.affine)
        except ReadError as error:
            raise ValueError(error.what) from error
        axes = sorted(axis for axis, _ in self.to_display)
        if axes != [0, 1, 2] or any(abs(flip) != 1 for _, flip in self.to_display):
            raise ValueError("to_display is no order of the three axes")

    @property
    def grid(self) -> Grid:
        """The grid itself."""
        return Grid(self.shape, np.array(self.affine), self.calibrated, self.oriented)


@dataclass(frozen=True)
class MapRecord:
    """One map: its file, and what its values are."""

    name: _Name
    file: _Name
    kind: MapKind
    space: MapSpace
    title: _Words = ""
    unit: _Name = ""
    value_range: Annotated[tuple[float, float] | None, Ascending()] = None
    range_scope: Literal["slice", "volume", "shared"] = "volume"
    signed: bool = False
    classes: Annotated[Mapping[int, _Words], AtMost(65_536)] = field(default_factory=dict)
    axes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name or not self.file or Path(self.file).name != self.file:
            raise ValueError(f"{shown_location(self.file)} is not a file of this folder")


@dataclass(frozen=True)
class ExplanationRecord:
    """One explanation but its arrays."""

    method: _Name
    target: _Words
    slices: tuple[int, int]
    grid: GridRecord | None
    provenance: Provenance
    maps: Annotated[tuple[MapRecord, ...], AtMost(1000)]
    study: _Words = ""
    scores: Annotated[Mapping[str, float | None], AtMost(10_000)] = field(default_factory=dict)
    notes: Annotated[tuple[_Words, ...], AtMost(1000)] = ()

    def __post_init__(self) -> None:
        start, stop = self.slices
        last = stop if self.grid is None else self.grid.shape[0]
        if not 0 <= start <= stop <= min(last, _MOST_VOXELS):
            raise ValueError(f"the slices {start} to {stop} are not those of the grid")
        if self.grid is None and any(item.space == "study" for item in self.maps):
            raise ValueError("a map lies on the study's grid, and there is no grid")
        if len({item.name for item in self.maps}) < len(self.maps):
            raise ValueError("two maps have one name")
        if len({item.file for item in self.maps}) < len(self.maps):
            raise ValueError("two maps have one file")


@dataclass(frozen=True)
class _Axes:
    """What every reader takes from the axes of a map."""

    spacing: Annotated[tuple[Annotated[float, Between(1e-9, 1e9)], ...], AtMost(3)] = ()
    unit: _Name = ""


#: Gain and network pixels of a region.
_Region = tuple[float, Annotated[float, Between(0, 2**53)]]


@dataclass(frozen=True)
class _RegionTables:
    """Tables of regions, by slice or of the whole volume."""

    regions: Annotated[
        Mapping[str, Annotated[tuple[_Region, ...], AtMost(1_000_000)]], AtMost(_MOST_VOXELS)
    ]


def read_record(values: Any, key: str, path: Path) -> ExplanationRecord:
    """An entry of ``provenance.json``.

    Parameters
    ----------
    values : Any
        From JSON.
    key : str
        Its name in the file.
    path : Path
        The file, for the error.

    Raises
    ------
    ReadError
        The entry is damaged; names the field.
    """
    place = f"explanations.{key}"
    found = _part(ExplanationRecord, values, path, place)
    for number, item in enumerate(found.maps):
        axes, at = item.axes, f"{place}.maps[{number}].axes"
        told = {name: axes[name] for name in ("spacing", "unit") if axes.get(name) is not None}
        _part(_Axes, told, path, at)
        if item.name == REGIONS:
            _part(_RegionTables, {"regions": axes.get(REGIONS)}, path, at)
    return found


def _part(kind: Any, values: Any, path: Path, place: str) -> Any:
    try:
        return from_plain(kind, values, str(path), place=place, remedy=AGAIN)
    except ReadError as error:
        raise ReadError(f"the record is damaged: {error.what}", where=path, remedy=AGAIN) from error
