"""The layers of one result, by name: what results of every method have in common."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

from napari.layers import Layer

Key = TypeVar("Key", bound=Hashable)


class ShownLayers(Generic[Key]):
    """Layers of a result in the viewer; a class of results adds what it shows in them.

    Attributes
    ----------
    layers : dict of key to Layer
        Those made so far, by the name of a map or of a cell.
    """

    layers: dict[Key, Layer]

    @property
    def all_layers(self) -> list[Layer]:
        """Every layer made so far."""
        return list(self.layers.values())

    @property
    def visible(self) -> bool:
        """Whether any of it is in the picture."""
        return any(layer.visible for layer in self.layers.values())

    def drop_missing(self, present: Iterable[Layer]) -> None:
        """Forget layers that a person has removed."""
        there = set(present)
        self.layers = {key: layer for key, layer in self.layers.items() if layer in there}
