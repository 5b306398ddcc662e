"""What a person should know of a protocol and its signals before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from ...volumes.finding import Finding
from ..gradient_table import GradientTable
from .coherence import LEAST_VOXELS, gradient_axes_check
from .dipy_extra import has_dipy
from .finding_weight import NOISE_WORDS
from .scan_signals import checked_signals, head_of
from .signal_checks import below_noise, outlier_volumes, unusable_values
from .tensor import TENSOR_DIRECTIONS, fit_tensor, tensor_condition, tensor_rows

#: Directions with a larger condition number tell a tensor badly.
_MOST_CONDITION = 10.0

#: Voxels that tensors are fitted to for the check of the axes: whole slabs around the middle.
_MOST_VOXELS = 60_000


def protocol_findings(
    table: GradientTable,
    signals: npt.ArrayLike | None = None,
    *,
    mask: npt.ArrayLike | None = None,
    sigma: float | None = None,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
) -> list[Finding]:
    """Named remarks on a protocol, and on the signals that were measured with it.

    Parameters
    ----------
    table : GradientTable
    signals : array_like, shape (S, P, L, M) or (N, M), optional
        Measurements last (`signals_of`). Whether axes are flipped is asked of a block alone.
    mask : array_like of bool, optional
        Voxels looked at; default those with signal without diffusion weighting.
    sigma : float, optional
        Of the noise (`noise_level`); signals are compared with it where it is given.
    spacing : sequence of float
        Millimetres along (S, P, L).

    Returns
    -------
    list of Finding
        ``few-unweighted``, ``single-shell``, ``few-directions``, ``directions-repeat``,
        ``directions-in-a-plane``, ``directions-badly-spread``, ``directions-half-sphere``; with
        signals ``signal-not-finite``, ``signal-not-positive``, ``outlier-volumes``,
        ``below-noise``, ``gradient-axes`` and ``gradient-axes-not-checked``. Nothing is changed.

    Raises
    ------
    ParameterError
        Signals, mask and table do not go together.
    """
    found = [*_b0(table), *_shells(table), *_directions(table)]
    if signals is None:
        return found
    array = checked_signals(table, signals)
    where = head_of(table, array, mask)
    if not where.any():
        raise ParameterError(
            "no voxel has a signal without diffusion weighting",
            where="signals",
            remedy="Check the scan, and which of its volumes have b = 0",
        )
    found += unusable_values(array, where)
    found += outlier_volumes(table, array, where)
    if sigma is not None:
        found += below_noise(table, array, where, sigma)
    return found + _axes(table, array, where, spacing)


def _b0(table: GradientTable) -> list[Finding]:
    count = len(table.b0_rows)
    if count > 1:
        return []
    many = "only one volume is" if count else "no volume is"
    effect = "its noise is in every ratio to it" if count else "no signal can be put in ratio to it"
    return [Finding("warning", "few-unweighted", f"{many} without diffusion weighting: {effect}")]


def _shells(table: GradientTable) -> list[Finding]:
    found = []
    if len(table.shells) == 1:
        found.append(
            Finding(
                "warning",
                "single-shell",
                f"there is one shell (b = {table.shells[0].b:.0f} s/mm²): tensor and peaks can be "
                "computed; radius, density and volume fraction cannot be estimated",
            )
        )
    for shell in table.shells:
        if len(shell.rows) < TENSOR_DIRECTIONS:
            found.append(
                Finding(
                    "warning",
                    "few-directions",
                    f"the shell at b = {shell.b:.0f} s/mm² has {len(shell.rows)} volumes, fewer "
                    f"than the {TENSOR_DIRECTIONS} directions that a tensor needs",
                )
            )
    return found


def _directions(table: GradientTable) -> list[Finding]:
    found = []
    repeats = 0
    for shell in table.shells:
        vectors = table.directions[shell.rows]
        same = abs(vectors @ vectors.T) > np.cos(np.radians(1.0))
        repeats += int((np.tril(same, -1).any(axis=1)).sum())
    if repeats:
        found.append(
            Finding(
                "info",
                "directions-repeat",
                f"{repeats} volumes repeat a direction of their shell, or its opposite",
            )
        )
    vectors = table.directions[np.linalg.norm(table.directions, axis=1) > 0]
    if len(vectors) < 3:
        return found
    if _badly_spread(table):
        condition = min(tensor_condition(table, shell.rows) for shell in table.shells)
        found.append(
            Finding(
                "warning",
                "directions-badly-spread",
                f"{NOISE_WORDS}: the directions of the shells hardly tell some components of a "
                f"tensor (condition {condition:.0f}, of spread ones below 3); check the file of "
                "directions",
            )
        )
    if np.linalg.eigvalsh(vectors.T @ vectors / len(vectors))[0] < 0.01:
        found.append(
            Finding(
                "warning",
                "directions-in-a-plane",
                "all directions lie in one plane: diffusion across it was not measured",
            )
        )
    elif _in_half_sphere(vectors):
        found.append(
            Finding(
                "info",
                "directions-half-sphere",
                "all directions lie in one half of the sphere: fits are the same, corrections of "
                "eddy currents are told worse",
            )
        )
    return found


def _badly_spread(table: GradientTable) -> bool:
    """Whether shells with volumes enough tell a tensor, but hardly."""
    told = [tensor_condition(table, s.rows) for s in table.shells]
    return bool(told) and _MOST_CONDITION < min(told) < np.inf


def _in_half_sphere(vectors: npt.NDArray[np.float64]) -> bool:
    """Whether some plane through the centre has all of them on one side (perceptron's rule)."""
    normal = vectors.mean(axis=0)
    for _ in range(1000):
        side = vectors @ normal
        worst = int(side.argmin())
        if side[worst] > 0:
            return True
        normal = normal + vectors[worst]
    return False


def _axes(
    table: GradientTable,
    array: npt.NDArray[Any],
    where: npt.NDArray[np.bool_],
    spacing: Sequence[float],
) -> list[Finding]:
    """A proposal where fibres run on better in other axes."""
    if array.ndim != 4 or where.sum() < LEAST_VOXELS:
        return []
    if not has_dipy():
        return [_not_checked("dipy is not installed (the extra [diffusion])")]
    slab = _slab(where)
    try:
        if tensor_condition(table, tensor_rows(table)) > _MOST_CONDITION:
            return [_not_checked("the directions tell no reliable tensor")]
        maps = fit_tensor(table, array[slab], mask=where[slab])
    except ParameterError as error:
        return [_not_checked(error.what)]
    check = gradient_axes_check(maps, spacing)
    if not check.proposes:
        return []
    return [
        Finding(
            "warning",
            "gradient-axes",
            f"fibre directions are more continuous from voxel to voxel with {check.words} (index "
            f"{check.index:.2f}, without {check.index_now:.2f}, {check.voxels} voxels); the "
            "directions were not changed",
        )
    ]


def _not_checked(why: str) -> Finding:
    return Finding(
        "info",
        "gradient-axes-not-checked",
        f"whether the axes of the directions are flipped or swapped was not checked: {why}",
    )


def _slab(where: npt.NDArray[np.bool_]) -> slice:
    """Slices around the fullest, with at most `_MOST_VOXELS` to look at, but three at least."""
    counts = where.reshape(len(where), -1).sum(axis=1)
    low = high = int(counts.argmax())
    while high - low + 1 < len(counts):
        more = [k for k in (low - 1, high + 1) if 0 <= k < len(counts)]
        step = max(more, key=lambda k: counts[k])
        if counts[low : high + 1].sum() + counts[step] > _MOST_VOXELS and high - low >= 2:
            break
        low, high = min(low, step), max(high, step)
    return slice(low, high + 1)
