"""`sparseexplain train microstructure-hybrid` and `-learned`: networks that read tissue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import progress_bar
from .options import Overwrite

if TYPE_CHECKING:
    from ..networks.tissue.tissue_card import TissueNetworkKind

Out = Annotated[Path, typer.Option("--out", help="Folder of the new network.")]
Protocol = Annotated[
    Path | None,
    typer.Option(
        "--protocol",
        help="Study with the diffusion scan whose gradients are meant; if left out the shells of "
        "the MGH-USC protocol, 552 measurements along directions of our own.",
    ),
]
OwnDictionary = Annotated[
    Path | None,
    typer.Option("--dictionary", help="File of simulate; the one that ships if left out."),
]
Count = Annotated[
    int | None, typer.Option("--samples", min=1000, help="Simulated voxels (default: 400,000).")
]
Epochs = Annotated[
    int | None, typer.Option("--epochs", min=1, help="How often each is seen (default: 30).")
]
SmallDelta = Annotated[
    float,
    typer.Option(
        "--small-delta", min=0, max=200, help="δ in ms where the files tell none (--protocol)."
    ),
]
BigDelta = Annotated[
    float,
    typer.Option(
        "--big-delta", min=0, max=500, help="Δ in ms where the files tell none (--protocol)."
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of voxels, weights and order.")]


def _trains(kind: TissueNetworkKind, title: str) -> Callable[..., None]:
    def command(
        out: Out,
        protocol: Protocol = None,
        dictionary: OwnDictionary = None,
        samples: Count = None,
        epochs: Epochs = None,
        seed: Seed = 0,
        small_delta: SmallDelta = 0.0,
        big_delta: BigDelta = 0.0,
        overwrite: Overwrite = False,
    ) -> None:
        from dataclasses import replace

        from ..explanation.microstructure.shipped_dictionary import phases_of
        from ..files.atomic_write import refuse_existing
        from ..microstructure.dictionary import dictionary_of, distinct_b
        from ..microstructure.gradient_table import paper_protocol
        from ..training.fit.train_tissue_network import TISSUE_RECIPES, train_tissue_network

        refuse_existing(out, overwrite)
        if protocol is None:
            table = paper_protocol()
        else:
            from ..explanation.microstructure.diffusion_scan import diffusion_scan
            from ..volumes import open_study

            table = diffusion_scan(
                open_study(protocol), small_delta=small_delta, big_delta=big_delta, resampled=True
            ).table
        made = dictionary_of(
            phases_of("" if dictionary is None else str(dictionary)), distinct_b(table)
        )
        recipe = TISSUE_RECIPES[kind]
        count = samples or recipe.samples
        recipe = replace(
            recipe,
            samples=count,
            held_back=min(recipe.held_back, count),
            epochs=epochs or recipe.epochs,
        )
        work = train_tissue_network(kind, made, table, out, recipe=recipe, seed=seed)
        card = progress_bar.run(work, f"training {kind}")
        print(out)
        nu, r, f = card.errors
        print(f"mean absolute errors in voxels that were held back: ν {nu:.4f}, r {r:.4f} µm, "
              f"f {f:.4f}")  # fmt: skip

    command.__doc__ = (
        f"Train {title} on simulated voxels.\n\nSamples and checkpoints are kept beside the "
        "folder: a training that was stopped goes on."
    )
    return command


train_hybrid = _trains("hybrid", "the network that reads the sparse projection of a voxel")
train_learned = _trains("learned", "the network that reads the measurements of a voxel")
