"""Area and volume of the left ventricle over the heart's cycle, by slices of a cine.

Volume by Simpson's rule of slices: area times the distance of the slices, added over those in which
the ventricle was found at every time point. Slices in which it comes and goes (the base moves
through them, the apex leaves them) are said and not added. Research figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ...errors import ModelError, StudyError
from ...evidence.consistent_component import consistent_components
from ...networks.bundle.model import Model
from ...networks.bundle.model_card import ModelCard
from ...networks.running.inference import predict
from ...networks.running.preparation import prepare
from ...progress import Progress, Work
from ...volumes import Study, Volume
from .ventricle_model import check_ventricle_model

Result = TypeVar("Result")

#: Share of a slice's largest area below which the ventricle counts as not there.
_GONE = 0.1

#: Fewer slices than this are no ventricle, whatever their distance.
_FEWEST_SLICES = 3

#: Findings of a study that bear on volumes: what is missing of its time points and slices.
_MISSING = frozenset(
    {
        "apart-series",
        "missing-time-points",
        "incomplete-time-points",
        "uneven-spacing",
        "undistinguished-repeats",
    }
)

#: What figures must never be without.
RESEARCH = "Research figures, not for diagnosis."

#: Of the networks that ship, on `short_axis_cine`, as docs/left-ventricle.md has it.
KNOWN_ERROR = (
    "On the synthetic cine, whose volumes are known, the networks that ship (left-ventricle-fcn; "
    "left-ventricle-unet) give EDV 32 % and 27 %, ESV 84 % and 55 % too large, EF 17 and 9 points "
    "too low. How much networks differ is no bound of the error."
)

#: How often the area of a slice may do so before it is said to leave.
_ALWAYS = 1.0


@dataclass(frozen=True, eq=False)
class CineVolumes:
    """What a network finds of the ventricle in a cine.

    Attributes
    ----------
    model : str
    masks : ndarray of bool, shape (time, slices, rows, columns)
    areas : ndarray, shape (time, slices)
        In mm².
    used : ndarray of bool, shape (slices,)
        Slices that are added: the ventricle is in them at every time point.
    distance : float
        Of the slices in mm.
    warnings : tuple of str
        What the study lacks, so that the figures may be wrong: time points, slices.
    """

    model: str
    masks: npt.NDArray[np.bool_]
    areas: npt.NDArray[np.float64]
    used: npt.NDArray[np.bool_]
    distance: float
    warnings: tuple[str, ...] = ()

    @property
    def volumes(self) -> npt.NDArray[np.float64]:
        """Volume at each time point in ml, of the slices used."""
        return self.areas[:, self.used].sum(axis=1) * self.distance / 1000

    @property
    def end_diastole(self) -> int:
        """Time point of the largest volume."""
        return int(self.volumes.argmax())

    @property
    def end_systole(self) -> int:
        """Time point of the smallest volume."""
        return int(self.volumes.argmin())

    @property
    def edv(self) -> float:
        """Volume at end-diastole in ml."""
        return float(self.volumes.max())

    @property
    def esv(self) -> float:
        """Volume at end-systole in ml."""
        return float(self.volumes.min())

    @property
    def stroke_volume(self) -> float:
        """EDV - ESV in ml."""
        return self.edv - self.esv

    @property
    def covered(self) -> float:
        """How much of the heart's length the slices used stand for, in mm."""
        return float(self.used.sum() * self.distance)

    @property
    def ejection_fraction(self) -> float:
        """(EDV - ESV) / EDV; NaN where nothing was found."""
        return self.stroke_volume / self.edv if self.edv > 0 else float("nan")

    @property
    def not_added(self) -> str:
        """Which slices were left out and why, a sentence; empty where all were added."""
        left = [str(index + 1) for index in np.flatnonzero(~self.used)]
        if not left:
            return ""
        return (
            "not added, since the ventricle is not in them at every time point: "
            f"slices {', '.join(left)}. So the volumes are not those of the whole ventricle."
        )

    @property
    def incomplete(self) -> str:
        """Why the slices used are not a whole ventricle, a sentence; empty where they may be."""
        places = np.flatnonzero(self.used)
        if not len(places):
            return ""
        reasons = []
        if len(places) < _FEWEST_SLICES:
            count = "1 slice is" if len(places) == 1 else f"{len(places)} slices are"
            reasons.append(f"{count} used")
        ends = [("first", 0), ("last", len(self.used) - 1)]
        reached = [name for name, index in ends if self.used[index]]
        if reached:
            reasons.append(
                f"the ventricle is still in the {' and the '.join(reached)} slice, so that it may "
                "go on beyond"
            )
        return f"not a whole ventricle: {'; '.join(reasons)}." if reasons else ""

    @property
    def roughness(self) -> npt.NDArray[np.float64]:
        """Of each slice: mean absolute second difference of its area over its mean area.

        The cycle is closed: the last time point comes before the first.
        """
        second = np.roll(self.areas, 1, axis=0) - 2 * self.areas + np.roll(self.areas, -1, axis=0)
        mean = self.areas.mean(axis=0)
        return np.divide(
            np.abs(second).mean(axis=0), mean, out=np.full(mean.shape, np.nan), where=mean > 0
        )


