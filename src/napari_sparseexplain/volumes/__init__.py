"""What a scan is: geometry, volumes, studies, readers, writers, phantoms. No torch here."""

from .grid import Grid
from .study import Finding, Resampling, Study
from .volume import Source, Volume

__all__ = ["Finding", "Grid", "Resampling", "Source", "Study", "Volume"]
