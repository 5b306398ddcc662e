"""A model bundle: a folder with ``card.json`` and ``weights.safetensors``.

The layout can lie inside a MONAI bundle, beside its ``metadata.json``. Nothing is ever
unpickled: safetensors holds numbers only, and its checksum is verified before it is read.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from ...errors import ModelError, SparseExplainError
from ...files.atomic_write import moved_together, ordinary_mode
from ..device import choose_device
from ..modules.architectures import build_network, weight_shapes_of
from ..running.caller_module import in_training
from .card_file import CARD_FILE, WEIGHTS_FILE, check_card, read_card, write_card
from .catalogue import bundle_folder, models
from .model_card import ModelCard
from .weights_file import weight_shapes

#: Files that Python would execute while loading.
_PICKLED = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib")


@dataclass(frozen=True, eq=False)
class Model:
    """A network ready to run.

    Attributes
    ----------
    card : ModelCard
        What it says of itself.
    network : torch.nn.Module
        In evaluation mode, on ``device``, without gradients on its weights;
        ``network(x, alpha=1.0)`` returns ``(mask, signal)``.
    device : torch.device
        Where it runs.
    path : Path or None
        The bundle's folder; None for a network that was never saved.
    """

    card: ModelCard
    network: nn.Module
    device: torch.device
    path: Path | None = None

    @property
    def name(self) -> str:
        """The card's name."""
        return self.card.name

    def __repr__(self) -> str:
        card = self.card
        classes = f": {', '.join(card.classes.values())}" if card.classes else ""
        return (
            f"<Model {card.name!r}: {card.task} of {', '.join(card.inputs.roles)}{classes}; "
            f"on {self.device}>"
        )

    def __post_init__(self) -> None:
        if in_training(self.network):
            # The caller's own goes on being trained; what is explained is not.
            copied = copy.deepcopy(self.network).eval()
            object.__setattr__(self, "network", copied)

    def at_rest(self) -> Model:
        """The same model, not being trained: itself, or a copy where its network was set to be."""
        return replace(self) if in_training(self.network) else self

    def on(self, device: str | torch.device) -> Model:
        """The same model on another device; itself when it is already there."""
        target = device if isinstance(device, torch.device) else choose_device(device)
        if target == self.device:
            return self
        return replace(self, network=copy.deepcopy(self.network).to(target), device=target)

    @classmethod
    def of_network(cls, card: ModelCard, network: nn.Module) -> Model:
        """A model from a network in memory, on the device where its weights are.

        A network that is being trained is copied: its modes and its weights stay as they are.
        """
        weight = next(network.parameters(), None)
        device = torch.device("cpu") if weight is None else weight.device
        if in_training(network) or any(w.requires_grad for w in network.parameters()):
            network = copy.deepcopy(network).eval().requires_grad_(False)
        from .known_models import hold

        model = cls(card, network, device)
        hold(model)
        return model


def save_bundle(folder: str | Path, card: ModelCard, network: nn.Module) -> ModelCard:
    """Write a bundle, weights and card together.

    Parameters
    ----------
    folder : str or Path
        Made when it is not there.
    card : ModelCard
        Its ``weights_sha256`` is filled in here.
    network : torch.nn.Module
        What ``card.architecture`` builds from ``card.arguments``.

    Returns
    -------
    ModelCard
        With the checksum of the weights.

    Raises
    ------
    ModelError
        The folder cannot be written, a weight is not finite, or the card does not build a network
        of these weights.
    """
    target = Path(folder)
    weights = {
        name: tensor.detach().to("cpu").contiguous()
        for name, tensor in network.state_dict().items()
    }
    _refuse_non_finite(weights, target)
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    _check_shapes(weight_shapes_of(card.architecture, card.arguments), shapes, target)
    try:
        # Together: weights beside the card of other weights are no bundle.
        with moved_together(target) as making:
            save_file(weights, making / WEIGHTS_FILE)
            ordinary_mode(making / WEIGHTS_FILE)
            saved = replace(card, weights_sha256=_sha256(making / WEIGHTS_FILE))
            check_card(saved, target / CARD_FILE)
            write_card(making, saved)
    except ModelError:
        raise
    except (SafetensorError, SparseExplainError) as error:
        raise ModelError(
            f"the bundle cannot be written ({getattr(error, 'what', error)})",
            where=target,
            remedy="Choose a folder that you may write to, on a disk that has room",
        ) from error
    return saved


def load_model(
    name_or_path: str | Path, device: str = "cpu", *, card: ModelCard | str | Path | None = None
) -> Model:
    """A model by its bundled name (``"sum-rec"``) or its folder, or a file from elsewhere.

    Parameters
    ----------
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"mps"`` …
    card : ModelCard, or path of a JSON file, optional
        For a TorchScript or ``.pt2`` file or a MONAI bundle; see `load_foreign_model`.

    Raises
    ------
    ModelError
        No such bundle; a pickle; a damaged card; weights that are missing, whose checksum is not
        the card's, that do not fit the architecture or are not finite; no such device.
    """
    if card is not None:
        from .external_model import load_foreign_model

        return load_foreign_model(name_or_path, card, device)
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
    _check_shapes(wanted, found.shapes, file)
    weights = _read_weights(file)
    network = build_network(*given, where=where, largest=largest)
    network.load_state_dict(weights)
    network.eval().requires_grad_(False).to(chosen)
    # Kernels in the memory order of the activations, or each call would reorder them.
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    from .known_models import remember

    remember(card.weights_sha256, lambda where: load_model(folder, where))
    return Model(card, network, chosen, folder)


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_weights(path: Path, card: ModelCard) -> None:
    """Refuse weights that are missing, or not those that the card describes."""
    folder = path.parent
    again = "Get the bundle again from where it came"
    if not path.is_file():
        pickled = sorted(p.name for p in folder.iterdir() if p.suffix.lower() in _PICKLED)
        beside = f" (there is {pickled[0]}, a pickle, which is never loaded)" if pickled else ""
        raise ModelError(f"the bundle has no {WEIGHTS_FILE}{beside}", where=folder, remedy=again)
    found = _sha256(path)
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
    _refuse_non_finite(weights, path)
    return weights


def _refuse_non_finite(weights: dict[str, torch.Tensor], where: Path) -> None:
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ModelError(
                f"the weight {name!r} holds NaN or infinite values",
                where=where,
                remedy="Train again with a lower learning rate, or get the bundle again",
            )


def _check_shapes(
    wanted: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]], where: Path
) -> None:
    """Refuse weights that are not those of the network, naming the first that differs."""
    remedy = "The card's architecture or arguments are not those of the weights; get both again"
    if missing := sorted(set(wanted) - set(found)):
        raise ModelError(f"the weight {missing[0]!r} is missing", where=where, remedy=remedy)
    if unknown := sorted(set(found) - set(wanted)):
        raise ModelError(f"the weight {unknown[0][:80]!r} is unknown", where=where, remedy=remedy)
    for name, shape in found.items():
        if shape != wanted[name]:
            raise ModelError(
                f"the weight {name!r} has the shape {shape}, and the architecture "
                f"needs {wanted[name]}",
                where=where,
                remedy=remedy,
            )
