"""Which of the networks in a table were trained alike, as their cards say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...networks.bundle.model_card import ModelCard

#: What tells the networks apart, and the format of numbers: all else must agree.
_MEANT = ("architecture", "arguments", "denoise", "reconstruction", "reconstruction_share", "half")


def recipe_summary(cards: Mapping[str, ModelCard]) -> str:
    """One sentence: which networks share data and recipe, and which stand alone.

    Parameters
    ----------
    cards : mapping of title to ModelCard
        The networks of a table. Two share a recipe where data, number of slices seen and every
        setting of the training but the loss that tells them apart are equal.
    """
    groups: list[tuple[Any, list[str]]] = []
    unknown = []
    for title, card in cards.items():
        recipe = card.training.get("recipe")
        if not isinstance(recipe, Mapping):
            unknown.append(title)
            continue
        data = str(card.training.get("data", "")).partition(";")[0]  # then: what it was scored on
        key = (data, card.training.get("slices"), _settings(recipe))
        for known, names in groups:
            if known == key:
                names.append(title)
                break
        else:
            groups.append((key, [title]))
    shared = [" and ".join(names) for _, names in groups if len(names) > 1]
    alone = [names[0] for _, names in groups if len(names) == 1]
    parts = [f"{names} share data and recipe" for names in shared]
    if alone and len(cards) > 1:
        parts.append(f"{', '.join(alone)}: a recipe of {'its' if len(alone) == 1 else 'their'} own"
                     + (" each" if len(alone) > 1 else ""))  # fmt: skip
    if unknown:
        parts.append(f"{', '.join(unknown)}: the card tells no recipe")
    return f"Trainings: {'; '.join(parts)}." if parts else ""


def _settings(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in recipe.items() if name not in _MEANT}
