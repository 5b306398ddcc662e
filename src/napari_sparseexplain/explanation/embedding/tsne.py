"""Places in the plane for what a layer answers to many inputs, by t-SNE.

Van der Maaten and Hinton 2008, in the fast form of openTSNE (Poličar, Stražar and Zupan 2019).
Inputs that a layer answers alike lie together; distances between groups mean little.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from itertools import count
from queue import SimpleQueue
from threading import Event, Thread

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError, SparseExplainError
from ...progress import Progress, Work, drain

#: More values a point are first brought down to so many principal components.
COMPONENTS = 50

#: Fewest points that neighbours can be told of.
FEWEST = 20

#: Iterations of openTSNE, the early ones included, and between two of its calls.
_ITERATIONS, _EVERY = 750, 25


def tsne_work(
    activations: npt.ArrayLike,
    *,
    perplexity: float = 30.0,
    seed: int = 0,
    threads: int = 1,
    title: str = "points",
) -> Work[npt.NDArray[np.float64]]:
    """Embed the activations of a layer; it can be cancelled while openTSNE computes.

    Parameters
    ----------
    activations : array_like, shape (P, U)
        What U units answered to P inputs.
    perplexity : float
        About the number of neighbours of a point; at most a third of the points is taken.
    seed : int
        Same activations and seed, same places.
    threads : int
    title : str
        What is embedded, for the progress.

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
    stop = Event()
    told: SimpleQueue[Progress | Exception | npt.NDArray[np.float64]] = SimpleQueue()
    steps = count(1)

    def callback(_iteration: int, _error: float, _embedding: object) -> bool:
        told.put(Progress(next(steps) * _EVERY, _ITERATIONS, f"t-SNE of {title}"))
        return stop.is_set()  # True ends it

    def run() -> None:
        try:
            # Principal components as the start keep the large order of the points (Kobak and
            # Berens 2019).
            found = (
                import_module("openTSNE")
                .TSNE(
                    perplexity=min(perplexity, (len(points) - 1) / 3),
                    initialization="pca",
                    random_state=seed,
                    n_jobs=threads,
                    callbacks=callback,
                    callbacks_every_iters=_EVERY,
                )
                .fit(points)
            )
            told.put(np.asarray(found, dtype=np.float64))
        except Exception as error:  # handed to the calling thread, which raises it
            told.put(error)

    # openTSNE gives nothing back before its end but calls: in a thread these become steps.
    thread = Thread(target=run, daemon=True)
    yield Progress(0, _ITERATIONS, f"t-SNE of {title}")
    thread.start()
    try:
        while True:
            step = told.get()
            if isinstance(step, np.ndarray):
                return step
            if isinstance(step, Exception):
                raise step
            yield step
    finally:
        stop.set()
        thread.join()


def tsne_embedding(
    activations: npt.ArrayLike, *, perplexity: float = 30.0, seed: int = 0, threads: int = 1
) -> npt.NDArray[np.float64]:
    """The same at once; see `tsne_work`."""
    return drain(tsne_work(activations, perplexity=perplexity, seed=seed, threads=threads))


def principal_components(points: npt.NDArray[np.float64], most: int) -> npt.NDArray[np.float64]:
    """Coordinates along the directions of the largest spread; the points where they have fewer."""
    if points.shape[1] <= most:
        return points
    centred = points - points.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    return centred @ vectors[:, np.argsort(values)[::-1][:most]]
