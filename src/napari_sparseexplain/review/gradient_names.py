"""Volumes of a diffusion scan by what they measured: ``"b = 1000 s/mm², (0.00, 0.71, 0.71)"``."""

from __future__ import annotations

import weakref

import numpy as np

from ..errors import SparseExplainError
from ..microstructure.gradient_table import GradientTable
from ..microstructure.protocol.gradient_axes import nearest_rotation
from ..microstructure.protocol.of_volume import gradient_table_of, has_gradients
from ..volumes import Volume
from ..volumes.volume import Source

#: Gradients of each scan that lives, as they were when it was first asked; None without any.
_KNOWN: weakref.WeakKeyDictionary[Source, GradientTable | None] = weakref.WeakKeyDictionary()


def gradient_name(volume: Volume, leading: tuple[int, ...]) -> str:
    """What a volume of a diffusion scan measured; empty of other scans, and where it is not known.

    Parameters
    ----------
    leading : tuple of int
        The point along its one leading axis.

    Returns
    -------
    str
        The direction is told towards the patient's right, front and head, whatever axes its file
        tells it in.
    """
    table = _table_of(volume)
    if table is None or len(leading) != 1 or leading[0] >= len(table):
        return ""
    row = leading[0]
    if row in table.b0_rows:
        return f"b = {table.b[row]:.0f}" + (" s/mm²" if round(table.b[row]) else "")
    ras = nearest_rotation(volume.grid.affine) @ table.directions[row]
    parts = ", ".join(f"{value + 0.0:.2f}" for value in np.round(ras, 2))
    return f"b = {table.b[row]:.0f} s/mm², ({parts})"


def opening_frame(volume: Volume) -> tuple[int, ...]:
    """The volume on which a diffusion scan opens, the first without weighting; empty of others."""
    table = _table_of(volume)
    return () if table is None else (int(table.b0_rows[0]),)


def _table_of(volume: Volume) -> GradientTable | None:
    source = volume.source
    if source not in _KNOWN:
        _KNOWN[source] = None
        if has_gradients(volume):
            try:
                table, _ = gradient_table_of(volume)
                _KNOWN[source] = table
            except SparseExplainError:
                pass  # it is said where gradients are needed
    return _KNOWN[source]
