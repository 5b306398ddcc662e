"""A review together with the studies and explanations that it speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import StudyError
from ..evidence import Explanation, ExplanationMap
from ..evidence.heat_threshold import explained_part
from ..volumes import Finding, Study, Volume
from ..volumes.head_mask import head_in_slices
from .review import Overlay, Panel, Review, ScanLayer


@dataclass(frozen=True, eq=False)
class Reading:
    """What a picture is drawn from, and what a viewer shows.

    Attributes
    ----------
    review : Review
    studies, explanations : mapping
        By the keys that the review uses.
    findings : tuple of Finding
        What was noticed on restoring it.
    pending : tuple of str
        Names of what is still being computed; nothing is exported while there is any.

    Examples
    --------
    >>> import napari_sparseexplain as se
    >>> reading = se.default_reading(se.sample_study())
    >>> len(reading.review.panels), reading.study_of(reading.review.panels[0]).name
    (4, 'phantom_0000')
    """

    review: Review
    studies: Mapping[str, Study]
    explanations: Mapping[str, Explanation] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    pending: tuple[str, ...] = ()

    @property
    def on_screen(self) -> tuple[str, ...]:
        """Keys of the explanations that a panel shows; the reading may hold others beside them."""
        overlays = [item for panel in self.review.panels for item in panel.overlays]
        shown = dict.fromkeys(item.key for item in overlays if item.shelf == "explanation")
        return tuple(key for key in shown if key in self.explanations)

    def with_review(self, review: Review) -> Reading:
        """The same with another state of the review."""
        return replace(self, review=review)

    def study_of(self, panel: Panel) -> Study:
        """The study that a panel slices.

        Raises
        ------
        StudyError
            The reading has no such study.
        """
        return self._study(panel.study)

    def explanation_of(self, overlay: Overlay) -> Explanation | None:
        """The explanation that an overlay shows; None for a volume of the study.

        Raises
        ------
        StudyError
            Its arrays were not saved with the review and are not where they were.
        """
        if overlay.shelf == "study":
            return None
        if overlay.key not in self.explanations:
            raise StudyError(
                f"the explanation {overlay.key!r} is not here",
                where=overlay.title or overlay.name,
                remedy="Run it again (its record is in the review), or hide the overlay",
            )
        return self.explanations[overlay.key]

    def maps_of(self, overlay: Overlay) -> tuple[ExplanationMap, ...]:
        """The maps that an overlay shows, mostly one; none for a volume of the study."""
        found = self.explanation_of(overlay)
        return () if found is None else tuple(_map(found, n, overlay) for n in overlay.map_names)

    def plane_of(self, layer: ScanLayer | Overlay, panel: Panel) -> npt.NDArray[Any] | None:
        """The slice of a layer that a panel shows, in (rows, columns[, colours]) of its plane.

        A map that covers some slices only is filled with NaN where it has none; None when it has
        nothing on this slice.

        Raises
        ------
        StudyError
            What the layer shows is not here.
        """
        axis = {"axial": 0, "coronal": 1, "sagittal": 2}[panel.plane]
        if isinstance(layer, ScanLayer):
            return volume_slice(
                self._study(layer.study)[layer.role], layer.leading, axis, panel.index
            )
        maps = self.maps_of(layer)
        if not maps:
            volume = self._study(layer.key)[layer.name]
            return volume_slice(volume, layer.leading, axis, panel.index)
        span, study = self.explanations[layer.key].slices, self.study_of(panel)
        parts = [_map_slice(np.asarray(m.data), span, study, axis, panel.index) for m in maps]
        there = [part for part in parts if part is not None]
        if len(there) < len(parts):
            return None
        return there[0] if len(there) == 1 else np.asarray(np.sum(np.stack(there), axis=0))

    def part_of(self, overlay: Overlay, panel: Panel) -> npt.NDArray[np.bool_] | None:
        """Where a heat map is drawn on the slice of a panel; None where all of it is.

        Raises
        ------
        StudyError
            What the overlay shows is not here.
        """
        explanation = self.explanation_of(overlay)
        if explanation is None or (overlay.share == 1 and overlay.least == 0):
            return None
        axis = {"axial": 0, "coronal": 1, "sagittal": 2}[panel.plane]
        head = self.study_of(panel) if overlay.share_of == "head" else None
        inside = _part(explanation, overlay.name, overlay.share, overlay.least, head)
        found = _map_slice(
            inside.astype(np.uint8), explanation.slices, self.study_of(panel), axis, panel.index
        )
        return None if found is None else found.astype(bool)

    def _study(self, key: str) -> Study:
        if key not in self.studies:
            raise StudyError(
                f"the study {key!r} is not here",
                where="review",
                remedy="Restore the review again and point to the study",
            )
        return self.studies[key]


def _map(explanation: Explanation, name: str, overlay: Overlay) -> ExplanationMap:
    try:
        item = explanation[name]
    except KeyError:
        raise StudyError(
            f"the explanation {overlay.key!r} has no map {name!r}",
            where=overlay.title,
            remedy="It holds " + ", ".join(m.name for m in explanation.maps),
        ) from None
    if item.space != "study":
        raise StudyError(
            f"the map {item.name!r} does not lie in the patient",
            where=overlay.key,
            remedy="Export it from the Responses panel",
        )
    return item


@lru_cache(maxsize=8)
def _part(
    explanation: Explanation, name: str, share: float, least: float, head: Study | None
) -> npt.NDArray[np.bool_]:
    """`explained_part` of the head or of all, kept while the slices of one volume are drawn."""
    counted = None if head is None else head_in_slices(head, explanation.slices)
    return explained_part(explanation, name, share, least, counted)


def slice_count(study: Study, panel: Panel) -> int:
    """How many slices a study has in a panel's plane."""
    return study.grid.shape[{"axial": 0, "coronal": 1, "sagittal": 2}[panel.plane]]


def volume_slice(
    volume: Volume, leading: tuple[int, ...], axis: int, index: int
) -> npt.NDArray[Any]:
    """One slice of a volume, (rows, columns) of its plane, read without the rest of it.

    Parameters
    ----------
    leading : tuple of int
        Points along its leading axes; the first where none is told.
    axis, index : int
        Spatial axis across the slice (0 S, 1 P, 2 L), and place along it.
    """
    points = (*leading, *(0,) * len(volume.leading))[: len(volume.leading)]
    place: list[Any] = [slice(None)] * 3
    place[axis] = index
    return np.asarray(volume.data[(*points, *place)])


def _map_slice(
    data: npt.NDArray[Any], span: slice, study: Study, axis: int, index: int
) -> npt.NDArray[Any] | None:
    if axis == 0:
        return data[index - span.start] if span.start <= index < span.stop else None
    part = np.take(data, index, axis=axis)
    whole = study.grid.shape[0]
    if (span.start, span.stop) == (0, whole):
        return part
    fill = 0 if np.issubdtype(data.dtype, np.integer) else np.nan
    full = np.full((whole, *part.shape[1:]), fill, dtype=part.dtype)
    full[span] = part
    return full