def volumes_of_masks(
    model: str,
    masks: npt.NDArray[np.bool_],
    spacing: tuple[float, float, float],
    warnings: Sequence[str] = (),
) -> CineVolumes:
    """Areas and volumes of masks (time, slices, rows, columns); sizes in mm."""
    areas = masks.sum(axis=(2, 3)) * (spacing[1] * spacing[2])
    largest = areas.max(axis=0)
    there = areas > _GONE * largest
    used = (largest > 0) & (there.mean(axis=0) >= _ALWAYS)
    return CineVolumes(model, masks, areas, used, float(spacing[0]), tuple(warnings))


def cine_volumes(study: Study, models: Sequence[Model]) -> Work[list[CineVolumes]]:
    """Run networks on every slice and time point of a cine.

    Parameters
    ----------
    study : Study
        With a scan of the models' role that has a time axis. What its findings say is missing of
        it stands in ``warnings`` of each result.
    models : sequence of Model
        One that is given twice counts once.

    Raises
    ------
    StudyError
        The scan has no time axis, or nothing tells its voxel sizes.
    ModelError
        A model takes several scans, or gives other classes.
    """
    found = []
    models = each_once(models)
    for number, model in enumerate(models):
        check_ventricle_model(model)
        scan = cine_scan(study, model.card)
        points, slices = scan.data.shape[0], study.grid.shape[0]
        probability = np.empty((points, *study.grid.shape), dtype=np.float32)
        for point in range(points):
            step = Progress(
                number * points + point, len(models) * points,
                f"{model.card.title}: time point {point + 1} of {points}",
            )  # fmt: skip
            prepared = prepare(study, model.card, frame=point)
            given = yield from _at_step(predict(model, prepared), step)
            if given.mask.shape[1] != 2:
                raise ModelError(
                    f"the network has {given.mask.shape[1]} classes, and here it needs two: "
                    "background and ventricle",
                    where=model.name,
                    remedy="Choose another network",
                )
            probability[point] = prepared.to_study(given.mask[:, 1])
        # All time points of all positions lie over each other: one heart.
        flat = probability.reshape(points * slices, *study.grid.shape[1:])
        masks = consistent_components(flat).reshape(probability.shape)
        warnings = missing_in(study)
        found.append(volumes_of_masks(model.name, masks, study.grid.spacing, warnings))
    return found


def missing_in(study: Study) -> tuple[str, ...]:
    """What the findings of a study say is missing of its cine."""
    return tuple(dict.fromkeys(f.words() for f in study.findings if f.code in _MISSING))


def each_once(models: Sequence[Model]) -> list[Model]:
    """Models without those that are the same network again."""
    kept: list[Model] = []
    for model in models:
        same = (m.network is model.network or (m.path and m.path == model.path) for m in kept)
        if not any(same):
            kept.append(model)
    return kept


def cine_scan(study: Study, card: ModelCard) -> Volume:
    """The scan of a study that a network takes, where it is a cine with known voxel sizes.

    Raises
    ------
    StudyError, ModelError
        See `cine_volumes`.
    """
    if len(card.inputs.roles) != 1:
        raise ModelError(
            f"the network takes {len(card.inputs.roles)} scans, and a cine is one",
            where=card.name,
            remedy="Choose another network",
        )
    (role,) = card.inputs.roles
    scan = study.images.get(role)
    if scan is None or len(scan.leading) != 1:
        raise StudyError(
            f"the study has no scan {role!r} over time",
            where=study.name,
            remedy=f"Open a cine; --role {role}=FILE, or the tab Study, says which scan it is",
        )
    if not study.grid.calibrated:
        raise StudyError(
            "nothing tells the voxel sizes, so there are no volumes",
            where=study.name,
            remedy="Open the DICOM files themselves",
        )
    return scan


def _at_step(work: Work[Result], step: Progress) -> Work[Result]:
    """Work within one step of a longer one: its own steps are counted by nobody."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value
        yield step


def common_slices(found: Sequence[CineVolumes]) -> npt.NDArray[np.bool_]:
    """Slices that all networks use."""
    return np.logical_and.reduce([one.used for one in found])


def spread_of(found: Sequence[CineVolumes]) -> dict[str, float]:
    """Largest less smallest EDV, ESV and SV (ml) and EF (a share) of several networks.

    Over the slices that all of them use: volumes of other slices are not of one thing. NaN where
    there is no such slice.
    """
    names = ("EDV", "ESV", "SV", "EF")
    common = common_slices(found)
    if not common.any():
        return dict.fromkeys(names, float("nan"))
    same = [replace(one, used=common) for one in found]
    values = np.array([[o.edv, o.esv, o.stroke_volume, o.ejection_fraction] for o in same])
    return dict(zip(names, np.ptp(values, axis=0).tolist(), strict=True))
