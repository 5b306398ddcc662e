"""A study by where it lies and what is in it: known again after it moved, refused when changed."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from ..errors import StudyError
from ..volumes import Study, Volume
from ..volumes.volume import Source
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
        volumes={role: _volume_reference(study, role, v) for role, v in volumes.items()},
    )


def checksum(volume: Volume) -> str:
    """sha256 over the bytes of a volume's files; empty for one made in memory.

    Raises
    ------
    StudyError
        A file is no longer there.
    """
    paths = volume.source.paths
    try:
        stamps = tuple((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in paths)
        return _checksum(_Stamped(volume.source, stamps))
    except OSError as error:
        raise StudyError(
            f"the file cannot be read ({error.strerror or error})",
            where=error.filename or volume.role,
            remedy="Put it back, or open the study from where it is now",
        ) from error


def _volume_reference(study: Study, role: str, volume: Volume) -> VolumeReference:
    original = study.originals.get(role, volume)
    paths = original.source.paths
    if not paths:
        return VolumeReference("", "")
    root = study.path.resolve() if study.path is not None else paths[0].resolve().parent
    base = root if root.is_dir() else root.parent
    return VolumeReference(os.path.relpath(paths[0].resolve(), base), checksum(original))


class _Stamped:
    """A source compared by its files, their times and sizes, so that each is read once."""

    def __init__(self, source: Source, stamps: tuple[tuple[str, int, int], ...]) -> None:
        self.source = source
        self.stamps = stamps

    def __hash__(self) -> int:
        return hash(self.stamps)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Stamped) and other.stamps == self.stamps


@lru_cache(maxsize=256)
def _checksum(key: _Stamped) -> str:
    return key.source.checksum()


def study_code(reference: StudyReference) -> str:
    """What a study is called where its name must not stand: eight digits of its checksums."""

    sums = "".join(v.sha256 for _, v in sorted(reference.volumes.items()))
    digest = hashlib.sha256((sums or Path(reference.path).name).encode()).hexdigest()
    return f"study-{digest[:8]}"
