"""Saving by itself: a crash loses at most thirty seconds. A plain function without a clock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from .reading import Reading
from .review import Review
from .store import save_review

#: A crash loses no change older than this.
BOUND_S = 30.0

#: How often `autosave` must be called.
POLL_S = 5.0

#: Age of the oldest unsaved change at which it is saved: with the poll well within the bound.
_DELAY_S = 20.0


@dataclass(frozen=True)
class Autosave:
    """What was saved last, and since when something is not.

    Attributes
    ----------
    folder : Path
    saved : Review or None
        The review on disk; None when there is none yet.
    unsaved_since : float or None
        When a difference to it was first seen, in seconds of the caller's clock.
    """

    folder: Path
    saved: Review | None = None
    unsaved_since: float | None = None


def autosave(
    state: Autosave, reading: Reading, now: float, *, arrays: bool | Collection[str] = False
) -> Autosave:
    """Save the review when its oldest change has waited long enough.

    Call at least every `POLL_S` seconds.

    Parameters
    ----------
    state : Autosave
        What the last call returned; its folder belongs to this reading alone.
    reading : Reading
    arrays : bool or collection of str
        As in `save_review`.
    now : float
        Seconds of a clock that does not run back (``time.monotonic()``).

    Raises
    ------
    SparseExplainError
        The folder cannot be written. The state before stays valid: the next call tries again.
    """
    if reading.review == state.saved:
        return Autosave(state.folder, state.saved)
    since = now if state.unsaved_since is None else state.unsaved_since
    if now - since < _DELAY_S:
        return Autosave(state.folder, state.saved, since)
    save_review(reading, state.folder, arrays=arrays, overwrite=True)
    return Autosave(state.folder, reading.review)
