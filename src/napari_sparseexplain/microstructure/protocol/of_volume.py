"""The gradient table of an opened diffusion scan, along the axes in which the product shows it."""

from __future__ import annotations

from dataclasses import replace

import nibabel.orientations as nio
import numpy as np
import numpy.typing as npt

from ...errors import ParameterError, ReadError, StudyError
from ...volumes.finding import Finding
from ...volumes.grid import Grid, orientation_to_display
from ...volumes.nifti.header import read_nifti_header
from ...volumes.nifti.reader import nifti_affine
from ...volumes.study import Study
from ...volumes.volume import Volume
from ..gradient_table import GradientTable, Timings
from .camino import read_camino
from .dicom_gradients import dicom_gradients
from .fsl import read_fsl
from .gradient_axes import between_grids, nearest_rotation, to_display_axes, to_voxel_axes
from .gradient_files import GradientFiles, gradient_files_of
from .mrtrix import read_mrtrix
from .sidecar_timings import sidecar_timings
from .written_gradients import WrittenGradients

#: Two files tell the same of a volume when b and direction differ by no more.
_SAME_B, _SAME_DEGREES = 0.02, 1.0

#: A pulse shorter than this in milliseconds was given in seconds.
_SHORTEST_MS = 0.2


def gradient_table_of(
    volume: Volume,
    *,
    small_delta: float | None = None,
    big_delta: float | None = None,
    original: Volume | None = None,
) -> tuple[GradientTable, list[Finding]]:
    """What each volume of a diffusion scan measured, from the files beside it or its own headers.

    Parameters
    ----------
    volume : Volume
        A scan with one leading axis, opened from a NIfTI file or a DICOM series.
    small_delta, big_delta : float, optional
        δ and Δ in milliseconds, where no file tells them, or in place of what it tells; both or
        neither.
    original : Volume, optional
        Of a volume that was resampled: the one before (`Study.originals`). It is needed where that
        one had been placed by a transform; else the file's own header tells the same.

    Returns
    -------
    table : GradientTable
        Directions are (S, P, L): components along the unit vectors of ``volume.grid``'s axes, in
        the order of the array's spatial axes. The first is along the slice index (towards the
        head), the second along the row index (towards the back), the third along the column
        index (towards the patient's left). A fibre along the grid's columns has the direction
        (0, 0, 1), one that runs along the voxels (s, p, l) and (s + 1, p, l) has (1, 0, 0).
        On an oblique grid these are the grid's own tilted axes; resampled to the patient's axes,
        those of the patient. Where grid axes are sheared, the nearest ones at right angles are
        meant.
    findings : list of Finding

    Raises
    ------
    ReadError
        There are no gradients beside the scan, a file of them cannot be read, or counts disagree.
    ParameterError
        A value is not possible, no volume is without weighting, or the timings are not.
    StudyError
        The volume has not one leading axis.
    """
    count = _count(volume)
    if volume.source.format == "dicom":
        files, written = GradientFiles(), dicom_gradients(volume)
        findings = list(written.findings)
    else:
        files = gradient_files_of(volume)
        written, findings = _written(files, volume)
    if len(written.b) != count:
        raise ReadError(
            f"{written.names} hold{'s' if len(written.paths) == 1 else ''} {len(written.b)} "
            f"gradients and the scan has {count} volumes",
            where=volume.source.description,
            remedy="Give the files that were exported with this scan; maps that a scanner adds at "
            "the end (trace, ADC) must be left out of the scan",
        )
    echo = _echo_time(volume)
    timings, said = _timings(files, written, small_delta, big_delta, echo)
    findings += said
    table = GradientTable(written.b, _on_grid(written, volume, original), timings)
    if not len(table.b0_rows):
        raise ParameterError(
            f"no volume is without diffusion weighting (the lowest b-value is {table.b.min():g} "
            "s/mm²)",
            where=written.called or written.paths[0],
            remedy="Put a volume with b = 0 before the others, and its line into the files",
        )
    return table, [_summary(table, written), *findings]


def gradient_table_in(
    study: Study, role: str, *, small_delta: float | None = None, big_delta: float | None = None
) -> tuple[GradientTable, list[Finding]]:
    """`gradient_table_of` a study's scan, which knows what the scan was before it was resampled."""
    return gradient_table_of(
        study[role],
        small_delta=small_delta,
        big_delta=big_delta,
        original=study.originals.get(role),
    )


def has_gradients(volume: Volume) -> bool:
    """Whether a scan has several volumes, and something tells gradients of them.

    Nothing is read: whether they can be is not known.
    """
    if len(volume.leading) != 1 or volume.colour:
        return False
    if volume.source.format == "dicom":
        told = volume.details.get("axis_values", {}).get("direction", ())
        return volume.leading == ("direction",) and any(label and any(label[1:]) for label in told)
    try:
        return gradient_files_of(volume).any
    except ReadError:
        return False


def _count(volume: Volume) -> int:
    if len(volume.leading) != 1 or volume.colour:
        raise StudyError(
            "a diffusion scan has several volumes along one axis, and this one has "
            f"{len(volume.leading)} such axes",
            where=volume.source.description or volume.role,
            remedy="Choose the scan with all its directions (four dimensions)",
        )
    return int(volume.data.shape[0])


