"""The maps of one method on some slices, as the figures of trust look at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import SparseExplainError
from ...evidence import Explanation
from ...evidence.region_table import REGIONS
from ..attribution.frame import SUM_ERROR


@dataclass(frozen=True, eq=False)
class Heat:
    """Maps of all slices of `ExplainedSlices`.

    Attributes
    ----------
    values : ndarray, shape (N, H, W)
        Sum over modalities.
    signed : bool
        Pixels are ranked by the size of their values. Not of XRAI, whose own ranks go by the gain:
        what lowers the score is there the least of all.
    channels : ndarray, shape (N, C, H, W), or None
        Of each modality, where the method tells them apart.
    gap : float or None
        Completeness error.
    sum_error : float or None
        Standard error of the sum, of a method that samples.
    """

    values: npt.NDArray[np.float64]
    signed: bool
    channels: npt.NDArray[np.float64] | None = None
    gap: float | None = None
    sum_error: float | None = None

    @classmethod
    def of(cls, explanation: Explanation, roles: Sequence[str]) -> Heat:
        """The maps of an explanation on these slices.

        Raises
        ------
        SparseExplainError
            The method makes no heat map on the study's grid.
        """
        heat = next(
            (m for m in explanation.maps if m.kind == "heatmap" and m.space == "study"), None
        )
        if heat is None:
            raise SparseExplainError(
                f"the method {explanation.method!r} makes no heat map, so there is none to score",
                remedy="Choose an attribution method, such as integrated-gradients or xrai",
            )
        named = {m.name: m.data for m in explanation.maps}
        parts = [named.get(f"{heat.name}-{role}") for role in roles]
        values = np.asarray(heat.data, dtype=np.float64)
        channels = values[:, None] if len(roles) == 1 else None
        if len(roles) > 1 and all(part is not None for part in parts):
            channels = np.stack([np.asarray(p, dtype=np.float64) for p in parts], axis=1)
        signed = heat.signed and REGIONS not in named
        said = explanation.scores
        gap, error = said.get("completeness error"), said.get(SUM_ERROR)
        return cls(values, signed, channels, gap, error)

    def sums(self) -> dict[str, float | None]:
        """What is known of the map's sum, by the names of `ALL_FIGURES`."""
        known: dict[str, float | None] = {"completeness error": self.gap}
        return known if self.sum_error is None else {**known, SUM_ERROR: self.sum_error}
