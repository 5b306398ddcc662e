"""`sparseexplain train left-ventricle-…`, `evaluate left-ventricle`, `search`."""

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
    Roles,
    StudyPath,
    Tables,
    TrainingSeed,
    parse_roles,
)
from .told_study import told_study

if TYPE_CHECKING:
    from ..volumes.finding import Finding

Data = Annotated[
    Path,
    typer.Option(
        "--data",
        help="Folder of short-axis slices: images/ and labels/, or DICOM files with contours.",
    ),
]
Epochs = Annotated[
    int | None, typer.Option("--epochs", min=1, help="How often each slice is seen.")
]
Fold = Annotated[
    int | None,
    typer.Option("--fold", min=0, help="Part of the patients that is held out; none if left out."),
]
Folds = Annotated[int, typer.Option("--folds", min=2, help="Parts of the patients.")]
Leaking = Annotated[
    bool,
    typer.Option(
        "--leaking", help="Hold slices out at random, so that patients leak, as in the paper."
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        help="Patient that is left out. Repeat for more. SC-N-06 if left out, whose masks are "
        "displaced; '' leaves nobody out.",
    ),
]
Label = Annotated[
    int | None,
    typer.Option("--label", min=1, help="Value of the ventricle in masks of several structures."),
]


def _tell(finding: Finding) -> None:
    progress_bar.tell(f"note: {finding.where}: {finding.message}")


def _excluded(given: list[str] | None) -> tuple[str, ...]:
    from ..training.left_ventricle.short_axis_slices import DISPLACED

    return tuple(DISPLACED) if given is None else tuple(name for name in given if name)


def _trains(kind: str, title: str) -> Callable[..., None]:
    def command(
        data: Data,
        out: NewBundle,
        seed: TrainingSeed = 0,
        epochs: Epochs = None,
        fold: Fold = None,
        folds: Folds = 5,
        leaking: Leaking = False,
        exclude: Exclude = None,
        label: Label = None,
        device: Device = "auto",
    ) -> None:
        from ..training.left_ventricle.ventricle_bundle import train_ventricle_bundle

        work = train_ventricle_bundle(
            kind, data, out, seed=seed, epochs=epochs, fold=fold, folds=folds, leaking=leaking,
            exclude=_excluded(exclude), label=label, device=device, told=_tell,
        )  # fmt: skip
        card = progress_bar.run(work, f"training {kind}")
        print(out)
        for name, value in card.metrics.items():
            print(f"{name}: {value}")
        for note in card.notes:
            print(f"note: {note}")

    command.__doc__ = (
        f"Train {title} to find the left ventricle.\n\nLog, checkpoint and the layer maps of a "
        "watched slice lie in its folder training/: a training that was stopped goes on."
    )
    return command


train_fcn = _trains("left-ventricle-fcn", "the paper's FCN")
train_unet = _trains("left-ventricle-unet", "a U-Net")
train_fcn_paper = _trains("left-ventricle-fcn-paper", "the FCN with the paper's optimiser")
train_alexnet = _trains("left-ventricle-alexnet", "AlexNet-FCN from scratch, the paper's baseline,")


