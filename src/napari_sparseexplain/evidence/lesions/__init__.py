"""The lesions of a mask: connected components, their size, their values, over time."""

from .components import Component, components_of
from .lesion import Lesion, lesions_of

__all__ = ["Component", "Lesion", "components_of", "lesions_of"]
