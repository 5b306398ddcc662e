"""dipy, which comes with an extra: its modules, or one error that says how to install it."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.util import find_spec
from typing import Any

from ...errors import SparseExplainError
from ..gradient_table import B0_MOST, GradientTable


def has_dipy() -> bool:
    """Whether dipy is installed; nothing of it is imported."""
    return find_spec("dipy") is not None


@cache
def dipy_module(name: str) -> Any:
    """A module of dipy, as ``"reconst.dti"``.

    Raises
    ------
    SparseExplainError
        dipy is not installed.
    """
    if not has_dipy():
        raise SparseExplainError(
            "tensors, peaks and noise of a diffusion scan are computed by dipy, which is not "
            "installed",
            where="dipy",
            remedy="Install the extra: pip install 'napari-sparseexplain[diffusion]'",
        )
    return importlib.import_module(f"dipy.{name}")


def dipy_gradients(table: GradientTable) -> Any:
    """The table as dipy's own."""
    gradients = dipy_module("core.gradients")
    return gradients.gradient_table(table.b, bvecs=table.directions, b0_threshold=B0_MOST)


def rows_of(table: GradientTable, rows: Any) -> GradientTable:
    """Some of the measurements."""
    return GradientTable(table.b[rows], table.directions[rows], table.timings)
