"""What a method found, before anybody has noted how: maps, scores and notes.

`explain_work` makes the `Explanation` of it, with the record of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..evidence import ExplanationMap

if TYPE_CHECKING:
    from ..networks.running.input_region import InputRegion

#: Among what was decided: checksums by name of what a run was given by files of a person's own.
#: These stay where they are, so a record that names any cannot be run again by itself.
FROM_FILE = "from file"


@dataclass(frozen=True, eq=False)
class MethodResult:
    """What the function of a method returns.

    Attributes
    ----------
    maps : tuple of ExplanationMap
        The arrays found.
    scores : mapping
        Name to number, or to None where the score does not apply.
    notes : tuple of str
        Sentences a person must read beside the result.
    target : str
        What was explained, for a person; empty when the method has no target.
    slices : slice or None
        Which slices of the study the maps cover, where that is not what was asked for (a voxel
        lies on one).
    region : InputRegion or None
        Where the network was fed the scans: `Prepared.region`.
    device : str
        Where it ran, if that was not the model's own device in the end.
    decided : mapping
        Parameters whose value means "as the model says" (0 rounds, no teacher named), with what
        was taken.
    inputs : tuple of str or None
        Roles of the scans that were used, by a method without a model; all scans when None.
    """

    maps: tuple[ExplanationMap, ...]
    scores: Mapping[str, float | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    target: str = ""
    slices: slice | None = None
    region: InputRegion | None = None
    device: str = ""
    decided: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] | None = None
