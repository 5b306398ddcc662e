"""A network that reads tissue, as a folder: ``tissue-network.json`` and its weights.

Weights are kept in half precision; nothing is unpickled, and their checksum is verified before they
are read.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ...errors import ModelError, SparseExplainError
from ...files.atomic_write import moved_together, ordinary_mode, write_atomically
from ...files.json_file import read_json
from ...files.plain_data import from_plain, to_plain
from ..bundle.digest import file_sha256
from ..bundle.weights_check import check_shapes, refuse_non_finite
from ..bundle.weights_file import weight_shapes
from .tissue_card import TissueCard, TissueNetworkKind
from .tissue_modules import HybridModule, LearnedModule
from .tissue_network import TissueNetwork

CARD_FILE, WEIGHTS_FILE = "tissue-network.json", "weights.safetensors"

#: Networks that ship, by kind.
SHIPPED = Path(__file__).with_name("weights")

_REMEDY = "Get the folder again, or train the network anew (sparseexplain train)"


def module_of(card: TissueCard) -> HybridModule | LearnedModule:
    """An untrained network of a card's sizes."""
    if card.kind == "hybrid":
        return HybridModule(card.atoms)
    return LearnedModule(len(card.gradients))


def save_tissue_network(
    folder: Path, card: TissueCard, module: HybridModule | LearnedModule
) -> TissueCard:
    """Write weights and card together.

    Returns
    -------
    TissueCard
        With the checksum of the weights.

    Raises
    ------
    ModelError
        The folder cannot be written, or a weight is not finite.
    """
    weights = {
        name: tensor.detach().cpu().half().contiguous()
        for name, tensor in module.state_dict().items()
    }
    refuse_non_finite(weights, folder)
    try:
        with moved_together(folder) as making:
            save_file(weights, making / WEIGHTS_FILE)
            ordinary_mode(making / WEIGHTS_FILE)
            saved = replace(card, weights_sha256=file_sha256(making / WEIGHTS_FILE))
            text = json.dumps(to_plain(saved), indent=1, ensure_ascii=False) + "\n"
            write_atomically(making / CARD_FILE, text, overwrite=True)
    except ModelError:
        raise
    except (SafetensorError, SparseExplainError) as error:
        raise ModelError(
            f"the network cannot be written ({getattr(error, 'what', error)})",
            where=folder,
            remedy="Choose a folder that you may write to, on a disk that has room",
        ) from error
    return saved


def load_tissue_network(kind: TissueNetworkKind, folder: str | Path = "") -> TissueNetwork:
    """A network of a kind: from a folder, or the one that ships for an empty one.

    Raises
    ------
    ModelError
        No such folder, a damaged card, weights whose checksum is not the card's, or a network of
        the other kind.
    """
    path = Path(folder) if folder else SHIPPED / kind
    card = read_tissue_card(path)
    if card.kind != kind:
        raise ModelError(
            f"the network is a {card.kind} one, and a {kind} one is asked for", where=path,
            remedy=f"Choose the method for {card.kind} networks, or another folder",
        )  # fmt: skip
    return _loaded(path, card.weights_sha256)


def read_tissue_card(folder: Path) -> TissueCard:
    """The card of a folder.

    Raises
    ------
    ModelError
        No such folder, or its card is damaged.
    """
    path = folder / CARD_FILE
    if not path.is_file():
        raise ModelError(
            f"the folder holds no {CARD_FILE}, so it is no network that reads tissue",
            where=folder,
            remedy="Give a folder that sparseexplain train microstructure-hybrid or "
            "microstructure-learned wrote",
        )
    values = read_json(path, problem="the card cannot be read", remedy=_REMEDY, kind=ModelError)
    card = from_plain(TissueCard, values, str(path), remedy=_REMEDY, error=ModelError)
    if not card.radii or not card.densities or not card.gradients:
        raise ModelError("the card names no tissue or no gradients", where=path, remedy=_REMEDY)
    return card


@lru_cache(maxsize=4)
def _loaded(folder: Path, sha256: str) -> TissueNetwork:
    path = folder / WEIGHTS_FILE
    card = read_tissue_card(folder)
    if not path.is_file() or file_sha256(path) != sha256:
        raise ModelError(
            "the weights are missing, or not those of the card", where=path, remedy=_REMEDY
        )
    # Without memory for it: a card may ask for more than there is.
    with torch.device("meta"):
        shapes = module_of(card).state_dict()
    wanted = {name: tuple(tensor.shape) for name, tensor in shapes.items()}
    check_shapes(wanted, weight_shapes(path).shapes, path)
    module = module_of(card)
    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"the weights cannot be read ({error})", where=path, remedy=_REMEDY
        ) from error
    refuse_non_finite(weights, path)
    module.load_state_dict({name: tensor.to(torch.float32) for name, tensor in weights.items()})
    return TissueNetwork(card, module.eval())
