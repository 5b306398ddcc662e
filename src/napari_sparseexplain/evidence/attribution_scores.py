"""How well a heat map points at what a mask says is there, beside maps that know no model.

A figure alone says little: a map that draws the outlines of the image scores well wherever the
lesion has an outline, random maps have beaten methods [1]_, and what is looked for often lies near
the middle [2]_. So every figure stands beside the same figure of random maps, of the image's edges,
and of a Gaussian at the centre of the head. What does not apply (an empty mask, a constant map) is
None.

References
----------
.. [1] M. Brima, M. Atemkeng, Saliency-driven explainable deep learning in medical imaging, 2024.
.. [2] T. Judd, F. Durand, A. Torralba, A benchmark of computational models of saliency to predict
   human fixations, MIT-CSAIL-TR-2012-001, 2012: the model "center".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..errors import SparseExplainError

#: The figures, in the order of tables.
LOCALISATION = ("pointing game", "relevance mass", "relevance rank", "AUPRC")

#: Random maps drawn; their mean figure stands beside the map's.
RANDOM_DRAWS = 8

Figures = Mapping[str, float | None]


@dataclass(frozen=True)
class Localisation:
    """Figures of one map, and the same figures without an explanation.

    Attributes
    ----------
    map, random, edge : mapping of str to float or None
        By the names of `LOCALISATION`. ``random``: mean over `RANDOM_DRAWS` random maps; ``edge``:
        gradient magnitude of the image, None where no image was given.
    prevalence : float or None
        Share of the pixels that the mask covers: the AUPRC of a coin.
    centre : mapping of str to float or None
        Of a Gaussian at the centre of the head; empty where it was not measured.
    untrained : mapping of str to float or None
        Of the same method's map of the network with random weights; empty where it was not made.
    """

    map: Figures
    random: Figures
    edge: Figures
    prevalence: float | None
    centre: Figures = field(default_factory=dict)
    untrained: Figures = field(default_factory=dict)


def importance(values: npt.NDArray[Any], *, signed: bool) -> npt.NDArray[np.float64]:
    """How much each pixel matters: the absolute value of a signed map, others as they are.

    Raises
    ------
    SparseExplainError
        The map holds NaN or infinite values.
    """
    heat = np.asarray(values, dtype=np.float64)
    if not np.isfinite(heat).all():
        bad = int((~np.isfinite(heat)).sum())
        raise SparseExplainError(
            f"the map holds {bad} NaN or infinite values, so it cannot be scored",
            remedy="Compute it again; a finite model and input give a finite map",
        )
    return np.abs(heat) if signed else heat


def localisation_figures(heat: npt.NDArray[Any], mask: npt.NDArray[Any]) -> dict[str, float | None]:
    """Pointing game, relevance mass, relevance rank and AUPRC of one image or volume.

    Ties count as what a random order among them gives on average, so a map of few values (XRAI's
    regions) gains nothing from the order of its pixels in memory.

    Parameters
    ----------
    heat : ndarray
        Importance, any shape; larger matters more. Negative values carry no mass.
    mask : ndarray, same shape
        Anything but 0 is in.

    Returns
    -------
    dict
        ``pointing game``: share of the largest values that lie in the mask (1 or 0 without ties)
        [1]_. ``relevance mass``: share of the positive relevance that lies in the mask;
        ``relevance rank``: share of the mask's size of top pixels that lie in it [2]_. ``AUPRC``:
        average precision, no interpolation. All None when the mask is empty or full or the map is
        constant; the mass also when the map has no positive value.

    References
    ----------
    .. [1] J. Zhang et al., Top-down neural attention by excitation backprop, 2018, section 4.1
       (here without its tolerance of 15 pixels).
    .. [2] L. Arras, A. Osman, W. Samek, CLEVR-XAI, Information Fusion 81, 2022, Eqs. 1 and 2.
    """
    if heat.shape != mask.shape:
        raise ValueError(f"a map of shape {heat.shape} and a mask of shape {mask.shape}")
    values = importance(heat, signed=False).ravel()
    inside = np.asarray(mask).ravel() != 0
    positives = int(np.count_nonzero(inside))
    if positives in (0, inside.size) or values.min() == values.max():
        return dict.fromkeys(LOCALISATION)
    order = np.argsort(-values, kind="stable")
    ranked = values[order]
    # The last place of each group of equal values: no threshold falls between equal ones.
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), ranked.size - 1)
    found = np.cumsum(inside[order])[ends].astype(np.float64)
    taken = ends + 1.0
    hits = np.diff(found, prepend=0.0)
    relevance = np.maximum(values, 0.0)
    total = float(relevance.sum())
    return {
        "pointing game": float(found[0] / taken[0]),
        "relevance mass": float(relevance[inside].sum()) / total if total > 0 else None,
        "relevance rank": _found_within(positives, taken, found) / positives,
        "AUPRC": float((hits * found / taken).sum() / positives),
    }


def _found_within(
    count: int, taken: npt.NDArray[np.float64], found: npt.NDArray[np.float64]
) -> float:
    """Mask pixels among the ``count`` highest, in a random order among equal ones."""
    return float(np.interp(count, np.append(0.0, taken), np.append(0.0, found)))


def edge_map(image: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Gradient magnitude (Sobel) of an image or volume of one channel, in its own pixels."""
    # A single slice is a picture: it has no gradient, and no smoothing, across itself.
    values = np.asarray(image, dtype=np.float64).squeeze()
    squares = np.zeros(values.shape)
    for axis in range(values.ndim):
        squares += ndimage.sobel(values, axis=axis) ** 2
    return np.sqrt(squares).reshape(np.shape(image))


