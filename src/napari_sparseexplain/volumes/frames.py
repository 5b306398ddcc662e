"""Frames: at which point along the leading axes (time, direction, echo) scans are looked at."""

from __future__ import annotations

import operator
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..arguments import shown
from ..errors import ParameterError, StudyError
from .study import Study
from .volume import Volume

#: What a point along an axis is called, where that is not the axis's own name.
_NAMES = {"time": "frame"}

#: The latest frame of every study that lives: what was measured of its scans is kept with them.
_LATEST: weakref.WeakKeyDictionary[Study, tuple[tuple[int, ...], Study]] = (
    weakref.WeakKeyDictionary()
)


def frame_label(volume: Volume | None, leading: tuple[int, ...]) -> str:
    """As ``"frame 12/25"`` or ``"direction 3/64"``, counted from 1; empty without a frame.

    Parameters
    ----------
    volume : Volume or None
        Tells the axes' names and lengths; None: they are not known.
    leading : tuple of int
        Points along the last of its leading axes.
    """
    if volume is None or len(volume.leading) < len(leading):
        return ", ".join(f"frame {point + 1}" for point in leading)
    first = len(volume.leading) - len(leading)
    axes = zip(volume.leading[first:], volume.data.shape[first:], leading, strict=False)
    return ", ".join(f"{_NAMES.get(name, name)} {p + 1}/{count}" for name, count, p in axes)


def frame_note(volume: Volume) -> str:
    """Which image of a scan with leading axes was used; empty of one without such axes."""
    if not volume.leading:
        return ""
    axes = ", ".join(volume.leading)
    words = frame_label(volume, volume.frame)
    used = f"{words} was used" if words else "the first image of each was used"
    return f"{volume.role} has more axes ({axes}); {used}."


def as_frame(frame: int | Sequence[int] | None) -> tuple[int, ...]:
    """Points along leading axes as a tuple; empty for None.

    Raises
    ------
    ParameterError
        They are not whole numbers from 0.
    """
    if frame is None:
        return ()
    given = frame if isinstance(frame, Sequence) and not isinstance(frame, str) else (frame,)
    try:
        points = tuple(operator.index(point) for point in given)  # pyright: ignore[reportArgumentType]
    except TypeError:
        points = (-1,)
    if any(isinstance(point, bool) for point in given) or min(points, default=0) < 0:
        words = ", ".join(map(shown, given)) if given is frame else shown(frame)
        raise ParameterError(
            f"the frame cannot be {words}",
            remedy="Give a whole number for each axis beyond the three of space, counted from 0",
        )
    return points


def study_at_frame(
    study: Study, frame: int | Sequence[int] | None, roles: Iterable[str] = ()
) -> Study:
    """The study with `Volume.spatial` of its scans at one frame.

    Parameters
    ----------
    frame : int or sequence of int, optional
        A point along each leading axis of the scans used, counted from 0. A scan with fewer such
        axes takes the last points, as sliders of a viewer are shared; one without is as it is. The
        study itself comes back when not given.
    roles : iterable of str
        Of the scans used, which must have this frame; all when empty. Others that do not have it
        stay at their first.

    Raises
    ------
    ParameterError
        The frame is no whole number from 0.
    StudyError
        The scans used have no such frame.
    """
    points = as_frame(frame)
    if not points:
        return study
    used = [study.images[role] for role in tuple(roles) or study.images if role in study.images]
    longest = max(used, key=lambda volume: len(volume.leading), default=None)
    if longest is None or not longest.leading:
        raise StudyError(
            f"frame {_words(points)} was asked for, and no scan that is used has more than one "
            f"image ({', '.join(volume.role for volume in used) or 'none'})",
            where=study.name,
            remedy="Leave the frame out",
        )
    if len(points) != len(longest.leading):
        raise StudyError(
            f"{len(points)} number{'s' if len(points) > 1 else ''} for the frame, and the scan has "
            f"{len(longest.leading)} axes beyond space ({', '.join(longest.leading)})",
            where=longest.role,
            remedy="Give one number for each, counted from 0",
        )
    for volume in used:
        if volume.leading and not _holds(volume, points):
            counts = volume.data.shape[: len(volume.leading)]
            have = ", ".join(f"{name} {n}" for name, n in zip(volume.leading, counts, strict=True))
            raise StudyError(
                f"the scan has no frame {_words(points)}, counted from 0 (it has {have})",
                where=volume.role,
                remedy="Give numbers from 0 to one less than these",
            )
    return looked_at(study, points)


def looked_at(study: Study, points: tuple[int, ...]) -> Study:
    """The study at a frame, where its scans and masks have it; the others stay as they are."""
    if not points:
        return study
    kept = _LATEST.get(study)
    if kept is None or kept[0] != points:
        moved = replace(
            study, images=_moved(study.images, points), labels=_moved(study.labels, points)
        )
        kept = _LATEST[study] = (points, moved)
    return kept[1]


def volume_at_frame(volume: Volume, points: tuple[int, ...]) -> Volume:
    """A scan or mask at a frame, where it has it."""
    if not volume.leading or not points or not _holds(volume, points):
        return volume
    return replace(volume, frame=points[len(points) - len(volume.leading) :])


def fitting_frame(
    study: Study, points: tuple[int, ...], roles: Iterable[str] = ()
) -> tuple[int, ...]:
    """The frame that a picture is of, as `study_at_frame` takes it for some scans.

    Empty where these have no such axes, or not as many points: they are then at their first.
    """
    used = [study.images[role] for role in tuple(roles) or study.images if role in study.images]
    count = max((len(volume.leading) for volume in used), default=0)
    if not points or not count:
        return ()
    # A picture may be of a scan with fewer axes, or with more: its sliders are the last ones.
    found = (*(0,) * max(count - len(points), 0), *points[max(len(points) - count, 0) :])
    return found if all(_holds(v, found) for v in used if v.leading) else ()


def _moved(shelf: Mapping[str, Volume], points: tuple[int, ...]) -> dict[str, Volume]:
    return {role: volume_at_frame(volume, points) for role, volume in shelf.items()}


def _holds(volume: Volume, points: tuple[int, ...]) -> bool:
    count = len(volume.leading)
    if count > len(points):
        return False
    own = points[len(points) - count :]
    return all(0 <= p < n for p, n in zip(own, volume.data.shape[:count], strict=True))


def _words(points: tuple[int, ...]) -> str:
    return ", ".join(map(shown, points))
