"""Pictures as points in the plane: by their pixels, and by what a network makes of them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from ...explanation.embedding.embedding_quality import (
    NEIGHBOURS,
    chance_hit,
    neighbourhood_hit,
    trustworthiness,
)
from ...explanation.embedding.penultimate import penultimate_work
from ...explanation.embedding.tsne import FEWEST, tsne_embedding
from ...networks.bundle.model import Model
from ...progress import Progress, Work
from .class_slices import ClassSlices
from .evaluate_classifiers import check_classifier
from .fed_pictures import FedPictures
from .plain_classifiers import small_pictures


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
    """

    title: str
    places: npt.NDArray[np.float64]
    points: npt.NDArray[np.float32]
    trustworthiness: float
    hit: float

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
        lines += [
            f"{part.title}: trustworthiness {part.trustworthiness:.3f}, neighbourhood hit "
            f"{part.hit:.3f}"
            for part in self.parts
        ]
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
    seed: int = 0,
    threads: int = 1,
) -> Work[PictureEmbeddings]:
    """t-SNE of the pixels and of the layer before the last, side by side.

    Parameters
    ----------
    model : Model or None
        None for the pixels alone.
    sides : tuple of str, optional
        The part of a split that each picture is in.
    threads : int
        Of openTSNE.

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
    network, predicted, confidence = None, None, None
    points = None
    if model is not None:
        points, predicted, confidence = yield from _answers(model, slices)
    yield Progress(0, 0, "placing pictures by their pixels")
    pixels = _embedded("pixels", small_pictures(slices), slices, seed, threads)
    if model is not None and points is not None:
        yield Progress(0, 0, f"placing pictures by {model.card.title}")
        network = _embedded(model.card.title, points, slices, seed, threads)
    told = ("",) * len(slices) if sides is None else sides
    chance = chance_hit(slices.targets)
    return PictureEmbeddings(slices, pixels, network, predicted, confidence, chance, told)


def class_answers(
    slices: ClassSlices, model: Model
) -> Work[tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]]:
    """What a model calls each picture, as an index among the classes, and how sure it is.

    Raises
    ------
    ModelError
        As of `picture_embeddings`.
    """
    _, predicted, confidence = yield from _answers(model, slices)
    return predicted, confidence


def _answers(
    model: Model, slices: ClassSlices
) -> Work[tuple[npt.NDArray[np.float32], npt.NDArray[np.intp], npt.NDArray[np.float64]]]:
    order = check_classifier(model, slices)
    fed = yield from FedPictures(slices).of(model.card)
    points, answers = yield from penultimate_work(model, fed.values)
    answers = answers[:, order]
    return points, answers.argmax(axis=1), answers.max(axis=1).astype(np.float64)


def _embedded(
    title: str, points: npt.NDArray[np.float32], slices: ClassSlices, seed: int, threads: int
) -> Embedding:
    places = tsne_embedding(points, seed=seed, threads=threads)
    return Embedding(
        title,
        places,
        points,
        trustworthiness(points, places),
        neighbourhood_hit(places, slices.targets),
    )


def save_embeddings(
    folder: Path, found: PictureEmbeddings, *, overwrite: bool = False
) -> list[Path]:
    """Write ``embedding.csv`` and ``embedding.txt``."""
    from ...files.atomic_write import write_together

    folder.mkdir(parents=True, exist_ok=True)
    contents = {"embedding.csv": found.table(), "embedding.txt": found.text() + "\n"}
    return write_together(folder, contents, overwrite=overwrite)
