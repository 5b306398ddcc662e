"""Which pictures of a stack are looked at, and in which order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from .picture_stack import PictureStack

#: Orders by name, with what they are called.
ORDERS = {
    "class": "by class and number",
    "name": "by name",
    "view": "by view",
    "unsure": "the least confident first",
    "sure": "the most confident first",
    "wrong": "wrong answers first, the surest of them first",
}

#: Those that need the answers of a classifier.
OF_ANSWERS = ("unsure", "sure", "wrong")


@dataclass(frozen=True)
class PictureQuery:
    """What is wanted; an empty text is anything.

    Attributes
    ----------
    label, view, side : str
    answer : str
        ``"right"`` or ``"wrong"``.
    least, most : float
        Confidence between these, both included.
    selected : frozenset of int or None
        Only these rows; all when None.
    order : str
        One of `ORDERS`.
    """

    label: str = ""
    view: str = ""
    side: str = ""
    answer: str = ""
    least: float = 0.0
    most: float = 1.0
    selected: frozenset[int] | None = None
    order: str = "class"

    @property
    def of_answers(self) -> bool:
        """Whether it asks for answers of a classifier."""
        limited = self.least > 0 or self.most < 1
        return bool(self.answer) or limited or self.order in OF_ANSWERS

    def rows(self, stack: PictureStack) -> npt.NDArray[np.intp]:
        """Rows of a stack that are wanted, in order; maybe none.

        Raises
        ------
        ParameterError
            It asks for answers, and no classifier gave any.
        """
        correct, confidence = stack.correct, stack.confidence
        wanted = np.array(
            [
                (not self.label or image.label == self.label)
                and (not self.view or image.view == self.view)
                and (not self.side or side == self.side)
                and (self.selected is None or row in self.selected)
                for row, (image, side) in enumerate(zip(stack.images, stack.sides, strict=True))
            ],
            dtype=np.bool_,
        )
        if correct is None or confidence is None:
            if self.of_answers:
                raise ParameterError(
                    "no classifier has answered yet, so nothing is right, wrong or sure",
                    remedy="Choose a classifier of these classes, and press Open pictures or Embed",
                )
            return self._ordered(stack, np.flatnonzero(wanted))
        if self.answer:
            wanted &= correct == (self.answer == "right")
        wanted &= (confidence >= self.least) & (confidence <= self.most)
        return self._ordered(stack, np.flatnonzero(wanted))

    def _ordered(self, stack: PictureStack, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        images, confidence, correct = stack.images, stack.confidence, stack.correct
        if self.order in ("name", "view"):
            of_view = self.order == "view"
            keys = [(images[row].view if of_view else "", images[row].name) for row in rows]
            return rows[sorted(range(len(rows)), key=keys.__getitem__)]
        if confidence is None or correct is None or self.order == "class":
            return rows
        by = confidence[rows] if self.order == "unsure" else -confidence[rows]
        first = correct[rows] if self.order == "wrong" else np.zeros(len(rows))
        return rows[np.lexsort((by, first))]
