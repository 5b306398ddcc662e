"""One labelled slice: where its pixels and its mask lie, and whose it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

#: What ends a patient's part of a name: the numbers of series, image, slice, frame or time.
_COUNTER = r"[-_. ]*(?:im(?:age)?|img|slice|sl|s|z|frame|fr|t|time|phase|ph|i|series|se)?[-_. ]*\d+"
_ENDING = re.compile(rf"(?i){_COUNTER}$")

#: Names that only count: ``0012``, ``img_3``, ``IM-0001-0048``.
_COUNTS = re.compile(rf"(?i)(?:{_COUNTER})+")

#: In names as Sunnybrook's, ``SC-HF-I-01-IM-0001-0048``, all from here on counts images.
_IMAGE_PART = re.compile(r"(?i)^(.+?)[-_]im[-_.]?\d")


def patient_of(stem: str) -> str:
    """Whose slice a file is, by its name: what is left without the numbers that count images.

    Parameters
    ----------
    stem : str
        The name without ending.

    Examples
    --------
    >>> patient_of("SC-HF-I-01-IM-0001-0048"), patient_of("case_12_slice_3")
    ('SC-HF-I-01', 'case_12')
    """
    if found := _IMAGE_PART.match(stem):
        return found[1]
    return _ENDING.sub("", stem) or stem


def only_counts(stem: str) -> bool:
    """Whether a name holds nothing but numbers and what they count, so that it tells no patient.

    Examples
    --------
    >>> only_counts("IM-0001-0048"), only_counts("012_3"), only_counts("case_12_slice_3")
    (True, True, False)
    """
    return bool(_COUNTS.fullmatch(stem))


def group_of(patient: str) -> str:
    """The group in a patient's code: what is left of it without its number.

    Examples
    --------
    >>> group_of("SC-HF-NI-07"), group_of("SC-N-10")
    ('SC-HF-NI', 'SC-N')
    """
    return re.sub(r"[-_. ]*\d+$", "", patient) or patient


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
    """

    image: npt.NDArray[np.float32]
    mask: npt.NDArray[np.bool_] | None
    outer: npt.NDArray[np.bool_] | None = None
    spacing: tuple[float, float] | None = None
    findings: tuple[str, ...] = ()
    labels: Mapping[int, int] = field(default_factory=dict)


def grey(array: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """One value a pixel: a picture in colour becomes its luminance (ITU-R BT.601)."""
    if array.ndim == 2:
        return np.asarray(array, dtype=np.float32)
    weights = np.array([0.299, 0.587, 0.114], dtype=np.float32)
    return np.asarray(array[..., :3], dtype=np.float32) @ weights
