"""From a folder of labelled slices to a bundle: read, split by patient, train, score, save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ...errors import ModelError, ParameterError
from ...networks.bundle.model import Model
from ...networks.bundle.model_card import Inputs, ModelCard
from ...networks.bundle.saving import save_bundle
from ...networks.device import choose_device
from ...progress import Progress, Work
from ...volumes.finding import Finding
from ..fit.train_bundle import claim_folder
from .evaluate_ventricle import evaluate_ventricle
from .patient_split import leaking_split, patient_folds
from .recipe import TITLES, VENTRICLE_RECIPES
from .short_axis_slices import DISPLACED, NORMALISATION, ShortAxisSlices, read_short_axis
from .slice_spacing import SPACING_MM, as_trained
from .train_ventricle import VentricleTrained, train_ventricle
from .ventricle_model import PATIENTS_KEY, patient_hashes

#: Role of the scan that the networks take.
ROLE = "cine"

CLASSES = {"0": "background", "1": "left ventricle"}


def train_ventricle_bundle(
    kind: str,
    data: str | Path,
    out: str | Path,
    *,
    seed: int = 0,
    epochs: int | None = None,
    fold: int | None = None,
    folds: int = 5,
    leaking: bool = False,
    exclude: Sequence[str] = tuple(DISPLACED),
    label: int | None = None,
    device: str = "auto",
    told: Callable[[Finding], None] | None = None,
) -> Work[ModelCard]:
    """Train a network and save it as a bundle; a training that was stopped goes on.

    Parameters
    ----------
    kind : str
        A name of `VENTRICLE_RECIPES`.
    data : str or Path
        What `find_labelled` reads.
    epochs : int, optional
        In place of the recipe's.
    fold : int, optional
        Which of ``folds`` parts of the patients is held out, from 0; trained on all when not given.
    leaking : bool
        Hold slices out at random, as the paper does: patients stand on both sides.
    label : int, optional
        Of masks with several structures the ventricle's.
    told : callable, optional
        Called with each finding of the folder before the training begins.

    Raises
    ------
    ModelError
        No such recipe or fold, or the folder holds a bundle already.
    ReadError
        The folder holds no labelled slices.
    ParameterError
        A patient that is to be left out is not there, or there are too few for folds.
    """
    if kind not in VENTRICLE_RECIPES:
        known = ", ".join(VENTRICLE_RECIPES)
        raise ModelError(f"there is no recipe {kind!r}", remedy=f"Known are {known}")
    if fold is not None and not 0 <= fold < folds:
        raise ModelError(
            f"there is no fold {fold} of {folds}", remedy=f"Choose 0 to {folds - 1} with --fold"
        )
    recipe = VENTRICLE_RECIPES[kind]
    if epochs is not None:
        recipe = replace(recipe, epochs=epochs)
    chosen = choose_device(device)
    claim_folder(Path(out))
    slices = yield from read_short_axis(data, exclude=exclude, label=label)
    if told is not None:
        for finding in slices.findings:
            told(finding)
    training, held_out = split(slices, fold=fold, folds=folds, leaking=leaking, seed=seed)
    trained = yield from train_ventricle(
        recipe,
        as_trained(training),
        None if held_out is None else as_trained(held_out),
        seed=seed,
        folder=Path(out) / "training",
        device=chosen,
        leaking=leaking,
    )
    card = ventricle_card(kind, trained, training, Path(data).name)
    if held_out is not None:
        yield Progress(0, 0, "scoring on what was held out")
        metrics = yield from _metrics(card, trained, held_out, fold, folds, leaking)
        card = replace(card, metrics=metrics)
    else:
        card = replace(
            card,
            notes=(*card.notes, "Never scored: trained on all patients of the set."),
        )
    return save_bundle(out, card, trained.network)


def split(
    slices: ShortAxisSlices, *, fold: int | None, folds: int, leaking: bool, seed: int
) -> tuple[ShortAxisSlices, ShortAxisSlices | None]:
    """What is trained on and what is held out."""
    if leaking:
        if len(slices) < folds:
            raise ParameterError(
                f"of {len(slices)} slices none is held out with {folds} folds",
                remedy="Choose fewer with --folds, or give more slices",
            )
        trained, judged = leaking_split(slices, len(slices) // folds, seed)
        return slices.subset(trained), slices.subset(judged)
    if fold is None:
        return slices, None
    # The folds are the same for every seed, so that trainings can be compared.
    parts = patient_folds(slices.patients, folds)
    others = [p for index, part in enumerate(parts) if index != fold for p in part]
    return slices.of_patients(others), slices.of_patients(parts[fold])


def ventricle_card(
    kind: str,
    trained: VentricleTrained,
    slices: ShortAxisSlices,
    data: str,
    left_out: Sequence[str] = (),
) -> ModelCard:
    """The card of a trained network; metrics and checksum are still to come.

    Parameters
    ----------
    slices : ShortAxisSlices
        That it was trained on, on their own pixels.
    data : str
        Name of the folder.
    left_out : sequence of str
        Patients that were left out beside those that the slices name.
    """
    recipe = trained.recipe
    names = dict.fromkeys((*slices.left_out, *left_out))
    seen = as_trained(slices)
    return ModelCard(
        name=kind,
        title=TITLES[kind],
        architecture=recipe.architecture,
        arguments=dict(recipe.arguments),
        task="segmentation",
        inputs=Inputs((ROLE,), NORMALISATION, SPACING_MM, max(seen.images.shape[1:]), mask="none"),
        classes=CLASSES,
        training={
            "data": f"short-axis slices of {data}",
            "slices": len(slices),
            "subjects": len(set(slices.patients)),
            PATIENTS_KEY: patient_hashes(slices.patients),
            "left out": [f"{name} ({DISPLACED.get(name, 'as asked')})" for name in names],
            "pixel size": _pixel_size(slices),
            "epochs": trained.epochs,
            "seed": trained.seed,
            "recipe": _plain(asdict(recipe)),
        },
        notes=(
            "Research only: not a medical device, never validated on patients.",
            "Takes short-axis slices of the heart (bright-blood cine); marks the cavity of the "
            "left ventricle with the papillary muscles. Atria, long axes and other contrasts were "
            "not seen.",
            *_assumed(slices),
        ),
    )


def _pixel_size(slices: ShortAxisSlices) -> str:
    if not slices.calibrated:
        return "not told by every file, none changed"
    sizes = [value for size in slices.spacings for value in size or ()]
    return f"{SPACING_MM:g} mm, resampled from {min(sizes):.3g} to {max(sizes):.3g} mm"


def _assumed(slices: ShortAxisSlices) -> list[str]:
    if slices.calibrated:
        return []
    untold = slices.spacings.count(None)
    which = "pictures" if untold == len(slices) else f"files ({untold} of {len(slices)})"
    return [f"The training {which} tell no pixel size; {SPACING_MM} mm is an assumption."]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if k not in ("architecture", "arguments")}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _metrics(
    card: ModelCard,
    trained: VentricleTrained,
    held_out: ShortAxisSlices,
    fold: int | None,
    folds: int,
    leaking: bool,
) -> Work[dict[str, Any]]:
    found = yield from evaluate_ventricle(held_out, [Model.of_network(card, trained.network)])
    where = "slices drawn at random, patients leak" if leaking else f"fold {fold} of {folds}"
    metrics: dict[str, Any] = {"held out": f"{where}: {len(set(held_out.patients))} patients"}
    for row in found.rows:
        if row.name == card.name:
            metrics |= {
                f"micro Dice, {row.choice} components": round(row.micro, 4),
                f"patient Dice, {row.choice} components": round(row.patients, 4),
            }
    return metrics
