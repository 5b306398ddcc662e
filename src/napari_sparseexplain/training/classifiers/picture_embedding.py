"""Pictures as points in the plane: by their pixels, and by what a network makes of them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from ...errors import ParameterError
from ...explanation.embedding.embedding_quality import (
    NEIGHBOURS,
    chance_hit,
    neighbourhood_hit,
    trustworthiness,
)
from ...explanation.embedding.penultimate import penultimate_work
from ...explanation.embedding.tsne import FEWEST, tsne_work
from ...networks.bundle.model import Model
from ...progress import Work
from .class_slices import ClassSlices
from .evaluate_classifiers import check_classifier
from .fed_pictures import FedPictures
from .plain_classifiers import small_pictures

#: The side of a split that no network was trained on.
_JUDGING = "judging"


@dataclass(frozen=True, eq=False)
class ClassAnswers:
    """What a classifier says of pictures, and what it says it by.

    Attributes
    ----------
    points : ndarray, shape (N, U)
        What its last layer is given.
    predicted : ndarray of int, shape (N,)
        Index among the classes.
    confidence : ndarray, shape (N,)
    """

    points: npt.NDArray[np.float32]
    predicted: npt.NDArray[np.intp]
    confidence: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Embedding:
    """Places in the plane, and how far they can be believed.

    Attributes
    ----------
    title : str
    places : ndarray, shape (N, 2)
    points : ndarray, shape (N, U)
        What was embedded.
    trustworthiness, hit : float
        See `explanation.embedding.embedding_quality`.
    judged_hit : float or None
        The hit of the pictures to judge by alone: of those that a network was trained on it tells
        how well they were learnt. None where no side of a split is known.
    """

    title: str
    places: npt.NDArray[np.float64]
    points: npt.NDArray[np.float32]
    trustworthiness: float
    hit: float
    judged_hit: float | None = None

    def words(self) -> str:
        """How far it can be believed, in a line."""
        judged = "" if self.judged_hit is None else f", of those to judge by {self.judged_hit:.2f}"
        return (
            f"trustworthiness {self.trustworthiness:.2f}, neighbourhood hit {self.hit:.2f}{judged}"
        )

    def neighbours(self, index: int, count: int = NEIGHBOURS) -> npt.NDArray[np.intp]:
        """The nearest pictures to one, by what was embedded and not by the plane."""
        away = ((self.points - self.points[index]) ** 2).sum(axis=1)
        away[index] = np.inf
        return away.argsort(kind="stable")[: min(count, len(away) - 1)]


@dataclass(frozen=True, eq=False)
class PictureEmbeddings:
    """Both pictures of one set.

    Attributes
    ----------
    slices : ClassSlices
    pixels : Embedding
    network : Embedding or None
        None where no classifier was chosen; then nothing is predicted either.
    predicted : ndarray of int, shape (N,), or None
        Index among the classes.
    confidence : ndarray, shape (N,), or None
    chance : float
        The neighbourhood hit of points anywhere.
    sides : tuple of str
        The part of the split each picture is in; empty where it is in none.
    """

    slices: ClassSlices
    pixels: Embedding
    network: Embedding | None
    predicted: npt.NDArray[np.intp] | None
    confidence: npt.NDArray[np.float64] | None
    chance: float
    sides: tuple[str, ...]

    @property
    def parts(self) -> tuple[Embedding, ...]:
        """By pixels, then by the network where there is one."""
        return (self.pixels,) if self.network is None else (self.pixels, self.network)

    def text(self) -> str:
        """How far both can be believed, in sentences."""
        lines = [
            f"{len(self.slices)} pictures. Neighbourhood hit by chance {self.chance:.2f}; "
            f"{NEIGHBOURS} neighbours."
        ]
        lines += [f"{part.title}: {part.words()}" for part in self.parts]
        if self.network is not None and self.network.judged_hit is not None:
            lines.append(
                "Of pictures that the network was trained on the hit tells how well they were "
                "learnt: go by those to judge by."
            )
        lines.append("t-SNE shows groups also where there are none: see these figures first.")
        return "\n".join(lines)

    def table(self) -> str:
        """A line a picture, as CSV."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        head = ["name", "class", "view", "side", "predicted", "confidence"]
        head += [f"{kind} {axis}" for kind in ("pixels", "network")[: len(self.parts)]
                 for axis in "xy"]  # fmt: skip
        writer.writerow(head)
        for index, image in enumerate(self.slices.images):
            answer = ["", ""]
            if self.predicted is not None and self.confidence is not None:
                called = self.slices.classes[self.predicted[index]]
                answer = [called, f"{self.confidence[index]:.4f}"]
            places = [f"{value:.4f}" for part in self.parts for value in part.places[index]]
            writer.writerow(
                [image.name, image.label, image.view, self.sides[index], *answer, *places]
            )
        return stream.getvalue()


