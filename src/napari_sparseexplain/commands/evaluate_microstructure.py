"""`sparseexplain evaluate microstructure`: errors on simulated voxels, as the paper's Fig. 3."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import progress_bar


def evaluate_microstructure(
    dictionary: Annotated[
        Path | None,
        typer.Option("--dictionary", help="File of simulate; the one that ships if left out."),
    ] = None,
    voxels: Annotated[int, typer.Option("--voxels", min=10, help="Of each seed.")] = 400,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Noise and tissue anew.")] = 3,
    degrees: Annotated[
        float, typer.Option("--degrees", min=0, max=45, help="How far directions are off.")
    ] = 5.0,
) -> None:
    """Mean absolute errors of share, radius and density at SNR 25, 50 and 100."""
    from ..explanation.microstructure.shipped_dictionary import phases_of
    from ..microstructure.dictionary import dictionary_of, distinct_b
    from ..microstructure.evaluation import evaluation_work
    from ..microstructure.gradient_table import paper_protocol

    table = paper_protocol()
    made = dictionary_of(
        phases_of("" if dictionary is None else str(dictionary)), distinct_b(table)
    )
    work = evaluation_work(made, table, voxels=voxels, seeds=seeds, degrees=degrees)
    rows = progress_bar.run(work, "voxels")
    print(
        f"{voxels} voxels of each of {seeds} seeds, {len(table)} measurements, directions off by "
        f"{degrees:g}°; mean absolute error ± half of its 95 % interval over the seeds\n"
    )
    print("| SNR | directions | read | ν | r (µm) | f |\n| --- | --- | --- | --- | --- | --- |")
    for row in rows:
        cells = " | ".join(f"{mean:.3f} ± {half:.3f}" for mean, half in row.errors)
        print(f"| {row.snr:g} | {row.directions} | {row.reading} | {cells} |")
