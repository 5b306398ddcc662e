"""Simulated phases in a file, with what they are of."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ParameterError, ReadError
from ...files.atomic_write import write_atomically
from ...files.npz_file import read_npz
from ..gradient_table import Timings
from ..tissue import Tissue
from .phases import Phases

#: Of the arrays in the file.
VERSION = 1

_REMEDY = "Make it anew with sparseexplain simulate"

_NUMBERS = (
    "version",
    "diffusivity",
    "t2",
    "small_delta",
    "big_delta",
    "echo_time",
    "spins",
    "seed",
)
_ARRAYS = ("radii", "densities", "inside", "outside")


def save_phases(phases: Phases, path: Path, *, overwrite: bool = False) -> Path:
    """Write phases as ``.npz`` of plain numbers.

    Raises
    ------
    SparseExplainError
        The file is there already, or cannot be written.
    """
    tissue, timings = phases.tissue, phases.timings
    arrays: dict[str, Any] = {
        "version": VERSION,
        "radii": tissue.radii,
        "densities": tissue.densities,
        "diffusivity": tissue.diffusivity,
        "t2": tissue.t2,
        "small_delta": timings.small_delta,
        "big_delta": timings.big_delta,
        "echo_time": timings.echo_time,
        "spins": phases.spins,
        "seed": phases.seed,
        "inside": phases.inside,
        "outside": phases.outside,
    }
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return write_atomically(path, stream.getvalue(), overwrite=overwrite)


def load_phases(path: Path) -> Phases:
    """Read phases that `save_phases` wrote.

    Raises
    ------
    ReadError
        No such file, a damaged one, or not of this kind.
    """
    held = read_npz(Path(path), problem="no dictionary can be read", remedy=_REMEDY)
    if missing := [name for name in (*_NUMBERS, *_ARRAYS) if name not in held]:
        raise ReadError(
            f"it is no dictionary of simulated phases ({', '.join(missing)} missing)",
            where=path, remedy=_REMEDY,
        )  # fmt: skip
    wrong = [name for name in _NUMBERS if held[name].shape != ()]
    wrong += [n for n in _ARRAYS if held[n].dtype.kind != "f" or not np.isfinite(held[n]).all()]
    shape = (held["radii"].size, held["densities"].size)
    inside, outside = held["inside"], held["outside"]
    if not wrong and (
        inside.ndim != 2
        or inside.shape[:1] != shape[:1]
        or outside.shape != (*shape, inside.shape[1])
    ):
        wrong = ["inside", "outside"]
    if wrong:
        raise ReadError(
            f"{', '.join(wrong)} of the dictionary do not go together", where=path, remedy=_REMEDY
        )
    if int(held["version"]) != VERSION:
        raise ReadError(
            f"the dictionary is of version {int(held['version'])}; this program reads {VERSION}",
            where=path, remedy=_REMEDY,
        )  # fmt: skip
    number = {name: float(held[name]) for name in _NUMBERS}
    try:
        tissue = Tissue(held["radii"], held["densities"], number["diffusivity"], number["t2"])
        timings = Timings(number["small_delta"], number["big_delta"], number["echo_time"])
    except ParameterError as error:
        raise ReadError(error.what, where=path, remedy=_REMEDY) from error
    return Phases(
        tissue, timings, inside.astype(np.float32), outside.astype(np.float32),
        int(number["spins"]), int(number["seed"]),
    )  # fmt: skip
