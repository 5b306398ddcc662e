"""Dictionaries in ``.npz`` files: ``phi`` and the layers behind it, nothing that could be run."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import torch

from ..errors import ReadError, SparseExplainError
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
    """
    remedy = "Give a file made with numpy.savez, with an array phi of (atoms, modalities, k, k)"
    try:
        with np.load(path, allow_pickle=False) as file:
            held = {name: file[name] for name in file.files}
    except (OSError, ValueError, AttributeError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ReadError(f"no dictionary can be read ({error})", where=path, remedy=remedy) from None
    if "phi" not in held:
        have = ", ".join(held) or "nothing"
        raise ReadError(f"it holds no array phi (there is {have})", where=path, remedy=remedy)
    found, name = [], "phi"
    while name in held:
        array = held[name]
        if array.dtype.kind not in "fiu":
            raise ReadError(f"{name} is no array of numbers", where=path, remedy=remedy)
        if array.ndim == 3:
            array = array[:, None]
        weight = torch.from_numpy(np.ascontiguousarray(array, np.float32))
        try:
            check_dictionary(weight)
        except SparseExplainError as error:
            raise ReadError(f"{name}: {error.what}", where=path, remedy=remedy) from None
        found.append(weight)
        name = f"layer_{len(found)}"
    return found
