"""Camino's scheme files: gradients with their timings, in SI units [1]_.

References
----------
.. [1] P. A. Cook et al., Camino: open-source diffusion-MRI reconstruction and processing, ISMRM
   2006; its manual, "Scheme files". ``STEJSKALTANNER``: gx gy gz |G| (T/m) Δ δ TE (s);
   ``BVECTOR``: gx gy gz b (s/m²).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError, ReadError
from ...volumes.finding import Finding
from ..gradient_table import B0_MOST, GAMMA, Timings
from .number_table import read_number_table
from .written_gradients import WrittenGradients, checked_gradients

#: Timings of one protocol agree to this, in seconds.
_SAME = 1e-6


def read_camino(path: str | Path) -> WrittenGradients:
    """The gradients of a ``.scheme`` file.

    Parameters
    ----------
    path : str or Path
        First line ``VERSION: STEJSKALTANNER`` (or ``1``), or ``VERSION: BVECTOR`` (or ``2``).

    Returns
    -------
    WrittenGradients
        Directions are taken in FSL's axes, as ``fsl2scheme`` copies them; the file itself does not
        tell its axes, and a finding says so. b = (γ G δ)² (Δ - δ/3).

    Raises
    ------
    ReadError, ParameterError
        The file is missing, empty, no scheme, of another version, or of more than one δ, Δ or TE.
    """
    path = Path(path)
    table = read_number_table(path, what="a scheme")
    versions = [m[1].upper() for c in table.comments if (m := re.match(r"(?i)version:\s*(\S+)", c))]
    values = table.array
    width = {"STEJSKALTANNER": 7, "1": 7, "BVECTOR": 4, "2": 4}.get("".join(versions))
    if width is None:
        raise ReadError(
            f"it does not say VERSION: STEJSKALTANNER ({', '.join(versions) or 'no version'})",
            where=path,
            remedy="Write the scheme as STEJSKALTANNER: gx gy gz |G| Δ δ TE, in T/m and seconds",
        )
    if values.shape[1] != width:
        raise ReadError(
            f"its lines hold {values.shape[1]} numbers where a scheme of this version has {width}",
            where=path,
            remedy="Write the scheme again",
        )
    if not np.isfinite(values[:, 3:]).all():
        raise ReadError("a value is no number", where=path, remedy="Write the scheme again")
    if width == 4:
        b, timings = values[:, 3] * 1e-6, None
    else:
        b, timings = _stejskal_tanner(values, path)
    axes = Finding(
        "info",
        "scheme-axes",
        "a scheme does not tell the axes of its directions; they were taken as FSL's (voxel axes)",
        path.name,
    )
    return checked_gradients(
        b, values[:, :3], "fsl", (path,), timings=timings, findings=() if not b.any() else (axes,)
    )


def _stejskal_tanner(
    values: npt.NDArray[np.float64], path: Path
) -> tuple[npt.NDArray[np.float64], Timings | None]:
    strength, big, small, echo = values[:, 3:].T
    if (values[:, 3:] < 0).any():
        raise ParameterError(
            "a gradient strength or a time is negative",
            where=path,
            remedy="Write |G| in T/m and Δ, δ, TE in seconds",
        )
    b = (GAMMA * strength * small) ** 2 * (big - small / 3) * 1e-6
    weighted = b > B0_MOST
    if not weighted.any():
        return np.maximum(b, 0.0), None
    for name, times in (("Δ", big), ("δ", small), ("TE", echo)):
        if np.ptp(times[weighted]) > _SAME:
            raise ParameterError(
                f"its weighted measurements have several {name} ({1e3 * times[weighted].min():g} "
                f"to {1e3 * times[weighted].max():g} ms); one protocol of one {name} is read",
                where=path,
                remedy="Give the measurements of one set of timings",
            )
    first = int(np.flatnonzero(weighted)[0])
    try:
        timings = Timings(float(small[first]), float(big[first]), float(echo[first]))
    except ParameterError as error:
        raise ParameterError(
            error.what, where=path, remedy="Write Δ, δ and TE in seconds, in this order"
        ) from error
    return b, timings