def edges_of_channels(image: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Gradient magnitudes of an image (C, ...) of several channels, added up: shape (...)."""
    total = np.zeros(image.shape[1:])
    for channel in image:
        total += edge_map(channel)
    return total


def centre_map(head: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """A Gaussian at the head's centroid, 0 outside the head; its peak is 1.

    Parameters
    ----------
    head : ndarray of bool, any shape
        The picture's centre and extent stand in for a head that is empty.

    Returns
    -------
    ndarray, same shape
        Along each axis σ is the standard deviation of the head's pixels: half the radius of a disk.
    """
    there = np.asarray(head, dtype=bool)
    if not there.any():
        there = np.ones_like(there)
    distance = np.zeros(there.shape)
    for axis, length in enumerate(there.shape):
        others = tuple(k for k in range(there.ndim) if k != axis)
        pixels = there.sum(axis=others)
        places = np.arange(length)
        middle = np.average(places, weights=pixels)
        spread = np.average((places - middle) ** 2, weights=pixels)
        if spread > 0:
            shape = [length if k == axis else 1 for k in range(there.ndim)]
            distance += ((places - middle) ** 2 / spread).reshape(shape)
    return np.exp(-distance / 2) * there


def random_map(
    shape: tuple[int, ...], seed: int, foreground: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.float64]:
    """Uniform noise in (0, 1), 0 outside ``foreground``: a map that knows nothing of the model."""
    noise = np.random.default_rng(seed).random(shape)
    return noise if foreground is None else noise * foreground


def localisation(
    heat: npt.NDArray[Any],
    mask: npt.NDArray[Any],
    image: npt.NDArray[Any] | None = None,
    *,
    head: npt.NDArray[np.bool_] | None = None,
    signed: bool = False,
    seed: int = 0,
) -> Localisation:
    """Figures of a map, and of maps that know no model, against one mask.

    Parameters
    ----------
    heat, mask : ndarray, shape (...)
        One image or volume; see `localisation_figures`.
    image : ndarray, shape (C, ...), optional
        What was explained, all channels. Random maps are then 0 where every channel is: whoever
        knows where the head is has already left out the background, and is a harder opponent.
    head : ndarray of bool, shape (...), optional
        Whose centre is looked at; where the image is not 0 when not given, and the whole picture
        without an image.
    signed : bool
        The map's sign has a meaning, so its absolute value is scored.
    """
    values = importance(heat, signed=signed)
    foreground = None
    edge: Figures = dict.fromkeys(LOCALISATION)
    if image is not None:
        if image.shape[1:] != heat.shape:
            raise ValueError(f"a map of shape {heat.shape} and an image of shape {image.shape}")
        foreground = (np.asarray(image) != 0).any(axis=0)
        edge = localisation_figures(edges_of_channels(image), mask)
    draws = [
        localisation_figures(random_map(heat.shape, seed + k, foreground), mask)
        for k in range(RANDOM_DRAWS)
    ]
    known = head if head is not None else foreground
    there = np.ones(heat.shape, dtype=bool) if known is None else known
    inside = np.asarray(mask) != 0
    return Localisation(
        map=localisation_figures(values, mask),
        random=mean_figures(draws),
        edge=edge,
        prevalence=float(inside.mean()) if inside.any() else None,
        centre=localisation_figures(centre_map(there), mask),
    )


def mean_figures(several: Sequence[Figures]) -> dict[str, float | None]:
    """Mean of each figure over the images where it applies; None where it applies to none."""
    names = dict.fromkeys(name for figures in several for name in figures)
    means: dict[str, float | None] = {}
    for name in names:
        values = [v for figures in several if (v := figures.get(name)) is not None]
        means[name] = float(np.mean(values)) if values else None
    return means


def mean_localisation(several: Sequence[Localisation]) -> Localisation:
    """Mean over images (slices) of each figure where it applies."""
    known = [item.prevalence for item in several if item.prevalence is not None]
    return Localisation(
        map=mean_figures([item.map for item in several]),
        random=mean_figures([item.random for item in several]),
        edge=mean_figures([item.edge for item in several]),
        prevalence=float(np.mean(known)) if known else None,
        centre=mean_figures([item.centre for item in several]),
        untrained=mean_figures([item.untrained for item in several]),
    )
