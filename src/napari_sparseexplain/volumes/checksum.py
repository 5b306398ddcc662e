"""The checksum of a volume's files, each read once as long as it stays as it is."""

from __future__ import annotations

from functools import lru_cache

from ..errors import StudyError
from .volume import Source, Volume


def volume_checksum(volume: Volume) -> str:
    """sha256 over the bytes of what a volume was read from; empty for one made in memory.

    Raises
    ------
    StudyError
        A file is no longer there.
    """
    if volume.source.sha256:
        return volume.source.sha256
    try:
        stamps = tuple(
            (str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in volume.source.paths
        )
        return _checksum(_Stamped(volume.source, stamps))
    except OSError as error:
        raise StudyError(
            f"the file cannot be read ({error.strerror or error})",
            where=error.filename or volume.role,
            remedy="Put it back, or open the study from where it is now",
        ) from error


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
