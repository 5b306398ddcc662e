"""Writing a model bundle: a folder with ``card.json`` and ``weights.safetensors``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import nn

from ...errors import ModelError, SparseExplainError
from ...files.atomic_write import moved_together, ordinary_mode
from ..modules.architectures import weight_shapes_of
from .card_file import CARD_FILE, WEIGHTS_FILE, check_card, write_card
from .digest import file_sha256
from .model_card import ModelCard
from .weights_check import check_shapes, refuse_non_finite


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
    refuse_non_finite(weights, target)
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    check_shapes(weight_shapes_of(card.architecture, card.arguments), shapes, target)
    try:
        # Together: weights beside the card of other weights are no bundle.
        with moved_together(target) as making:
            save_file(weights, making / WEIGHTS_FILE)
            ordinary_mode(making / WEIGHTS_FILE)
            saved = replace(card, weights_sha256=file_sha256(making / WEIGHTS_FILE))
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
