"""A study by where it lies and what is in it: known again after it moved, refused when changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ..volumes import Study, Volume
from ..volumes.checksum import volume_checksum
from .review import StudyReference, VolumeReference


def study_reference(study: Study) -> StudyReference:
    """The reference of an open study. Every file is read once for its checksum.

    Raises
    ------
    StudyError
        A file of the study is no longer there.
    """
    volumes = {**study.images, **study.labels}
    return StudyReference(
        path="" if study.path is None else str(study.path.resolve()),
        name=study.name,
        reference=study.reference,
        patient_axes=any(f.code == "patient-axes" for f in study.findings),
        apply_transforms=any(f.code == "transforms-applied" for f in study.findings),
        volumes={role: _volume_reference(study, role, v) for role, v in volumes.items()},
    )


def _volume_reference(study: Study, role: str, volume: Volume) -> VolumeReference:
    original = study.originals.get(role, volume)
    paths = original.source.paths
    if original.source.locator:
        return VolumeReference(original.source.locator, volume_checksum(original))
    if not paths:
        return VolumeReference("", "")
    root = study.path.resolve() if study.path is not None else paths[0].resolve().parent
    base = root if root.is_dir() else root.parent
    return VolumeReference(os.path.relpath(paths[0].resolve(), base), volume_checksum(original))


def study_code(reference: StudyReference) -> str:
    """What a study is called where its name must not stand: eight digits of its checksums."""

    sums = "".join(v.sha256 for _, v in sorted(reference.volumes.items()))
    digest = hashlib.sha256((sums or Path(reference.path).name).encode()).hexdigest()
    return f"study-{digest[:8]}"
