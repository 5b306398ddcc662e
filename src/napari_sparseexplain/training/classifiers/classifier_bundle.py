"""From a folder of classes to a bundle: read, split, train, score, save."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ModelError, ParameterError
from ...networks.bundle.model import Model
from ...networks.bundle.model_card import Inputs, ModelCard
from ...networks.bundle.saving import save_bundle
from ...networks.device import choose_device
from ...progress import Progress, Work
from ...volumes.labelled.class_folder import find_class_images
from ..fit.train_bundle import claim_folder
from .class_recipe import CLASS_RECIPES, PAPER, ClassRecipe
from .class_slices import NORMALISATION, ClassSlices, read_class_slices
from .class_split import CHOOSING, ClassSplit, split_classes
from .classifier_name import name_of, title_of, variants_of
from .confounders import BLANKED, blanked_pictures
from .evaluate_classifiers import evaluate_classifiers
from .plain_classifiers import SIDE, most_alike, small_pictures
from .seen_pictures import AT_RANDOM, PICTURES
from .train_classifier import ClassifierTrained, train_classifier

#: Pixel size of the 512² slices of Cheng's set in mm; its JPEGs tell none. What is said in mm of
#: other sets is as if they were of that size: they are scaled (`Inputs.scaled`).
PIXEL_MM = 0.49
_PIXELS = 512

#: Correlation of small copies from which two pictures are nearly the same.
ALIKE = 0.995

#: Role of the scan that the networks take.
ROLE = "t1ce"


def recipe_of(
    kind: str, *, network: str | None = None, paper: bool = False, epochs: int | None = None
) -> ClassRecipe:
    """A recipe by name, changed as asked.

    Parameters
    ----------
    network : str, optional
        One of the nine known classifiers in place of the small one; fed 225 pixels a side.
    paper : bool
        With the paper's settings.

    Raises
    ------
    ModelError
        No such recipe, or boxes are to be shown to a network that has no place for it or with the
        paper's settings, which show none.
    """
    if kind not in CLASS_RECIPES:
        raise ModelError(
            f"there is no recipe {kind!r}", remedy="Known are " + ", ".join(CLASS_RECIPES)
        )
    recipe = CLASS_RECIPES[kind]
    if paper and recipe.box_weight:
        raise ModelError(
            "the paper's settings show the network no boxes",
            where=kind,
            remedy="Train tumour-classes with --paper, or this recipe without it",
        )
    if paper:
        recipe = replace(recipe, **PAPER)
        recipe = replace(recipe, arguments={**recipe.arguments, "size": recipe.size})
    if network is not None:
        if recipe.box_weight:
            raise ModelError(
                "boxes are shown to the small network alone",
                where=network,
                remedy="Train it with tumour-classes",
            )
        size = int(PAPER["size"])
        recipe = replace(
            recipe,
            architecture="known-classifier",
            arguments={"network": network, "size": size},
            size=size,
        )
    return recipe if epochs is None else replace(recipe, epochs=epochs)


def train_classifier_bundle(
    kind: str,
    data: str | Path,
    out: str | Path,
    *,
    network: str | None = None,
    paper: bool = False,
    table: str | Path | None = None,
    column: str | None = None,
    role: str = ROLE,
    at_random: bool = False,
    choose: bool = False,
    shuffled: bool = False,
    blanked: bool = False,
    seed: int = 0,
    epochs: int | None = None,
    device: str = "auto",
) -> Work[ModelCard]:
    """Train a classifier and save it as a bundle; a training that was stopped goes on.

    Parameters
    ----------
    kind : str
        A name of `CLASS_RECIPES`.
    out : str or Path
        Folder of the bundle, which is called after it (`classifier_name.name_of`).
    data : str or Path
        What `find_class_images` reads, with ``table`` and ``column``.
    network, paper, epochs
        As of `recipe_of`.
    role : str
        Of the scan in a study that the network will take.
    at_random : bool
        Slices at random, as the paper does: patients stand on both sides.
    choose : bool
        Score on the part for choosing settings, and leave those that judge alone; the part is
        then not trained on.
    shuffled : bool
        Give the pictures each other's classes: what such a network's maps show, no network learnt
        of the classes.
    blanked : bool
        Set each picture's boxes to its mean, in training and where it is scored: what such a
        network tells it tells by what lies around the finding.

    Raises
    ------
    ModelError
        No such recipe, or the folder holds a bundle already.
    ParameterError
        Boxes are to be shown and blanked at once, or are to be blanked and there are none.
    ReadError
        The folder holds no two classes.
    """
    recipe = recipe_of(kind, network=network, paper=paper, epochs=epochs)
    if blanked and recipe.box_weight:
        raise ParameterError(
            "boxes cannot be blanked and shown to the network at once",
            where=kind,
            remedy="Train tumour-classes with the boxes blanked",
        )
    chosen = choose_device(device)
    claim_folder(Path(out))
    folder = yield from find_class_images(data, table=table, column=column)
    slices = yield from read_class_slices(folder, recipe.size)
    left = 0
    training, held_out, split = parts_of(slices, choose=choose, at_random=at_random, seed=seed)
    check_held_out(held_out, choose, data)
    if blanked:
        training, held_out, left = _blanked(training, held_out, Path(data))
    if shuffled:
        order = np.random.default_rng([seed, 1]).permutation(len(training))
        training = replace(training, targets=training.targets[order])
    trained = yield from train_classifier(
        recipe, training, held_out, seed=seed, folder=Path(out) / "training", device=chosen
    )
    variants = variants_of(
        recipe, paper=paper, at_random=at_random, choose=choose, shuffled=shuffled,
        blanked=blanked, seed=seed,
    )  # fmt: skip
    name, named = name_of(kind, variants, Path(out)), Path(data).resolve().name
    card = classifier_card(kind, trained, training, named, split, role)
    title = title_of(kind, variants, training.classes, named)
    card = replace(card, name=name, title=title)
    if shuffled:
        said = "Trained on shuffled classes, as a check of maps: its answers mean nothing."
        card = replace(card, notes=(said, *card.notes))
    if blanked:
        said = (
            "Trained with the finding blanked: it tells classes by what lies around it alone. "
            f"{left} pictures without a box were left out."
        )
        card = replace(card, notes=(said, *card.notes))
    yield Progress(0, 0, "scoring on what was held out")
    model = Model.of_network(card, trained.network)
    found = yield from evaluate_classifiers(held_out, None, [model], how=split.how)
    row = found.rows[0]
    part = "to choose by" if choose else "to judge by"
    metrics: dict[str, Any] = {
        "held out": f"{len(held_out)} pictures {part}: {split.how}",
        "accuracy": round(row.accuracy, 4),
        "macro F1": round(row.macro, 4),
        "accuracy, worst class and view": round(min(v for _, v in row.cells.values()), 4),
    }
    for what in BLANKED[1:4]:
        count, share = (row.blanked or {})[what]
        if count:
            metrics[f"accuracy, {what} blanked"] = round(share, 4)
        if 0 < count < len(held_out):
            metrics[f"pictures, {what} blanked"] = count
    return save_bundle(out, replace(card, metrics=metrics), trained.network)


def _blanked(
    training: ClassSlices, held_out: ClassSlices, data: Path
) -> tuple[ClassSlices, ClassSlices, int]:
    """Both parts with the finding blanked, without pictures in which nobody drew it, and how many
    these are.

    Raises
    ------
    ParameterError
        In one of the parts nobody drew any.
    """
    parts, left = [], 0
    for part in (training, held_out):
        found = blanked_pictures(part, BLANKED[1])
        if not len(found.rows):
            raise ParameterError(
                "no picture has a box that could be blanked",
                where=data,
                remedy="Put boxes or masks beside the pictures, or train without --blanked",
            )
        left += len(part) - len(found.rows)
        parts.append(replace(part, values=found.values).subset(found.rows))
    return parts[0], parts[1], left


def parts_of(
    slices: ClassSlices, *, choose: bool = False, at_random: bool = False, seed: int = 0
) -> tuple[ClassSlices, ClassSlices, ClassSplit]:
    """What is trained on and what is held out: to judge by, or to choose settings by.

    Pictures to judge by are the same whether settings are chosen or not. Pictures to train on that
    are nearly the same as one held out are left out, and counted in ``how``; not of a split at
    random, whose leak is what it is for.

    Parameters
    ----------
    seed : int
        Of a split at random. Patients are shared out in one way: a training of another seed is
        judged by the same ones.
    """
    share = CHOOSING if choose else 0.0
    given = seed if at_random else 0
    split = split_classes(slices.images, choosing=share, at_random=at_random, seed=given)
    held = split.choosing if choose else split.judging
    # What judges is never near to what is trained on, also where settings are chosen.
    apart = np.concatenate([split.choosing, split.judging])
    if not at_random and len(held):
        alike = near_duplicates(slices, split.training, apart)
        if len(alike):
            how = f"{split.how}; {len(alike)} nearly the same as one held out are not trained on"
            split = replace(split, training=np.setdiff1d(split.training, alike), how=how)
    return slices.subset(split.training), slices.subset(held), split


def near_duplicates(
    slices: ClassSlices, rows: npt.NDArray[np.intp], others: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """Those of some pictures that are nearly the same as one of the others, or as its mirror image.

    A training mirrors pictures, so that the mirror image of one is the same to it.
    """
    ours = small_pictures(slices.subset(rows))
    theirs = small_pictures(slices.subset(others))
    mirrored = theirs.reshape(-1, SIDE, SIDE)[..., ::-1].reshape(theirs.shape)
    alike = np.maximum(most_alike(ours, theirs)[1], most_alike(ours, mirrored)[1])
    return rows[alike > ALIKE]


def check_held_out(held_out: ClassSlices, choose: bool, data: str | Path) -> None:
    """Refuse to train where nothing could be scored.

    Raises
    ------
    ParameterError
    """
    if not len(held_out):
        part = "to choose settings by" if choose else "to judge by"
        raise ParameterError(
            f"the pictures are so few that none is left {part}",
            where=Path(data),
            remedy="Give more pictures, or more patients, of each class"
            + (", or train without --choose" if choose else ""),
        )


def classifier_card(
    kind: str,
    trained: ClassifierTrained,
    slices: ClassSlices,
    data: str,
    split: ClassSplit,
    role: str,
) -> ModelCard:
    """The card of a trained classifier; metrics and checksum are still to come."""
    recipe = trained.recipe
    views = sorted({image.view for image in slices.images if image.view})
    ranges: dict[str, str] = {}
    for image in slices.images:
        if image.number is not None:
            run = ", ".join(filter(None, image.run))
            low, _, high = ranges.get(run, f"{image.number}-{image.number}").partition("-")
            ranges[run] = f"{min(int(low), image.number)}-{max(int(high), image.number)}"
    notes = [
        "Research only: not a medical device, never validated on patients.",
        "It says one of its classes of any picture, also of one without a finding.",
        "How often it is right without the finding stands in its metrics and in "
        "docs/classifiers.md: much of what it goes by is context.",
    ]
    if views:
        notes.append(f"Trained on {', '.join(views)} slices; others were not seen.")
    arguments: Mapping[str, Any] = {**recipe.arguments, "classes": len(slices.classes)}
    return ModelCard(
        name=kind,
        title=title_of(kind, (), slices.classes, data),
        architecture=recipe.architecture,
        arguments=dict(arguments),
        task="classification",
        # Training scales every picture to one size, whatever it says of millimetres.
        inputs=Inputs(
            (role,),
            NORMALISATION,
            PIXEL_MM * _PIXELS / recipe.size,
            recipe.size,
            mask="none",
            scaled=True,
        ),
        # From 1: 0 is the background of networks that have one.
        classes={str(number): name for number, name in enumerate(slices.classes, 1)},
        training={
            "data": f"pictures of {data}",
            "slices": len(slices),
            "split": split.how,
            AT_RANDOM: split.at_random,
            # By these a picture that was trained on is known again, whatever it is called.
            PICTURES: " ".join(sorted(slices.digests)),
            "views": views,
            "numbers": ranges,
            "epochs": trained.epochs,
            "seed": trained.seed,
            "recipe": _plain(asdict(recipe)),
        },
        notes=tuple(notes),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if k not in ("architecture", "arguments")}
    return value
