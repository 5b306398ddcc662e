"""The views that a model was trained on, as its card tells, and a word where others are met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from .model_card import ModelCard


def views_of_card(card: ModelCard | None) -> tuple[str, ...]:
    """Views among the slices that a model was trained on; empty where the card does not tell."""
    told = None if card is None else card.training.get("views")
    return tuple(str(view).lower() for view in told) if isinstance(told, list | tuple) else ()


def unseen_view_notes(card: ModelCard, views: Iterable[str]) -> tuple[str, ...]:
    """A note where slices are of views that the model was not trained on; none where unknown."""
    seen = views_of_card(card)
    unseen = Counter(view for view in views if view and view.lower() not in seen)
    if not seen or not unseen:
        return ()
    told = ", ".join(f"{count} {view}" for view, count in sorted(unseen.items()))
    return (
        f"{card.title or card.name} was trained on {', '.join(seen)} slices; these are others: "
        f"{told}.",
    )
