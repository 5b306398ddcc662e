"""Where in a scan a network looks, and where its classes mean anything.

A card says which: the brain, the voxels off the background, or everywhere. The brain is that of
the study's own brain mask where it has one, else it is found in the scan itself. What a network
says elsewhere is no class: it was fed nothing there (`Prepared.inside`).
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ...volumes import Study, Volume
from ...volumes.brain_mask import FoundBrain, find_brain
from ...volumes.intensity.normalisation import Normalisation
from ...volumes.roles.label_roles import brain_mask_role

#: How the region was found: the study's mask, the scan's constant surroundings, or neither.
FoundBy = Literal["brain mask", "stripped", "head", "non-zero", "everywhere"]

#: Role of the mask of slices that were prepared before: where they were fed is known, and nothing
#: is to be judged by their intensities again, which noise may have changed.
AS_FED = "brain_mask (as fed)"

#: Millilitres of a brain with all that a stripping leaves around it; a head in a scanner is larger.
_LARGEST_BRAIN_ML = 2200.0

#: Share of a brain mask that must lie on what the scan shows, or it is that of another scan.
_LEAST_OVERLAP = 0.5

#: Share of the brain found, or of a head with its skull, that a brain mask covers at the least: the
#: mask of a lesion or a lobe under that name would cut the brain off.
_LEAST_OF_BRAIN: dict[bool, float] = {True: 0.5, False: 0.1}

#: Share of what a scan shows that may be set to 0 before a person is warned: the air about a head
#: is two thirds of a scan.
CUT_WARNED = 0.85

_WORDS: dict[FoundBy, str] = {
    "brain mask": "the study's brain mask",
    "stripped": "the non-zero voxels of the skull-stripped scan",
    "head": "only the head was found, since the scan is not skull-stripped: what is said of skull, "
    "eyes and neck means nothing",
    "non-zero": "the voxels that are not background",
    "everywhere": "everywhere: the model's card asks for no mask",
}


@dataclass(frozen=True)
class InputRegion:
    """What a run must say of the region.

    Attributes
    ----------
    mask : str
        What the card asks for.
    found : str
        How it was found; one of `FoundBy`.
    cut : float
        Share of the voxels in which the scans show something that the network was given as 0; the
        largest of any modality.
    notes : tuple of str
    """

    mask: str
    found: FoundBy
    cut: float
    notes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """How the region was found, for a person."""
        return _WORDS[self.found]

    @property
    def facts(self) -> dict[str, str | float]:
        """For a record: plain values, without a word of the study's own."""
        return {"mask": self.mask, "found": self.found, "set_to_0": round(self.cut, 4)}

    @property
    def name(self) -> str:
        """What the region is called."""
        if self.found == "everywhere":
            return "image"
        names: dict[FoundBy, str] = {"head": "head", "non-zero": "scan"}
        return names.get(self.found, "brain")


@dataclass(frozen=True, eq=False)
class _Measured:
    """One volume: where it is fed to the network, where classes may be, what became 0 and 1."""

    fed: npt.NDArray[np.uint8]
    shown: npt.NDArray[np.uint8]
    shape: tuple[int, ...]
    limits: tuple[float, float]
    found: FoundBy
    cut: float
    note: str

    def unpacked(self, bits: npt.NDArray[np.uint8], span: slice) -> npt.NDArray[np.bool_]:
        count = int(np.prod(self.shape))
        return np.unpackbits(bits, count=count).view(np.bool_).reshape(self.shape)[span]


@dataclass(frozen=True, eq=False)
class FedVolume:
    """Where some slices of a scan are fed to a network, and where its classes may be.

    Attributes
    ----------
    fed, shown : ndarray of bool, shape (N, P, L)
        Elsewhere the network is given 0; elsewhere there is no class.
    limits : (low, high)
        Intensities that become 0 and 1.
    region : InputRegion
    """

    fed: npt.NDArray[np.bool_]
    shown: npt.NDArray[np.bool_]
    limits: tuple[float, float]
    region: InputRegion


#: Volumes seen, for as long as they live: a click or a moved slider must not measure the whole
#: volume again. By what the card asks for and the brain mask that there was.
_MEASURED: weakref.WeakKeyDictionary[
    Volume, dict[tuple[str, Normalisation | None, weakref.ref[Volume] | None], _Measured]
] = weakref.WeakKeyDictionary()


def fed_volume(
    study: Study,
    volume: Volume,
    spatial: npt.NDArray[Any],
    mask: str,
    span: slice,
    *,
    normalisation: Normalisation,
) -> FedVolume:
    """Measure a scan of a study, once.

    Parameters
    ----------
    volume : Volume
        One of the study's scans; ``spatial`` are its voxels, shape (S, P, L).
    mask : {"brain", "non-zero", "none"}
        Of the card.
    span : slice
        The slices wanted; the whole scan is measured.
    normalisation : Normalisation
        Of the card: which range of intensities is measured, if any.

    Raises
    ------
    StudyError
        No brain, or no contrast in it.
    """
    needs_brain = mask == "brain" or normalisation.region == "mask"
    role = brain_mask_role(study) if needs_brain else ""
    given = study.labels[role] if role else None
    key = (mask, normalisation, None if given is None else weakref.ref(given))
    kept = _MEASURED.setdefault(volume, {})
    if key not in kept:
        kept[key] = _measure(volume, spatial, mask, given, normalisation)
    it = kept[key]
    notes = (it.note,) if it.note else ()
    region = InputRegion(mask, it.found, it.cut, notes)
    return FedVolume(it.unpacked(it.fed, span), it.unpacked(it.shown, span), it.limits, region)


