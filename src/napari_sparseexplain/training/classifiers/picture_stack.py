"""The pictures of a folder of classes, whole and as a network is fed them, to be looked through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from ...networks.bundle.model import Model
from ...networks.bundle.model_card import ModelCard
from ...networks.bundle.seen_views import views_of_card
from ...progress import Progress, Work
from ...volumes.labelled.class_folder import find_class_images
from ...volumes.labelled.class_image import ClassImage
from .class_slices import ClassSlices, read_class_slices
from .class_split import sides_of
from .classifier_bundle import parts_of
from .picture_embedding import class_answers

#: Rows and columns where no classifier says how it is fed.
PLAIN_SIZE = 112

#: Bytes of whole pictures in memory; of more pictures every second, third … pixel is kept.
_MOST = 800_000_000


@dataclass(frozen=True, eq=False)
class PictureStack:
    """Pictures of classes with what is known of each.

    Attributes
    ----------
    root : Path
    slices : ClassSlices
        As a network is fed them.
    whole : tuple of ndarray, shape (rows, columns) each
        As they lie on file, thinned where ``step`` is above 1.
    step : int
        Every so-many-th pixel was kept.
    sides : tuple of str
        Part of the honest split that each is in; empty where it was left out at a cut.
    how : str
        By what the split was made.
    card : ModelCard or None
        Of the classifier whose answers these are.
    predicted : ndarray of int, shape (N,), or None
        Index among the classes.
    confidence : ndarray, shape (N,), or None
    notes : tuple of str
    """

    root: Path
    slices: ClassSlices
    whole: tuple[npt.NDArray[np.generic], ...]
    step: int
    sides: tuple[str, ...]
    how: str
    card: ModelCard | None = None
    predicted: npt.NDArray[np.intp] | None = None
    confidence: npt.NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.slices)

    @property
    def images(self) -> tuple[ClassImage, ...]:
        """What the folder says of each."""
        return self.slices.images

    @property
    def correct(self) -> npt.NDArray[np.bool_] | None:
        """Which are called by their class; None without answers."""
        return None if self.predicted is None else self.predicted == self.slices.targets

    def unseen_view(self, index: int) -> str:
        """The picture's view where the classifier was not trained on it; else empty."""
        view = self.images[index].view
        seen = views_of_card(self.card)
        return view if view and seen and view.lower() not in seen else ""

    def lines(self, index: int) -> list[str]:
        """What is known of a picture: name and class, view and side, answer, box, warning."""
        image = self.images[index]
        found = [f"{image.name} · {image.label}"]
        side = self.sides[index] or "left out at a cut"
        found.append(" · ".join(filter(None, (image.view, side))))
        if self.predicted is not None and self.confidence is not None:
            called = self.slices.classes[self.predicted[index]]
            mark = "✓" if called == image.label else "✗"
            found.append(f"{mark} called {called}, {self.confidence[index]:.2f}")
        if not image.boxes:
            found.append("no box")
        if view := self.unseen_view(index):
            seen = ", ".join(views_of_card(self.card))
            found.append(f"⚠ {view}: trained on {seen} alone")
        return found


def read_stack_work(
    root: str | Path,
    *,
    table: str | Path | None = None,
    column: str | None = None,
    model: Model | None = None,
) -> Work[PictureStack]:
    """Read a folder of classes, with the answers of a classifier where it fits.

    A classifier that tells other classes apart leaves a note: the pictures can be looked at.

    Raises
    ------
    ReadError
        No such folder or table, or no two classes.
    """
    folder = yield from find_class_images(root, table=table, column=column)
    whole: dict[Path, npt.NDArray[np.generic]] = {}
    step = 1

    def keep(image: ClassImage, picture: npt.NDArray[np.float32]) -> None:
        nonlocal step
        if not whole:
            step = _step(picture, len(folder.images))
        whole[image.path] = _small_type(picture[::step, ::step])

    size = PLAIN_SIZE if model is None else model.card.inputs.size
    slices = yield from read_class_slices(folder, size, keep)
    _, _, split = parts_of(slices)
    kept = tuple(whole[image.path] for image in slices.images)
    sides = sides_of(split, len(slices))
    notes = tuple(finding.words() for finding in slices.findings)
    stack = PictureStack(Path(root), slices, kept, step, sides, split.how, notes=notes)
    if model is None:
        return stack
    yield Progress(0, 0, f"asking {model.card.title}")
    try:
        predicted, confidence = yield from class_answers(slices, model)
    except ModelError as error:
        return replace(stack, notes=(*notes, f"No answers of {model.card.title}: {error}"))
    return replace(stack, card=model.card, predicted=predicted, confidence=confidence)


def _step(picture: npt.NDArray[np.float32], count: int) -> int:
    """As the first picture is, so are most."""
    bytes_each = _small_type(picture).nbytes
    return max(1, int(np.ceil((bytes_each * count / _MOST) ** 0.5)))


def _small_type(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.generic]:
    """Bytes where the grey values are whole and few, as those of most pictures are."""
    with np.errstate(invalid="ignore"):
        values = picture.astype(np.uint8)
    return values if np.array_equal(values, picture) else picture.astype(np.float32)


def with_answers(
    stack: PictureStack,
    slices: ClassSlices,
    card: ModelCard | None,
    predicted: npt.NDArray[np.intp] | None,
    confidence: npt.NDArray[np.float64] | None,
) -> PictureStack:
    """The same pictures with what a classifier answered; without one what was known stays."""
    if card is None:
        return stack
    return replace(stack, slices=slices, card=card, predicted=predicted, confidence=confidence)
