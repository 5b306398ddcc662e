"""The attribution under XRAI: the mean of integrated gradients from the darkest and the brightest.

Kapishnikov et al. (ICCV 2019), Section 3.2: with one baseline alone, pixels of its grey value get
nothing, however much they matter; with both ends of the range none is blind. The ends are those of
each modality of each slice. XRAI in 2-D and 3-D, with whatever parameters, share what is kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ...networks.running.preparation import Prepared
from ...progress import Progress, Work
from ..score_function import ScoreFunction
from .baselines import baseline_images
from .frame import Attribution, explain_slices
from .integrated_gradients import integrated_gradients, mean_over_baselines
from .kept_attributions import KeptAttributions, SliceAttribution

#: The two ends of the range, as baselines.
ENDS = ("minimum", "maximum")


def attribute_slices(
    score: ScoreFunction,
    prepared: Prepared,
    rows: npt.NDArray[np.int64],
    *,
    n_steps: int,
    rule: str = "adaptive",
    tolerance: float = 0.05,
) -> Work[dict[int, SliceAttribution]]:
    """Mean of integrated gradients over both ends, for some prepared slices.

    Parameters
    ----------
    rows : ndarray of int
        Slices of ``prepared``.
    n_steps : int
        Gradients a slice and baseline, at most.
    rule : {"adaptive", "gauss-legendre"}
        Adaptive: both paths share their gradients.
    tolerance : float
        Of the adaptive rule; see `mean_over_baselines`.

    Returns
    -------
    dict of int to SliceAttribution
        By row.

    Raises
    ------
    ModelError
        A gradient is NaN or infinite, or there is none.
    """
    # XRAI's ends are plain images, as its authors have them: what surrounds the brain, too. What
    # the maps show outside is taken away at the end.
    score = replace(score, inside=None)
    adaptive = rule == "adaptive" and n_steps > 1
    how = (rule, tolerance) if adaptive else (rule,)
    kept = KeptAttributions(score, prepared, rows, ("integrated gradients", ENDS, n_steps, *how))

    def compute(
        score: ScoreFunction,
        x: torch.Tensor,
        chunk: npt.NDArray[np.int64],
        numbers: npt.NDArray[np.int64],
    ) -> Work[Attribution]:
        starts = [baseline_images(end, x, numbers) for end in ENDS]
        if adaptive:
            found = yield from mean_over_baselines(
                score, x, starts, chunk, n_steps=n_steps, tolerance=tolerance
            )
            kept.keep(chunk, found.values, found.change)
            return found
        values: Any = 0
        change: Any = 0
        for place, start in enumerate(starts):
            work = integrated_gradients(
                score, x, start, chunk, n_steps=n_steps, rule="gauss-legendre"
            )
            part = yield from _half(work, place)
            values = values + part.values / len(ENDS)
            change = change + part.change / len(ENDS)
        kept.keep(chunk, values, change)
        return Attribution(values, change)

    if kept.missing.size:
        yield from explain_slices(score, prepared, kept.missing, compute)
    return kept.found


def _half(work: Work[Attribution], place: int) -> Work[Any]:
    """Progress of one of two equal parts."""
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            return end.value
        done = place * step.total + step.done
        yield Progress(done, len(ENDS) * step.total, f"{step.message}, {ENDS[place]} baseline")
