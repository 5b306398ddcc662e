"""The review that one starts from: the scans beside each other, or each explanation over a scan."""

from __future__ import annotations

from collections.abc import Mapping

from ..arguments import check_kind, is_by_text
from ..errors import StudyError
from ..evidence import Explanation, ExplanationMap
from ..evidence.colours import (
    BRATS_COLOURS,
    ESTIMATED_MASK_COLOUR,
    PARAMETER_COLORMAP,
    POPULATION_COLOURS,
    POPULATIONS,
    RGB_COLOURS,
    SIGNED_COLORMAP,
    TRUE_MASK_COLOUR,
    label_colours,
)
from ..volumes import Study, Volume
from ..volumes.frames import looked_at
from ..volumes.intensity.intensity_window import display_limits
from ..volumes.labels.names import label_names
from ..volumes.labels.values import labels_of
from ..volumes.reading_order import first_shown, opening_point, ordered_roles, role_title
from .reading import Reading
from .review import ExplanationReference, KeySlice, Overlay, Panel, Review, ScanLayer
from .study_reference import study_reference

#: Panels of a review that nobody laid out.
MOST_PANELS = 4

#: Opacity of a label map, and of a heat map, over a scan.
LABEL_OPACITY, HEAT_OPACITY = 0.45, 0.6

#: Share of a heat map's range below which it is clear, so that the scan stays visible.
HEAT_THRESHOLD = 0.25

#: Colour map of a map without sign, over a grey scan.
HEAT_COLORMAP = "inferno"

STUDY_KEY = "study"

#: Kinds of maps, the first to show first.
_WORTH = {
    **{"heatmap": 0, "segmentation": 1, "colours": 2, "parameter map": 3},
    **{"signal": 4, "component": 5},
}


def default_reading(study: Study, explanations: Mapping[str, Explanation] | None = None) -> Reading:
    """A reading of one study that nobody has laid out.

    Up to four axial panels on the largest slice of the lesion (else the middle one, or the middle
    of what was explained), which is also the one key slice. With explanations: the scan with its
    mask, then one map a panel over that scan. Without: the scans in reading order, the mask over
    the first.

    Raises
    ------
    StudyError
        The study has no scan.

    Examples
    --------
    >>> import napari_sparseexplain as se
    >>> reading = se.default_reading(se.sample_study())
    >>> len(reading.review.panels)
    4
    """
    check_kind(study, Study, "study", "one, from se.open_study or se.study_of_arrays")
    if explanations is not None:
        check_kind(explanations, _are_explanations, "explanations", "them by names: {'a': result}")
    found = dict(explanations or {})
    frame = next((item.frame for item in found.values() if item.frame), ())
    seen = looked_at(study, frame)  # panels show the frame that was explained
    first = first_shown(study)
    if not first:
        raise StudyError(
            "there is no scan to show", where=study.name, remedy="Open a study with a scan"
        )
    index = _first_slice(study, found)
    over = tuple(
        label_overlay(seen, role) for role in ordered_roles(study) if _is_lesion(study, role)
    )[:1]
    panels = [Panel(STUDY_KEY, "axial", index, scan_layer(seen, first), over)]
    for key, item in _first_maps(found):
        # A low value of a parameter is a value, so its map lies over nothing.
        own = item.kind in ("component", "signal", "parameter map", "colours")
        scan = None if own else scan_layer(seen, first)
        overlay = map_overlay(key, found[key], item, alone=scan is None)
        panels.append(Panel(STUDY_KEY, "axial", index, scan, (overlay,)))
    if not found:
        panels += [
            _scan_panel(study, role, index)
            for role in ordered_roles(study)
            if role in study.images and role != first
        ]
    review = Review(
        studies={STUDY_KEY: study_reference(study)},
        panels=tuple(panels[:MOST_PANELS]),
        explanations={key: explanation_reference(item) for key, item in found.items()},
        key_slices=(KeySlice(STUDY_KEY, "axial", index, leading=_points(seen[first])),),
    )
    return Reading(review, {STUDY_KEY: study}, found)


def _are_explanations(given: object) -> bool:
    return is_by_text(given, Explanation)


def scan_layer(study: Study, role: str, key: str = STUDY_KEY) -> ScanLayer:
    """A scan at the window in which the viewer opens it."""
    volume = study[role]
    return ScanLayer(key, role, display_limits(volume), _points(volume))


