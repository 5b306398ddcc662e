"""The lesions of a study: its mask or an estimate, its scans, maps, reference and time points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import SparseExplainError
from ...progress import Progress, Work
from ...volumes import Study, Volume
from ...volumes.reading_order import ordered_roles, role_title
from ..explanation import Explanation
from ..explanation_map import ExplanationMap
from ..scores import dice
from .components import Component, components_of, without
from .lesion import Lesion, lesions_of
from .over_time import follow_lesions

#: Kinds of maps that have a mean worth telling in a lesion.
_MEASURED_KINDS = ("heatmap", "parameter map")


@dataclass(frozen=True, eq=False)
class StudyLesions:
    """The lesions of one mask, and what is needed to keep and switch them off.

    Attributes
    ----------
    mask : ndarray, shape (S, P, L)
    components : tuple of Component
        Under the numbers of the lesions.
    lesions : tuple of Lesion
        The largest first.
    reference : ndarray or None
    dice : float or None
        Of the whole mask; None without a reference, or where both are empty.
    gone : tuple of int
        Numbers that the earlier mask had and this one has not.
    """

    mask: npt.NDArray[Any]
    components: tuple[Component, ...]
    lesions: tuple[Lesion, ...]
    reference: npt.NDArray[Any] | None = None
    dice: float | None = None
    gone: tuple[int, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def edited(self, off: Sequence[int]) -> npt.NDArray[Any]:
        """A copy of the mask without these lesions."""
        return without(self.mask, self.components, off)

    def dice_of(self, edited: npt.NDArray[Any]) -> float | None:
        """Dice of an edited copy with the reference; None without one."""
        return None if self.reference is None else dice(edited, self.reference)


def study_lesions_work(
    study: Study,
    mask: npt.NDArray[Any],
    *,
    maps: Mapping[str, npt.NDArray[Any]] | None = None,
    reference: npt.NDArray[Any] | None = None,
    earlier: Sequence[npt.NDArray[Any]] = (),
) -> Work[StudyLesions]:
    """Work that measures the lesions of a mask of a study; returns `StudyLesions`.

    Parameters
    ----------
    mask : ndarray, shape (S, P, L)
    maps : mapping of str to ndarray, optional
        Beside the scans: maps on the study's grid, by the titles of their columns.
    reference : ndarray, optional
    earlier : sequence of ndarray, optional
        Masks of earlier time points on the same grid, in the order of time: numbers persist.

    Raises
    ------
    StudyError
        An array is not of the study's grid.
    SparseExplainError
        The mask falls into too many pieces.
    """
    yield Progress(0, 3, "Looking for lesions")
    mask = np.asarray(mask)
    gone: tuple[int, ...] = ()
    changes: Mapping[int, str] = {}
    if earlier:
        last = follow_lesions([*earlier, mask])[-1]
        components = tuple(
            replace(component, number=number)
            for component, number in zip(last.components, last.numbers, strict=True)
        )
        changes, gone = dict(zip(last.numbers, last.changes, strict=True)), last.gone
    else:
        components = components_of(mask)
    yield Progress(1, 3, "Measuring them")
    values: dict[str, Volume | npt.NDArray[Any]] = {
        role_title(role): study.images[role]
        for role in ordered_roles(study)
        if role in study.images
    }
    lesions = lesions_of(
        mask, study.grid, {**values, **(maps or {})}, reference, components=components
    )
    lesions = tuple(replace(each, change=changes.get(each.number, "")) for each in lesions)
    yield Progress(2, 3, "Comparing with the reference")
    whole = None if reference is None else dice(mask, np.asarray(reference))
    return StudyLesions(mask, components, lesions, reference, whole, gone, _notes(study))


def _notes(study: Study) -> tuple[str, ...]:
    """What must be read with the table."""
    notes = []
    if study.grid.is_oblique:
        notes.append(
            f"The slices are tilted by {study.grid.obliquity_degrees:.0f}° against the patient's "
            "axial plane: diameters are those of the scan's own slices."
        )
    elif not study.grid.oriented:
        notes.append(
            "Nothing says how the patient lay: diameters are those of the scan's own slices."
        )
    return tuple(notes)


def explained_mask(explanation: Explanation, study: Study, name: str = "") -> npt.NDArray[Any]:
    """The mask that an explanation estimated, on the whole grid; 0 where it was not run.

    Parameters
    ----------
    name : str, optional
        Of the map; the first segmentation without.

    Raises
    ------
    SparseExplainError
        It estimated no mask.
    """
    masks = [m for m in explanation.maps if m.kind == "segmentation" and m.space == "study"]
    chosen = [m for m in masks if m.name == name] if name else masks
    if not chosen:
        raise SparseExplainError(
            f"it holds no mask {name!r}" if name else "it estimated no mask",
            where=explanation.method,
            remedy="Take another explanation, or a mask of the study",
        )
    return on_whole_grid(np.asarray(chosen[0].data), explanation, study, fill=0)


def measured_maps(explanation: Explanation, study: Study) -> dict[str, npt.NDArray[Any]]:
    """Maps of an explanation that have a mean in a lesion (`is_measured`), by their titles."""
    return {
        item.title or item.name: on_whole_grid(np.asarray(item.data), explanation, study)
        for item in explanation.maps
        if is_measured(item)
    }


def is_measured(item: ExplanationMap) -> bool:
    """Whether a map has a mean worth telling: heat, a parameter, or how uncertain something is."""
    words = f"{item.name} {item.title}".lower()
    return item.space == "study" and (item.kind in _MEASURED_KINDS or "uncertain" in words)


def on_whole_grid(
    data: npt.NDArray[Any], explanation: Explanation, study: Study, fill: float = np.nan
) -> npt.NDArray[Any]:
    """A map of some slices on all of them; elsewhere nothing was measured."""
    if data.shape == study.grid.shape:
        return data
    dtype = data.dtype if fill == 0 else np.dtype(np.float32)
    whole = np.full(study.grid.shape, fill, dtype=dtype)
    whole[explanation.slices] = data
    return whole
