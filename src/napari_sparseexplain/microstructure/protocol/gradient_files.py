"""Which files beside a diffusion scan tell its gradients: by its own name, or the folder's."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ...errors import ReadError
from ...volumes.nifti.gradient_names import (
    BVALS,
    BVECS,
    CAMINO,
    FOLDER_BVALS,
    FOLDER_BVECS,
    MRTRIX,
)
from ...volumes.nifti.header import read_nifti_header
from ...volumes.roles.roles import stem_of
from ...volumes.volume import Volume

#: Headers looked at to tell whether a folder has one scan of several volumes.
_MOST_HEADERS = 100


@dataclass(frozen=True)
class GradientFiles:
    """Files beside a scan; None where there is none.

    Attributes
    ----------
    bvals, bvecs : Path or None
        FSL's two.
    mrtrix : Path or None
        MRtrix's ``.b``.
    camino : Path or None
        A ``.scheme``.
    sidecar : Path or None
        The JSON.
    """

    bvals: Path | None = None
    bvecs: Path | None = None
    mrtrix: Path | None = None
    camino: Path | None = None
    sidecar: Path | None = None

    @property
    def any(self) -> bool:
        """Whether one of them tells gradients."""
        return any((self.bvals, self.bvecs, self.mrtrix, self.camino))


def gradient_files_of(volume: Volume) -> GradientFiles:
    """The files that belong to a scan.

    Parameters
    ----------
    volume : Volume
        Opened from a NIfTI file. ``x.nii.gz`` has ``x.bval``, ``x.bvec``, ``x.b``, ``x.scheme``,
        ``x.json`` (endings in any case); in a folder with one scan of several volumes the names
        ``bvals`` and ``bvecs``, with or without ``.txt``, will do.

    Raises
    ------
    ReadError
        The scan is no NIfTI file.
    """
    source = volume.source
    if source.format != "nifti" or not source.paths:
        raise ReadError(
            "gradients are read from the files beside a NIfTI file, and this scan is "
            f"{'a DICOM series' if source.format == 'dicom' else 'none'}",
            where=source.description or volume.role,
            remedy="Convert it with dcm2niix, which writes .bval and .bvec beside the NIfTI file",
        )
    path = source.paths[0]
    try:
        names = {name.lower(): name for name in sorted(os.listdir(path.parent), reverse=True)}
    except OSError as error:
        raise ReadError(
            f"its folder cannot be listed ({error.strerror or error})",
            where=path.parent,
            remedy="Check that you may read it",
        ) from error
    stem = stem_of(path.name)

    def beside(*wanted: str) -> Path | None:
        found = (names.get(name.lower()) for name in wanted)
        return next((path.parent / name for name in found if name), None)

    own = GradientFiles(
        bvals=beside(*(stem + end for end in BVALS)),
        bvecs=beside(*(stem + end for end in BVECS)),
        mrtrix=beside(stem + MRTRIX),
        camino=beside(stem + CAMINO),
        sidecar=beside(stem + ".json"),
    )
    if own.any:
        return own
    bvals, bvecs = beside(*FOLDER_BVALS), beside(*FOLDER_BVECS)
    if (bvals or bvecs) and _has_one_series(path.parent, list(names.values())):
        return GradientFiles(bvals=bvals, bvecs=bvecs, sidecar=own.sidecar)
    return own


def _has_one_series(folder: Path, names: list[str]) -> bool:
    """Whether one NIfTI file of the folder has several volumes: masks and maps have not."""
    images = [n for n in names if n.lower().endswith((".nii", ".nii.gz", ".hdr", ".hdr.gz"))]
    count = 0
    for name in images[:_MOST_HEADERS]:
        try:
            count += len(read_nifti_header(folder / name).shape) > 3
        except ReadError:
            continue
    return count == 1 and len(images) <= _MOST_HEADERS
