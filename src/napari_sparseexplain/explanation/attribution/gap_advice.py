"""What helps where a map does not add up: more steps, or another baseline.

A network with instance normalisation sees a faint copy of an image as the image: on the straight
path from zero (or from any constant that the normalisation removes) nearly all of the score's
change lies in the first hundredth. No number of steps sums that up well, and what is summed are
gradients where the image can hardly be seen; from a blurred or mean baseline the same network
adds up. It is measured here, so that it holds for networks that nobody can look into.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ...networks.running.preparation import Prepared
from ..score_function import ScoreFunction
from .baselines import baseline_images

#: How a note on a failed completeness check begins.
NOT_ADDING_UP = "The map does not add up"

#: What is said where nothing was measured.
MORE_STEPS = "Take more steps."

#: How near its start the path is looked at, and the share of the change there that steps on the
#: whole path cannot sum up.
NEAR, MOST = 0.01, 0.5

#: Baselines that are tried in its place.
OTHERS = ("blurred", "mean", "minimum")

#: Slices looked at.
_SLICES = 4


def gap_advice(
    score: ScoreFunction,
    prepared: Prepared,
    rows: npt.NDArray[np.int64],
    parameters: Mapping[str, Any],
    given: npt.NDArray[np.float32] | None,
) -> str:
    """A sentence on what would make the map add up.

    Parameters
    ----------
    rows : ndarray of int
        Prepared slices that were explained.
    parameters : mapping
        Of the method: ``baseline`` where its path has one.
    given : ndarray or None
        The user's baseline.
    """
    baseline = str(parameters.get("baseline", ""))
    if not baseline:
        return MORE_STEPS
    share = share_near_start(
        score, prepared, rows[:: max(1, len(rows) // _SLICES)], baseline, given
    )
    if share <= MOST:
        return "Take more steps; where that changes nothing, another baseline."
    some = rows[:: max(1, len(rows) // _SLICES)]
    others = " or ".join(
        f"'{name}'"
        for name in OTHERS
        if name != baseline and share_near_start(score, prepared, some, name) <= MOST
    )
    return (
        f"{min(share, 1.0):.0%} of the change happens in the first hundredth of the path from the "
        f"baseline '{baseline}': the network sees a faint copy of the image as the image, as one "
        "with instance normalisation does. More steps do not help; "
        + (f"take the baseline {others}." if others else "occlusion, which has no path, does.")
    )


def share_near_start(
    score: ScoreFunction,
    prepared: Prepared,
    rows: npt.NDArray[np.int64],
    baseline: str,
    given: npt.NDArray[np.float32] | None = None,
) -> float:
    """Share of the change of score that lies in the first hundredth of the straight path."""
    x = torch.from_numpy(np.ascontiguousarray(prepared.array[rows]))
    start = baseline_images(baseline, x, rows + prepared.slices.start, given)
    first, near, last = (
        score.scores((start + step * (x - start)).numpy(), rows) for step in (0.0, NEAR, 1.0)
    )
    whole = float(np.abs(last - first).sum())
    return float(np.abs(near - first).sum()) / whole if whole else 0.0


def more_samples(error: float) -> str:
    """What helps a map that was sampled, whose sum has the relative standard error ``error``."""
    return (
        f"One standard error of its sum is {error:.0%}: take more samples, of which four times as "
        "many halve it."
    )


def advice_in(notes: Sequence[str]) -> str:
    """The advice among an explanation's notes; that of a map without any where there is none."""
    for note in notes:
        if note.startswith(NOT_ADDING_UP):
            return note.split(". ", 1)[-1]
    return MORE_STEPS
