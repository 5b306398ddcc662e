"""`sparseexplain phantom`: synthetic multimodal tumour studies that anyone can make."""

from __future__ import annotations

from typing import Annotated

import typer

from . import progress_bar
from .options import Out


def phantom(
    out: Out,
    subjects: Annotated[int, typer.Option("--subjects", min=1, help="How many.")] = 1,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same bytes.")] = 0,
    spacing: Annotated[
        float, typer.Option("--spacing", min=0.5, max=4.0, help="Voxel size in mm.")
    ] = 1.0,
) -> None:
    """Write phantoms in BraTS layout: T1, T1ce, T2, FLAIR and labels {0, 1, 2, 4}."""
    from ..volumes.phantom import write_phantoms

    work = write_phantoms(out, subjects=subjects, seed=seed, spacing_mm=spacing)
    for folder in progress_bar.run(work, "phantoms"):
        print(folder)
