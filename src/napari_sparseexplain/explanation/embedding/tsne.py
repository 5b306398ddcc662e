"""Places in the plane for what a layer answers to many inputs, by t-SNE.

Van der Maaten and Hinton 2008, in the fast form of openTSNE (Poličar, Stražar and Zupan 2019).
Inputs that a layer answers alike lie together; distances between groups mean little.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError, SparseExplainError

#: More values a point are first brought down to so many principal components.
COMPONENTS = 50

#: Fewest points that neighbours can be told of.
FEWEST = 20


def tsne_embedding(
    activations: npt.ArrayLike, *, perplexity: float = 30.0, seed: int = 0, threads: int = 1
) -> npt.NDArray[np.float64]:
    """Embed the activations of a layer.

    Parameters
    ----------
    activations : array_like, shape (P, U)
        What U units answered to P inputs.
    perplexity : float
        About the number of neighbours of a point; at most a third of the points is taken.
    seed : int
        Same activations and seed, same places.
    threads : int

    Returns
    -------
    ndarray, shape (P, 2)

    Raises
    ------
    ParameterError
        Too few points, or values that are not finite.
    SparseExplainError
        openTSNE is not installed.
    """
    points = np.asarray(activations, dtype=np.float64)
    if points.ndim != 2 or len(points) < FEWEST or not np.isfinite(points).all():
        raise ParameterError(
            f"activations of shape {points.shape} cannot be embedded",
            where="t-SNE",
            remedy=f"Give finite values of {FEWEST} inputs or more, one row each",
        )
    if find_spec("openTSNE") is None:
        raise SparseExplainError(
            "embeddings are computed by openTSNE, which is not installed",
            where="t-SNE",
            remedy="Install the extra: pip install 'napari-sparseexplain[embedding]'",
        )
    points = principal_components(points, COMPONENTS)
    # Principal components as the start keep the large order of the points (Kobak and Berens 2019).
    found = (
        import_module("openTSNE")
        .TSNE(
            perplexity=min(perplexity, (len(points) - 1) / 3),
            initialization="pca",
            random_state=seed,
            n_jobs=threads,
        )
        .fit(points)
    )
    return np.asarray(found, dtype=np.float64)


def principal_components(points: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.float64]:
    """Coordinates along the directions of the largest spread; the points where they have fewer."""
    if points.shape[1] <= count:
        return points
    centred = points - points.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    return centred @ vectors[:, np.argsort(values)[::-1][:count]]
