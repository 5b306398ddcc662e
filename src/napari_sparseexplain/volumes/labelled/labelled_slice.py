"""One labelled slice: where its pixels and its mask lie, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .slice_name import group_of


@dataclass(frozen=True)
class LabelledSlice:
    """Where a slice and what was drawn on it lie; nothing is read before it is asked for.

    Attributes
    ----------
    name : str
        Of its file, without ending.
    patient : str
        Whose it is; slices of a patient never come to two sides of a split.
    order : int
        Place among the slices of its patient, in the order of names, from 0.
    image : Path
    mask : Path or None
        A picture of the same size; `read_labelled` says what of it is inside.
    inner, outer : Path or None
        Contour files in its place (`read_contour`): of the cavity and of the outer wall.
    """

    name: str
    patient: str
    order: int
    image: Path
    mask: Path | None = None
    inner: Path | None = None
    outer: Path | None = None

    @property
    def group(self) -> str:
        """The patient's group, by its code."""
        return group_of(self.patient)


@dataclass(frozen=True, eq=False)
class SlicePixels:
    """The pixels of a labelled slice.

    Attributes
    ----------
    image : ndarray, shape (rows, columns), float32
        As stored.
    mask : ndarray of bool, same shape, or None
        None where nothing was drawn.
    outer : ndarray of bool, same shape, or None
        Inside of the outer contour, where there is one.
    spacing : (float, float) or None
        Row and column size in mm; None where the file does not tell.
    findings : tuple of str
        What a person must know of the slice: values of the mask, contours that were cut.
    labels : mapping of int to int
        Values of the mask besides 0, where they are labels, and how many pixels have each. A
        label has one value in all slices of a folder.
    padding : (float, float) or None
        Range of the values that stand where nothing was measured (`Volume.padding`).
    """

    image: npt.NDArray[np.float32]
    mask: npt.NDArray[np.bool_] | None
    outer: npt.NDArray[np.bool_] | None = None
    spacing: tuple[float, float] | None = None
    findings: tuple[str, ...] = ()
    labels: Mapping[int, int] = field(default_factory=dict)
    padding: tuple[float, float] | None = None


def grey(array: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """One value a pixel: a picture in colour becomes its luminance (ITU-R BT.601)."""
    if array.ndim == 2:
        return np.asarray(array, dtype=np.float32)
    weights = np.array([0.299, 0.587, 0.114], dtype=np.float32)
    return np.asarray(array[..., :3], dtype=np.float32) @ weights
