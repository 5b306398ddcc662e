"""A panel for a result that no panel of the reading shows, so that a report has a picture of it."""

from __future__ import annotations

from dataclasses import replace

from ..evidence import ExplanationMap
from ..volumes.reading_order import first_shown
from .default_review import map_overlay, scan_layer
from .reading import Reading
from .review import Panel

#: Kinds of maps, the first to show first; what repeats the study itself is shown last.
_WORTH = ("heatmap", "segmentation", "colours", "parameter map", "signal", "component")
_REPEATS = ("input", "reference-segmentation")


def result_reading(reading: Reading, key: str) -> Reading | None:
    """The reading with one panel: a result over its study's first scan, as one opens it.

    On the slice of a key slice that the result has, else in its middle. None where no map of the
    result lies on the study.
    """
    explanation = reading.explanations[key]
    maps = [item for item in explanation.maps if item.space == "study"]
    if not maps:
        return None
    item = min(maps, key=_rank)
    study_key = reading.review.explanations[key].study
    study, span = reading.studies[study_key], explanation.slices
    marked = [
        k.index
        for k in reading.review.key_slices
        if (k.study, k.plane) == (study_key, "axial") and span.start <= k.index < span.stop
    ]
    index = marked[0] if marked else (span.start + span.stop - 1) // 2
    role = first_shown(study)
    alone = item.kind in ("component", "signal", "colours") or not role
    scan = None if alone else scan_layer(study, role, study_key)
    overlay = map_overlay(key, explanation, item, alone=alone)
    panel = Panel(study_key, "axial", index, scan, (overlay,))
    review = replace(reading.review, panels=(panel,), columns=0, crosshair=False)
    return reading.with_review(review)


def _rank(item: ExplanationMap) -> tuple[bool, int]:
    worth = _WORTH.index(item.kind) if item.kind in _WORTH else len(_WORTH)
    return item.name in _REPEATS, worth
