"""`sparseexplain simulate`: the dictionary of signals that microstructure is read from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import progress_bar
from .options import Device, Overwrite


def simulate(
    out: Annotated[Path, typer.Option("--out", help="Dictionary to write (.npz).")],
    protocol: Annotated[
        Path | None,
        typer.Option(
            "--protocol",
            help="Diffusion scan, bval or scheme file that tells the timings; the Human Connectome "
            "Project's MGH-USC protocol if left out.",
        ),
    ] = None,
    small_delta: Annotated[
        float | None,
        typer.Option("--small-delta", min=0.1, max=200, help="Length of a gradient pulse δ, ms."),
    ] = None,
    big_delta: Annotated[
        float | None,
        typer.Option("--big-delta", min=0.1, max=500, help="Between the pulses' starts Δ, ms."),
    ] = None,
    echo_time: Annotated[
        float | None, typer.Option("--echo-time", min=0, max=500, help="TE, ms.")
    ] = None,
    spins: Annotated[
        int, typer.Option("--spins", min=100, help="Of each walk; error falls with its root.")
    ] = 10_000,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Same seed and kind of device, same dictionary.")
    ] = 0,
    device: Device = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Walk water inside and between axons; any gradients at the same timings follow from it.

    Hours with the 816 walks of the default: what is finished is kept beside the file, and the same
    command goes on there. On a graphics card many walks are made together, and the same seed gives
    other walks than on the CPU.
    """
    from ..files.atomic_write import refuse_existing
    from ..microstructure.protocol.chosen_timings import chosen_timings
    from ..microstructure.tissue import Tissue
    from ..microstructure.walks.phases_file import save_phases
    from ..microstructure.walks.simulation import forget_parts, simulate_work
    from ..networks.tissue.torch_walk import walker_on

    refuse_existing(out, overwrite)
    timings = chosen_timings(protocol, small_delta, big_delta, echo_time)
    parts = out.with_name(f"{out.name}.parts")
    walker, where = walker_on(device)
    work = simulate_work(Tissue(), timings, spins=spins, seed=seed, parts=parts, walker=walker)
    phases = progress_bar.run(work, "walks")
    save_phases(phases, out, overwrite=overwrite)
    forget_parts(parts)
    print(out)
    worst = float(phases.standard_error(float(timings.strength(3000.0))).max())
    print(f"device: {where}")
    print(f"walks: {phases.inside.shape[0] + phases.outside.shape[0] * phases.outside.shape[1]}")
    print(f"largest standard error of a signal across the fibres at b = 3000 s/mm²: {worst:.2g}")
