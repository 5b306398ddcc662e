"""Timings for a simulation: from a protocol's file, from what a person says, or the paper's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...errors import ParameterError
from ..gradient_table import HCP_MGH, Timings
from .camino import read_camino
from .sidecar_timings import sidecar_timings

_GIVE = "Give δ and Δ in milliseconds (--small-delta, --big-delta)"


def chosen_timings(
    protocol: Path | None,
    small_delta: float | None,
    big_delta: float | None,
    echo_time: float | None,
) -> Timings:
    """The timings to simulate.

    Parameters
    ----------
    protocol : Path, optional
        A Camino scheme, a JSON sidecar, or a scan that has one of them beside it.
    small_delta, big_delta, echo_time : float, optional
        In milliseconds; they go before what the file says.

    Raises
    ------
    SparseExplainError
        A file that cannot be read, or tells no timings; one of δ and Δ without the other.
    """
    found = HCP_MGH if protocol is None else _from_file(protocol)
    if (small_delta is None) != (big_delta is None):
        raise ParameterError("δ and Δ belong together", where="timings", remedy=_GIVE)
    if small_delta is not None and big_delta is not None:
        known = 0.0 if found is None else found.echo_time
        found = Timings(small_delta / 1e3, big_delta / 1e3, known)
    if found is None:
        raise ParameterError("the protocol tells no timings", where=protocol, remedy=_GIVE)
    return found if echo_time is None else replace(found, echo_time=echo_time / 1e3)


def _from_file(path: Path) -> Timings | None:
    name = path.name.removesuffix(".gz").removesuffix(".nii")
    candidates = [path] if path.suffix in (".json", ".scheme", ".scheme1") else []
    candidates += [path.with_name(name + end) for end in (".scheme", ".json")]
    for file in candidates:
        if file.suffix.startswith(".scheme") and file.exists():
            return read_camino(file).timings
        if file.suffix == ".json" and (file.exists() or file == path):
            return sidecar_timings(file)[0]
    return None