def _points(volume: Volume) -> tuple[int, ...]:
    """Where a volume is looked at along its leading axes."""
    return volume.frame or (0,) * len(volume.leading)


def _scan_panel(study: Study, role: str, index: int) -> Panel:
    """A scan alone; a signed map that was opened with the study in its colours."""
    volume = study[role]
    if not volume.signed:
        return Panel(STUDY_KEY, "axial", index, scan_layer(study, role))
    shown = Overlay(
        "study",
        STUDY_KEY,
        role,
        role_title(role),
        colormap=SIGNED_COLORMAP,
        limits=display_limits(volume),
        signed=True,
        unit=volume.unit,
        leading=_points(volume),
    )
    return Panel(STUDY_KEY, "axial", index, None, (shown,))


def label_overlay(study: Study, role: str, key: str = STUDY_KEY) -> Overlay:
    """A label map of the study in the viewer's colours."""
    return Overlay(
        "study",
        key,
        role,
        role_title(role),
        colours=label_colours(labels_of(study[role])),
        classes=label_names(study, role),
        opacity=LABEL_OPACITY,
        leading=study[role].frame,
    )


def map_overlay(
    key: str, explanation: Explanation, item: ExplanationMap, *, alone: bool = False
) -> Overlay:
    """A map of an explanation; over a scan it is translucent and its low values are clear."""
    title = item.title or item.name
    if item.kind == "segmentation":
        named = [label for label in item.classes if label != 0]
        true = "true" in item.name or "truth" in item.name
        one = {1: TRUE_MASK_COLOUR if true else ESTIMATED_MASK_COLOUR}
        several = POPULATION_COLOURS if item.name == POPULATIONS else BRATS_COLOURS
        return Overlay(
            "explanation",
            key,
            item.name,
            title,
            colours=several if len(named) > 1 else one,
            classes=item.classes,
            opacity=LABEL_OPACITY,
        )
    if item.kind == "colours":
        return Overlay(
            "explanation",
            key,
            item.name,
            title,
            colours=RGB_COLOURS,
            classes=item.classes,
            opacity=1.0 if alone else LABEL_OPACITY,
        )
    low, high = item.limits
    reach = max(abs(low), abs(high)) if item.signed else high - low
    plain = PARAMETER_COLORMAP if item.kind == "parameter map" else "gray"
    return Overlay(
        "explanation",
        key,
        item.name,
        title,
        colormap=SIGNED_COLORMAP if item.signed else (plain if alone else HEAT_COLORMAP),
        limits=(low, high),
        scope=item.range_scope,
        signed=item.signed,
        opacity=1.0 if alone else HEAT_OPACITY,
        threshold=None if alone else (0.0 if item.signed else low) + HEAT_THRESHOLD * reach,
        unit=item.unit,
    )


def explanation_reference(
    explanation: Explanation, folder: str = "", entry: str = ""
) -> ExplanationReference:
    """How an explanation is known in a review."""
    return ExplanationReference(
        STUDY_KEY,
        explanation.method,
        explanation.target,
        explanation.provenance.to_json(),
        folder,
        entry,
    )


def _first_maps(explanations: Mapping[str, Explanation]) -> list[tuple[str, ExplanationMap]]:
    """Maps in the order in which they are worth a panel: the first of every explanation, then more.

    Within one: heat maps, masks, then the rest; what repeats the study itself comes last.
    """
    ranked = []
    for key, explanation in explanations.items():
        maps = [m for m in explanation.maps if m.space == "study"]
        maps.sort(key=lambda m: (_repeats(m), _WORTH.get(m.kind, len(_WORTH))))
        ranked += [(place, key, item) for place, item in enumerate(maps)]
    ranked.sort(key=lambda entry: (_repeats(entry[2]), entry[0]))
    return [(key, item) for _, key, item in ranked]


def _repeats(item: ExplanationMap) -> bool:
    return item.name in ("input", "reference-segmentation")


def _is_lesion(study: Study, role: str) -> bool:
    return role in study.labels and "brain" not in role


def _first_slice(study: Study, explanations: Mapping[str, Explanation]) -> int:
    index = opening_point(study)[0]
    spans = [e.slices for e in explanations.values() if any(m.space == "study" for m in e.maps)]
    if spans and not any(span.start <= index < span.stop for span in spans):
        return (spans[0].start + spans[0].stop - 1) // 2
    return index
