"""Performance information curves: what a network makes of an image, as its map lets it in.

Source: A. Kapishnikov et al., XRAI: better attributions through regions, ICCV 2019, section 4.2,
in the form of its authors' package (PyPI `saliency` 0.2.1), which leaves open points of the paper
decided: which pixels are seeds, how entropy is estimated, which images are skipped. The image is
blurred by interpolating from 1 % of its pixels; the most important pixels are put back, more and
more of them; the abscissa is the information then in the image (bytes of its lossless WebP), the
ordinate the network's answer. With the probability as the answer it is the softmax information
curve (SIC), with being right (1 or 0) the accuracy information curve (AIC).

Here an image of several channels is the sum of its channels' bytes; with one channel the numbers
are those of the package.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.interpolate import LinearNDInterpolator
from threadpoolctl import ThreadpoolController

from ...errors import SparseExplainError
from ...evidence.attribution_scores import importance
from ...progress import Progress, Work

#: Shares of the most important pixels that are put back, as in the package's example.
THRESHOLDS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.10, 0.13, 0.21, 0.34, 0.5, 0.75)

#: Share of the pixels that the blurred image keeps.
SEED_SHARE = 0.01

#: Answer on the whole image below which an image is skipped, as in the package.
LEAST_ANSWER = 0.8

#: Points of a curve, without the one at 1.
_POINTS = 1000

Byte = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Reveal:
    """One image with growing shares of its most important pixels.

    Attributes
    ----------
    images : ndarray of uint8, shape (T + 2, C, H, W)
        The blurred image first, the whole one last.
    bytes : ndarray of int, shape (T + 2,)
        Information in each.
    """

    images: Byte
    bytes: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class InformationCurve:
    """The curve of one image, or of several.

    Attributes
    ----------
    information, answer : ndarray, shape (1001,)
        From the blurred image (0) to the whole one (1).
    auc : float
        Area under it, trapezoids.
    """

    information: npt.NDArray[np.float64]
    answer: npt.NDArray[np.float64]

    @property
    def auc(self) -> float:
        return float(np.trapezoid(self.answer, self.information))


@dataclass(frozen=True, eq=False)
class InformationCurves:
    """Curves of some images, and those that had to be skipped.

    Attributes
    ----------
    curves : tuple of InformationCurve
    skipped : tuple of str
        Why each of the others has none.
    """

    curves: tuple[InformationCurve, ...] = ()
    skipped: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, found: Sequence[InformationCurve | str]) -> InformationCurves:
        """From what `information_curve` gave for each image."""
        return cls(
            tuple(item for item in found if isinstance(item, InformationCurve)),
            tuple(item for item in found if isinstance(item, str)),
        )

    @property
    def skip_rate(self) -> float | None:
        """Share of the images without a curve; None without images."""
        total = len(self.curves) + len(self.skipped)
        return len(self.skipped) / total if total else None

    def aggregate(self, method: Literal["median", "mean"] = "median") -> InformationCurve | None:
        """One curve of all images, point by point; None when every image was skipped."""
        if not self.curves:
            return None
        answers = np.stack([curve.answer for curve in self.curves])
        middle = np.median(answers, axis=0) if method == "median" else answers.mean(axis=0)
        return InformationCurve(self.curves[0].information, middle)


def reveal(
    image: Byte,
    heat: npt.NDArray[Any],
    seeds: npt.NDArray[np.bool_],
    *,
    signed: bool = False,
    thresholds: Sequence[float] = THRESHOLDS,
) -> Work[Reveal]:
    """The image as a map lets it in: blurred, then more and more of its most important pixels.

    Parameters
    ----------
    image : ndarray of uint8, shape (C, H, W)
        See `as_bytes`.
    heat : ndarray, shape (H, W)
        Importance; its absolute value where ``signed``.
    seeds : ndarray of bool, shape (H, W)
        What the blurred image keeps, from `seed_pixels`: the same for all maps of an image.
    thresholds : sequence of float
        Shares of the most important pixels put back, rising.
    """
    if image.dtype != np.uint8 or image.ndim != 3:
        raise ValueError(f"the image must be uint8 (C, H, W), not {image.dtype} {image.shape}")
    if heat.shape != image.shape[1:] or seeds.shape != heat.shape:
        raise ValueError(f"map {heat.shape}, seeds {seeds.shape} and image {image.shape}")
    values = importance(heat, signed=signed)
    images = [interpolated(image, seeds)]
    for done, share in enumerate(thresholds):
        yield Progress(done, len(thresholds), f"Information curve: {share:.1%} of the pixels")
        images.append(interpolated(image, (values >= np.quantile(values, 1 - share)) | seeds))
    images.append(image)
    return Reveal(np.stack(images), np.array([information(shown) for shown in images]))


def information_curve(
    shown: Reveal,
    answers: npt.NDArray[np.float64],
    *,
    least: float = LEAST_ANSWER,
    monotonous: bool = True,
) -> InformationCurve | str:
    """The curve of one image and map, or the sentence that says why it has none.

    Parameters
    ----------
    answers : ndarray, shape (T + 2,)
        Of the network on ``shown.images``: the probability of the class (SIC), or whether the
        answer is right (AIC).
    least : float
        An image whose own answer is below is skipped.
    monotonous : bool
        Each point at least as high as those before it, as in the paper.
    """
    if answers.shape != shown.bytes.shape:
        raise ValueError(f"{answers.shape} answers on {shown.bytes.size} images")
    empty, full = int(shown.bytes[0]), int(shown.bytes[-1])
    low, high = float(answers[0]), float(answers[-1])
    if reason := _skipped(low, high, empty, full, least):
        return reason
    held = np.clip((shown.bytes[1:-1] - empty) / (full - empty), 0.0, 1.0)
    reached = np.clip((answers[1:-1] - low) / (high - low), 0.0, 1.0)
    if monotonous:
        reached = np.maximum.accumulate(reached)
    # As the package's interpolation sorts them: of points of equal information the blurred image
    # comes after the thresholds, and the whole image last.
    x, y = np.append(held, (0.0, 1.0)), np.append(reached, (0.0, 1.0))
    order = np.argsort(x, kind="stable")
    places = np.append(np.linspace(0.0, 1.0, _POINTS, endpoint=False), 1.0)
    curve = np.interp(places, x[order], y[order])
    curve[-1] = 1.0
    return InformationCurve(places, curve)


def _skipped(low: float, high: float, empty: int, full: int, least: float) -> str:
    if high < least:
        return f"the answer on the image, {high:.3g}, is below {least:g}"
    if empty >= full:
        return f"the blurred image holds as much information ({empty} bytes) as the image ({full})"
    if low >= high:
        return f"the answer on the blurred image, {low:.3g}, is as high as on the image, {high:.3g}"
    return ""


def as_bytes(image: npt.NDArray[Any], low: float = 0.0, high: float = 1.0) -> Byte:
    """An image from ``low`` to ``high``, as the networks see it, in 256 steps."""
    return np.round(np.clip((image - low) / (high - low), 0.0, 1.0) * 255).astype(np.uint8)


def as_network_input(images: Byte, low: float = 0.0, high: float = 1.0) -> npt.NDArray[np.float32]:
    """Inverse of `as_bytes`, up to its rounding."""
    return images.astype(np.float32) / np.float32(255) * np.float32(high - low) + np.float32(low)


def seed_pixels(shape: tuple[int, int], seed: int, share: float = SEED_SHARE) -> npt.NDArray[Any]:
    """Random pixels that the blurred image keeps."""
    chosen = np.zeros(shape, dtype=bool)
    places = np.random.default_rng(seed).choice(
        chosen.size, size=int(chosen.size * share), replace=False
    )
    chosen.ravel()[places] = True
    return chosen


def interpolated(image: Byte, known: npt.NDArray[np.bool_]) -> Byte:
    """The image between ``known`` pixels and its corners, linear on their triangulation."""
    known = known.copy()
    known[np.ix_([0, -1], [0, -1])] = True
    if known.all():
        return image
    points = np.argwhere(known)
    # Every channel on the one triangulation, whose making is most of the work.
    between = LinearNDInterpolator(points, image[:, known].T.astype(np.float64))
    # For each triangle scipy solves two equations, for which OpenBLAS wakes all its threads: where
    # the cores have other work that was 350 times as slow.
    with _libraries().limit(limits=1, user_api="blas"):
        found = between(np.argwhere(~known))
    lost = np.isnan(found)  # on the border a place may fall outside of the hull by rounding
    found[lost] = np.broadcast_to(image.mean(axis=(1, 2)), found.shape)[lost]
    result = image.copy()
    # Rounded in single precision, as in the package: halves then fall the same way.
    result[:, ~known] = np.round(found.astype(np.float32)).T.astype(np.uint8)
    return result


@cache
def _libraries() -> ThreadpoolController:
    """The libraries of linear algebra that are loaded."""
    return ThreadpoolController()


def information(image: Byte) -> int:
    """Bytes of the image as lossless WebP, its channels added up."""
    total = 0
    for channel in image:
        with io.BytesIO() as buffer:
            try:
                Image.fromarray(channel).save(buffer, format="webp", lossless=True, quality=100)
            except (KeyError, OSError) as error:
                raise SparseExplainError(
                    f"the information in an image cannot be measured ({error})",
                    remedy="Install a pillow with WebP (its wheels have it), or leave out the "
                    "performance information curve",
                ) from error
            total += buffer.tell()
    return total
