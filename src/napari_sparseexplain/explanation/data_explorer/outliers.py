"""Slices that lie far from the rest in a measure, by robust z-scores.

References
----------
B. Iglewicz and D. Hoaglin, How to detect and handle outliers, ASQC, 1993: 0.6745 times the distance
from the median over the median absolute deviation; where more than half of the values are equal and
that deviation is 0, the distance over 1.2533 times the mean absolute deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .slice_record import IN_PIXELS, MEASURES, SliceRecord

#: Robust z-score from which a value is an outlier (Iglewicz and Hoaglin, 1993).
OUTLYING = 3.5

#: Fewer values have no rest that one could lie apart from.
_FEWEST = 5


@dataclass(frozen=True)
class Outlier:
    """A slice that differs from the rest.

    Attributes
    ----------
    index : int
        Among the records.
    name : str
    measures : mapping of str to float
        Robust z-scores of the measures in which it does.
    """

    index: int
    name: str
    measures: dict[str, float]


def robust_scores(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Robust z-score of every value; NaN where there is none, or where all are equal."""
    known = values[np.isfinite(values)]
    none = np.full(values.shape, np.nan)
    if len(known) < _FEWEST:
        return none
    middle = float(np.median(known))
    away = np.abs(known - middle)
    least = 1e-9 * max(1.0, abs(middle))
    if (median := float(np.median(away))) > least:
        return 0.6745 * (values - middle) / median
    if (mean := float(away.mean())) > 0 and float(away.max()) > least:
        return (values - middle) / (1.2533 * mean)
    return none


def outliers(records: Sequence[SliceRecord]) -> list[Outlier]:
    """Slices that lie far from the median of any measure, the farthest first.

    Slices with an empty mask have no area that lies apart: that nothing is drawn is told elsewhere.
    In millimetres where every slice has its size, else in pixels.
    """
    sized = bool(records) and all(record.spacing is not None for record in records)
    left_out = {pixels if sized else mm for mm, pixels in IN_PIXELS.items()}
    found: dict[int, dict[str, float]] = {}
    for measure in MEASURES:
        if measure in left_out:
            continue
        values = np.array([record.measures.get(measure, np.nan) for record in records])
        if measure == "area":
            values[values == 0] = np.nan
        scores = robust_scores(values)
        for index in np.flatnonzero(np.abs(scores) > OUTLYING):
            found.setdefault(int(index), {})[measure] = float(scores[index])
    made = [Outlier(i, records[i].item.name, scores) for i, scores in found.items()]
    return sorted(made, key=lambda o: -max(abs(v) for v in o.measures.values()))
