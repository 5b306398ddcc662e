"""Dictionaries in ``.npz`` files: ``phi`` and the layers behind it, nothing that could be run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ..arguments import given_path
from ..errors import ReadError, SparseExplainError
from ..files.npz_file import read_npz
from .convolutional_dictionary import check_dictionary


def read_dictionary(path: str | Path) -> list[torch.Tensor]:
    """Φ and D_1 … D_L from an ``.npz`` file: arrays ``phi`` and ``layer_1``, ``layer_2`` ….

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    list of Tensor, shape (F_l, F_{l-1}, k, k)
        float32. ``phi`` of shape (F, k, k) becomes (F, 1, k, k).

    Raises
    ------
    ReadError
        No such file, not one of this kind, or arrays that are no dictionaries.

    Examples
    --------
    >>> import tempfile, numpy as np, napari_sparseexplain as se
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = folder.name + "/dictionary.npz"
    >>> np.savez(path, phi=np.ones((6, 5, 5)), layer_1=np.ones((8, 6, 3, 3)))
    >>> [tuple(filters.shape) for filters in se.read_dictionary(path)]
    [(6, 1, 5, 5), (8, 6, 3, 3)]
    """
    remedy = "Give a file made with numpy.savez, with an array phi of (atoms, modalities, k, k)"
    path = given_path(path)
    held = read_npz(path, problem="no dictionary can be read", remedy=remedy)
    if "phi" not in held:
        have = ", ".join(held) or "nothing"
        raise ReadError(f"it holds no array phi (there is {have})", where=path, remedy=remedy)
    found, name = [], "phi"
    while name in held:
        array = held[name]
        if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
            raise ReadError(f"{name} is no array of finite numbers", where=path, remedy=remedy)
        if array.ndim == 3:
            array = array[:, None]
        weight = torch.from_numpy(np.array(array, np.float32, order="C"))
        try:
            check_dictionary(weight)
        except SparseExplainError as error:
            raise ReadError(f"{name}: {error.what}", where=path, remedy=remedy) from None
        found.append(weight)
        name = f"layer_{len(found)}"
    return found
