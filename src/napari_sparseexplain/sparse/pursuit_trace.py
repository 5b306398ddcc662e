"""What a pursuit returns and how it got there: objective, residual and sparsity, step by step."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from io import StringIO
from pathlib import Path

import torch

from ..errors import SparseExplainError
from ..files.atomic_write import write_atomically


@dataclass(frozen=True)
class TraceRow:
    """Where a pursuit stood after one iteration; sums are over all images given.

    Attributes
    ----------
    iteration : int
        From 1.
    objective : float
        What is minimised, with the multipliers that the iteration really has (λ_eff).
    residual : float
        ``‖x - reconstruction‖₂``.
    nonzero : float
        Share of codes that are not 0, in [0, 1].
    gap : float
        Certified relative duality gap, NaN where the pursuit has none.
    """

    iteration: int
    objective: float
    residual: float
    nonzero: float
    gap: float = math.nan


@dataclass(frozen=True, eq=False)
class Pursuit:
    """The end of a pursuit.

    Attributes
    ----------
    codes : tuple of Tensor, shape (B, F_l, H, W)
        ``h_0 … h_L``; one tensor for a single layer.
    reconstruction, residual : Tensor, shape (B, n, H, W)
        They add to the input.
    trace : tuple of TraceRow
    converged : bool
        It ended because of its tolerance and not of its number of iterations.
    """

    codes: tuple[torch.Tensor, ...]
    reconstruction: torch.Tensor
    residual: torch.Tensor
    trace: tuple[TraceRow, ...]
    converged: bool


def write_traces(
    traces: Mapping[str, Sequence[TraceRow]], path: Path, *, overwrite: bool = False
) -> None:
    """Write traces as CSV: the image's name, then a column a field; an unknown gap stays empty.

    Raises
    ------
    SparseExplainError
        The file is there already and ``overwrite`` is off, or cannot be written.
    """
    file = StringIO(newline="")
    writer = csv.DictWriter(file, ["image", *(f.name for f in fields(TraceRow))])
    writer.writeheader()
    for image, trace in traces.items():
        for row in trace:
            plain = {"image": image, **asdict(row)}
            if math.isnan(row.gap):
                plain["gap"] = ""
            writer.writerow(plain)
    write_atomically(path, file.getvalue(), overwrite=overwrite)


def check_images(x: torch.Tensor, channels: int | None = None) -> None:
    """Refuse what a pursuit cannot take.

    Raises
    ------
    SparseExplainError
        Not of shape (B, n, H, W) with floating values that are all finite, or of other channels.
    """
    if x.ndim != 4 or not x.is_floating_point() or x.numel() == 0:
        raise SparseExplainError(
            f"images of shape {tuple(x.shape)} and type {x.dtype} cannot be decomposed",
            remedy="Give floating (images, modalities, rows, columns)",
        )
    if channels is not None and x.shape[1] != channels:
        raise SparseExplainError(
            f"the dictionary is for {channels} modalities and there are {x.shape[1]}",
            remedy="Give the modalities that it was made for, in their order",
        )
    if not bool(torch.isfinite(x).all()):
        raise SparseExplainError(
            "the images hold NaN or infinite values", remedy="Replace them (0 outside the brain)"
        )


def check_numbers(iterations: int, **values: float) -> None:
    """Refuse fewer than one iteration, and values that are no finite number of at least 0."""
    if iterations < 1:
        raise SparseExplainError(
            f"a pursuit of {iterations} iterations computes nothing", remedy="Give at least 1"
        )
    for name, value in values.items():
        if not math.isfinite(value) or value < 0:
            raise SparseExplainError(
                f"{value} is no {name.replace('_', ' ')}",
                remedy="Give a finite number of at least 0",
            )
