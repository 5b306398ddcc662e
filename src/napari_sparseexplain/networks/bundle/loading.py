"""Loading a model: a bundle by its name or its folder, or a file from elsewhere with a card.

A bundle's layout can lie inside a MONAI bundle, beside its ``metadata.json``. Nothing is ever
unpickled: safetensors holds numbers only, and its checksum is verified before it is read.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ...arguments import given_path
from ...errors import ModelError
from ..device import choose_device
from ..modules.architectures import build_network, weight_shapes_of
from .card_file import CARD_FILE, WEIGHTS_FILE, read_card
from .catalogue import bundle_folder, models
from .digest import file_sha256
from .external_model import load_external_model
from .loaded_models import remember
from .model import Model
from .model_card import ModelCard
from .weights_check import check_shapes, refuse_non_finite
from .weights_file import weight_shapes

#: Files that Python would execute while loading.
_PICKLED = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib")


def load_model(
    name_or_path: str | Path, device: str = "cpu", *, card: ModelCard | str | Path | None = None
) -> Model:
    """A model by its bundled name (``"sum-rec"``) or its folder, or a file from elsewhere.

    Parameters
    ----------
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"mps"`` …
    card : ModelCard, or path of a JSON file, optional
        For a TorchScript or ``.pt2`` file or a MONAI bundle; see `load_external_model`.

    Raises
    ------
    ModelError
        No such bundle; a pickle; a damaged card; weights that are missing, whose checksum is not
        the card's, that do not fit the architecture or are not finite; no such device.

    Examples
    --------
    >>> import napari_sparseexplain as se
    >>> list(se.load_model("unet-classes").card.classes.values())
    ['healthy tissue', 'oedema', 'necrotic and non-enhancing core', 'enhancing tumour']
    """
    given_path(name_or_path, "model", kind=ModelError)
    if card is not None:
        return load_external_model(name_or_path, card, device)
    chosen = choose_device(device)
    folder = bundle_folder(name_or_path)
    if folder.suffix.lower() in _PICKLED:
        raise ModelError(
            "a pickled file can run any code when it is opened, so it is not loaded",
            where=folder,
            remedy="Convert its weights to a bundle (card.json, weights.safetensors) in a place "
            "you trust, or give a TorchScript file together with a card (--card)",
        )
    if folder.suffix == ".safetensors" or folder.name == CARD_FILE:
        folder = folder.parent
    if not folder.exists() and isinstance(name_or_path, str) and "/" not in name_or_path:
        have = ", ".join(models()) or "none"
        raise ModelError(
            f"there is no model {name_or_path!r}",
            remedy=f"The bundled models are: {have}; or give a bundle's folder",
        )
    card = read_card(folder)
    file, where = folder / WEIGHTS_FILE, str(folder / CARD_FILE)
    _check_weights(file, card)
    found = weight_shapes(file)
    given = (card.architecture, card.arguments)
    largest = found.largest_dimension
    # Compared before anything is made of either: a card may ask for more than any memory.
    wanted = weight_shapes_of(*given, where=where, largest=largest)
    check_shapes(wanted, found.shapes, file)
    weights = _read_weights(file)
    network = build_network(*given, where=where, largest=largest)
    network.load_state_dict(weights)
    network.eval().requires_grad_(False).to(chosen)
    # Kernels in the memory order of the activations, or each call would reorder them.
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    remember(card.weights_sha256, lambda where: load_model(folder, where))
    return Model(card, network, chosen, folder)


def _check_weights(path: Path, card: ModelCard) -> None:
    """Refuse weights that are missing, or not those that the card describes."""
    folder = path.parent
    again = "Get the bundle again from where it came"
    if not path.is_file():
        pickled = sorted(p.name for p in folder.iterdir() if p.suffix.lower() in _PICKLED)
        beside = f" (there is {pickled[0]}, a pickle, which is never loaded)" if pickled else ""
        raise ModelError(f"the bundle has no {WEIGHTS_FILE}{beside}", where=folder, remedy=again)
    found = file_sha256(path)
    if found != card.weights_sha256:
        raise ModelError(
            f"the checksum is {found[:12]}… and the card says {card.weights_sha256[:12]}…, "
            "so these are not the weights that the card describes",
            where=path,
            remedy=again,
        )


def _read_weights(path: Path) -> dict[str, torch.Tensor]:
    try:
        weights = load_file(path)
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise ModelError(
            "the weights cannot be read, although their header is sound",
            where=path,
            remedy="Get the bundle again from where it came",
        ) from error
    refuse_non_finite(weights, path)
    return weights
