"""δ, Δ and TE from the JSON beside a scan (BIDS), where it tells them.

BIDS has ``EchoTime`` in seconds and no field for δ and Δ [1]_, and no converter fills them from a
clinical scanner's header. Where somebody wrote them, they stand under one of the names below.

References
----------
.. [1] Brain Imaging Data Structure specification 1.10, Magnetic Resonance Imaging.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import ParameterError, ReadError
from ...files.json_file import read_json
from ..gradient_table import Timings

#: Names of δ and Δ met in sidecars.
_SMALL = (
    *("SmallDelta", "small_delta", "smalldel", "delta", "DiffusionGradientDuration"),
    *("GradientPulseDuration", "DiffusionPulseDuration"),
)
_BIG = (
    *("BigDelta", "LargeDelta", "big_delta", "bigdel", "Delta", "DiffusionGradientSeparation"),
    *("GradientPulseSeparation", "DiffusionPulseSeparation"),
)
#: Bruker's parameters (ParaVision), in milliseconds.
_BRUKER_SMALL, _BRUKER_BIG = "PVM_DwGradDur", "PVM_DwGradSep"

#: No pulse and no time between two of them is that long in seconds: such a file gives milliseconds.
_LONGEST_S = 0.5

#: No echo is a second long.
_LONGEST_ECHO_S = 1.0


def sidecar_timings(path: str | Path) -> tuple[Timings | None, float]:
    """Timings that a sidecar tells, and TE in seconds (0 where it does not tell it).

    Parameters
    ----------
    path : str or Path
        A JSON file with an object.

    Returns
    -------
    timings : Timings or None
        None where δ or Δ is missing.
    echo_time : float

    Raises
    ------
    ReadError
        It is no JSON object.
    ParameterError
        δ and Δ are there and cannot be timings.
    """
    path = Path(path)
    remedy = "Write it again, or move it away"
    values = read_json(path, problem="the JSON beside the scan cannot be read", remedy=remedy)
    if not isinstance(values, dict):
        raise ReadError("the JSON beside the scan is no object", where=path, remedy=remedy)
    echo = _number(values.get("EchoTime")) or 0.0
    echo = max(echo / 1000 if echo >= _LONGEST_ECHO_S else echo, 0.0)
    small = _first(values, _SMALL, _BRUKER_SMALL)
    big = _first(values, _BIG, _BRUKER_BIG)
    if small is None or big is None:
        return None, echo
    try:
        return Timings(small, big, echo), echo
    except ParameterError as error:
        raise ParameterError(
            error.what, where=path, remedy="Write δ and Δ in seconds, δ not longer than Δ"
        ) from error


def _first(values: dict[str, Any], names: tuple[str, ...], bruker: str) -> float | None:
    for name in names:
        if (value := _number(values.get(name))) is not None:
            return value / 1000 if value >= _LONGEST_S else value
    value = _number(values.get(bruker))
    return None if value is None else value / 1000


def _number(value: Any) -> float | None:
    """A number, also in a list in which all are the same."""
    if isinstance(value, list) and value and all(item == value[0] for item in value):
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
