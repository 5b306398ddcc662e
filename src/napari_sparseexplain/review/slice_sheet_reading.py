"""A sheet of one slice as a reading: masks as contours, components, maps, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..evidence import Explanation
from ..evidence.strongest_components import strongest_components
from ..explanation.catalogue import method_info
from ..volumes import Study
from ..volumes.frames import looked_at
from ..volumes.labels.reference_mask import reference_mask
from ..volumes.reading_order import first_shown
from .default_review import STUDY_KEY, explanation_reference, label_overlay, map_overlay, scan_layer
from .reading import Reading
from .review import KeySlice, Overlay, Panel, Review
from .study_reference import study_reference

#: Width of a contour.
LINE = 2.0


def slice_sheet_reading(
    study: Study, index: int, explanations: Mapping[str, Explanation]
) -> Reading:
    """What a sheet shows of a slice, apart from what does not lie on the study.

    The first panel is the scan with the study's own mask as a solid line and the estimated one as a
    dashed line; then each class's component in the modality in which it is strongest; then the heat
    maps over the scan.

    Parameters
    ----------
    index : int
        Slice of the study, counted from 0.
    explanations : mapping
        The sheet's results, by the names of its parts.
    """
    frame = next((item.frame for item in explanations.values() if item.frame), ())
    seen = looked_at(study, frame)
    role = scan_role(study, explanations)
    scan = scan_layer(seen, role)
    truth = reference_mask(seen, slice(index, index + 1))
    over = [] if truth is None else [_contour(label_overlay(seen, truth.role))]

    rest: list[Panel] = []
    for key, found in explanations.items():
        masks = [m for m in found.maps if m.kind == "segmentation" and m.name == "mask"]
        heat = [m for m in found.maps if m.kind == "heatmap" and m.space == "study"]
        parts = strongest_components(found)
        if parts:
            shown = [(map_overlay(key, found, item, alone=True), None) for item in parts]
        else:
            title = method_info(found.method).short_title
            named = [replace(map_overlay(key, found, item), title=title) for item in heat[:1]]
            shown = [(overlay, scan) for overlay in named]
            if masks and not heat:
                over.append(_contour(map_overlay(key, found, masks[0])))
        rest += [Panel(STUDY_KEY, "axial", index, below, (o,)) for o, below in shown]
    panels = [Panel(STUDY_KEY, "axial", index, scan, tuple(over)), *rest]
    review = Review(
        studies={STUDY_KEY: study_reference(study)},
        panels=tuple(panels),
        explanations={key: explanation_reference(item) for key, item in explanations.items()},
        key_slices=(KeySlice(STUDY_KEY, "axial", index, leading=frame),),
    )
    return Reading(review, {STUDY_KEY: study}, dict(explanations))


def scan_role(study: Study, explanations: Mapping[str, Explanation]) -> str:
    """The scan that maps lie over: the one explained, else the one shown first."""
    for found in explanations.values():
        for role in found.provenance.inputs:
            if role in study.images:
                return role
    return first_shown(study)


def _contour(overlay: Overlay) -> Overlay:
    return replace(overlay, drawn="outline", line_width=LINE, opacity=1.0)
