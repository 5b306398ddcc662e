"""The DICOM images that an explanation is about: where their planes lie, how to name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from ...errors import StudyError
from ...volumes import Study
from ...volumes.dicom.enhanced import is_enhanced
from ...volumes.dicom.files import read_header
from ...volumes.dicom.frames import Frame
from ...volumes.dicom.planes import planes_of
from ...volumes.dicom.values import integer, number, text
from ...volumes.volume import Source, Volume

#: Distance of two planes' first voxels below which one shows what the other shows, millimetres.
_SAME_PLACE_MM = 1e-2


@dataclass(frozen=True)
class Reference:
    """One image: its object, and the frame in it (from 1; None when the object is one image)."""

    study: str
    series: str
    sop_class: str
    sop_instance: str
    frame: int | None = None


@dataclass(frozen=True, eq=False)
class Planes:
    """Where the planes of an array lie in the patient (LPS millimetres, PS3.3 C.7.6.2.1.1).

    Attributes
    ----------
    orientation : ndarray, shape (6,)
        Direction of a row, then of a column.
    positions : ndarray, shape (n, 3)
        Centre of each plane's first voxel.
    pixel_spacing : (float, float)
        Millimetres between rows and between columns.
    step, thickness : float
        Millimetres between planes along their normal, and SliceThickness.
    references : tuple of tuple of Reference
        For each plane the images that show it.
    """

    orientation: npt.NDArray[np.float64]
    positions: npt.NDArray[np.float64]
    pixel_spacing: tuple[float, float]
    step: float
    thickness: float
    references: tuple[tuple[Reference, ...], ...]

    def part(self, planes: slice, first_row: int = 0, first_column: int = 0) -> Planes:
        """Some of the planes, each from a row and column on."""
        row, column = self.orientation[:3], self.orientation[3:]
        shift = row * self.pixel_spacing[1] * first_column
        shift = shift + column * self.pixel_spacing[0] * first_row
        return Planes(
            self.orientation,
            self.positions[planes] + shift,
            self.pixel_spacing,
            self.step,
            self.thickness,
            self.references[planes],
        )


@dataclass(frozen=True, eq=False)
class DicomSource:
    """The DICOM images of a study, as objects about them need them.

    Attributes
    ----------
    header : Dataset
        Of the first file of the volume whose grid it is; names patient, study and place.
    headers : tuple of Dataset
        One of every series that the explanation used.
    planes : Planes
        Of the whole volume, along the file's slice axis.
    layout : Source
        Axis order and shape of the array that `planes` are of.
    used : tuple of Reference
        All images used, those that lie on other planes as well.
    aligned : bool
        Whether the planes are those of images; not after resampling.
    notes : tuple of str
        What a person must know of this export.
    scaling : pair of float or None
        Slope and intercept from stored values to the scan's, where all its images have one, and
        each image shows one plane.
    """

    header: Dataset
    headers: tuple[Dataset, ...]
    planes: Planes
    layout: Source
    used: tuple[Reference, ...]
    aligned: bool
    notes: tuple[str, ...] = ()
    scaling: tuple[float, float] | None = None


def dicom_source(
    study: Study,
    roles: Iterable[str] = (),
    frames: Mapping[str, tuple[int, ...]] | None = None,
) -> DicomSource:
    """The DICOM images behind a study's grid.

    Parameters
    ----------
    study : Study
    roles : iterable of str
        Volumes that were used; those that are not there, or not DICOM, are passed over.
    frames : mapping of str to tuple of int, optional
        Points along the leading axes (time, echo …) of a role, whose images are referred to; the
        first ones, which explanations are computed of, where not told.

    Raises
    ------
    StudyError
        No volume came from DICOM, the scan has no place in the patient, the volumes are of
        several patients, or an image has no UID.
    ReadError
        Files are gone or changed since the study was opened.
    """
    chosen = _chosen(study)
    volume = study[chosen]
    original = study.originals.get(chosen, volume)
    if not (volume.grid.oriented and volume.grid.calibrated):
        raise StudyError(
            "the images do not say where they lie in the patient, so nothing can be placed on them",
            where=study.name,
            remedy="Export pictures or NIfTI (sparseexplain explain writes it)",
        )
    notes: list[str] = []
    files = _Files()
    at = frames or {}
    own = planes_of(original.source, at.get(chosen, ()))
    aligned = original is volume
    planes = _planes(own, files) if aligned else _resampled_planes(volume.source)
    if not aligned:
        notes.append(
            "the study was resampled, so the planes are not those of the images; each object "
            "refers to all images of the scan"
        )
    used = [reference for frame in own for reference in [files.reference(frame)]]
    headers = [original.source.header or files.header(own[0].path)]
    by_plane = [list(references) for references in planes.references]
    for role in dict.fromkeys(roles):
        if role == chosen or role not in study:
            continue
        other = study.originals.get(role, study[role])
        if other.source.format != "dicom" or other.kind != "image":
            continue
        others = planes_of(other.source, at.get(role, ()))
        headers.append(other.source.header or files.header(others[0].path))
        for frame in others:
            reference = files.reference(frame)
            used.append(reference)
            place = _plane_at(planes, frame) if _alike(frame, volume.source) else None
            if place is not None:
                by_plane[place].append(reference)
    one_patient(headers, study)
    if not text(headers[0], "FrameOfReferenceUID"):
        notes.append(
            "the images name no frame of reference, so the objects have one of their own: a viewer "
            "lays them over the images by the references and positions alone"
        )
    return DicomSource(
        header=headers[0],
        headers=tuple(files.all_headers()),
        planes=Planes(
            planes.orientation,
            planes.positions,
            planes.pixel_spacing,
            planes.step,
            planes.thickness,
            tuple(tuple(dict.fromkeys(r)) for r in by_plane),
        ),
        layout=volume.source,
        used=tuple(dict.fromkeys(used)),
        aligned=aligned,
        notes=tuple(notes),
        scaling=_scaling(own),
    )


def _scaling(frames: npt.NDArray[np.object_]) -> tuple[float, float] | None:
    """The one rescaling of all images; None of several, and of mosaics."""
    found = {(float(frame.slope), float(frame.intercept)) for frame in frames}
    whole = all(frame.corner is None for frame in frames)
    return next(iter(found)) if len(found) == 1 and whole else None


def from_dicom(study: Study) -> bool:
    """Whether a study has DICOM images behind its grid; no file is read."""
    try:
        _chosen(study)
    except StudyError:
        return False
    return True


class _Files:
    """Headers of files, each read once."""

    def __init__(self) -> None:
        self._headers: dict[Path, Dataset] = {}

    def header(self, path: Path) -> Dataset:
        if path not in self._headers:
            self._headers[path] = read_header(path)
        return self._headers[path]

    def all_headers(self) -> list[Dataset]:
        return list(self._headers.values())

    def reference(self, frame: Frame) -> Reference:
        header = self.header(frame.path)
        sop_class = text(header, "SOPClassUID") or text(header.file_meta, "MediaStorageSOPClassUID")
        found = Reference(
            study=text(header, "StudyInstanceUID"),
            series=text(header, "SeriesInstanceUID"),
            sop_class=sop_class,
            sop_instance=frame.sop_uid,
            frame=frame.number + 1 if _has_frames(header) else None,
        )
        if not (found.study and found.series and found.sop_class and found.sop_instance):
            raise StudyError(
                "the image lacks a UID of its study, series, class or instance, so nothing can "
                "refer to it",
                where=frame.path,
                remedy="Export the images again from their archive",
            )
        return found


def _has_frames(header: Dataset) -> bool:
    return is_enhanced(header) or (integer(header, "NumberOfFrames") or 1) > 1


def _chosen(study: Study) -> str:
    """The role whose planes are taken: the reference's, else of another on the grid as it was."""
    candidates = [study.reference, *(r for r in study.images if r not in study.originals)]
    for role in candidates:
        volume: Volume | None = study.images.get(role)
        if volume is not None and volume.source.format == "dicom":
            return role
    raise StudyError(
        "DICOM export needs a study that was opened from DICOM images, and this one was not",
        where=study.name,
        remedy="Take the NIfTI files that sparseexplain explain writes (they lie on the scan's own "
        "grid) and the pictures that sparseexplain report writes without --dicom",
    )


