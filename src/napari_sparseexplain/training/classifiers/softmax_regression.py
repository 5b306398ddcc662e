"""Multinomial logistic regression: the plainest classifier that a network must beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax


@dataclass(frozen=True, eq=False)
class SoftmaxRegression:
    """Weights of standardised features.

    Attributes
    ----------
    mean, scale : ndarray, shape (F,)
        Of the features it was fitted on.
    weights : ndarray, shape (F + 1, classes)
        The last row is the constant.
    """

    mean: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]

    def predict(self, features: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        """The class of each row, shape (N,)."""
        scaled = (np.asarray(features, dtype=np.float64) - self.mean) / self.scale
        return (scaled @ self.weights[:-1] + self.weights[-1]).argmax(axis=1)


def fit_softmax_regression(
    features: npt.NDArray[Any], targets: npt.NDArray[Any], count: int, *, penalty: float = 1.0
) -> SoftmaxRegression:
    """The weights that minimise cross-entropy, classes weighing the same, with an L2 penalty.

    Parameters
    ----------
    features : ndarray, shape (N, F)
    targets : ndarray of int, shape (N,)
    count : int
        Number of classes.
    penalty : float
        Factor of half the squared weights, in units of one picture.
    """
    x = np.asarray(features, dtype=np.float64)
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale == 0] = 1.0
    x = (x - mean) / scale
    have = np.bincount(targets, minlength=count)
    weight = (len(x) / (count * np.maximum(have, 1)))[targets]
    wanted = np.eye(count)[targets]

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        w = flat.reshape(-1, count)
        log = log_softmax(x @ w[:-1] + w[-1], axis=1)
        slope = weight[:, None] * (np.exp(log) - wanted)
        value = -(weight[:, None] * wanted * log).sum() + penalty / 2 * (w[:-1] ** 2).sum()
        return float(value), np.vstack((x.T @ slope + penalty * w[:-1], slope.sum(axis=0))).ravel()

    start = np.zeros((x.shape[1] + 1) * count)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return SoftmaxRegression(mean, scale, found.x.reshape(-1, count))