def picture_embeddings(
    slices: ClassSlices,
    model: Model | None,
    *,
    sides: tuple[str, ...] | None = None,
    answers: ClassAnswers | None = None,
    seed: int = 0,
    threads: int | None = None,
) -> Work[PictureEmbeddings]:
    """t-SNE of the pixels and of the layer before the last, side by side.

    Parameters
    ----------
    model : Model or None
        None for the pixels alone.
    sides : tuple of str, optional
        The part of a split that each picture is in.
    answers : ClassAnswers, optional
        Of the model, where it was asked of these pictures before; else it is asked.
    threads : int, optional
        Of openTSNE; as many as torch has when not given.

    Raises
    ------
    ModelError
        The model tells other classes apart, is fed otherwise, or ends in no linear layer.
    ParameterError
        Too few pictures for neighbours to be told of.
    """
    if len(slices) < FEWEST:
        raise ParameterError(
            f"of {len(slices)} pictures no neighbours can be told",
            where="t-SNE",
            remedy=f"Give {FEWEST} or more",
        )
    threads = torch.get_num_threads() if threads is None else threads
    network = None
    if model is None:
        answers = None
    elif answers is None:
        answers = yield from class_answers(slices, model)
    told = ("",) * len(slices) if sides is None else sides
    judged = np.array([side == _JUDGING for side in told], dtype=np.bool_)
    place = partial(_embedded, slices=slices, judged=judged, seed=seed, threads=threads)
    pixels = yield from place("pixels", small_pictures(slices))
    if model is not None and answers is not None:
        network = yield from place(model.card.title, answers.points)
    predicted = None if answers is None else answers.predicted
    confidence = None if answers is None else answers.confidence
    chance = chance_hit(slices.targets)
    return PictureEmbeddings(slices, pixels, network, predicted, confidence, chance, told)


def class_answers(slices: ClassSlices, model: Model) -> Work[ClassAnswers]:
    """What a model calls each picture, how sure it is, and what its last layer is given.

    Raises
    ------
    ModelError
        As of `picture_embeddings`.
    """
    order = check_classifier(model, slices)
    fed = yield from FedPictures(slices).of(model.card)
    points, answers = yield from penultimate_work(model, fed.values)
    answers = answers[:, order]
    return ClassAnswers(points, answers.argmax(axis=1), answers.max(axis=1).astype(np.float64))


def _embedded(
    title: str,
    points: npt.NDArray[np.float32],
    *,
    slices: ClassSlices,
    judged: npt.NDArray[np.bool_],
    seed: int,
    threads: int,
) -> Work[Embedding]:
    places = yield from tsne_work(points, seed=seed, threads=threads, title=title)
    return Embedding(
        title,
        places,
        points,
        trustworthiness(points, places),
        neighbourhood_hit(places, slices.targets),
        neighbourhood_hit(places, slices.targets, of=judged) if judged.any() else None,
    )


def save_embeddings(
    folder: Path, found: PictureEmbeddings, *, overwrite: bool = False
) -> list[Path]:
    """Write ``embedding.csv`` and ``embedding.txt``."""
    from ...files.atomic_write import write_together

    folder.mkdir(parents=True, exist_ok=True)
    contents = {"embedding.csv": found.table(), "embedding.txt": found.text() + "\n"}
    return write_together(folder, contents, overwrite=overwrite)
