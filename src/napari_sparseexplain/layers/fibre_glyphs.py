"""Distributions of fibre orientations as glyphs: outlines of each, seen along the slice's normal.

A glyph reaches as far in a direction of the picture as the distribution does, seen from the side:
fibres through the picture are seen from their end and stay small. Colours are those of the
directions that reach furthest, as for the lines of `fibre_directions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..evidence import Explanation
from ..volumes import Study
from .fibre_directions import FibreLayer
from .study_layers import METADATA_KEY, LayerTuple, axis_labels, grid_units

#: Most pixels of a voxel's side, and of the whole picture's: a graphics card has its limits.
_MOST_TILE, _MOST_SIDE = 28, 4096

#: Sectors of the picture's plane in which the outline is told.
_SECTORS = 48


@dataclass(frozen=True, eq=False)
class Glyphs:
    """The glyphs of one slice.

    Attributes
    ----------
    index : int
        Slice of the study.
    tile : int
        Pixels of a voxel's side.
    picture : ndarray, shape (rows * tile, columns * tile, 4)
    """

    index: int
    tile: int
    picture: npt.NDArray[np.uint8]


def glyph_tile(shape: tuple[int, int]) -> int:
    """Pixels of a voxel's side in the picture of a slice."""
    return max(min(_MOST_TILE, _MOST_SIDE // max(shape)), 4)


def glyph_picture(
    amplitudes: npt.NDArray[np.float64],
    directions: npt.NDArray[np.float64],
    places: npt.NDArray[np.intp],
    shape: tuple[int, int],
    tile: int,
) -> npt.NDArray[np.uint8]:
    """The glyphs of an axial slice.

    Parameters
    ----------
    amplitudes : ndarray, shape (V, D)
        Each voxel's are drawn against its own largest.
    directions : ndarray, shape (D, 3)
        Unit vectors (S, P, L), with their opposites.
    places : ndarray of int, shape (V, 2)
        Row and column of each.
    shape : tuple of int
        Rows and columns of the slice.
    tile : int
        Pixels of a voxel's side.

    Returns
    -------
    ndarray, shape (rows * tile, columns * tile, 4)
        Nothing where there is no glyph.
    """
    near, best_of = _sector_directions(directions)
    middle = (tile - 1) / 2
    row, column = np.mgrid[:tile, :tile] - middle
    distance = np.hypot(row, column) / (0.5 * tile)
    sector = (np.arctan2(row, column) / (2 * np.pi) * _SECTORS) % _SECTORS
    low = np.floor(sector).astype(int) % _SECTORS
    high, part = (low + 1) % _SECTORS, sector - np.floor(sector)
    picture = np.zeros((shape[0], tile, shape[1], tile, 4), dtype=np.uint8)
    nearest = np.rint(sector).astype(int) % _SECTORS
    for v, (r, c) in enumerate(places):
        size = amplitudes[v] / max(float(amplitudes[v].max()), 1e-300)
        reaches = size[best_of] * near
        furthest = reaches.argmax(axis=1)
        outline = reaches[np.arange(_SECTORS), furthest]
        # Left, posterior, superior: red, green, blue.
        colours = np.abs(directions[best_of[np.arange(_SECTORS), furthest]])[:, ::-1]
        reach = (1 - part) * outline[low] + part * outline[high]
        inside = distance <= np.maximum(reach, 0.06)
        # Darker towards the middle, so that the lobes of a glyph are told apart.
        light = 0.55 + 0.45 * np.clip(distance / np.maximum(reach, 1e-6), 0, 1)
        colour = 255 * colours[nearest] * light[..., None]
        picture[r, :, c, :, :3] = np.where(inside[..., None], colour, 0)
        picture[r, :, c, :, 3] = np.where(inside, 255, 0)
    return picture.reshape(shape[0] * tile, shape[1] * tile, 4)


def _sector_directions(
    directions: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """How far each direction that lies in a sector reaches along it, and which it is.

    Directions and their opposites count as one.
    """
    angle = np.arctan2(directions[:, 1], directions[:, 2])
    across = np.hypot(directions[:, 1], directions[:, 2])
    where = np.arange(_SECTORS) * 2 * np.pi / _SECTORS
    along = np.abs(np.cos(where[:, None] - angle[None]))  # (sectors, D)
    inside = along > np.cos(1.2 * 2 * np.pi / _SECTORS)
    most = int(inside.sum(axis=1).max())
    order = np.argsort(~inside, axis=1, kind="stable")[:, :most]
    reach = np.take_along_axis(np.where(inside, along, 0.0) * across, order, axis=1)
    return reach, order


def glyph_layer(glyphs: Glyphs, explanation: Explanation, study: Study) -> LayerTuple:
    """An image layer of the glyphs, on their slice of the study."""
    spacing = np.asarray(study.grid.spacing, dtype=np.float64)
    fine = spacing * (1.0, 1 / glyphs.tile, 1 / glyphs.tile)
    options: dict[str, Any] = {
        "name": "Fibre orientations",
        "rgb": True,
        "scale": tuple(fine),
        "translate": (glyphs.index * spacing[0], *((fine - spacing)[1:] / 2)),
        "units": grid_units(study.grid),
        "axis_labels": axis_labels(study.grid),
        "metadata": {METADATA_KEY: FibreLayer(study, explanation)},
    }
    return glyphs.picture[None], options, "image"
