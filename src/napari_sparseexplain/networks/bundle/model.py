"""A network with its card, ready to run."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from ...arguments import shown
from ...errors import ModelError
from ..device import choose_device
from ..running.caller_module import in_training
from .card_file import check_card
from .loaded_models import hold
from .model_card import ModelCard


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

    Examples
    --------
    >>> import napari_sparseexplain as se
    >>> model = se.load_model("sum-rec")
    >>> model.name, model.device.type, model.card.classes
    ('sum-rec', 'cpu', {'1': 'whole tumour'})
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
        for name, kind, words in (
            ("card", ModelCard, "a ModelCard"),
            ("network", nn.Module, "a torch module"),
            ("device", torch.device, "a torch.device"),
        ):
            if not isinstance(getattr(self, name), kind):
                raise ModelError(
                    f"the {name} of a model must be {words}, not {shown(getattr(self, name))}",
                    remedy="Load it with se.load_model, or give a torch module to se.explain",
                )
        check_card(replace(self.card, weights_sha256="0" * 64), self.card.name)
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
        model = cls(card, network, device)
        hold(model)
        return model
