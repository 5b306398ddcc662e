"""Signals of a diffusion scan that cannot be right: outliers, noise alone, zeros and NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from ...volumes.finding import Finding
from ..gradient_table import GradientTable

#: An outlier's mean signal is off by so many robust standard deviations and by this share.
_DEVIATIONS, _SHARE = 5.0, 0.05

#: Volumes that a shell needs for one to be an outlier.
_LEAST_VOLUMES = 5

#: Median absolute deviation to standard deviation of a normal distribution.
_MAD = 1.4826

#: The mean of a magnitude without any signal is sqrt(π/2) σ (Gudbjartsson and Patz 1995).
NOISE_FLOOR = float(np.sqrt(np.pi / 2))

#: A mean within this factor of the floor is hardly told from noise; this share of voxels is many.
_NEAR, _MANY = 1.5, 0.2


def unusable_values(signals: npt.NDArray[Any], where: npt.NDArray[np.bool_]) -> list[Finding]:
    """Values inside the mask that are no numbers, or not positive."""
    finite = np.ones(int(where.sum()), dtype=bool)
    positive = finite.copy()
    for row in range(signals.shape[-1]):
        values = signals[..., row][where]
        good = np.isfinite(values)
        finite &= good
        positive &= ~good | (values > 0)
    found = []
    if bad := int((~finite).sum()):
        found.append(
            Finding(
                "warning",
                "signal-not-finite",
                f"{_voxels(bad)} of {len(finite)} hold a value that is NaN or infinite",
            )
        )
    if bad := int((~positive).sum()):
        found.append(
            Finding(
                "warning",
                "signal-not-positive",
                f"{_voxels(bad)} of {len(finite)} hold a zero or negative value, which no "
                "magnitude inside a head is",
            )
        )
    return found


def outlier_volumes(
    table: GradientTable, signals: npt.NDArray[Any], where: npt.NDArray[np.bool_]
) -> list[Finding]:
    """Volumes whose mean signal is far from that of their shell (median absolute deviation)."""
    # One volume at a time: a scan of hundreds is never copied.
    means = [_mean(signals[..., row][where]) for row in range(len(table))]
    mean = np.log(np.maximum(means, 1e-12))
    said = []
    for rows in (table.b0_rows, *(shell.rows for shell in table.shells)):
        if len(rows) < _LEAST_VOLUMES:
            continue
        off = mean[rows] - np.median(mean[rows])
        spread = _MAD * np.median(abs(off))
        far = (abs(off) > _DEVIATIONS * spread) & (abs(np.expm1(off)) > _SHARE)
        said += [(int(row), float(np.expm1(o))) for row, o in zip(rows[far], off[far], strict=True)]
    if not said:
        return []
    shown = ", ".join(f"{row + 1} ({100 * share:+.0f} %)" for row, share in sorted(said)[:8])
    more = f" and {len(said) - 8} more" if len(said) > 8 else ""
    plural = "s" if len(said) > 1 else ""
    return [
        Finding(
            "warning",
            "outlier-volumes",
            f"the mean signal of volume{plural} {shown}{more} is far from the others of "
            f"{'their' if plural else 'its'} shell: look for motion or lost slices",
        )
    ]


def below_noise(
    table: GradientTable,
    signals: npt.NDArray[Any],
    where: npt.NDArray[np.bool_],
    sigma: float,
) -> list[Finding]:
    """Shells in which many voxels have hardly more than noise.

    Raises
    ------
    ParameterError
        σ is not positive.
    """
    if not (np.isfinite(sigma) and sigma > 0):
        raise ParameterError(
            f"σ = {sigma:g} is no noise level",
            where="sigma",
            remedy="Give the standard deviation of the noise in the scan's own unit",
        )
    found = []
    for shell in table.shells:
        mean = np.zeros(int(where.sum()))
        for row in shell.rows:
            mean += np.nan_to_num(signals[..., row][where]) / len(shell.rows)
        share = float((mean < _NEAR * NOISE_FLOOR * sigma).mean())
        if share > _MANY:
            found.append(
                Finding(
                    "warning",
                    "below-noise",
                    f"at b = {shell.b:.0f} s/mm² the mean signal of {100 * share:.0f} % of the "
                    f"voxels is at the noise floor (below {_NEAR * NOISE_FLOOR:.1f} σ)",
                )
            )
    return found


def _mean(values: npt.NDArray[Any]) -> float:
    return float(np.nan_to_num(values).mean(dtype=np.float64))


def _voxels(count: int) -> str:
    return f"{count} voxel{'s' if count > 1 else ''}"
