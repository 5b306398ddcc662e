"""From a path to a study: find, read, name, and bring onto one grid; say all that was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ..errors import ReadError, SparseExplainError
from .nifti_reader import open_nifti
from .reference_grid import choose_reference
from .resampling import patient_axes_grid, resample_to
from .role_assignment import Opened, assign_roles
from .study import Finding, Resampling, Study
from .study_files import StudyFiles, find_study_files
from .volume import Volume


def open_study(
    path: str | Path,
    *,
    reference: str | None = None,
    patient_axes: bool = False,
    roles: Mapping[str, str] | None = None,
    name: str | None = None,
) -> Study:
    """Open one patient's scans.

    Parameters
    ----------
    path : str or Path
        A NIfTI file; a folder in BraTS or BIDS naming or with any names that tell the modality; a
        DICOM file, folder or DICOMDIR; a PNG, JPG or TIFF picture, or a folder of them.
    reference : str, optional
        Role of the volume whose grid the others are brought to. Default: see
        `reference_grid.choose_reference`.
    patient_axes : bool
        Resample an oblique reference to the patient's axes (scans linearly, labels by nearest).
    roles : mapping of str to str, optional
        File (or series) by role, where the names do not tell or tell it wrongly.
    name : str, optional
        Title of the study; default the folder's or file's name.

    Returns
    -------
    Study
        Its findings say what was resampled, what could not be read, and what to look at.

    Raises
    ------
    ReadError
        Nothing could be opened; names the file and the remedy.
    StudyError
        ``reference`` or ``roles`` ask for what is not there.
    """
    path = Path(path)
    files = find_study_files(path)
    opened, findings = _read_all(path, files)
    volumes, said = assign_roles(opened, roles, where=path)
    findings += said
    chosen = choose_reference(volumes, reference, where=path)
    grid = volumes[chosen].grid
    if patient_axes and grid.is_oblique:
        grid = patient_axes_grid(grid)
    placed: dict[str, Volume] = {}
    resamplings: dict[str, Resampling] = {}
    originals: dict[str, Volume] = {}
    for role, volume in volumes.items():
        if volume.grid.matches(grid):
            placed[role] = replace(volume, grid=grid)
            continue
        placed[role] = resample_to(volume, grid)
        originals[role] = volume
        resamplings[role] = Resampling(
            role=role,
            from_shape=volume.grid.shape,
            from_spacing=volume.grid.spacing,
            interpolation="nearest" if volume.kind == "label" else "linear",
            reference=chosen,
        )
    return Study(
        name=name or path.resolve().name,
        path=path,
        images={r: v for r, v in placed.items() if v.kind == "image"},
        labels={r: v for r, v in placed.items() if v.kind == "label"},
        grid=grid,
        reference=chosen,
        findings=tuple(findings),
        resamplings=resamplings,
        originals=originals,
    )


def _read_all(path: Path, files: StudyFiles) -> tuple[list[Opened], list[Finding]]:
    """Every file that can be read; the first error when none can."""
    opened: list[Opened] = []
    findings: list[Finding] = []
    errors: list[SparseExplainError] = []
    for file in files.nifti:
        try:
            volume, said = open_nifti(file)
        except ReadError as error:
            errors.append(error)
            continue
        opened.append(Opened(volume, files.place(file), tuple(said)))
        findings += said
    if not opened and errors:
        raise errors[0]
    findings += [Finding("warning", "unreadable", str(e), e.where or "") for e in errors]
    return opened, findings
