"""What a layer of a prior is, kept in its metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...volumes import Study, Volume

#: A prior's own scan or mask, or a picture that is made of it and of the current scan.
PriorPicture = Literal["scan", "mask", "checkerboard", "edges", "difference"]


@dataclass(frozen=True, eq=False)
class PriorLayer:
    """What such a layer is, kept in ``layer.metadata["sparseexplain"]``.

    Attributes
    ----------
    study : Study
        The current study, on whose grid it lies.
    role : str
        Of the prior's volume.
    what : str
    volume : Volume
        What is shown, on the current grid.
    """

    study: Study
    role: str
    what: PriorPicture
    volume: Volume
