"""The diffusion scan of a study, with its gradients and its noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import SparseExplainError, StudyError
from ...microstructure.gradient_table import GradientTable
from ...microstructure.protocol.checks import protocol_findings
from ...microstructure.protocol.of_volume import gradient_table_in
from ...microstructure.protocol.scan_signals import head_of, signals_of
from ...volumes import Study
from ...volumes.roles.label_roles import brain_mask_role


@dataclass(frozen=True, eq=False)
class DiffusionScan:
    """One diffusion scan, ready to be compared.

    Attributes
    ----------
    role : str
    table : GradientTable
        Directions along the axes of the study's grid (S, P, L).
    signals : ndarray, shape (S, P, L, M)
    mask : ndarray of bool, shape (S, P, L)
        The study's brain mask where there is one, else where there is signal.
    notes : tuple of str
        What a person should know of the protocol.
    """

    role: str
    table: GradientTable
    signals: npt.NDArray[np.floating]
    mask: npt.NDArray[np.bool_]
    notes: tuple[str, ...]


def diffusion_scan(
    study: Study, role: str = "", *, small_delta: float = 0.0, big_delta: float = 0.0
) -> DiffusionScan:
    """Find the diffusion scan of a study.

    Parameters
    ----------
    role : str
        Which scan; empty: the one that has several volumes and gradients.
    small_delta, big_delta : float
        Timings in milliseconds; 0 where the files tell them.

    Raises
    ------
    StudyError
        There is none, or there are several.
    """
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
    if not role and len(several) != 1:
        raise StudyError(
            "there is no diffusion scan: no scan has several volumes"
            if not several
            else f"{', '.join(several)} have several volumes",
            where=study.name,
            remedy="Add the diffusion scan with its gradients beside it (bval and bvec)"
            if not several
            else "Say which is the diffusion scan (scan=…)",
        )
    chosen = role or several[0]
    if chosen in study.originals:
        raise StudyError(
            f"{chosen} was resampled to the grid of another scan, where neighbouring voxels share "
            "their noise and a whole diffusion scan may not fit into memory",
            where=study.name,
            remedy="Open the diffusion scan alone, in a folder without the other scans",
        )
    table, findings = gradient_table_in(
        study, chosen, small_delta=small_delta or None, big_delta=big_delta or None
    )
    signals = signals_of(study[chosen])
    brain = brain_mask_role(study)
    given = study.labels[brain].spatial() != 0 if brain else None
    mask = head_of(table, signals, given)
    mask = mask & np.isfinite(signals).all(axis=-1)
    try:
        findings = [*findings, *protocol_findings(table, signals, mask=mask)]
    except SparseExplainError as error:
        notes = (f"The protocol could not be checked: {error}",)
    else:
        notes = ()
    notes += tuple(f.message for f in findings if f.level != "info")
    return DiffusionScan(chosen, table, signals, mask, notes)
