"""`sparseexplain train tumour-classes…`, `evaluate classifiers`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import progress_bar
from .options import (
    Device,
    ModelNames,
    NewBundle,
    Overwrite,
    Tables,
    TrainingSeed,
    parse_parameters,
)

if TYPE_CHECKING:
    from ..networks.bundle.model import Model
    from ..training.classifiers.class_slices import ClassSlices

#: Models where none is named.
SHIPPED = ("tumour-classes", "tumour-classes-boxes")

Data = Annotated[
    Path, typer.Option("--data", help="Folder with a folder of pictures for each class.")
]
Network = Annotated[
    str | None,
    typer.Option("--network", help="One of the nine known classifiers in place of the small one."),
]
Paper = Annotated[
    bool, typer.Option("--paper", help="With the paper's settings: SGD, 20 epochs, 225 pixels.")
]
Table = Annotated[
    Path | None, typer.Option("--csv", help="Table that says the class of each picture.")
]
Cards = Annotated[
    list[Path] | None,
    typer.Option(
        "--card",
        help="Card (JSON) of a TorchScript or .pt2 file or MONAI bundle among the models. Repeat, "
        "in their order.",
    ),
]
Column = Annotated[
    str | None, typer.Option("--column", help="Column of the table that holds the class.")
]
AtRandom = Annotated[
    bool,
    typer.Option(
        "--at-random", help="Split slices at random, so that patients leak, as in the paper."
    ),
]
Choose = Annotated[
    bool,
    typer.Option(
        "--choose", help="Score on the part for choosing settings; that to judge is left."
    ),
]
Epochs = Annotated[
    int | None, typer.Option("--epochs", min=1, help="How often each picture is seen.")
]


def _trains(kind: str, title: str) -> Callable[..., None]:
    def command(
        data: Data,
        out: NewBundle,
        network: Network = None,
        paper: Paper = False,
        csv: Table = None,
        column: Column = None,
        role: Annotated[
            str, typer.Option("--role", help="Role of the scan that the network will take.")
        ] = "t1ce",
        at_random: AtRandom = False,
        choose: Choose = False,
        shuffled: Annotated[
            bool,
            typer.Option("--shuffled", help="On shuffled classes: a check of maps, no classifier."),
        ] = False,
        blanked: Annotated[
            bool,
            typer.Option("--blanked", help="With each box blanked: how much tells what is around?"),
        ] = False,
        seed: TrainingSeed = 0,
        epochs: Epochs = None,
        device: Device = "auto",
    ) -> None:
        from ..training.classifiers.classifier_bundle import train_classifier_bundle

        work = train_classifier_bundle(
            kind, data, out, network=network, paper=paper, table=csv, column=column, role=role,
            at_random=at_random, choose=choose, shuffled=shuffled, blanked=blanked, seed=seed,
            epochs=epochs, device=device,
        )  # fmt: skip
        card = progress_bar.run(work, f"training {kind}")
        print(out)
        for name, value in card.metrics.items():
            print(f"{name}: {value}")
        for note in card.notes:
            print(f"note: {note}")

    command.__doc__ = (
        f"Train {title}.\n\nLog and checkpoint lie in its folder training/: a training that was "
        "stopped goes on."
    )
    return command


train_classes = _trains("tumour-classes", "a classifier of slices on their classes alone")
train_classes_boxes = _trains(
    "tumour-classes-boxes", "a classifier of slices that is also shown where the finding lies"
)


def _read(
    data: Path,
    names: list[str],
    cards: list[Path] | None,
    table: Path | None,
    column: str | None,
    device: str,
) -> tuple[ClassSlices, list[Model]]:
    """Pictures at the size that the first model is fed, and the models."""
    from ..networks.bundle.loading import load_model
    from ..training.classifiers.class_slices import read_class_slices
    from ..volumes.labelled.class_folder import find_class_images

    given = _cards(names, cards or [])
    loaded = [load_model(name, device=device, card=given.get(name)) for name in names]
    # Each is fed by its own card later; what needs no network sees them as the first one does.
    size = int(loaded[0].card.inputs.size)
    folder = progress_bar.run(find_class_images(data, table=table, column=column), "looking")
    slices = progress_bar.run(read_class_slices(folder, size), "reading")
    for finding in slices.findings:
        print(f"note: {finding.words()}")
    return slices, loaded


def _cards(names: list[str], cards: list[Path]) -> dict[str, Path]:
    """Which card belongs to which of the models that bring none of their own.

    Raises
    ------
    ModelError
        There are more or fewer cards.
    """
    from ..errors import ModelError
    from ..networks.bundle.loading import CARD_FILE

    if not cards:
        return {}
    without = [
        name
        for name in names
        if Path(name).exists()
        and Path(name).suffix != ".safetensors"
        and Path(name).name != CARD_FILE
        and not (Path(name) / CARD_FILE).is_file()
    ]
    if len(without) != len(cards):
        raise ModelError(
            f"of the models {len(without)} bring no card, and {len(cards)} cards are given",
            remedy="Give a --card for each of these, in their order",
        )
    return dict(zip(without, cards, strict=True))


def evaluate_classifiers_command(
    data: Data,
    models: ModelNames = None,
    card: Cards = None,
    csv: Table = None,
    column: Column = None,
    every: Annotated[
        bool,
        typer.Option("--all", help="Judge on all pictures of the folder, none of which was seen."),
    ] = False,
    at_random: AtRandom = False,
    choose: Choose = False,
    seed: TrainingSeed = 0,
    out: Tables = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Accuracy by class and view, beside what sees little of a picture; with parts blanked."""
    import numpy as np

    from ..files.atomic_write import check_free
    from ..training.classifiers.classifier_bundle import parts_of
    from ..training.classifiers.evaluate_classifiers import FILES, evaluate_classifiers
    from ..training.classifiers.seen_pictures import without_seen

    if out is not None:
        check_free([out / name for name in FILES], overwrite=overwrite)
    slices, loaded = _read(data, models or list(SHIPPED), card, csv, column, device)
    training, rows, how = None, np.arange(len(slices)), "all of the folder"
    if not every:
        training, _, split = parts_of(slices, choose=choose, at_random=at_random, seed=seed)
        rows, how = (split.choosing if choose else split.judging), split.how
    rows, notes = without_seen(slices, rows, [model.card for model in loaded])
    judged, how = slices.subset(rows), "; ".join((how, *notes))
    work = evaluate_classifiers(judged, training, loaded, how=how, device=device)
    result = progress_bar.run(work, "evaluation")
    print(result.text())
    if out is not None:
        for path in result.save(out, overwrite=overwrite):
            print(path)


