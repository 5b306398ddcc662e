"""Dice of each class and where its voxels went, against counting them one by one."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.evidence.confusion import Confusion, confusion_rows
from napari_sparseexplain.evidence.scores import dice


def test_counts_are_those_of_looking_at_every_voxel() -> None:
    rng = np.random.default_rng(0)
    given, true = rng.integers(0, 4, (2, 3, 10, 11)).astype(np.uint8)
    inside = rng.random(true.shape) < 0.6
    found = Confusion.of(given, true, 4, inside)
    for t in range(4):
        for g in range(4):
            assert found.counts[t, g] == ((true == t) & (given == g) & inside).sum()
        expected = dice((given == t)[inside], (true == t)[inside])
        assert found.dice()[t] == pytest.approx(expected)
    halves = Confusion.of(given[:1], true[:1], 4, inside[:1])
    halves = halves + Confusion.of(given[1:], true[1:], 4, inside[1:])
    assert np.array_equal(halves.counts, found.counts)


def test_a_class_that_is_not_there_has_no_share_and_one_that_is_nowhere_no_dice() -> None:
    true, given = np.array([[0, 0, 1, 1]]), np.array([[0, 2, 1, 0]])
    told = Confusion.of(given, true, 4).to_json(["healthy", "oedema", "core", "enhancing"])
    assert told["dice"] == {"healthy": 0.5, "oedema": 0.667, "core": 0.0, "enhancing": None}
    assert confusion_rows(told) == [
        ["healthy", "0.500", "50 %", "0 %", "50 %", "0 %"],
        ["oedema", "0.667", "50 %", "50 %", "0 %", "0 %"],
        ["core", "0.000", "-", "-", "-", "-"],
        ["enhancing", "-", "-", "-", "-", "-"],
    ]


def test_unequal_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="unequal shape"):
        Confusion.of(np.zeros((1, 2), int), np.zeros((2, 2), int), 2)
