"""Models by the checksum of their weights: which one a record means, and where it is.

A name tells little: what one trains oneself is called after its recipe, like the model that ships,
and a bundle's folder can be filled anew. A record is run again with its own weights or not at all.
"""

from __future__ import annotations

from typing import Any

from ...errors import ModelError
from .catalogue import bundle_folder, models
from .digest import digest_of_weights
from .loaded_models import IN_MEMORY, LOADERS
from .loading import load_model
from .model import Model


def weights_sha256(model: Model) -> str:
    """Checksum of a model's weights: of their file, else of the numbers in memory.

    Empty for a network without any, such as a plain function.
    """
    return model.card.weights_sha256 or digest_of_weights(model.network)


def model_origin(model: Model) -> str:
    """Where a model came from, without a path: ``bundled``, ``folder``, ``file`` or ``memory``."""
    if model.path is None:
        return "memory"
    if bundle_folder(model.path.name) == model.path:
        return "bundled"
    return "file" if model.path.is_file() else "folder"


def model_of_record(name: str, sha256: str, origin: str = "", device: str = "auto") -> Model:
    """The model that a record was made with.

    Parameters
    ----------
    name : str
        What the record calls it.
    sha256 : str
        Of its weights.
    origin : str
        See `model_origin`; empty in old records.

    Raises
    ------
    ModelError
        No model with these weights is known here, or the record does not say which they were.
    """
    if not sha256:
        raise ModelError(
            "the record does not say which weights it was made with, and a name alone does not "
            "tell one model from another",
            where=name,
            remedy="Run the method in its own tab, with the model chosen",
        )
    for model in list(IN_MEMORY):
        if weights_sha256(model) == sha256:  # as they are now: they may have been trained since
            return model.on(device)
    shipped = next((n for n, card in models().items() if card.weights_sha256 == sha256), "")
    if shipped:
        return load_model(shipped, device)
    if sha256 in LOADERS:
        found = LOADERS[sha256](device)
        if found.card.weights_sha256 == sha256:
            return found
        raise ModelError(
            f"the model was replaced: its weights were {sha256[:12]}… and are "
            f"{found.card.weights_sha256[:12]}… now",
            where=name,
            remedy="Bring the former weights back, or run the method in its own tab",
        )
    raise ModelError(_unknown(name, sha256, origin), where=name, remedy=_REMEDY)


_REMEDY = (
    "Choose its folder or file once as the model of a tab (in Python: load it), then run again; "
    "or run the method in its own tab with another model"
)


def _unknown(name: str, sha256: str, origin: str) -> str:
    said = f"no model with the weights {sha256[:12]}… is known here"
    card: Any = models().get(name)
    if card is not None:
        said += f"; the one that ships as {name!r} has others ({card.weights_sha256[:12]}…)"
    came = {
        "memory": "it was a network in memory",
        "folder": "it was a bundle in a folder of one's own",
        "file": "it was a model file from elsewhere",
    }
    return said + (f"; {came[origin]}" if origin in came else "")
