"""The diffusion scan of a study, with its gradients and its noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import SparseExplainError, StudyError
from ...microstructure.gradient_table import GradientTable
from ...microstructure.protocol.checks import protocol_findings
from ...microstructure.protocol.finding_weight import heaviest_first
from ...microstructure.protocol.of_volume import gradient_table_of, has_gradients
from ...microstructure.protocol.scan_signals import finite_voxels, head_of, signals_of
from ...volumes import Study
from ...volumes.grid import Grid
from ...volumes.roles.label_roles import brain_mask_role
from ..bounded_cache import checksum
from .placement import Placement, mask_onto, placement_of


@dataclass(frozen=True, eq=False)
class DiffusionScan:
    """One diffusion scan, ready to be compared.

    Attributes
    ----------
    role : str
    table : GradientTable
        Directions along the axes (S, P, L) of ``grid``.
    signals : ndarray, shape (S, P, L, M)
        As measured, on ``grid``.
    mask : ndarray of bool, shape (S, P, L)
        The study's brain mask where there is one, else where there is signal.
    notes : tuple of str
        What a person should know of the protocol, the heaviest first.
    grid : Grid
        The study's; the scan's own where it was resampled to the study's.
    study_grid : Grid
    """

    role: str
    table: GradientTable
    signals: npt.NDArray[np.floating]
    mask: npt.NDArray[np.bool_]
    notes: tuple[str, ...]
    grid: Grid
    study_grid: Grid

    @property
    def checksums(self) -> dict[str, str]:
        """Of the gradients along the scan's axes, for a record, which has that of the voxels."""
        table = self.table
        return {"gradients_checksum": checksum(table.b.round(3), table.directions.round(6) + 0.0)}

    def placed(self, slices: slice) -> Placement:
        """Which voxels of the scan some slices of the study show."""
        return placement_of(self.grid, self.study_grid, slices)


def diffusion_scan(
    study: Study,
    role: str = "",
    *,
    small_delta: float = 0.0,
    big_delta: float = 0.0,
    resampled: bool = False,
) -> DiffusionScan:
    """Find the diffusion scan of a study.

    Parameters
    ----------
    role : str
        Which scan; empty: the one that has several volumes and gradients.
    small_delta, big_delta : float
        Timings in milliseconds; 0 where the files tell them.
    resampled : bool
        Whether a scan that was brought to the study's grid will do. What is given is then the scan
        as it was before, on its own grid: `DiffusionScan.placed` says where its voxels lie.

    Raises
    ------
    StudyError
        There is none, there are several, or it was resampled.
    """
    chosen = _chosen(study, role)
    original = study.originals.get(chosen)
    if original is not None and not resampled:
        raise StudyError(
            f"{chosen} was resampled to the grid of another scan, where neighbouring voxels share "
            "their noise and a whole diffusion scan may not fit into memory",
            where=study.name,
            remedy="Open the diffusion scan alone, in a folder without the other scans",
        )
    volume = original or study[chosen]
    table, findings = gradient_table_of(
        volume, small_delta=small_delta or None, big_delta=big_delta or None
    )
    signals = signals_of(volume)
    brain = brain_mask_role(study)
    given = None
    if brain:
        given = mask_onto(study.labels[brain].spatial() != 0, study.grid, volume.grid)
    mask = head_of(table, signals, given)
    mask = mask & finite_voxels(signals)
    try:
        findings = [*findings, *protocol_findings(table, signals, mask=mask)]
    except SparseExplainError as error:
        notes = (f"The protocol could not be checked: {error}",)
    else:
        notes = ()
    notes += tuple(f.message for f in heaviest_first(findings) if f.level != "info")
    if original is not None:
        notes += (_nearest_note(chosen, volume.grid, study.grid),)
    return DiffusionScan(chosen, table, signals, mask, notes, volume.grid, study.grid)


def _chosen(study: Study, role: str) -> str:
    """The scan that is meant: the one of a role, or the only one with gradients."""
    several = [name for name, scan in study.images.items() if len(scan.leading) == 1]
    if role and role not in study.images:
        raise StudyError(
            f"there is no scan {role!r}", where=study.name,
            remedy="The scans are: " + (", ".join(study.images) or "none"),
        )  # fmt: skip
    if role and role not in several:
        raise StudyError(
            f"{role} is one volume, and a diffusion scan has one for each gradient",
            where=study.name, remedy="Choose the diffusion scan (scan=…)",
        )  # fmt: skip
    if role:
        return role
    if not several:
        raise StudyError(
            "there is no diffusion scan: no scan has several volumes",
            where=study.name,
            remedy="Add the diffusion scan with its gradients beside it (bval and bvec)",
        )
    told = [name for name in several if has_gradients(study.originals.get(name, study[name]))]
    found = told or several
    if len(found) > 1:
        what = "gradients" if told else "several volumes, and none has gradients beside it"
        raise StudyError(
            f"{', '.join(found)} have {what}",
            where=study.name,
            remedy="Say which is the diffusion scan (scan=…)",
        )
    return found[0]


def _nearest_note(role: str, own: Grid, grid: Grid) -> str:
    sizes = [" × ".join(f"{size:.3g}" for size in one.spacing) for one in (own, grid)]
    return (
        f"{role} was computed in its own voxels ({sizes[0]} mm), each once; a voxel of the study "
        f"({sizes[1]} mm) shows what was found in the nearest, and nothing was interpolated."
    )
