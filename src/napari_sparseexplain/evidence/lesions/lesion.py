"""One line of the table of lesions: where a component is, how large, what lies in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import StudyError
from ...volumes import Grid, Volume
from .components import Component, components_of
from .diameters import Diameters, largest_diameters

#: RANO: both diameters from here on, in millimetres.
MEASURABLE_MM = 10.0

#: What a length may fall short of it by rounding.
_ROUNDING_MM = 1e-6

#: Scans and maps by their name: volumes, or arrays on the mask's grid.
Values = Mapping[str, Volume | npt.NDArray[Any]]


@dataclass(frozen=True)
class Lesion:
    """A connected component of a mask, measured.

    Attributes
    ----------
    number : int
        1 is the largest; over time points it persists.
    voxels : int
    volume_ml : float or None
        None where the grid has no millimetres.
    slices : int
        Axial slices that it lies on. RANO asks for two of them.
    diameters : Diameters
        In mm (in pixels of a grid without), on the slice ``diameters.index`` of the grid.
    measurable : bool or None
        Whether both diameters reach `MEASURABLE_MM`; None where the grid has no millimetres.
    centroid : tuple of float
        Mean (slice, row, column) of its voxels.
    centroid_mm : tuple of float or None
        The same in the patient, RAS+: to the right, to the front, upwards where positive.
    place : tuple of int
        The voxel of it nearest to where the diameters lie, to go to.
    values : mapping of str to float or None
        Mean of every scan or map in it, by name; None where nothing was measured there.
    dice : float or None
        2 |A ∩ B| / (|A| + |B|), B being all components of the reference that it touches; 0 where it
        touches none, None without a reference.
    change : str
        Against the time point before, in words; empty where there is none.
    """

    number: int
    voxels: int
    volume_ml: float | None
    slices: int
    diameters: Diameters
    measurable: bool | None
    centroid: tuple[float, float, float]
    centroid_mm: tuple[float, float, float] | None
    place: tuple[int, int, int]
    values: Mapping[str, float | None] = field(default_factory=dict)
    dice: float | None = None
    change: str = ""


def lesions_of(
    mask: npt.NDArray[Any],
    grid: Grid,
    values: Values | None = None,
    reference: npt.NDArray[Any] | None = None,
    components: Sequence[Component] | None = None,
) -> tuple[Lesion, ...]:
    """The lesions of a mask, the largest first; empty where nothing is marked.

    Axial is along the first axis of the grid: exactly the patient's axial plane unless the scan is
    oblique, whose own slices are then measured (`Grid.is_oblique`).

    Parameters
    ----------
    mask : ndarray, shape (S, P, L)
        Anything but 0 is in.
    grid : Grid
    values : mapping of str to Volume or ndarray, optional
        Scans and maps on that grid.
    reference : ndarray, shape (S, P, L), optional
        A true mask.
    components : sequence of Component, optional
        Of the mask, where they were found already.

    Raises
    ------
    StudyError
        Mask, values or reference of another shape than the grid's.
    SparseExplainError
        The mask falls into too many pieces.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_sparseexplain.volumes import Grid
    >>> mask = np.zeros((4, 30, 30), dtype=np.uint8)
    >>> mask[1:3, 5:17, 5:17] = 1
    >>> (found,) = lesions_of(mask, Grid(mask.shape, np.eye(4)))
    >>> found.volume_ml, round(found.diameters.longest, 1), found.measurable
    (0.288, 17.0, True)
    """
    mask = _on_grid("the mask", mask, grid)
    found = components_of(mask) if components is None else components
    arrays = {
        name: (given, _on_grid(f"the map {name!r}", _array(given), grid))
        for name, given in (values or {}).items()
    }
    lesions = [_measured(component, grid, arrays) for component in found]
    if reference is None:
        return tuple(lesions)
    scores = _dices(found, _on_grid("the reference", reference, grid))
    return tuple(replace(a, dice=score) for a, score in zip(lesions, scores, strict=True))


def _array(given: Volume | npt.NDArray[Any]) -> npt.NDArray[Any]:
    return given.spatial() if isinstance(given, Volume) else np.asarray(given)


def _on_grid(what: str, array: npt.NDArray[Any], grid: Grid) -> npt.NDArray[Any]:
    array = np.asarray(array)
    if array.shape != grid.shape:
        sizes = (" × ".join(map(str, shape)) for shape in (array.shape, grid.shape))
        raise StudyError(
            "{} is {} voxels, the study {}".format(what, *sizes),
            remedy="Take a mask of this study's grid, or open it together with the study",
        )
    return array


def _measured(
    component: Component,
    grid: Grid,
    arrays: Mapping[str, tuple[Volume | npt.NDArray[Any], npt.NDArray[Any]]],
) -> Lesion:
    start, inside = component.start, component.inside
    index, local = largest_diameters(inside, grid.spacing[1:])
    diameters = _moved(local, start)
    places = np.argwhere(inside)
    mean = places.mean(axis=0) + start
    volume = component.voxels * float(np.prod(grid.spacing)) / 1000.0
    least = min(diameters.longest, diameters.perpendicular)
    return Lesion(
        component.number,
        component.voxels,
        volume if grid.calibrated else None,
        int(inside.any(axis=(1, 2)).sum()),
        diameters,
        least >= MEASURABLE_MM - _ROUNDING_MM if grid.calibrated else None,
        _triple(mean),
        _triple(grid.world(mean)) if grid.calibrated else None,
        _place(inside[index], local, start, index),
        {
            name: _mean(given, array[component.box][inside])
            for name, (given, array) in arrays.items()
        },
    )


def _moved(local: Diameters, start: npt.NDArray[np.int64]) -> Diameters:
    def moved(line: Any) -> Any:
        return tuple((row + float(start[1]), column + float(start[2])) for row, column in line)

    return replace(
        local,
        long_line=moved(local.long_line),
        short_line=moved(local.short_line),
        index=local.index + int(start[0]),
    )


def _place(
    plane: npt.NDArray[np.bool_], local: Diameters, start: npt.NDArray[np.int64], index: int
) -> tuple[int, int, int]:
    """The marked voxel that is nearest to the middle of the longest line."""
    middle = np.asarray(local.long_line).mean(axis=0)
    there = np.argwhere(plane)
    row, column = there[((there - middle) ** 2).sum(axis=1).argmin()] + start[1:]
    return index + int(start[0]), int(row), int(column)


def _mean(given: Volume | npt.NDArray[Any], inside: npt.NDArray[Any]) -> float | None:
    there = given.measured(inside) if isinstance(given, Volume) else np.isfinite(inside)
    return float(inside[there].mean(dtype=np.float64)) if there.any() else None


def _dices(components: Sequence[Component], reference: npt.NDArray[Any]) -> list[float]:
    """Of every component, with all pieces of the reference that it touches."""
    true = components_of(reference)
    numbered = np.zeros(reference.shape, dtype=np.int32)
    sizes = np.zeros(len(true) + 1, dtype=np.int64)
    for piece in true:
        numbered[piece.box][piece.inside] = piece.number
        sizes[piece.number] = piece.voxels
    scores = []
    for component in components:
        shared = np.bincount(numbered[component.box][component.inside], minlength=len(sizes))
        shared[0] = 0
        wanted = int(sizes[shared > 0].sum())
        scores.append(2.0 * int(shared.sum()) / (component.voxels + wanted))
    return scores


def _triple(point: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    a, b, c = (float(v) for v in point)
    return a, b, c
