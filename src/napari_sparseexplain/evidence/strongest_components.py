"""Of a decomposition the few pictures worth a cell: each class where it contributed most."""

from __future__ import annotations

import numpy as np

from .class_ids import class_ids
from .explanation import Explanation
from .explanation_map import ExplanationMap

_COMPONENT = "component-"


def strongest_components(explanation: Explanation) -> tuple[ExplanationMap, ...]:
    """One component of every class but the background: of the modality in which it has most energy.

    Energy is the sum of squares over the voxels. A class that contributed nothing is left out.
    """
    masks = [item for item in explanation.maps if item.name == "mask"]
    names = tuple(masks[0].classes.values()) if masks else ()
    ids = class_ids(names)
    best: dict[str, tuple[float, ExplanationMap]] = {}
    for item in explanation.maps:
        if not item.name.startswith(_COMPONENT):
            continue
        of = item.name.removeprefix(_COMPONENT)
        found = max((known for known in ids if of.startswith(f"{known}-")), key=len, default="")
        energy = float(np.square(np.asarray(item.data), dtype=np.float64).sum())
        if found and energy > best.get(found, (0.0, item))[0]:
            best[found] = (energy, item)
    return tuple(best[name][1] for name in ids if name in best)
