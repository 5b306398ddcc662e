"""Volumes by role on one grid: what the order of reading needs of a study, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .grid import Grid
from .volume import Volume


class VolumesOnGrid(Protocol):
    """A `Study`, or anything that holds volumes as one does."""

    @property
    def images(self) -> Mapping[str, Volume]:
        """Scans by role."""
        ...

    @property
    def labels(self) -> Mapping[str, Volume]:
        """Label maps by role."""
        ...

    @property
    def grid(self) -> Grid:
        """The grid on which all of them lie."""
        ...

    @property
    def reference(self) -> str:
        """Role of the volume whose grid it is."""
        ...
