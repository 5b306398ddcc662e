"""Which pictures a classifier was trained on, as its card tells: these must not judge it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from ...networks.bundle.model_card import ModelCard
from .class_slices import ClassSlices
from .class_split import ClassSplit, sides_of

#: Of a card's training: the digests of the pictures, and whether they were drawn at random.
PICTURES, AT_RANDOM = "pictures", "at random"

#: How the note of pictures that a model has seen begins.
SEEN = "⚠ Seen in training: "

_RANGE = re.compile(r"(\d{1,18})-(\d{1,18})")


def seen_pictures(card: ModelCard | None, slices: ClassSlices) -> npt.NDArray[np.bool_]:
    """Which pictures a model was trained on, or others of their patients; shape (N,).

    By the digests in its card. An older card tells the range of numbers in each run of one class
    and view, which counts in a folder of the same name alone: other sets have these numbers too.
    Where slices were drawn at random the ranges span those that were not drawn as well, and tell
    nothing (`is_untold`). A card that tells neither leaves all as unseen.
    """
    seen = np.zeros(len(slices), dtype=np.bool_)
    if card is None:
        return seen
    told = card.training.get(PICTURES)
    if isinstance(told, str) and slices.digests:
        known = set(told.split())
        seen[:] = [digest in known for digest in slices.digests]
    elif isinstance(ranges := card.training.get("numbers"), dict) and not drawn_at_random(card):
        name = _folder_of(card)
        for row, image in enumerate(slices.images):
            run = ", ".join(filter(None, image.run))
            found = _RANGE.fullmatch(str(ranges.get(run, "")))
            if found and image.number is not None and name in image.path.absolute().parts:
                seen[row] = int(found[1]) <= image.number <= int(found[2])
    patients = {slices.images[row].patient for row in np.flatnonzero(seen)} - {""}
    return seen | np.array([image.patient in patients for image in slices.images], dtype=np.bool_)


def is_untold(card: ModelCard, slices: ClassSlices) -> bool:
    """Whether a model was trained on some of the pictures, and nobody can tell on which.

    An older card of slices drawn at random, without digests, in a folder of the name of its set; of
    one that does not name its set in any.
    """
    if isinstance(card.training.get(PICTURES), str) or not drawn_at_random(card):
        return False
    name = _folder_of(card)
    return not name or any(name in image.path.absolute().parts for image in slices.images)


def _folder_of(card: ModelCard) -> str:
    """Name of the folder that a model was trained on; empty where its card does not tell."""
    return str(card.training.get("data", "")).removeprefix("pictures of ")


def without_seen(
    slices: ClassSlices,
    rows: Sequence[int] | npt.NDArray[np.intp],
    cards: Iterable[ModelCard],
) -> tuple[npt.NDArray[np.intp], tuple[str, ...]]:
    """Of the pictures that are to judge models, those that none of them was trained on.

    Returns
    -------
    rows : ndarray of int
    notes : tuple of str
        A sentence for each model that lost pictures, or whose pictures were drawn at random; of one
        whose card does not tell which these were (`is_untold`) none is lost.

    Raises
    ------
    ParameterError
        None is left.
    """
    chosen = np.asarray(rows, dtype=np.intp)
    left = np.ones(len(chosen), dtype=np.bool_)
    notes = []
    for card in cards:
        seen = seen_pictures(card, slices)
        if count := int(seen[chosen].sum()):
            notes.append(
                f"{count} of the {len(chosen)} are left out, as {card.name} was trained on them or "
                "on others of their patients"
            )
        if is_untold(card, slices):
            notes.append(
                f"{card.name} was trained on slices of this set drawn at random, and its card does "
                "not tell which: it cannot be told how many of those that judge it it was trained "
                "on, and its figures are too good"
            )
        elif seen.any() and drawn_at_random(card):
            notes.append(
                f"{card.name} was trained on slices drawn at random, so that patients of those "
                "that judge it were trained on too: its figures are too good"
            )
        left &= ~seen[chosen]
    if len(chosen) and not left.any():
        raise ParameterError(
            "no picture is left to judge by: " + "; ".join(notes),
            remedy="Give pictures that the models have not seen, or judge fewer models together",
        )
    return chosen[left], tuple(notes)


def sides_for(
    slices: ClassSlices, split: ClassSplit, card: ModelCard | None
) -> tuple[tuple[str, ...], str]:
    """The part that each picture is in, where those a model was trained on count as training.

    Returns
    -------
    sides : tuple of str
        As of `sides_of`.
    note : str
        What a person must know; empty where the model has seen none of the others.
    """
    seen = seen_pictures(card, slices)
    sides = sides_of(split, len(slices))
    wrong = [row for row in np.flatnonzero(seen) if sides[row] != "training"]
    if card is not None and is_untold(card, slices):
        note = (
            f"{SEEN}{card.title or card.name} was trained on slices of this set drawn at random, "
            "and its card does not tell which: it cannot be told which of those to judge by are "
            "among them, and its figures are too good"
        )
        return sides, note
    if card is None or not wrong:
        return sides, ""
    told = tuple("training" if seen[row] else side for row, side in enumerate(sides))
    drawn = ", on slices drawn at random" if drawn_at_random(card) else ""
    note = (
        f"{SEEN}{card.title or card.name} was trained on {len(wrong)} of the pictures that are not "
        f"for training by this split{drawn}; they count as training here"
    )
    return told, note


def drawn_at_random(card: ModelCard) -> bool:
    """Whether a model was trained on slices drawn at random, as far as its card tells."""
    told = card.training.get(AT_RANDOM)
    return bool(told) or str(card.training.get("split", "")).startswith("slices at random")