def evaluate_left_ventricle(
    data: Data,
    models: ModelNames = None,
    patients: Annotated[
        list[str] | None,
        typer.Option("--patient", help="Only these patients. Repeat for more."),
    ] = None,
    fold: Fold = None,
    folds: Folds = 5,
    exclude: Exclude = None,
    label: Label = None,
    out: Tables = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Dice beside accuracy, contours, and what is found where there is no ventricle."""
    from ..errors import ParameterError
    from ..files.atomic_write import check_free
    from ..training.left_ventricle.evaluate_ventricle import evaluate_ventricle
    from ..training.left_ventricle.patient_split import patient_folds
    from ..training.left_ventricle.short_axis_slices import read_short_axis
    from ..training.left_ventricle.ventricle_tables import FILES

    if out is not None:
        check_free([out / name for name in FILES], overwrite=overwrite)
    work = read_short_axis(data, exclude=_excluded(exclude), label=label)
    slices = progress_bar.run(work, "reading")
    if fold is not None:
        if fold >= folds:
            raise ParameterError(
                f"there is no fold {fold} of {folds}", remedy=f"Choose 0 to {folds - 1} with --fold"
            )
        slices = slices.of_patients(patient_folds(slices.patients, folds)[fold])
    if patients:
        absent = sorted(set(patients) - set(slices.patients))
        if absent:
            raise ParameterError(
                f"there is no patient {absent[0]!r} among the slices",
                remedy="There are " + ", ".join(dict.fromkeys(slices.patients)),
            )
        slices = slices.of_patients(patients)
    for finding in slices.findings:
        _tell(finding)
    names = models or ["left-ventricle-fcn", "left-ventricle-unet"]
    result = progress_bar.run(evaluate_ventricle(slices, names, device=device), "evaluation")
    print(result.text())
    if out is not None:
        for path in result.save(out, overwrite=overwrite):
            print(path)


search = typer.Typer(no_args_is_help=True, help="Search the settings of a training.")


@search.callback()
def _search() -> None:
    """Search the settings of a training."""


@search.command("left-ventricle")
def search_left_ventricle(
    data: Data,
    out: Annotated[Path, typer.Option("--out", help="Folder of the search; one there goes on.")],
    kind: Annotated[
        str, typer.Option("--recipe", help="Whose architecture is searched for.")
    ] = "left-ventricle-fcn",
    trials: Annotated[
        int, typer.Option("--trials", min=2, help="Settings of the first round.")
    ] = 12,
    epochs: Annotated[
        int, typer.Option("--epochs", min=1, help="Epochs of the first round; doubled each round.")
    ] = 2,
    patients: Annotated[
        int, typer.Option("--patients", min=3, help="How many are used; a third is held out.")
    ] = 15,
    seed: TrainingSeed = 0,
    exclude: Exclude = None,
    label: Label = None,
    device: Device = "auto",
) -> None:
    """Learning rate, decay, steps and epochs of a left-ventricle network, by successive halving.

    A search that was stopped goes on in its folder. Trials are written there as JSON after each
    step, and at the end as a picture of parallel coordinates (trials.png).
    """
    from ..layers.plots.trials_plot import save_trials_picture
    from ..networks.device import choose_device
    from ..training.left_ventricle.parameter_search import (
        TRIALS_PICTURE,
        search_work,
        trials_table,
    )
    from ..training.left_ventricle.short_axis_slices import read_short_axis
    from ..training.left_ventricle.slice_spacing import as_trained

    given = read_short_axis(data, exclude=_excluded(exclude), label=label)
    slices = progress_bar.run(given, "reading")
    for finding in slices.findings:
        _tell(finding)
    work = search_work(
        kind, as_trained(slices), out, trials=trials, first_epochs=epochs, patients=patients,
        seed=seed, device=choose_device(device),
    )  # fmt: skip
    found = progress_bar.run(work, f"searching {kind}")
    print(trials_table(found))
    print(save_trials_picture(found, out / TRIALS_PICTURE))


def cine(
    study_path: StudyPath,
    models: ModelNames = None,
    roles: Roles = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write figures and areas into this folder.")
    ] = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Area and volume of the left ventricle over the cycle: EDV, ESV, EF. Research figures."""
    from ..files.atomic_write import check_free
    from ..networks.bundle.loading import load_model
    from ..training.left_ventricle.cine_tables import cine_text, save_cine
    from ..training.left_ventricle.cine_volumes import cine_volumes

    if out is not None:
        check_free([out / "cine.txt", out / "cine.csv"], overwrite=overwrite)
    study = told_study(study_path, roles=parse_roles(roles))
    names = models or ["left-ventricle-fcn", "left-ventricle-unet"]
    loaded = [load_model(name, device=device) for name in dict.fromkeys(names)]
    found = progress_bar.run(cine_volumes(study, loaded), "cine")
    print(cine_text(found))
    if out is not None:
        for path in save_cine(out, found, overwrite=overwrite):
            print(path)


def left_ventricle_mass(
    data: Annotated[
        Path, typer.Option("--data", help="Folder of DICOM files with inner and outer contours.")
    ],
) -> None:
    """Mass of the left ventricle's muscle from inner and outer contours. Research figures."""
    from ..training.left_ventricle.ventricle_mass import mass_text, ventricle_masses

    print(mass_text(progress_bar.run(ventricle_masses(data), "mass")))