def _measure(
    volume: Volume,
    spatial: npt.NDArray[Any],
    mask: str,
    given: Volume | None,
    normalisation: Normalisation,
) -> _Measured:
    # A single picture is measured in its plane: as a volume, all of it would be border.
    flat = spatial.shape[0] == 1
    brain = find_brain(spatial[0] if flat else spatial, padding=volume.padding)
    if flat:
        brain = FoundBrain(brain.mask[None], brain.shown[None], brain.shows[None], brain.stripped)
    shows, note = brain.shows, ""
    if mask == "none":
        fed = shown = np.ones(spatial.shape, dtype=np.bool_)
        found: FoundBy = "everywhere"
    elif mask == "non-zero":
        fed = shown = shows
        found = "non-zero"
    else:
        fed, shown, found, note = _brain(volume, brain, given)
    region = fed
    if normalisation.name == "brain-range" and mask == "none" and shows.any():
        # Of a scan that nothing is cut from, too, the air around it says nothing of its contrast.
        region = shows
    elif normalisation.region == "whole" or normalisation.by_slice:
        region = np.ones(spatial.shape, dtype=np.bool_)
    elif normalisation.region == "non-zero":
        region = shows
    elif normalisation.region == "mask" and mask != "brain":
        region, _, _, note = _brain(volume, brain, given)
    if volume.padding is not None:
        region = region & volume.measured(spatial)
    limits = normalisation.limits(spatial, region, where=volume.role)
    total = int(np.count_nonzero(shows))
    cut = 1.0 - np.count_nonzero(shows & fed) / total if total else 0.0
    return _Measured(
        np.packbits(fed), np.packbits(shown), spatial.shape, limits, found, float(cut), note
    )


def _brain(
    volume: Volume, brain: FoundBrain, given: Volume | None
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], FoundBy, str]:
    note = ""
    if given is not None:
        own = given.spatial() != 0
        if given.role == AS_FED:
            return own, own, "brain mask", ""
        size = int(np.count_nonzero(own))
        within = int(np.count_nonzero(own & brain.mask))
        # Of one slice there is no telling: near the vertex the brain is small in the head.
        whole = int(np.count_nonzero(brain.mask)) if own.shape[0] > 1 else 0
        alone = _stripped_brain(volume, brain)
        small = within < _LEAST_OF_BRAIN[alone] * whole
        if size and within >= _LEAST_OVERLAP * size and not small:
            # Of a stripped scan the mask may be the larger of the two.
            return own, own & brain.shows if brain.stripped else own, "brain mask", ""
        why = "most of it lies outside the head"
        if not size:
            why = "it is empty"
        elif small and within >= _LEAST_OVERLAP * size:
            found_in = "brain" if alone else "head"
            why = f"it covers {within / whole:.1%} of the {found_in}, which is no whole brain"
        note = f"The brain mask {given.role!r} was not used for {volume.role}: {why}."
    found: FoundBy = "stripped" if _stripped_brain(volume, brain) else "head"
    return brain.mask, brain.shown, found, note


def _stripped_brain(volume: Volume, brain: FoundBrain) -> bool:
    """Whether a brain was found, not a head that stands in air of one value."""
    if not brain.stripped or not volume.grid.calibrated:
        return brain.stripped
    ml = np.count_nonzero(brain.mask) * float(np.prod(volume.grid.spacing)) / 1000
    return bool(ml <= _LARGEST_BRAIN_ML)


EVERYWHERE = InputRegion("none", "everywhere", 0.0)


def joined_region(regions: Sequence[InputRegion]) -> InputRegion:
    """What is said of several modalities together: the least certain of what they were known by."""
    order: tuple[FoundBy, ...] = ("head", "brain mask", "stripped", "non-zero", "everywhere")
    places = [order.index(region.found) for region in regions]
    found = order[min(places)]
    cut = max(region.cut for region in regions)
    notes = dict.fromkeys(note for region in regions for note in region.notes)
    return InputRegion(regions[0].mask, found, cut, tuple(notes))


def region_notes(region: InputRegion) -> tuple[str, ...]:
    """Sentences of a run about its region; a warning where most of a scan was cut off."""
    said = f"{region.name.capitalize()}: {region.words}."
    if region.mask == "none":
        return (said, *region.notes)
    said += f" Elsewhere the input is 0 ({region.cut:.0%} of what the scan shows), without a class."
    if region.cut < CUT_WARNED:
        return (said, *region.notes)
    return (
        said,
        f"Warning: {region.cut:.0%} of the input was set to 0, since the model's card asks for "
        f"{'the brain' if region.mask == 'brain' else 'what is not background'} alone. For a model "
        'of another organ, set inputs.mask to "none" or "non-zero" in its card.',
        *region.notes,
    )
