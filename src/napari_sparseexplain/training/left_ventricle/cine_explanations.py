"""What a network marks in a cine as results, one a time point: what a review keeps of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ...evidence import Explanation, ExplanationMap, Provenance
from ...volumes import Study
from .cine_figures import figure_sentences
from .cine_volumes import CineVolumes

#: How such a result is called; no method of its own, since it is of all time points together.
METHOD = "cine"

OUTLINE, MASK = "outline", "mask"

_CLASSES = {1: "left ventricle"}


def cine_explanations(
    study: Study, found: CineVolumes, title: str, record: Provenance
) -> tuple[Explanation, ...]:
    """Mask and outline of each time point, with the figures of the whole cycle.

    Parameters
    ----------
    title : str
        Of the network.
    record : Provenance
        Of the run; each result gets its frame noted in it.
    """
    notes = tuple(figure_sentences([found], [title]))
    figures: dict[str, float | None] = {
        "EDV (ml)": found.edv,
        "ESV (ml)": found.esv,
        "SV (ml)": found.stroke_volume,
        "EF": None if np.isnan(found.ejection_fraction) else found.ejection_fraction,
    }
    made = []
    for point, (masks, volume) in enumerate(zip(found.masks, found.volumes, strict=True)):
        made.append(
            Explanation(
                METHOD,
                (
                    _map(OUTLINE, outlines(masks), "Outline of the left ventricle"),
                    _map(MASK, masks, "Left ventricle"),
                ),
                replace(record, parameters={**record.parameters, "frame": [point]}),
                study.grid,
                slice(0, study.grid.shape[0]),
                title,
                {"volume at this time point (ml)": float(volume), **figures},
                notes,
            )
        )
    return tuple(made)


def outlines(masks: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The outermost pixels inside masks (slices, rows, columns), slice by slice."""
    padded = np.pad(masks, ((0, 0), (1, 1), (1, 1)))
    within = padded[:, :-2, 1:-1] & padded[:, 2:, 1:-1] & padded[:, 1:-1, :-2] & padded[:, 1:-1, 2:]
    return masks & ~within


def _map(name: str, data: npt.NDArray[np.bool_], title: str) -> ExplanationMap:
    return ExplanationMap(name, data.astype(np.uint8), "segmentation", title, classes=_CLASSES)
