"""An image is asked about once, and each answer is the one it would give again."""

from __future__ import annotations

import numpy as np

from napari_sparseexplain.explanation.trust.answered_images import AnsweredImages

IMAGES = np.random.default_rng(0).random((4, 1, 5, 6)).astype(np.float32)


class Asked:
    """Sum and maximum of each image, and how many were asked about."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, images: np.ndarray) -> np.ndarray:
        self.count += len(images)
        flat = images.reshape(len(images), -1).astype(np.float64)
        return np.stack([flat.sum(axis=1), flat.max(axis=1)], axis=1)


def test_only_new_images_are_asked_and_answers_stand_in_order() -> None:
    known, ask = AnsweredImages(), Asked()
    first = known.answers("score", 0, IMAGES[:3], ask)
    order = [2, 3, 2, 0]
    again = known.answers("score", 0, IMAGES[order], ask)
    assert ask.count == 4
    np.testing.assert_array_equal(first, Asked()(IMAGES[:3]))
    np.testing.assert_array_equal(again, Asked()(IMAGES[order]))


def test_another_question_slice_or_single_value_is_another_image() -> None:
    known, ask = AnsweredImages(), Asked()
    known.answers("score", 0, IMAGES[:1], ask)
    known.answers("answer", 0, IMAGES[:1], ask)
    known.answers("score", 1, IMAGES[:1], ask)
    changed = IMAGES[:1].copy()
    changed[0, 0, 0, 0] = np.nextafter(changed[0, 0, 0, 0], np.float32(2))
    known.answers("score", 0, changed, ask)
    assert ask.count == 4
