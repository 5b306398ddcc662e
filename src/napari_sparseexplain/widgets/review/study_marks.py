"""What a person marked in one study: annotations, key slices, the clicked voxel, its code."""

from __future__ import annotations

from dataclasses import dataclass

from ...review.annotation import Annotation
from ...review.review import KeySlice

#: Key of the active study in every review of a window.
OWN = "study"


@dataclass(frozen=True)
class Marks:
    """What a person marked in the active study, whose key here is `OWN`.

    Attributes
    ----------
    annotations, key_slices : tuple
    probe : tuple of int or None
        The clicked voxel.
    code : str
        What the study is called on pictures.
    """

    annotations: tuple[Annotation, ...] = ()
    key_slices: tuple[KeySlice, ...] = ()
    probe: tuple[int, int, int] | None = None
    code: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing was marked."""
        return not (self.annotations or self.key_slices)
