"""Responses are a property of the weights alone: computed once, and kept where they are found.

Those of bundles that ship lie beside their weights, those of a person's own in the user's cache
folder. Each file says in a checksum which network it is of, from the numbers of the weights as
they are in memory: of other weights, or made by another version of this computation, it is as if
it were not there.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from platformdirs import user_cache_path

from ...errors import SparseExplainError
from ...files.atomic_write import write_atomically
from ...files.npz_file import read_npz
from ...networks.bundle.digest import digest_of_weights
from .shift_variance import ShiftVariance

if TYPE_CHECKING:
    from ...networks.bundle.model import Model

#: Raised when responses are computed otherwise, so that none of before is taken for the new ones.
VERSION = 1

#: Beside a bundle's weights.
FILE = "responses.npz"

#: Name of a folder to take in place of the user's cache folder.
FOLDER_VARIABLE = "SPARSEEXPLAIN_CACHE"

_METRICS = ("SDS", "SDS (energy)", "FDV", "FDS")

#: What is kept: the paper's response, and one summary of all phases a role.
Kept = tuple[npt.NDArray[np.float64], tuple[ShiftVariance, ...]]


def responses_key(model: Model, crop: int) -> str:
    """sha256 of everything that the responses of a model depend on; empty without weights."""
    digest = digest_of_weights(model.network)
    if not digest:
        return ""
    card = model.card
    parts = [VERSION, card.architecture, dict(card.arguments), digest, crop]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def kept_responses(model: Model, crop: int) -> Kept | None:
    """What is kept of a model's responses; None where nothing is, or what is, is of another one."""
    if model.path is None or not (key := responses_key(model, crop)):
        return None
    for file in (model.path / FILE, cache_folder() / f"{key}.npz"):
        if file.is_file() and (found := _read(file, key)) is not None:
            return found
    return None


def keep_responses(model: Model, crop: int, found: Kept, *, beside: bool = False) -> Path | None:
    """Keep responses of a model that lies on disk, where nothing hinders it.

    Parameters
    ----------
    beside : bool
        Beside its weights, for a bundle that is about to be shipped; else in the cache folder.
    """
    if model.path is None or not (key := responses_key(model, crop)):
        return None
    impulse, shift = found
    arrays: dict[str, npt.NDArray[Any]] = {
        "key": np.frombuffer(key.encode(), dtype=np.uint8),
        "impulse": impulse,
        "averaged": np.stack([role.averaged for role in shift]),
        "defect": np.stack([role.defect for role in shift]),
        "metrics": np.stack([[role.metrics[name] for name in _METRICS] for role in shift]),
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # pyright: ignore[reportArgumentType]
    file = model.path / FILE if beside else cache_folder() / f"{key}.npz"
    # Whoever waits for the responses has them; a full or read-only disk is no error of theirs.
    with suppress(SparseExplainError, OSError):
        return write_atomically(file, buffer.getvalue(), overwrite=True)
    return None


def cache_folder() -> Path:
    """Where responses of a person's own bundles are kept."""
    given = os.environ.get(FOLDER_VARIABLE, "")
    root = Path(given) if given else user_cache_path("napari-sparseexplain", appauthor=False)
    return root / "responses"


def _read(file: Path, key: str) -> Kept | None:
    try:
        arrays = read_npz(file, problem="no kept responses", remedy="Delete it")
        said = arrays["key"].astype(np.uint8).tobytes().decode()
        if said != key:
            return None
        impulse, averaged = arrays["impulse"], arrays["averaged"]
        defect, metrics = arrays["defect"], arrays["metrics"]
    except (SparseExplainError, OSError, KeyError, UnicodeDecodeError):
        return None
    roles, count = len(averaged), impulse.shape[0] if impulse.ndim == 4 else -1
    period = metrics.shape[2] if metrics.ndim == 5 else -1
    fits = (
        averaged.shape == (roles, count, *impulse.shape[2:])
        and defect.shape == (roles, count)
        and metrics.shape == (roles, len(_METRICS), period, period, count)
        and impulse.shape[1:2] == (roles,)
        and all(np.isfinite(a).all() for a in (impulse, averaged, defect, metrics))
    )
    if not fits:
        return None
    shift = tuple(
        ShiftVariance(
            period, averaged[role], defect[role], dict(zip(_METRICS, metrics[role], strict=True))
        )
        for role in range(roles)
    )
    return impulse, shift
