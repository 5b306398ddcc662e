"""What a packed file announces, compared with what it can hold, before memory is given to it."""

from __future__ import annotations

from pathlib import Path

from ...errors import ReadError

#: Up to here a file may be as empty as it likes: this much memory is there.
HARMLESS_BYTES = 1 << 30

#: Scans are noise to a packer: they shrink two- to tenfold, a drawn mask some hundredfold. Zeros
#: alone shrink from 229-fold (the fastest gzip) to 1030-fold (the best).
BEST_RATIO = 200


def check_unpacked(
    needed: int, packed: int, where: str | Path, *, remedy: str, harmless: int | None = None
) -> None:
    """Refuse what would unpack to gigabytes of next to nothing.

    Parameters
    ----------
    needed : int
        Bytes that the header announces.
    packed : int
        Bytes of the file, or of what holds them.
    where : str or Path
    remedy : str
        How a person who means it can open it all the same.
    harmless : int, optional
        Bytes that need no question; `HARMLESS_BYTES` when not given.

    Raises
    ------
    ReadError
    """
    most = HARMLESS_BYTES if harmless is None else harmless
    if needed > most and needed > BEST_RATIO * max(packed, 1):
        raise ReadError(
            f"it would unpack to {needed / 2**30:,.1f} GiB from {max(packed, 1) / 2**20:,.1f} MiB, "
            "which no scan does: the file is damaged, or made to fill the memory",
            where=where,
            remedy=remedy,
        )
