"""Area and volume of the left ventricle over the heart's cycle, by slices of a cine.

Volume by Simpson's rule of slices: area times the distance of the slices, added over those in which
the ventricle was found at every time point. Slices in which it comes and goes (the base moves
through them, the apex leaves them) are said and not added. Research figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ...errors import ModelError, StudyError
from ...evidence.consistent_component import consistent_components
from ...evidence.tables import text_table
from ...files.atomic_write import write_together
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
    """

    model: str
    masks: npt.NDArray[np.bool_]
    areas: npt.NDArray[np.float64]
    used: npt.NDArray[np.bool_]
    distance: float

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
    model: str, masks: npt.NDArray[np.bool_], spacing: tuple[float, float, float]
) -> CineVolumes:
    """Areas and volumes of masks (time, slices, rows, columns); sizes in mm."""
    areas = masks.sum(axis=(2, 3)) * (spacing[1] * spacing[2])
    largest = areas.max(axis=0)
    there = areas > _GONE * largest
    used = (largest > 0) & (there.mean(axis=0) >= _ALWAYS)
    return CineVolumes(model, masks, areas, used, float(spacing[0]))


def cine_volumes(study: Study, models: Sequence[Model]) -> Work[list[CineVolumes]]:
    """Run networks on every slice and time point of a cine.

    Parameters
    ----------
    study : Study
        With a scan of the models' role that has a time axis.
    models : sequence of Model

    Raises
    ------
    StudyError
        The scan has no time axis, or nothing tells its voxel sizes.
    ModelError
        A model takes several scans, or gives other classes.
    """
    found = []
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
        found.append(volumes_of_masks(model.name, masks, study.grid.spacing))
    return found


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


def spread_of(found: Sequence[CineVolumes]) -> dict[str, float]:
    """Largest less smallest EDV, ESV and SV (ml) and EF (a share) of several networks."""
    values = np.array([[o.edv, o.esv, o.stroke_volume, o.ejection_fraction] for o in found])
    return dict(zip(("EDV", "ESV", "SV", "EF"), np.ptp(values, axis=0).tolist(), strict=True))


def cine_text(found: Sequence[CineVolumes]) -> str:
    """The figures of each network, and which slices were added."""
    rows = [
        [
            one.model, f"{one.edv:.1f}", f"{one.esv:.1f}", f"{one.stroke_volume:.1f}",
            f"{one.ejection_fraction:.1%}", str(one.end_diastole + 1), str(one.end_systole + 1),
            f"{int(one.used.sum())} of {len(one.used)}",
        ]
        for one in found
    ]  # fmt: skip
    head = ["network", "EDV ml", "ESV ml", "SV ml", "EF", "ED at", "ES at", "slices"]
    lines = [text_table(head, rows)]
    if len(found) > 1:
        spread = spread_of(found)
        lines.append(
            f"Between the networks: EDV differs by {spread['EDV']:.1f} ml, ESV by "
            f"{spread['ESV']:.1f} ml, SV by {spread['SV']:.1f} ml, "
            f"EF by {100 * spread['EF']:.1f} points."
        )
    for one in found:
        lines.append(
            f"{one.model}: {int(one.used.sum())} slices {one.distance:.4g} mm apart, "
            f"{one.covered:.4g} mm of the heart's length."
        )
        if one.not_added:
            lines.append(f"{one.model}: {one.not_added}")
        rough = ", ".join("-" if np.isnan(v) else f"{v:.3f}" for v in one.roughness)
        lines.append(f"{one.model}: roughness of the area over time by slice: {rough}.")
    return "\n\n".join(lines)


def cine_csv(found: Sequence[CineVolumes]) -> str:
    """Areas in mm² and volumes in ml, a line a network and time point."""
    count = len(found[0].used) if found else 0
    lines = [
        ",".join(["network", "time point", *(f"area {s + 1} mm2" for s in range(count)), "ml"])
    ]
    for one in found:
        for point, (areas, volume) in enumerate(zip(one.areas, one.volumes, strict=True), 1):
            values = ",".join(f"{area:.1f}" for area in areas)
            lines.append(f"{one.model},{point},{values},{volume:.2f}")
    return "\n".join(lines) + "\n"


def save_cine(folder: Path, found: Sequence[CineVolumes], *, overwrite: bool = False) -> list[Path]:
    """Write the figures and the areas into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {"cine.txt": cine_text(found) + "\n", "cine.csv": cine_csv(found)}
    return write_together(folder, contents, overwrite=overwrite)
