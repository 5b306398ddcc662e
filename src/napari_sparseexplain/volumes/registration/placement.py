"""Where a prior lies over a current study: registered or not, and moved by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from ...errors import StudyError
from ..finding import Finding
from ..grid import Grid
from ..resampling import resample_to
from ..study import Study
from ..volume import Volume
from .register_rigid import RigidRegistration
from .rigid_motion import Matrix, rigidity_fault
from .transform_files import read_transform

#: Least share of the current field of view in which a prior must lie where its file places it;
#: below it the middles are laid over each other.
_LEAST_SHARED = 0.3

#: How a caption begins that says nobody knows whether the prior lies right.
NOT_REGISTERED = "NOT REGISTERED"


@dataclass(frozen=True, eq=False)
class Placement:
    """How a prior is laid over a current study.

    Attributes
    ----------
    matrix : ndarray, shape (4, 4)
        RAS+ millimetres of the prior to those of the current study.
    how : {"files", "middles", "transform", "rigid"}
        As the files say; middles laid over each other; by a transform file; by a registration.
    says : str
        What a caption adds.
    by_hand : three floats
        Shift along R, A, S in mm, after ``matrix``.
    """

    matrix: Matrix
    how: Literal["files", "middles", "transform", "rigid"]
    says: str = ""
    by_hand: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def registered(self) -> bool:
        """Whether a registration places it, not only the files or a hand."""
        return self.how in ("transform", "rigid")

    @property
    def whole(self) -> Matrix:
        """``matrix`` and the shift by hand."""
        shift = np.eye(4)
        shift[:3, 3] = self.by_hand
        return shift @ self.matrix

    def moved_by_hand(self, shift: tuple[float, float, float]) -> Placement:
        """The same with another shift by hand."""
        return replace(self, by_hand=shift)

    def caption(self) -> str:
        """What every picture of it must say."""
        words = {
            "files": f"{NOT_REGISTERED}: placed as its files say",
            "middles": f"{NOT_REGISTERED}: middles laid together",
            "transform": "placed by a transform file",
            "rigid": "registered rigidly",
        }[self.how]
        parts = [words, *([self.says] if self.says else [])]
        if any(self.by_hand):
            sides = zip(self.by_hand, "RAS", "LPI", strict=True)
            told = " ".join(f"{p if v > 0 else n} {abs(v):g}" for v, p, n in sides if v)
            parts.append(f"moved by hand {told} mm")
        return ", ".join(parts)


def placed_by_files(current: Grid, prior: Grid) -> Placement:
    """As the files say where both then overlap, else the middles over each other.

    Raises
    ------
    StudyError
        One has millimetres and the other has not.
    """
    if current.calibrated != prior.calibrated:
        raise StudyError(
            "one of the two has a voxel size in millimetres and the other has not",
            where="prior",
            remedy="Choose a prior of the same kind",
        )
    corners = [_corners(grid) for grid in (current, prior)]
    low = np.maximum(*(c.min(axis=0) for c in corners))
    high = np.minimum(*(c.max(axis=0) for c in corners))
    size = corners[0].max(axis=0) - corners[0].min(axis=0)
    shared = float(np.prod(np.clip(high - low, 0, None) / size))
    if shared >= _LEAST_SHARED and current.oriented == prior.oriented:
        return Placement(np.eye(4), "files")
    matrix = np.eye(4)
    matrix[:3, 3] = corners[0].mean(axis=0) - corners[1].mean(axis=0)
    return Placement(matrix, "middles")


def placed_by_registration(found: RigidRegistration) -> Placement:
    """By a registration that was made here."""
    agree = f"{found.both_ways_mm:.1f}" if found.both_ways_mm >= 0.05 else "<0.1"
    return Placement(found.matrix, "rigid", f"both ways agree to {agree} mm")


def placed_by_file(
    path: str | Path, current: Volume, prior: Volume
) -> tuple[Placement, tuple[str, ...]]:
    """By a transform that another program wrote from the prior to the current scan.

    Parameters
    ----------
    path : str or Path
        See `read_transform`.
    current, prior : Volume
        As they were on file; what an FSL matrix is of.

    Returns
    -------
    Placement
    notes : tuple of str
        A transform that is not rigid is used, and said to stretch.

    Raises
    ------
    ReadError
        The file holds no transform that is known.
    StudyError
        It mirrors the patient, or lays the prior beside the current study: most likely the
        transform of the other direction, or of other scans.
    """
    transform = read_transform(path)
    matrix = np.asarray(transform.to_target(prior, current), dtype=np.float64)
    fault, name = rigidity_fault(matrix), Path(path).name
    notes = (f"{name} {fault}: sizes measured in the prior change",) if fault else ()
    if fault.startswith("mirrors"):
        raise StudyError(
            "the transform mirrors the patient; nothing was moved",
            where=path,
            remedy="Give the transform from the prior to the current scan, as it was written",
        )
    index = current.grid.index(_corners(prior.grid) @ matrix[:3, :3].T + matrix[:3, 3])
    top = np.asarray(current.grid.shape) - 0.5
    if (index.max(axis=0) < -0.5).any() or (index.min(axis=0) > top).any():
        raise StudyError(
            "the transform lays the prior beside the current scan; nothing was moved",
            where=path,
            remedy="It may lead the other way, or belong to other scans: give that from the prior "
            "to the current scan",
        )
    return Placement(matrix, "transform", name), notes


def on_current_grid(prior: Study, roles: tuple[str, ...], grid: Grid, placed: Placement) -> Study:
    """Volumes of a prior on the grid of the current study.

    Each is taken as it was on file, so that it is interpolated once: scans linearly, masks by
    nearest neighbour. What is not registered is a finding of each (`Study.unregistered`).

    Parameters
    ----------
    prior : Study
    roles : tuple of str
        Which of its volumes.
    grid : Grid
        Of the current study.
    placed : Placement
    """
    made: dict[str, Volume] = {}
    for role in roles:
        volume = prior.originals.get(role, prior[role])
        own = volume.grid
        there = Grid(own.shape, placed.whole @ own.affine, own.calibrated, own.oriented)
        if len(volume.leading) > 0:
            volume = replace(volume, data=volume.spatial(), leading=(), frame=(), colour=False)
        made[role] = replace(resample_to(replace(volume, grid=there), grid), grid=grid, role=role)
    findings = () if placed.registered else tuple(
        Finding("warning", "not-registered", f"the prior {r!r} is not registered", r) for r in made
    )  # fmt: skip
    return Study(
        name=f"prior {prior.name}",
        path=None,
        images={r: v for r, v in made.items() if v.kind == "image"},
        labels={r: v for r, v in made.items() if v.kind == "label"},
        grid=grid,
        reference=roles[0],
        findings=findings,
    )


def _corners(grid: Grid) -> np.ndarray:
    """Outer corners in RAS+ millimetres, shape (8, 3)."""
    top = np.asarray(grid.shape, dtype=np.float64) - 0.5
    ends = [(-0.5, n) for n in top]
    return grid.world(np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(-1, 3))