def _planes(frames: npt.NDArray[np.object_], files: _Files) -> Planes:
    """Planes as the images themselves state them, to the last digit."""
    first: Frame = frames[0]
    positions = np.array([frame.position for frame in frames], dtype=np.float64)
    step = float(first.thickness or 1.0)
    if len(frames) > 1:
        step = abs(float((positions[-1] - positions[0]) @ np.asarray(first.normal)))
        step /= len(frames) - 1
    thickness = number(files.header(first.path), "SliceThickness") or step
    spacing: Any = first.pixel_spacing
    return Planes(
        orientation=np.array(first.orientation, dtype=np.float64),
        positions=positions,
        pixel_spacing=(float(spacing[0]), float(spacing[1])),
        step=step,
        thickness=abs(thickness),
        references=tuple((files.reference(frame),) for frame in frames),
    )


def _resampled_planes(source: Source) -> Planes:
    """Planes of a volume that was resampled, from its affine."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ source.affine
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    count = source.shape[2]
    return Planes(
        orientation=np.concatenate([affine[:3, 0] / lengths[0], affine[:3, 1] / lengths[1]]),
        positions=affine[:3, 3] + np.arange(count)[:, None] * affine[:3, 2],
        pixel_spacing=(float(lengths[1]), float(lengths[0])),
        step=float(lengths[2]),
        thickness=float(lengths[2]),
        references=((),) * count,
    )


def _plane_at(planes: Planes, frame: Frame) -> int | None:
    """The plane that a frame of another series shows as well, None when it shows none of them."""
    if frame.position is None or frame.orientation is None or frame.pixel_spacing is None:
        return None
    if not np.allclose(frame.orientation, planes.orientation, rtol=0, atol=1e-4):
        return None
    if not np.allclose(frame.pixel_spacing, planes.pixel_spacing, rtol=1e-4, atol=0):
        return None
    gaps = np.linalg.norm(planes.positions - np.asarray(frame.position), axis=1)
    nearest = int(gaps.argmin())
    return nearest if gaps[nearest] <= _SAME_PLACE_MM else None


def _alike(frame: Frame, source: Source) -> bool:
    """Whether a frame is as large as the planes."""
    return (frame.columns, frame.rows) == tuple(source.shape[:2])


def one_patient(headers: Iterable[Dataset], study: Study) -> None:
    """Refuse images of several patients.

    Raises
    ------
    StudyError
        Their PatientID differs.
    """
    patients = {text(header, "PatientID") for header in headers} - {""}
    if len(patients) > 1:
        raise StudyError(
            "the scans carry the identifiers of several patients, so an object about all of them "
            "would belong to none",
            where=study.name,
            remedy="Open the scans of one patient",
        )
