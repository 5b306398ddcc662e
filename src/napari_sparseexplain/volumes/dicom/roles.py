"""DICOM series as volumes of a study: each under the role that its headers tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...progress import Work
from ..finding import Finding
from ..labels.purpose import OWN_OUTPUT
from ..nifti.kind import disagreement
from ..opening.own_output import is_own_dicom
from ..roles.decision import role_of_dicom
from ..volume import Volume
from .parametric import MapFacts
from .reader import read_dicom_work


def read_dicom_with_roles_work(
    paths: Sequence[Path], root: Path
) -> Work[tuple[list[tuple[Volume, str, list[Finding]]], list[Finding]]]:
    """All series of some files, under the role that their headers tell, else under their own name.

    Parameters
    ----------
    paths : sequence of Path
    root : Path
        The study's folder.

    Returns
    -------
    volumes : list of (Volume, str, list of Finding)
        With the place of each within the folder, or what it calls itself.
    findings : list of Finding
        None: what concerns all of them stands with the first one.

    Raises
    ------
    ReadError
        Nothing could be opened.
    """
    # One file goes as itself, so that a DICOMDIR is followed and a refusal names the file.
    series = yield from read_dicom_work(paths[0] if len(paths) == 1 else paths)
    read: list[tuple[Volume, str, list[Finding]]] = []
    for volume, noticed in series:
        said = list(noticed)
        if is_own_dicom(volume.details):
            volume = replace(volume, details={**volume.details, OWN_OUTPUT: "yes"})
        place = volume.source.description or _place(volume.source.paths[0], root)
        made = volume.details.get("map")
        if volume.kind == "label" and isinstance(made, MapFacts):
            why = "it is a mask that this program made, so it is no truth"
            volume = replace(volume, role=made.name, why=why)
        elif volume.kind == "label":
            volume = replace(volume, role="seg", why="it is a DICOM Segmentation")
        elif not volume.colour and "map" not in volume.details:
            decision = role_of_dicom(volume.details)
            volume = replace(volume, role=decision.role or volume.role, why=decision.why)
            if decision.disagree:
                said.append(disagreement(decision.why, place))
        read.append((volume, place, said))
    uids = (volume.details.get("StudyInstanceUID") for volume, _, _ in read)
    if len(studies := {uid for uid in uids if uid}) > 1:
        note = Finding(
            "warning",
            "several-examinations",
            f"the series come from {len(studies)} examinations; check that they are of one patient",
        )
        read[0][2].append(note)
    return read, []


def _place(path: Path, root: Path) -> str:
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return str(path)
