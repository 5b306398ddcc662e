"""Gradients as a file gives them, in that file's axes, checked against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError, ReadError
from ...volumes.finding import Finding
from ..gradient_table import B0_MOST, Timings

#: ``"fsl"``: the scan's voxel axes, x turned round where the affine's determinant is positive.
#: ``"scanner"``: x to the right, y to the front, z to the head (RAS).
GradientAxes = Literal["fsl", "scanner"]

#: A direction counts as a unit vector within this; within the second it was only rounded.
UNIT, ROUNDED = 0.02, 0.005


@dataclass(frozen=True, eq=False)
class WrittenGradients:
    """What the files of one convention say.

    Attributes
    ----------
    b : ndarray, shape (M,)
        s/mm².
    vectors : ndarray, shape (M, 3)
        Unit vectors; zero where there is no diffusion weighting.
    axes : {"fsl", "scanner"}
    paths : tuple of Path
    timings : Timings or None
    findings : tuple of Finding
    called : str
        What to call the files in sentences, where they are many; empty: by their names.
    """

    b: npt.NDArray[np.float64]
    vectors: npt.NDArray[np.float64]
    axes: GradientAxes
    paths: tuple[Path, ...]
    timings: Timings | None = None
    findings: tuple[Finding, ...] = ()
    called: str = ""

    @property
    def names(self) -> str:
        """The files' names, for sentences."""
        return self.called or " and ".join(path.name for path in self.paths)


def checked_gradients(
    b: npt.NDArray[np.float64],
    vectors: npt.NDArray[np.float64],
    axes: GradientAxes,
    paths: Sequence[Path],
    *,
    timings: Timings | None = None,
    findings: Sequence[Finding] = (),
) -> WrittenGradients:
    """Gradients whose numbers go together.

    Parameters
    ----------
    b : ndarray, shape (M,)
    vectors : ndarray, shape (M, 3)
        As written. NaN is taken for no direction where b is at most `B0_MOST` alone.
    axes : {"fsl", "scanner"}
    paths : sequence of Path
        The file of b-values, and that of directions where it is another.

    Raises
    ------
    ReadError
        The counts disagree, or a value is no number.
    ParameterError
        A b-value is negative, or a direction of a weighted volume is no unit vector.
    """
    paths = tuple(paths)
    first, last = paths[0], paths[-1]
    if len(b) != len(vectors):
        raise ReadError(
            f"it holds {len(vectors)} directions and {first.name} holds {len(b)} b-values",
            where=last,
            remedy="Give the two files that were exported together with the scan",
        )
    if (bad := np.flatnonzero(~np.isfinite(b))).size:
        raise ReadError(
            f"the b-value of volume {bad[0] + 1} is no number",
            where=first,
            remedy="Write it in s/mm², 0 where there is no diffusion weighting",
        )
    if (bad := np.flatnonzero(b < 0)).size:
        raise ParameterError(
            f"the b-value of volume {bad[0] + 1} is negative ({b[bad[0]]:g})",
            where=first,
            remedy="Write it in s/mm², 0 where there is no diffusion weighting",
        )
    weighted = b > B0_MOST
    if (bad := np.flatnonzero(weighted & ~np.isfinite(vectors).all(axis=1))).size:
        raise ReadError(
            f"the direction of volume {bad[0] + 1} (b = {b[bad[0]]:g}) is no number",
            where=last,
            remedy="Write it again from the scan's source",
        )
    length = np.linalg.norm(np.nan_to_num(vectors), axis=1)
    off = np.where(weighted, abs(length - 1), 0.0)
    if (bad := np.flatnonzero(off > UNIT)).size:
        k = bad[0]
        raise ParameterError(
            f"{bad.size} of {int(weighted.sum())} directions are not unit vectors (volume {k + 1}, "
            f"b = {b[k]:g}: length {length[k]:.3g})",
            where=last,
            remedy="Check that the file holds directions alone and belongs to these b-values; "
            "where the length stands for the strength, multiply b by its square",
        )
    said = list(findings)
    if (off > ROUNDED).any():
        said.append(
            Finding(
                "warning",
                "directions-not-unit",
                f"{int((off > ROUNDED).sum())} directions are not quite unit vectors (length off "
                f"by up to {off.max():.3f}); they were scaled to length 1",
                last.name,
            )
        )
    unit = np.where(
        weighted[:, None], np.nan_to_num(vectors) / np.where(length > 0, length, 1.0)[:, None], 0.0
    )
    return WrittenGradients(
        np.asarray(b, dtype=np.float64), unit, axes, paths, timings, tuple(said)
    )
