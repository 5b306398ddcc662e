"""One role for each volume: what the names tell, kept apart where two tell the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...errors import StudyError
from ...files.regular_file import is_regular
from ..finding import Finding
from ..labels.values import read_labels
from ..study import Study
from ..time_points import time_points
from ..volume import Volume
from .roles import LABEL_ROLES, ROLES, stem_of

#: Why a volume has a role that a person asked for.
_ASKED = "given by a person"


@dataclass(frozen=True)
class Opened:
    """A volume as it was read, before the study gives it its role.

    Attributes
    ----------
    volume : Volume
        Its ``role`` is what its file tells, or its own name.
    place : str
        File or series within the study's folder, for messages and for matching.
    findings : tuple of Finding
        What was noticed on reading it.
    """

    volume: Volume
    place: str
    findings: tuple[Finding, ...] = field(default=())


def assign_roles(
    opened: Sequence[Opened], wanted: Mapping[str, str] | None, *, where: str | Path
) -> tuple[dict[str, Volume], list[Finding]]:
    """Distinct roles for all volumes.

    What the person wants comes first. Two volumes of one role are told apart by the time point in
    their names (``study1 flair``, ``study2 flair``) and else numbered (``t1``, ``t1 (2)``); the
    study says so, since a model will take the one that has the plain role.

    Parameters
    ----------
    opened : sequence of Opened
        In the order of their files.
    wanted : mapping of str to str, optional
        File name, path, stem or series description by role.
    where : str or Path
        The study, for messages.

    Raises
    ------
    StudyError
        A wanted file is not there, is not clear, or is no label map although its role is one.
    """
    return _assigned(
        opened, {index: role for role, index in _matched(opened, wanted or {}, where).items()}
    )


def assign_roles_like(
    opened: Sequence[Opened], study: Study
) -> tuple[dict[str, Volume], list[Finding]]:
    """Roles as in the same study when it was opened before.

    A volume is known by its files, not by their names alone. Roles that come by themselves are
    left to do so, so that what is said of them is said again; only the others are given.

    Parameters
    ----------
    opened : sequence of Opened
    study : Study
        With the roles that a person may have edited. What is new keeps the role it comes with.
    """
    known: dict[object, list[str]] = defaultdict(list)
    for shelf in (study.images, study.labels):
        for role, volume in shelf.items():
            known[_identity(volume)].append(role)
    # Volumes of one file (the segments of a DICOM SEG) come in the same order each time.
    had = {
        index: roles.pop(0)
        for index, item in enumerate(opened)
        if (roles := known.get(_identity(item.volume)))
    }
    volumes, findings = _assigned(opened, {})
    come = list(volumes)
    edited = {index: role for index, role in had.items() if come[index] != role}
    if edited:
        volumes, findings = _assigned(opened, edited)
        come = list(volumes)
        if any(come[index] != role for index, role in had.items()):
            volumes, findings = _assigned(opened, had)
    return volumes, findings


def _identity(volume: Volume) -> object:
    """What stays of a volume when it is read again or was resampled."""
    source = volume.source
    paths = tuple(path.resolve() for path in source.paths)
    return source.format, source.locator, paths, source.description


def _assigned(
    opened: Sequence[Opened], given: Mapping[int, str]
) -> tuple[dict[str, Volume], list[Finding]]:
    """Distinct roles, those of ``given`` (by index) before all others."""
    findings: list[Finding] = []
    volumes: list[Volume] = []
    for index, item in enumerate(opened):
        volume = item.volume
        if index in given:
            volume = _under(volume, given[index], item.place)
        volumes.append(volume)
    names = [v.role for v in volumes]
    fixed = set(given)
    names, said = _told_apart_by_time(names, opened, fixed)
    findings += said
    names, said = _numbered(names, opened, fixed)
    findings += said
    findings += [
        Finding(
            "info",
            "unknown-role",
            f"nothing tells what {item.place} is"
            + (f" ({volume.why})" if volume.why else "")
            + "; it keeps its own name as its role",
            item.place,
        )
        for index, (item, volume) in enumerate(zip(opened, volumes, strict=True))
        if index not in fixed
        and volume.role not in (*ROLES, *LABEL_ROLES)
        and volume.source.format != "image"  # a picture has no sequence that it could tell
        and "map" not in volume.details  # a map that says its own name
        and all(f.code != "role-disagreement" for f in item.findings)
    ]
    return {
        name: volume.with_role(name) for name, volume in zip(names, volumes, strict=True)
    }, findings


def _under(volume: Volume, role: str, place: str) -> Volume:
    """The volume under a role that a person gave it; a label role makes it a label map."""
    if role in LABEL_ROLES and volume.kind == "image":
        labels = None
        if not volume.leading and not volume.colour:
            reading = read_labels(volume.data)
            labels = None if reading is None else reading.labels
        if labels is None:
            raise StudyError(
                f"cannot be {role!r}: its values are not those of a label map",
                where=place,
                remedy="Give this role to a file of whole numbers",
            )
        return replace(volume, data=labels, role=role, kind="label", why=_ASKED)
    kind = "image" if role in ROLES else volume.kind
    return replace(volume, role=role, kind=kind, why=_ASKED)


def _matched(
    opened: Sequence[Opened], wanted: Mapping[str, str], where: str | Path
) -> dict[str, int]:
    """Index of the volume that each role is wanted for."""
    found: dict[str, int] = {}
    for role, name in wanted.items():
        fits = [i for i, item in enumerate(opened) if _is_named(item, name)]
        places = ", ".join(item.place for item in opened)
        if not fits:
            raise StudyError(
                f"there is no volume {name!r} for the role {role!r} (there is {places})",
                where=where,
                remedy="Give the name of one of these files or series",
            )
        if len(fits) > 1:
            which = ", ".join(opened[i].place for i in fits)
            raise StudyError(
                f"{name!r} for the role {role!r} fits {len(fits)} volumes: {which}",
                where=where,
                remedy="Give the path within the folder",
            )
        if fits[0] in found.values():
            raise StudyError(
                f"{name!r} was given two roles", where=where, remedy="Give each volume one role"
            )
        found[role] = fits[0]
    return found


def _is_named(item: Opened, name: str) -> bool:
    """Whether a person who writes ``name`` means this volume."""
    if item.volume.source.locator and name == item.volume.source.locator:
        return True
    path = item.volume.source.paths[0] if item.volume.source.paths else Path(item.place)
    asked = Path(name)
    if asked.is_absolute() or len(asked.parts) > 1:
        same = is_regular(asked) and path.resolve() == asked.resolve()
        return same or Path(item.place) == asked
    if item.volume.source.format == "dicom":
        return name in (item.place, item.volume.source.description, path.name, path.parent.name)
    return name in (item.place, path.name, stem_of(path.name))


def _told_apart_by_time(
    names: list[str], opened: Sequence[Opened], fixed: set[int]
) -> tuple[list[str], list[Finding]]:
    """Prefix with the time point where a role comes back at another one.

    Of two scans of one role, one may have no word of time (``t1``, ``t1_followup``): it keeps its
    role, the other gets its own.
    """
    points, sure = time_points([item.volume for item in opened], [item.place for item in opened])
    by_role: dict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        by_role[name].append(index)
    repeated = [
        ids
        for ids in by_role.values()
        if len(ids) > 1 and len({points[i] for i in ids}) == len(ids)
    ]
    told = {points[i] for i in range(len(opened)) if points[i] and sure[i]}
    if not repeated and len(told) < 2:
        return names, []
    # Where roles do not repeat, only sure words count: scan1 and scan2 number one visit's scans.
    seen = {points[i] for ids in repeated for i in ids if points[i]} or told
    result = [
        f"{points[i]} {name}" if i not in fixed and points[i] in seen else name
        for i, name in enumerate(names)
    ]
    listed = ", ".join(sorted(seen))
    return result, [
        Finding(
            "warning",
            "several-time-points",
            f"the volumes are of several time points ({listed}), which the roles now tell; give a "
            "volume its plain role for a model to use it",
        )
    ]


def _numbered(
    names: list[str], opened: Sequence[Opened], fixed: set[int]
) -> tuple[list[str], list[Finding]]:
    """``t1 (2)`` for what is still double; a volume with a given role keeps it."""
    by_role: dict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        by_role[name].append(index)
    result = list(names)
    findings: list[Finding] = []
    taken = set(names)
    for role, ids in by_role.items():
        if len(ids) < 2:
            continue
        ids.sort(key=lambda i: (i not in fixed, i))
        number = 2
        for index in ids[1:]:
            while f"{role} ({number})" in taken:
                number += 1
            result[index] = f"{role} ({number})"
            taken.add(result[index])
        files = ", ".join(f"{opened[i].place} is {result[i]!r}" for i in ids)
        findings.append(
            Finding(
                "warning",
                "duplicate-role",
                f"{len(ids)} volumes have the role {role!r}: {files}; check that the right one "
                "has the plain role",
                role,
            )
        )
    return result, findings
