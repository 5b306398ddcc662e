"""What is measured of one labelled slice, and a small copy of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ...evidence.largest_component import labelled
from ...volumes.labelled.labelled_slice import SlicePixels
from .data_item import DataItem
from .mask_contrast import mask_contrast

#: Side of the small copies by which slices are compared.
SMALL = 24

#: Measures that are looked at for outliers, with what they are.
MEASURES: dict[str, str] = {
    "mean": "mean intensity",
    "deviation": "standard deviation of the intensity",
    "air": "share of pixels below a tenth of the brightest",
    "sharpness": "mean absolute Laplacian over the standard deviation",
    "area": "pixels in the mask",
    "row": "row of the mask's centre",
    "column": "column of the mask's centre",
    "contrast": "contrast of inside and ring of the mask",
    "pieces": "connected components of the mask",
    "area_mm2": "area of the mask, mm²",
    "row_mm": "mask's centre below the middle of the image, mm",
    "column_mm": "mask's centre right of the middle of the image, mm",
    "height_mm": "slice above the middle of its scan, mm",
}

#: Measures in pixels that those in millimetres stand for, where every slice has these.
IN_PIXELS = {"area_mm2": "area", "row_mm": "row", "column_mm": "column"}


@dataclass(frozen=True, eq=False)
class SliceRecord:
    """One slice, measured.

    Attributes
    ----------
    item : LabelledSlice or StudySlice
    shape : (int, int)
    spacing : (float, float) or None
    measures : mapping of str to float
        Those of `MEASURES` that apply; those of a mask only where there is one.
    small : ndarray, shape (SMALL, SMALL), uint8
        The slice, shrunk to a square.
    digest : bytes
        Of pixels and shape: equal for exact duplicates.
    findings : tuple of str
    classes : mapping of str to int
        Pixels of each class that is drawn on it.
    """

    item: DataItem
    shape: tuple[int, int]
    spacing: tuple[float, float] | None
    measures: dict[str, float]
    small: npt.NDArray[np.uint8]
    digest: bytes
    findings: tuple[str, ...] = ()
    classes: Mapping[str, int] = field(default_factory=dict)


def measured(
    item: DataItem,
    pixels: SlicePixels,
    digest: bytes,
    *,
    classes: Mapping[str, int] | None = None,
    height: float | None = None,
) -> SliceRecord:
    """Measure a slice; its pixels are not kept.

    Parameters
    ----------
    classes : mapping of str to int, optional
        Pixels of each class; else all inside of the mask, and of the outer contour, are one.
    height : float, optional
        mm above the middle of its scan.
    """
    image = finite(pixels.image)
    deviation = float(image.std())
    measures = {
        "mean": float(image.mean()),
        "deviation": deviation,
        "air": float((image < 0.1 * image.max()).mean()) if image.max() > 0 else 1.0,
        "sharpness": float(np.abs(ndimage.laplace(image)).mean()) / max(deviation, 1e-12),
    }
    mask = pixels.mask
    if mask is not None and mask.any():
        rows, columns = np.nonzero(mask)
        _, pieces = labelled(mask)
        measures |= {
            "area": float(mask.sum()),
            "row": float(rows.mean()),
            "column": float(columns.mean()),
            "contrast": mask_contrast(image, mask),
            "pieces": float(pieces),
        }
        if pixels.spacing is not None:
            down, right = pixels.spacing
            middle = (image.shape[0] - 1) / 2, (image.shape[1] - 1) / 2
            measures |= {
                "area_mm2": measures["area"] * down * right,
                "row_mm": (measures["row"] - middle[0]) * down,
                "column_mm": (measures["column"] - middle[1]) * right,
            }
    elif mask is not None:
        measures["area"] = 0.0
    if height is not None:
        measures["height_mm"] = height
    if classes is None:
        drawn = {"inside": mask, "outer contour": pixels.outer}
        classes = {name: int(m.sum()) for name, m in drawn.items() if m is not None and m.any()}
    return SliceRecord(
        item,
        (image.shape[0], image.shape[1]),
        pixels.spacing,
        measures,
        _small(image),
        digest,
        (*pixels.findings, *_without_number(pixels.image)),
        dict(classes),
    )


def finite(image: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """The image with 0 where it holds no number (NaN or infinite)."""
    return np.nan_to_num(image, nan=0.0, posinf=0.0, neginf=0.0)


def _without_number(image: npt.NDArray[np.floating]) -> tuple[str, ...]:
    count = int(image.size - np.count_nonzero(np.isfinite(image)))
    if not count:
        return ()
    pixels = "1 of its pixels holds" if count == 1 else f"{count} of its pixels hold"
    return (f"{pixels} no number (NaN or infinite) and counted as 0",)


def shrunk(image: npt.NDArray[Any], side: int) -> npt.NDArray[np.float64]:
    """An image averaged onto a square of ``side`` pixels; finer than it, repeated."""
    rows, columns = (np.minimum(np.arange(n) * side // n, side - 1) for n in image.shape)
    index = (rows[:, None] * side + columns[None]).ravel()
    total = np.bincount(index, minlength=side**2)
    values = np.bincount(index, weights=image.ravel(), minlength=side**2)
    mean = np.divide(values, total, out=np.zeros(side**2), where=total > 0).reshape(side, side)
    if min(image.shape) < side:  # some pixels of the square hold none of the image
        places = [np.minimum(np.arange(side) * n // side, n - 1) for n in image.shape]
        mean = np.asarray(image, dtype=np.float64)[np.ix_(*places)]
    return mean


def as_bytes(image: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """From its smallest to its largest value."""
    low, high = float(image.min()), float(image.max())
    unit = (image - low) / (high - low) if high > low else np.zeros(image.shape)
    return np.round(255 * unit).astype(np.uint8)


def _small(image: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    return as_bytes(shrunk(image, SMALL))