def compare_attribution(
    data: Annotated[
        Path,
        typer.Argument(help="Folder with a folder of pictures for each class; boxes or masks."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of the study; one there goes on.")],
    models: ModelNames = None,
    methods: Annotated[
        str, typer.Option("--methods", help="Names with commas between; see `methods`.")
    ] = "vanilla-gradient,smoothgrad,integrated-gradients,blur-ig,grad-cam,xrai",
    count: Annotated[
        int, typer.Option("--count", min=2, help="Pictures, as many of each class as can be.")
    ] = 30,
    card: Cards = None,
    csv: Table = None,
    column: Column = None,
    every: Annotated[
        bool, typer.Option("--all", help="From all pictures of the folder, none of which was seen.")
    ] = False,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE for the methods that have it. Repeat for more."),
    ] = None,
    seed: TrainingSeed = 0,
    device: Device = "auto",
) -> None:
    """Do the maps of several methods point at the finding? Beside maps that know nothing.

    Records are written one by one: a study that was stopped at any moment goes on in its folder.
    """
    import numpy as np

    from ..layers.plots.study_plots import save_curves, save_panels
    from ..training.classifiers.attribution_study import attribution_study, study_pictures
    from ..training.classifiers.classifier_bundle import parts_of
    from ..training.classifiers.seen_pictures import without_seen
    from ..training.classifiers.study_pictures import panel_parts
    from ..training.classifiers.study_summary import summarise

    slices, loaded = _read(data, models or list(SHIPPED), card, csv, column, device)
    rows, how = np.arange(len(slices)), "from all of the folder"
    if not every:
        _, _, split = parts_of(slices)
        rows, how = split.judging, f"to judge by: {split.how}"
    rows, notes = without_seen(slices, rows, [model.card for model in loaded])
    print(f"pictures {'; '.join((how, *notes))}")
    slices = slices.subset(rows)
    slices = slices.subset(study_pictures(slices, count, seed))
    names = [name.strip() for name in methods.split(",") if name.strip()]
    work = attribution_study(
        slices, loaded, names, out, parameters=parse_parameters(parameter), seed=seed, notes=notes
    )
    records = progress_bar.run(work, "study")
    summary = summarise(records, seed=seed, how=how, notes=notes)
    print(summary.text())
    for path in summary.save(out):
        print(path)
    print(save_curves(records, out / "curves.png"))
    print(save_panels(out / "panels.png", *panel_parts(slices, records, out)))


def embed(
    data: Data,
    out: Annotated[Path, typer.Option("--out", help="Folder of the table and the picture.")],
    model: Annotated[
        str, typer.Option("--model", help="Bundle by name or folder.")
    ] = "tumour-classes",
    card: Cards = None,
    csv: Table = None,
    column: Column = None,
    colour: Annotated[
        str, typer.Option("--colour", help="By class, view, side, correctness or confidence.")
    ] = "class",
    seed: TrainingSeed = 0,
    device: Device = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Pictures as points by t-SNE: by their pixels, and by the network's layer before the last."""
    from ..files.atomic_write import check_free
    from ..layers.plots.embedding_plot import colours_by, save_embedding_picture
    from ..training.classifiers.classifier_bundle import parts_of
    from ..training.classifiers.picture_embedding import picture_embeddings, save_embeddings
    from ..training.classifiers.seen_pictures import sides_for

    files = [out / name for name in ("embedding.csv", "embedding.txt", "embedding.png")]
    check_free(files, overwrite=overwrite)
    slices, (loaded,) = _read(data, [model], card, csv, column, device)
    _, _, split = parts_of(slices)
    sides, note = sides_for(slices, split, loaded.card)
    if note:
        print(note)
    work = picture_embeddings(slices, loaded, sides=sides, seed=seed)
    found = progress_bar.run(work, "embedding")
    shades = colours_by(found, colour)
    print(found.text())
    for path in save_embeddings(out, found, overwrite=overwrite):
        print(path)
    print(save_embedding_picture(found, shades, files[2]))
