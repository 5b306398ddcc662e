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
from ...networks.running.in_plane_resampling import resample_in_plane
from ...progress import Progress, Work
from ...volumes.labelled.class_folder import find_class_images
from ...volumes.labelled.class_image import ClassImage
from .class_slices import ClassSlices, read_class_slices
from .class_split import ClassSplit, sides_of
from .classifier_bundle import parts_of
from .picture_embedding import ClassAnswers, class_answers
from .seen_pictures import SEEN, sides_for

#: Rows and columns where no classifier says how it is fed.
PLAIN_SIZE = 112

#: Bytes of whole pictures in memory; of more pictures areas of 2 × 2, 4 × 4 … pixels are kept.
_MOST = 800_000_000

#: Percentile that is a picture's bright end, and how many times that of most another one's is
#: where one window cannot show both.
_BRIGHT, _UNLIKE = 99.0, 12.0

#: Of so many rows and columns one is looked at for that.
_STEP = 6

#: Kinds of whole grey values, the smallest first.
_WHOLE = (np.uint8, np.int16, np.uint16)


@dataclass(frozen=True, eq=False)
class PictureStack:
    """Pictures of classes with what is known of each.

    Attributes
    ----------
    root : Path
    slices : ClassSlices
        As a network is fed them.
    whole : tuple of ndarray, shape (rows, columns) each
        As they are shown, NaN where nothing was measured; averaged where ``step`` is above 1.
    step : int
        Each pixel is the mean of so many × so many.
    sides : tuple of str
        Part of the honest split that each is in; empty where it was left out at a cut. What the
        classifier was trained on counts as training.
    split : ClassSplit
        The honest split, whatever the classifier was trained on.
    card : ModelCard or None
        Of the classifier whose answers these are.
    answers : ClassAnswers or None
        Its answers.
    notes : tuple of str
    """

    root: Path
    slices: ClassSlices
    whole: tuple[npt.NDArray[np.generic], ...]
    step: int
    sides: tuple[str, ...]
    split: ClassSplit
    card: ModelCard | None = None
    answers: ClassAnswers | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.slices)

    @property
    def how(self) -> str:
        """By what the split was made."""
        return self.split.how

    @property
    def unlike(self) -> bool:
        """Whether one window cannot show all, as where some have 16 bits and others 8."""
        pictures = [picture for picture in self.whole if picture.size]
        few = [np.asarray(p[::_STEP, ::_STEP], dtype=np.float32) for p in pictures]
        bright = np.array([np.percentile(values, _BRIGHT) for values in few], dtype=float)
        bright = bright[bright > 0]  # a black picture is no other kind
        if not bright.size:
            return False
        usual = float(np.median(bright))
        return bool(bright.max() > _UNLIKE * usual or usual > _UNLIKE * bright.min())

    @property
    def images(self) -> tuple[ClassImage, ...]:
        """What the folder says of each."""
        return self.slices.images

    @property
    def predicted(self) -> npt.NDArray[np.intp] | None:
        """Index among the classes of what each is called; None without answers."""
        return None if self.answers is None else self.answers.predicted

    @property
    def confidence(self) -> npt.NDArray[np.float64] | None:
        """How sure the classifier is of that, shape (N,); None without answers."""
        return None if self.answers is None else self.answers.confidence

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
        if not image.drawn:
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
    whole = _Kept()
    size = PLAIN_SIZE if model is None else model.card.inputs.size
    slices = yield from read_class_slices(folder, size, whole.keep)
    _, _, split = parts_of(slices)
    kept = tuple(whole.pictures[image.path] for image in slices.images)
    sides = sides_of(split, len(slices))
    notes = tuple(finding.words() for finding in slices.findings)
    stack = PictureStack(Path(root), slices, kept, whole.step, sides, split, notes=notes)
    if model is None:
        return stack
    yield Progress(0, 0, f"asking {model.card.title}")
    try:
        answers = yield from class_answers(slices, model)
    except ModelError as error:
        return replace(stack, notes=(*notes, f"No answers of {model.card.title}: {error}"))
    return with_answers(stack, slices, model.card, answers)


class _Kept:
    """Whole pictures as they come, halved by area whenever they are too many bytes."""

    def __init__(self) -> None:
        self.pictures: dict[Path, npt.NDArray[np.generic]] = {}
        self.step = 1
        self._bytes = 0

    def keep(self, image: ClassImage, picture: npt.NDArray[np.float32]) -> None:
        """Take a picture, shape (rows, columns)."""
        kept = _small_type(picture)
        # By halves, as those before were: all are then averaged over the same pixels.
        for _ in range(self.step.bit_length() - 1):
            kept = _halved(kept)
        self.pictures[image.path] = kept
        self._bytes += kept.nbytes
        while self._bytes > _MOST and any(max(p.shape) > 1 for p in self.pictures.values()):
            for path, before in self.pictures.items():
                self.pictures[path] = _halved(before)
            self.step *= 2
            self._bytes = sum(each.nbytes for each in self.pictures.values())


def _halved(picture: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Means of areas, in the type of the picture: pixels left out would leave patterns.

    Of what was measured: an area is NaN where nothing of it was.
    """
    rows, columns = picture.shape
    shape = ((rows + 1) // 2, (columns + 1) // 2)
    there = np.isfinite(picture)
    if there.all():
        means = resample_in_plane(picture, shape)
    else:
        share = resample_in_plane(there, shape)
        means = resample_in_plane(np.where(there, picture, 0), shape)
        means = np.where(share > 0, means / np.where(share > 0, share, 1), np.float32(np.nan))
    return (means if picture.dtype.kind == "f" else np.rint(means)).astype(picture.dtype)


def _small_type(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.generic]:
    """Whole numbers of one or two bytes where the grey values are such, as those of most are."""
    low, high = (float(picture.min()), float(picture.max())) if picture.size else (0.0, 0.0)
    if not (np.isfinite(low) and np.isfinite(high)):
        return picture.astype(np.float32)
    for kind in _WHOLE:
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            values = picture.astype(kind)
            if np.array_equal(values, picture):
                return values
    return picture.astype(np.float32)


def with_answers(
    stack: PictureStack,
    slices: ClassSlices,
    card: ModelCard | None,
    answers: ClassAnswers | None,
) -> PictureStack:
    """The same pictures with what a classifier answered; without one what was known stays.

    Pictures that it was trained on do not judge it, whatever the split says; a note tells so.
    """
    if card is None:
        return stack
    sides, note = sides_for(slices, stack.split, card)
    kept = tuple(said for said in stack.notes if not said.startswith(SEEN))
    return replace(
        stack,
        slices=slices,
        sides=sides,
        card=card,
        answers=answers,
        notes=(note, *kept) if note else kept,
    )
