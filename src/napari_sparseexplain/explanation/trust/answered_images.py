"""What a network answered to images it was asked about before, of one slice and target.

The figures of trust ask the same of every method: what the score is where squares of the image are
removed, on the image itself, on its blur and on nothing. An image is known by its bytes, so the
answer is the one it would give again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

#: Images (B, C, H, W) to their answers (B, numbers).
Ask = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float64]]


class AnsweredImages:
    """Answers by question and image; nothing but the numbers is held."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, bytes], npt.NDArray[np.float64]] = {}

    def answers(
        self, question: str, place: int, images: npt.NDArray[np.float32], ask: Ask
    ) -> npt.NDArray[np.float64]:
        """Answers (B, numbers) to images (B, C, H, W); only new ones are asked, each once.

        Parameters
        ----------
        question : str
            What is asked of an image.
        place : int
            The slice that the images stand for.
        """
        keys = [(question, place, _digest(image)) for image in images]
        new = {key: n for n, key in enumerate(keys) if key not in self._known}
        if new:
            found = ask(images[list(new.values())])
            self._known.update(zip(new, found, strict=True))
        return np.stack([self._known[key] for key in keys])


def _digest(image: npt.NDArray[np.float32]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()