def _written(files: GradientFiles, volume: Volume) -> tuple[WrittenGradients, list[Finding]]:
    """The gradients of the first convention there is; the others are compared with it."""
    where = volume.source.description
    if bool(files.bvals) != bool(files.bvecs):
        there, lost = ("b-values", "directions") if files.bvals else ("directions", "b-values")
        if not (files.mrtrix or files.camino):
            raise ReadError(
                f"there is a file of {there} ({(files.bvals or files.bvecs).name}) beside it and "  # type: ignore[union-attr]
                f"none of {lost}",
                where=where,
                remedy=f"Put the file of {lost} beside it, of the same name",
            )
    found = []
    if files.bvals and files.bvecs:
        found.append(read_fsl(files.bvals, files.bvecs))
    if files.mrtrix:
        found.append(read_mrtrix(files.mrtrix))
    if files.camino:
        found.append(read_camino(files.camino))
    if not found:
        raise ReadError(
            "no file beside it tells its gradients",
            where=where,
            remedy="Put .bval and .bvec of the scan's name beside it (dcm2niix writes them), or "
            "MRtrix's .b, or a Camino .scheme",
        )
    first, *others = found
    findings = list(first.findings)
    for other in others:
        if problem := _difference(first, other, volume):
            findings.append(
                Finding(
                    "warning",
                    "gradient-files-disagree",
                    f"{first.names} and {other.names} do not tell the same gradients ({problem}); "
                    f"{first.names} {'is' if len(first.paths) == 1 else 'are'} used",
                    where,
                )
            )
        elif other.timings and not first.timings:
            first = replace(first, timings=other.timings)
    return first, findings


def _difference(one: WrittenGradients, other: WrittenGradients, volume: Volume) -> str:
    if len(one.b) != len(other.b):
        return f"{len(one.b)} and {len(other.b)} volumes"
    if (abs(one.b - other.b) > _SAME_B * np.maximum(one.b, 500)).any():
        return "other b-values"
    affine = _file_axes(volume)[0]
    a = to_voxel_axes(one.vectors, one.axes, affine)
    b = to_voxel_axes(other.vectors, other.axes, affine)
    weighted = (np.linalg.norm(a, axis=1) > 0) & (np.linalg.norm(b, axis=1) > 0)
    # A gradient and its opposite measure the same.
    cosine = abs((a * b).sum(axis=1))[weighted]
    if cosine.size and cosine.min() < np.cos(np.radians(_SAME_DEGREES)):
        apart = np.degrees(np.arccos(np.clip(cosine.min(), 0, 1)))
        return f"directions up to {apart:.0f}° apart"
    return ""


def _file_axes(
    volume: Volume,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Affine of the scan's own file, and the transform from its axes to display order."""
    if volume.source.header is not None:
        return volume.source.affine, volume.source.to_display
    # What was resampled has the layout of another file.
    path = volume.source.paths[0]
    affine = nifti_affine(path)
    return affine, orientation_to_display(affine, where=str(path))


def _on_grid(
    written: WrittenGradients, volume: Volume, original: Volume | None
) -> npt.NDArray[np.float64]:
    if volume.source.format == "dicom" and volume.source.header is None and original is None:
        # Told along the patient's axes: whatever grid it was resampled to.
        return written.vectors @ nearest_rotation(volume.grid.affine)
    affine, to_display = _file_axes(volume if original is None else original)
    stored = to_voxel_axes(written.vectors, written.axes, affine)
    along = to_display_axes(stored, to_display)
    if volume.source.header is not None:
        return along  # the grid's axes are the file's, in another order
    if original is not None:
        own = original.grid
    else:
        i, j, k = read_nifti_header(volume.source.paths[0]).shape[:3]
        own = Grid((i, j, k), affine @ nio.inv_ornt_aff(to_display, (i, j, k)))
    return along @ between_grids(own, volume.grid).T


def _timings(
    files: GradientFiles,
    written: WrittenGradients,
    small: float | None,
    big: float | None,
    echo: float,
) -> tuple[Timings | None, list[Finding]]:
    """Timings that were given, that the gradients' own file tells, or the sidecar."""
    beside, findings = None, []
    if files.sidecar is not None:
        try:
            beside, echo = sidecar_timings(files.sidecar)
        except (ReadError, ParameterError) as error:
            if isinstance(error, ParameterError) and small is None and written.timings is None:
                raise
            findings.append(Finding("warning", "unreadable", str(error), files.sidecar.name))
    if (small is None) != (big is None):
        raise ParameterError(
            f"{'Δ' if big is None else 'δ'} was not given",
            where="timings",
            remedy="Give both δ and Δ in milliseconds (--small-delta, --big-delta)",
        )
    if small is not None and big is not None:
        if 0 < small < _SHORTEST_MS:
            raise ParameterError(
                f"δ = {small:g} ms is shorter than any gradient pulse",
                where="timings",
                remedy="Give δ and Δ in milliseconds, not in seconds",
            )
        told = written.timings or beside
        return Timings(1e-3 * small, 1e-3 * big, told.echo_time if told else echo), findings
    timings = written.timings or beside
    if timings is None:
        findings.append(
            Finding(
                "warning",
                "no-gradient-timings",
                "no file tells δ and Δ, the gradient timings: give them to compare the scan with "
                "simulated signals (tensor and peaks do not need them)",
                written.called or written.paths[0].name,
            )
        )
    return timings, findings


def _echo_time(volume: Volume) -> float:
    """TE in seconds as a DICOM header tells it; 0 where it does not."""
    if volume.source.format != "dicom":
        return 0.0
    told = volume.details.get("EchoTime", 0.0)
    return 1e-3 * float(told) if 0 < told < 1000 else 0.0


def _summary(table: GradientTable, written: WrittenGradients) -> Finding:
    shells = ", ".join(f"{len(shell.rows)} at b = {shell.b:.0f}" for shell in table.shells)
    return Finding(
        "info",
        "gradients-read",
        f"{len(table)} volumes: {len(table.b0_rows)} without diffusion weighting"
        + (f", {shells} s/mm²" if shells else ""),
        written.names,
    )
