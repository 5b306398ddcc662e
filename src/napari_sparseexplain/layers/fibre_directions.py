"""Fibre directions of a result as lines: red to the left or right, green front or back, blue up.

The colours are those of directionally encoded maps (Pajevic and Pierpaoli 1999): the magnitudes of
the components along the patient's axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..evidence import Explanation
from ..evidence.colours import POPULATIONS
from ..explanation.microstructure.map_names import DIRECTION_AXES, direction_name
from ..volumes import Study
from .study_layers import METADATA_KEY, LayerTuple, axis_labels, grid_units

if TYPE_CHECKING:
    from ..volumes import Grid

#: What is said of a picture that a review draws.
FIBRES_LEFT_OUT = "fibre directions are neither saved nor in the picture"

#: Length of the line of a population of ν = 1, as a share of a voxel's shortest side.
_LENGTH = 0.92

#: Directions of a lower FA are noise and are left out; from the other on a line has full length.
_FAINT_FA, _FULL_FA = 0.15, 0.7

#: Width of a line, as a share of a voxel; a tensor has one a voxel, and shorter ones.
_WIDTH, _TENSOR_WIDTH = 0.09, 0.17


@dataclass(frozen=True, eq=False)
class FibreLayer:
    """What a layer of fibre directions is, kept in its metadata.

    Attributes
    ----------
    study, explanation : Study, Explanation
        It lies in this study, and was found with this result.
    """

    study: Study
    explanation: Explanation


@dataclass(frozen=True, eq=False)
class FibreLines:
    """Lines of N fibre populations, slice by slice.

    Attributes
    ----------
    centres : ndarray, shape (N, 3)
        Voxels (slice, row, column) of the study, sorted by slice.
    halves : ndarray, shape (N, 3)
        From the centre to an end, in voxels.
    colours : ndarray, shape (N, 4)
    """

    centres: npt.NDArray[np.float32]
    halves: npt.NDArray[np.float32]
    colours: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.centres)

    def on_slice(self, axis: int, index: int) -> FibreLines:
        """The lines on a slice.

        Parameters
        ----------
        axis : int
            Along which the slice is counted: 0 of an axial one.
        index : int
        """
        if axis == 0:  # the plane that is read most takes no look at the others
            first, last = np.searchsorted(self.centres[:, 0], [index - 0.5, index + 0.5])
            here: Any = slice(int(first), int(last))
        else:
            here = np.abs(self.centres[:, axis] - index) < 0.5
        return FibreLines(self.centres[here], self.halves[here], self.colours[here])

    @property
    def vectors(self) -> npt.NDArray[np.float32]:
        """Starts and ways to the other end, shape (N, 2, 3), as napari's layer has them."""
        return np.stack([self.centres - self.halves, 2 * self.halves], axis=1)


def has_directions(explanation: Explanation) -> bool:
    """Whether a result keeps the fibre directions: those of former versions do not."""
    return any(item.name == direction_name(1, "s") for item in explanation.maps)


def fibre_lines(explanation: Explanation, grid: Grid) -> FibreLines:
    """The directions along which the voxels of a result were compared, of length ν or FA.

    Parameters
    ----------
    explanation : Explanation
        Of the method *fingerprint* or *tensor*, with directions.
    grid : Grid
        The study's.
    """
    spacing = np.asarray(grid.spacing, dtype=np.float64)
    lengths = _lengths(explanation)
    centres, halves, colours = [], [], []
    for k, share in lengths.items():
        places = np.argwhere(share > 0)
        at = tuple(places.T)
        ways = np.stack(
            [np.asarray(explanation[direction_name(k, axis)].data)[at] for axis in DIRECTION_AXES],
            axis=-1,
        ).astype(np.float64)
        length = _LENGTH * float(spacing.min()) * share[at]
        centres.append(places + np.array([explanation.slices.start, 0, 0]))
        halves.append(ways * length[:, None] / 2 / spacing)
        colour = np.ones((len(ways), 4))
        colour[:, :3] = np.abs(ways[:, ::-1])  # left, posterior, superior: red, green, blue
        colours.append(colour)
    joined = [np.concatenate(part).astype(np.float32) for part in (centres, halves, colours)]
    order = np.argsort(joined[0][:, 0], kind="stable")
    return FibreLines(*(part[order] for part in joined))


def _lengths(explanation: Explanation) -> dict[int, npt.NDArray[np.float64]]:
    """Of each population by its number: ν where it was compared, FA of a tensor; else 0."""
    if not _has_populations(explanation):
        fa = np.nan_to_num(np.asarray(explanation["fa"].data, dtype=np.float64))
        return {1: np.where(fa < _FAINT_FA, 0.0, np.minimum(fa / _FULL_FA, 1.0))}
    count = np.asarray(explanation[POPULATIONS].data)
    names = [item.name for item in explanation.maps]
    return {
        k: np.nan_to_num(np.asarray(explanation[f"share-{k}"].data, dtype=np.float64))
        * (count >= k)
        for k in (1, 2, 3)
        if f"share-{k}" in names
    }


def _has_populations(explanation: Explanation) -> bool:
    return any(item.name == POPULATIONS for item in explanation.maps)


def fibre_layer(lines: FibreLines, explanation: Explanation, study: Study) -> LayerTuple:
    """A Vectors layer of the lines, on the study's grid."""
    options: dict[str, Any] = {
        "name": "Fibre directions",
        "scale": study.grid.spacing,
        "units": grid_units(study.grid),
        "axis_labels": axis_labels(study.grid),
        **({"edge_color": lines.colours} if len(lines) else {}),
        "edge_width": _WIDTH if _has_populations(explanation) else _TENSOR_WIDTH,
        "vector_style": "line",
        "opacity": 1.0,
        "metadata": {METADATA_KEY: FibreLayer(study, explanation)},
    }
    return lines.vectors, options, "vectors"
