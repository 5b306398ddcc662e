"""Scans that were registered elsewhere, placed by the transforms that lie beside them.

Each transform leads from a scan to another scan or to a common space, and its name says which
(``study1_T1W_to_FLAIR.txt``, ``from-T1w_to-FLAIR_xfm.txt``). Followed from scan to scan they place
all scans in the space of one, the study's reference, which stays where it is. A scan is moved by
its affine: its voxels stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..finding import Finding
from ..grid import Grid
from ..roles.roles import read_name, stem_of
from ..time_points import time_word
from ..volume import Volume
from .transform_files import Matrix, SpatialTransform

#: What registration programs add to a name.
_ADDED = re.compile(
    r"(?i)([-_.]?(0?genericaffine|affine|rigid|xfm|transform|warp|mode-image|desc-\w+))+$"
)
_BETWEEN = re.compile(
    r"(?i)[-_.]?(intrastudy|interstudy|rigid|affine|reg|registered|registration|coreg|linear|ants|"
    r"flirt|bbr)$"
)
_SPLIT = re.compile(
    r"(?i)(?<=[-_. ])to(?=[-_. A-Z])|(?<=[a-z0-9])(?:To|2|_to)(?=[-_. a-z])|"
    r"(?<=[-_. ])2(?=[-_. ]+[a-z])"
)
_BIDS = re.compile(r"(?i)from-([a-z0-9]+)_to-([a-z0-9]+)")


@dataclass(frozen=True, eq=False)
class Registration:
    """A transform with the scans that it belongs to.

    Attributes
    ----------
    transform : SpatialTransform
    moving : str
        Role of the scan that it moves.
    target : str
        Role of the scan that it moves it to, or the name of a space that no scan is of.
    is_scan : bool
        Whether the target is a scan of the study.
    """

    transform: SpatialTransform
    moving: str
    target: str
    is_scan: bool


@dataclass
class Registrations:
    """The transforms of a study.

    Attributes
    ----------
    usable : list of Registration
    unclear : list of str
        Names of files that nothing connects with a scan.
    """

    usable: list[Registration] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)

    def found(self) -> list[Finding]:
        """What is said when they are not applied."""
        if not (self.usable or self.unclear):
            return []
        pairs = "; ".join(f"{r.moving!r} to {r.target!r}" for r in self.usable)
        count = len(self.usable) + len(self.unclear)
        files = "file lies" if count == 1 else "files lie"
        text = f"{count} transform {files} beside the scans"
        if pairs:
            text += (
                f" and {'was' if count == 1 else 'were'} not applied ({pairs}): open the study "
                "with --apply-transforms, or press Apply transforms in the Study tab"
            )
        if self.unclear:
            text += f"; it is not clear which scans {', '.join(self.unclear)} belongs to"
        return [Finding("info", "transforms-found", text)]


def registrations_of(
    transforms: Sequence[SpatialTransform], volumes: Mapping[str, Volume]
) -> Registrations:
    """Which scan each transform moves, and to which, by their names.

    Parameters
    ----------
    transforms : sequence of SpatialTransform
    volumes : mapping of str to Volume
        By role, as they were on file.
    """
    result = Registrations()
    for transform in transforms:
        pair = _pair(_ADDED.sub("", _stem(transform)), volumes)
        if pair is None or (transform.needs_target and pair[1] not in volumes):
            result.unclear.append(transform.path.name)
            continue
        result.usable.append(Registration(transform, *pair, pair[1] in volumes))
    return result


def placed(
    volumes: Mapping[str, Volume], registrations: Registrations, reference: str
) -> tuple[dict[str, Volume], list[Finding]]:
    """All volumes in the space of one, by the transforms that connect them with it.

    A mask goes with the scan whose grid it has; one that has no scan's grid is taken to lie in
    the one space that the transforms lead to and no scan is of, and that is said.

    Parameters
    ----------
    volumes : mapping of str to Volume
        By role, as they were on file. They stay as they are.
    registrations : Registrations
    reference : str
        Role of the one that is not moved.
    """
    edges: dict[str, list[tuple[str, Matrix]]] = {}
    for each in registrations.usable:
        target = volumes.get(each.target) if each.is_scan else None
        matrix = each.transform.to_target(volumes[each.moving], target)
        here, there = _node(each.moving, True), _node(each.target, each.is_scan)
        edges.setdefault(there, []).append((here, matrix))
        edges.setdefault(here, []).append((there, np.linalg.inv(matrix)))
    reached = _spread(_node(reference, True), edges)
    moved: dict[str, Volume] = {}
    findings: list[Finding] = []
    spaces = [node for node in reached if node.startswith(_SPACE)]
    for role, volume in volumes.items():
        node = _node(role, True)
        said = ""
        if node not in reached and volume.kind == "label":
            node = _node_of_mask(volume, volumes) or (spaces[0] if len(spaces) == 1 else node)
            said = node.removeprefix(_SPACE) if node.startswith(_SPACE) else ""
        matrix = reached.get(node)
        if matrix is None or np.allclose(matrix, np.eye(4), atol=1e-9):
            moved[role] = volume
            continue
        grid = volume.grid
        moved[role] = replace(
            volume,
            grid=Grid(grid.shape, matrix @ grid.affine, grid.calibrated, grid.oriented),
        )
        text = f"{role!r} was moved to {reference!r} by the transforms that lie beside it"
        if said:
            text += f"; it has the grid of no scan and was taken to lie in {said!r}"
        findings.append(Finding("info", "transforms-applied", text, role))
    return moved, findings


_SPACE = "space:"


def _node(name: str, is_scan: bool) -> str:
    return f"scan:{name}" if is_scan else f"{_SPACE}{name}"


def _spread(start: str, edges: Mapping[str, list[tuple[str, Matrix]]]) -> dict[str, Matrix]:
    """From every space that is connected with ``start``: its millimetres to those of ``start``."""
    reached: dict[str, Matrix] = {start: np.eye(4)}
    waiting = [start]
    while waiting:
        here = waiting.pop(0)
        for there, matrix in edges.get(here, []):
            if there not in reached:
                reached[there] = reached[here] @ matrix
                waiting.append(there)
    return reached


def _node_of_mask(mask: Volume, volumes: Mapping[str, Volume]) -> str:
    """The scan whose grid a mask has; empty when there is none."""
    for role, volume in volumes.items():
        if volume.kind == "image" and volume.grid.matches(mask.grid):
            return _node(role, True)
    return ""


def _stem(transform: SpatialTransform) -> str:
    return re.sub(r"(?i)\.(txt|tfm|mat|xfm|lta)$", "", transform.path.name)


def _pair(stem: str, volumes: Mapping[str, Volume]) -> tuple[str, str] | None:
    """Roles of the moving scan and of its target, or the name of the target's space."""
    if match := _BIDS.search(stem):
        # BIDS names only the kinds; the rest of the name says of which session.
        context = stem[: match.start()]
        moving = _scan_named(match[1], volumes, context)
        target = _scan_named(match[2], volumes, context) or match[2].lower()
        return (moving, target) if moving and moving != target else None
    best: tuple[int, tuple[str, str]] | None = None
    for match in _SPLIT.finditer(stem):
        left = _BETWEEN.sub("", stem[: match.start()].strip("-_. ")).strip("-_. ")
        right = stem[match.end() :].strip("-_. ")
        moving = _scan_named(left, volumes, left)
        if not moving or not right:
            continue
        target = _scan_named(right, volumes, stem_of(volumes[moving].source.description))
        if target == moving or (not target and match[0] == "2"):
            continue
        rank = 1 if target else 0
        if best is None or rank > best[0]:
            best = rank, (moving, target or right.lower())
    return None if best is None else best[1]


def _scan_named(name: str, volumes: Mapping[str, Volume], context: str) -> str:
    """Role of the scan that a part of a name means; empty when none or several do."""
    scans = {role: v for role, v in volumes.items() if v.kind == "image"}
    text = name.lower()
    stems = {role: stem_of(v.source.description).lower() for role, v in scans.items()}
    exact = [role for role, stem in stems.items() if stem == text]
    if len(exact) == 1:
        return exact[0]
    wanted = read_name(name).role
    point = time_word(name) or time_word(context)
    fits = [
        role
        for role, stem in stems.items()
        if wanted is not None and wanted in (read_name(stem).role, role)
    ]
    if point and len(fits) > 1:
        fits = [role for role in fits if time_word(scans[role].source.description) == point]
    return fits[0] if len(fits) == 1 else ""
