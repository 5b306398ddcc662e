"""`sparseexplain phantom`: synthetic multimodal tumour studies that anyone can make."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from . import progress_bar
from .options import Out, OutFile, Overwrite


def phantom(
    out: Out,
    subjects: Annotated[int, typer.Option("--subjects", min=1, help="How many.")] = 1,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same bytes.")] = 0,
    spacing: Annotated[
        float, typer.Option("--spacing", min=0.5, max=4.0, help="Voxel size in mm.")
    ] = 1.0,
    overwrite: Overwrite = False,
) -> None:
    """Write phantoms in BraTS layout: T1, T1ce, T2, FLAIR and labels {0, 1, 2, 4}."""
    from ..phantom.studies import write_phantoms

    work = write_phantoms(
        out, subjects=subjects, seed=seed, spacing_mm=spacing, overwrite=overwrite
    )
    for folder in progress_bar.run(work, "phantoms"):
        print(folder)


def phantom_slices(
    out: OutFile,
    geometries: Annotated[
        int, typer.Option("--geometries", min=1, help="How many phantoms they are of.")
    ] = 260,
    slices: Annotated[int, typer.Option("--slices", min=1, help="How many in all.")] = 22000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same slices.")] = 0,
    roles: Annotated[
        str, typer.Option("--roles", help="Channels: t1, t1ce, t2, flair; with commas.")
    ] = "flair",
    size: Annotated[int, typer.Option("--size", min=16, help="Pixels along a side.")] = 128,
    spacing: Annotated[
        float, typer.Option("--spacing", min=0.5, max=8.0, help="Their size in mm.")
    ] = 1.875,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Processes; the slices are the same.")
    ] = max(1, (os.cpu_count() or 2) - 1),
    overwrite: Overwrite = False,
) -> None:
    """Render slices of phantoms, each as by a scanner of its own, into one file for `train`."""
    from ..training.fit.phantom_slices import write_training_slices

    work = write_training_slices(
        out,
        geometries=geometries,
        slices=slices,
        seed=seed,
        roles=[role.strip() for role in roles.split(",")],
        size=size,
        spacing_mm=spacing,
        workers=workers,
        overwrite=overwrite,
    )
    made = progress_bar.run(work, "phantom slices")
    print(out)
    print(f"slices: {len(made)}, {(made.y > 0).any(axis=(1, 2)).mean():.0%} of them with tumour")
