"""`sparseexplain evaluate …`: the papers' tables, with their numbers beside ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import progress_bar
from .options import Device, Labels, Overwrite, Tables


def evaluate_sum(
    data: Annotated[
        Path, typer.Option("--data", help="Study, folder of studies, or an .npz of slices.")
    ],
    runs: Annotated[
        Path | None,
        typer.Option("--runs", help="Folder of bundles NAME-SEED; without it the shipped ones."),
    ] = None,
    out: Tables = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the added noise.")] = 0,
    labels: Labels = "",
    device: Device = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Tables 1 and 2 (Dice, IoU; clean, blur, noise) and the SDS, FDV, FDS rows of 3 and 4."""
    from ..files.atomic_write import check_free
    from ..training.evaluate.evaluate_sum import evaluate_sum_work
    from ..training.evaluate.sum_evaluation import FILES

    if out is not None:
        check_free([out / name for name in FILES], overwrite=overwrite)
    result = progress_bar.run(
        evaluate_sum_work(data, runs=runs, seed=seed, device=device, label_numbering=labels),
        "evaluation",
    )
    print(result.text())
    if out is not None:
        for path in result.save(out, overwrite=overwrite):
            print(path)


def evaluate_jf_ml_ista(
    data: Annotated[
        Path, typer.Option("--data", help="Study, folder of studies, or an .npz of slices.")
    ],
    runs: Annotated[
        Path | None,
        typer.Option("--runs", help="Folder of bundles NAME-SEED; without it the shipped ones."),
    ] = None,
    out: Tables = None,
    labels: Labels = "",
    device: Device = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Tables II and III of the JF-ML-ISTA paper: Dice by region, thresholds and step sizes."""
    from ..files.atomic_write import check_free
    from ..training.evaluate.class_evaluation import FILES
    from ..training.evaluate.evaluate_class_networks import evaluate_class_networks

    if out is not None:
        check_free([out / name for name in FILES], overwrite=overwrite)
    result = progress_bar.run(
        evaluate_class_networks(data, runs=runs, device=device, label_numbering=labels),
        "evaluation",
    )
    print(result.text())
    if out is not None:
        for path in result.save(out, overwrite=overwrite):
            print(path)
