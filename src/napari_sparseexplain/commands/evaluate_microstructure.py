"""`sparseexplain evaluate microstructure`: Table 1, Figs. 3 and 4 of the paper, measured here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import progress_bar

if TYPE_CHECKING:
    from ..microstructure.evaluation import ErrorRow, Robustness
    from ..training.evaluate.tissue_evaluation import TimeRow


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
    off_grid: Annotated[
        bool,
        typer.Option(
            "--off-grid", help="Also with tissues that lie between the atoms, walked for it."
        ),
    ] = False,
    other_protocol: Annotated[
        bool,
        typer.Option(
            "--other-protocol",
            help="Also with fewer and other measurements, without another training.",
        ),
    ] = False,
    networks: Annotated[
        bool, typer.Option("--networks/--no-networks", help="Hybrid and learned beside the search.")
    ] = True,
    hybrid: Annotated[
        Path | None, typer.Option("--hybrid", help="Folder of a network; the one that ships.")
    ] = None,
    learned: Annotated[
        Path | None, typer.Option("--learned", help="Folder of a network; the one that ships.")
    ] = None,
    times: Annotated[bool, typer.Option("--times", help="Measure the time of a voxel.")] = False,
    layers: Annotated[
        Path | None,
        typer.Option("--layers", help="Picture (.png) of what each layer tells apart, by t-SNE."),
    ] = None,
) -> None:
    """Mean absolute errors of share, radius and density at SNR 25, 50 and 100."""
    if (times or layers is not None) and not networks:
        raise typer.BadParameter(
            "times and layers are those of the networks: leave --no-networks out",
            param_hint="--no-networks",
        )
    if layers is not None and layers.suffix.lower() != ".png":
        raise typer.BadParameter("the picture's name must end in .png", param_hint="--layers")

    from ..explanation.microstructure.shipped_dictionary import phases_of
    from ..microstructure.dictionary import dictionary_of, distinct_b
    from ..microstructure.evaluation import evaluation_work
    from ..microstructure.gradient_table import HCP_MGH, paper_protocol, shell_protocol
    from ..microstructure.walks.off_grid_tissue import off_grid_phases_work
    from ..training.evaluate.tissue_evaluation import (
        network_readers,
        networks_for,
        time_work,
    )

    table = paper_protocol()
    phases = phases_of("" if dictionary is None else str(dictionary))
    made = dictionary_of(phases, distinct_b(table))
    pair = networks_for(made, hybrid or "", learned or "") if networks else None
    if networks and pair is None:
        print("The networks were trained with other atoms than this dictionary's: left out.\n")
    readers = [] if pair is None else network_readers(pair, made, table)
    common = {"voxels": voxels, "seeds": seeds, "degrees": degrees}

    work = evaluation_work(made, table, readers=readers, **common)
    print_errors("Truth on the grid of the dictionary", progress_bar.run(work, "voxels"), **common)
    if off_grid:
        tissue = progress_bar.run(off_grid_phases_work(made.tissue, made.timings), "walks")
        truth = dictionary_of(tissue, distinct_b(table))
        work = evaluation_work(made, table, truth=truth, readers=readers, **common)
        rows = progress_bar.run(work, "voxels")
        print_errors("Truth between the atoms, of walks of its own", rows, **common)
    if other_protocol:
        other = shell_protocol([(0, 10), (700, 30), (2500, 60), (6500, 80)], HCP_MGH, seed=50)
        again = dictionary_of(phases, distinct_b(other))
        readers = [] if pair is None else network_readers(pair, again, other)
        work = evaluation_work(again, other, readers=readers, **common)
        rows = progress_bar.run(work, "voxels")
        title = "Another protocol: 10 at b = 0, 30 at 700, 60 at 2500, 80 at 6500 s/mm²"
        print_errors(title, rows, **common)
    if times and pair is not None:
        print_times(progress_bar.run(time_work(pair, made, table), "times"))
    if layers is not None and pair is not None:
        from ..training.evaluate.tissue_layers import layer_embeddings_work, save_layer_picture

        found = progress_bar.run(layer_embeddings_work(*pair, made, table), "layers")
        print("| network | layer | r | f | ν |\n| --- | --- | --- | --- | --- |")
        for layer in found.layers:
            told = " | ".join(f"{value:.2f}" for value in layer.told)
            print(f"| {layer.network} | {layer.layer} | {told} |")
        print(f"\n{save_layer_picture(found, layers)}")


def print_errors(
    title: str, rows: Sequence[ErrorRow], *, voxels: int, seeds: int, degrees: float
) -> None:
    """The table of errors, and which way bears wrong directions better."""
    from ..microstructure.evaluation import BEST_PAIR, POSTERIOR_MEAN, robustness
    from ..training.evaluate.tissue_evaluation import HYBRID

    print(
        f"{title}. {voxels} voxels of each of {seeds} seeds, directions off by {degrees:g}°; mean "
        "absolute error ± half of its 95 % interval over the seeds\n"
    )
    print("| SNR | directions | read | ν | r (µm) | f |\n| --- | --- | --- | --- | --- | --- |")
    for row in rows:
        cells = " | ".join(_with_half(mean, half) for mean, half in row.errors)
        print(f"| {row.snr:g} | {row.directions} | {row.reading} | {cells} |")
    print()
    if any(row.reading == HYBRID for row in rows):
        print("How much less the hybrid's errors grow with wrong directions, voxel by voxel:\n")
        print("| SNR | than those of | ν | r (µm) | f |\n| --- | --- | --- | --- | --- |")
        for other in (BEST_PAIR, POSTERIOR_MEAN):
            for compared in robustness(rows, HYBRID, other):
                print(_robustness_line(compared))
        print()


def _with_half(mean: float, half: float) -> str:
    """Of one seed there is no interval."""
    return f"{mean:.3f} ± {half:.3f}" if half == half else f"{mean:.3f}"


def _robustness_line(compared: Robustness) -> str:
    cells = " | ".join(f"{mean:+.3f} ± {half:.3f}" for mean, half in compared.differences)
    return f"| {compared.snr:g} | {compared.other} | {cells} |"


def print_times(rows: Sequence[TimeRow]) -> None:
    """Table 1."""
    import numba
    import torch

    print(f"Time of a voxel on {numba.get_num_threads()} threads of numba and "
          f"{torch.get_num_threads()} of torch\n")  # fmt: skip
    print("| way | here | the paper |\n| --- | --- | --- |")
    for row in rows:
        paper = "" if row.paper is None else f"{1e3 * row.paper:.3g} ms"
        print(f"| {row.name} | {1e3 * row.seconds:.3g} ms | {paper} |")
    print()
