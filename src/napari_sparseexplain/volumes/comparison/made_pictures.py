"""Pictures made of a current scan and a prior on its grid, as long work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...progress import Progress, Work
from ..registration.registration_error import EDGE_MM, edges_met
from ..volume import Volume
from .check_pictures import checkerboard, edge_map
from .grey_values import match_grey_values, subtraction

#: What can be made of both.
MadeOf = Literal["checkerboard", "edges", "difference"]

#: Edge of a field of the checkerboard, mm, where nobody says otherwise.
FIELD_MM = 20.0


@dataclass(frozen=True, eq=False)
class MadePicture:
    """One picture of both.

    Attributes
    ----------
    what : str
    data : ndarray, shape (S, P, L)
        float32 in the current scan's values; of edges uint8, 1 on an edge of the prior.
    limit : float
        Of a difference half of the range to draw; else 1.
    words : str
        How it was made, for a person.
    """

    what: MadeOf
    data: Any
    limit: float
    words: str


def made_picture_work(
    what: MadeOf, current: Volume, prior: Volume, *, size_mm: float = FIELD_MM
) -> Work[MadePicture]:
    """A checkerboard, the prior's edges, or current minus prior.

    Parameters
    ----------
    current, prior : Volume
        On one grid.
    size_mm : float
        Of the checkerboard's fields.

    Raises
    ------
    StudyError
        The two have too little in common.
    """
    yield Progress(0, 0, "comparing current and prior")
    spacing = current.grid.spacing
    if what == "difference":
        left, limit, words = subtraction(current, prior)
        return MadePicture(what, left, limit, f"orange: brighter now, blue: darker; {words}")
    if what == "checkerboard":
        match, _ = match_grey_values(current, prior)
        yield Progress(0, 0, "laying out the fields")
        made = checkerboard(
            current.spatial(), match.apply(prior.spatial()), spacing, size_mm=size_mm
        )
        return MadePicture(what, made, 1.0, f"fields of {size_mm:g} mm; {match.words}")
    edges = edge_map(prior.spatial(), spacing)
    yield Progress(0, 0, "comparing edges")
    met = edges_met(edges, edge_map(current.spatial(), spacing), spacing)
    words = "" if met is None else (
        f"{100 * met:.0f} % of the prior's edges lie within {EDGE_MM:g} mm of the current scan's"
    )  # fmt: skip
    return MadePicture(what, edges.astype(np.uint8), 1.0, words)
