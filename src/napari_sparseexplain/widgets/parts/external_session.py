"""Models of a tab that also takes models from elsewhere, by the cards that a person filled in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...networks.bundle.model_card import ModelCard
from .model_session import ModelKey, ModelSession

if TYPE_CHECKING:
    from ...networks.bundle.model import Model


class ExternalModelSession(ModelSession):
    """A `ModelSession` whose models may be files with a card of a person's own."""

    def __init__(self) -> None:
        super().__init__()
        self._cards: dict[str, ModelCard] = {}

    def set_card(self, path: str, card: ModelCard) -> None:
        """The card that a person filled in for a file; another one loads the file anew."""
        if self._cards.get(path) != card:
            self._cards[path] = card
            for key in [key for key in self._models if key.model == path]:
                del self._models[key]

    def model(self, key: ModelKey) -> Model:
        """The model, loaded once: a bundle, or a file with its card.

        Raises
        ------
        ModelError
            The file or bundle is missing, damaged or a pickle, or the card does not fit it.
        """
        card = self._cards.get(key.model)
        if card is not None and key not in self._models:
            from ...networks.bundle.external_model import load_external_model
            from .work_runner import cap_threads

            cap_threads()
            self._models[key] = load_external_model(Path(key.model), card, device=key.device)
        return super().model(key)

    def load_early(self, key: ModelKey) -> None:
        """See `ModelSession.load_early`; a program from elsewhere is started by a run alone."""
        if key.model not in self._cards:
            super().load_early(key)
