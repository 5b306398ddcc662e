"""What a network is compared with: classifiers that see little of a picture.

A network that does no better than these has learnt nothing of a tumour: the commonest class, the
nearest neighbour and a logistic regression by small pictures, and one by 21 numbers that know
nothing of the tumour's place (a histogram of grey values, and how far the head reaches).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...networks.running.in_plane_resampling import resample_in_plane
from .class_slices import ClassSlices
from .softmax_regression import fit_softmax_regression

#: Rows and columns of the small pictures.
SIDE = 32

#: Bins of the grey histogram.
_BINS = 16

#: Penalties of the regression of small pictures and of that of 21 numbers: of .1 to 30 times these
#: the ones by which most pictures to choose by (not those judged on) were right.
_PIXEL_PENALTY, _NUMBER_PENALTY = 100.0, 0.1

#: Pictures compared with each other at once.
_BLOCK = 2048

#: Names in the order of `plain_answers`.
PLAIN = (
    "commonest class",
    f"nearest neighbour, {SIDE}×{SIDE} pixels",
    f"logistic regression, {SIDE}×{SIDE} pixels",
    "logistic regression, grey histogram and head extent",
)


def plain_answers(training: ClassSlices, judged: ClassSlices) -> dict[str, npt.NDArray[np.intp]]:
    """Classes of the judged pictures by each of `PLAIN`, fitted on the training pictures."""
    count = len(training.classes)
    ours, theirs = small_pictures(training), small_pictures(judged)
    numbers = picture_numbers(training), picture_numbers(judged)
    commonest = int(np.bincount(training.targets, minlength=count).argmax())
    pixels = fit_softmax_regression(ours, training.targets, count, penalty=_PIXEL_PENALTY)
    told = fit_softmax_regression(numbers[0], training.targets, count, penalty=_NUMBER_PENALTY)
    answers = (
        np.full(len(judged), commonest, dtype=np.intp),
        training.targets[nearest(theirs, ours)],
        pixels.predict(theirs),
        told.predict(numbers[1]),
    )
    return dict(zip(PLAIN, answers, strict=True))


def small_pictures(slices: ClassSlices) -> npt.NDArray[np.float32]:
    """Pictures of `SIDE` × `SIDE` pixels as rows of mean 0 and length 1."""
    small = np.empty((len(slices), SIDE * SIDE), dtype=np.float32)
    # Resampled in single precision: a large set in halves would lie in memory twice over.
    for start in range(0, len(slices), _BLOCK):
        part = slices.values[start : start + _BLOCK]
        small[start : start + _BLOCK] = resample_in_plane(part, (SIDE, SIDE)).reshape(len(part), -1)
    small = small - small.mean(axis=1, keepdims=True)
    length = np.linalg.norm(small, axis=1, keepdims=True)
    return np.divide(small, length, out=np.zeros_like(small), where=length > 0)


def nearest(points: npt.NDArray[Any], among: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """For rows of length 1 the row of ``among`` that is most alike."""
    return most_alike(points, among)[0]


def most_alike(
    points: npt.NDArray[Any], among: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """For rows of length 1 the row of ``among`` that is most alike, and their correlation.

    Blocks of rows are compared with blocks: all at once a hundred thousand pictures need many
    gigabytes.

    Returns
    -------
    rows : ndarray of int, shape (N,)
    correlation : ndarray, shape (N,)
    """
    rows = np.zeros(len(points), dtype=np.intp)
    best = np.full(len(points), -np.inf, dtype=np.float32)
    for start in range(0, len(points), _BLOCK):
        part = slice(start, start + _BLOCK)
        for first in range(0, len(among), _BLOCK):
            alike = points[part] @ among[first : first + _BLOCK].T
            place = alike.argmax(axis=1)
            most = alike[np.arange(len(alike)), place]
            better = most > best[part]
            rows[part] = np.where(better, first + place, rows[part])
            best[part] = np.where(better, most, best[part])
    return rows, best


def picture_numbers(slices: ClassSlices) -> npt.NDArray[np.float64]:
    """21 numbers of each picture: 16 of its grey histogram, and the head's edges and area.

    Returns
    -------
    ndarray, shape (N, 21)
    """
    rows = []
    for values in slices.values.astype(np.float32):
        histogram, _ = np.histogram(np.clip(values, -1.5, 4.5), bins=_BINS, range=(-1.5, 4.5))
        head = values > values.min() + 0.15 * (values.max() - values.min())
        across, along = np.flatnonzero(head.any(axis=1)), np.flatnonzero(head.any(axis=0))
        edges = (
            [0.0, 0.0, 0.0, 0.0]
            if not len(across)
            else [across[0], across[-1], along[0], along[-1]]
        )
        rows.append([*(histogram / values.size), *(e / len(values) for e in edges), head.mean()])
    return np.asarray(rows, dtype=np.float64)
