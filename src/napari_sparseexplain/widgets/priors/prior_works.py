"""What the panel of priors has computed in a thread: opening, placing, registering."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...progress import Progress, Work
from ...volumes import Study, Volume
from ...volumes.registration.placement import (
    Placement,
    on_current_grid,
    placed_by_file,
    placed_by_files,
    placed_by_registration,
)
from ...volumes.roles.label_roles import lesion_role


@dataclass(frozen=True, eq=False)
class Pair:
    """A current study and its prior, and the scans of both that are compared."""

    current: Study
    prior: Study
    role: str
    prior_role: str

    @property
    def mask_role(self) -> str:
        """The prior's lesion mask; empty where it has none."""
        return lesion_role(self.prior)


@dataclass(frozen=True, eq=False)
class PlacedPrior:
    """A prior on the current grid.

    Attributes
    ----------
    pair : Pair
    placement : Placement
    study : Study
        The prior's scan and mask, resampled.
    said : str
        What came of a registration or a transform file.
    notes : tuple of str
    """

    pair: Pair
    placement: Placement
    study: Study
    said: str = ""
    notes: tuple[str, ...] = ()


def open_prior_work(path: Path) -> Work[Study]:
    """Read a study that becomes a prior; nothing of it comes into the layer list."""
    from ...volumes.opening.open_study import open_study_work

    return (yield from open_study_work(path))


def place_work(pair: Pair, placement: Placement | None, shift: tuple[float, float, float]) -> (
    Work[PlacedPrior]
):  # fmt: skip
    """Bring the prior onto the current grid; as its files say where no placement is given."""
    placed = placement or placed_by_files(
        pair.current[pair.role].grid, _original(pair.prior, pair.prior_role).grid
    )
    placed = placed.moved_by_hand(shift)
    yield Progress(0, 0, "bringing the prior onto the current grid")
    return PlacedPrior(pair, placed, _resampled(pair, placed))


def register_work(pair: Pair) -> Work[PlacedPrior]:
    """Register the prior's scan to the current one, and bring it there."""
    from ...volumes.registration.register_rigid import register_rigid_work

    current, prior = (
        _original(pair.current, pair.role),
        _original(pair.prior, pair.prior_role),
    )
    found = yield from register_rigid_work(current, prior)
    yield Progress(0, 0, "bringing the prior onto the current grid")
    placed = placed_by_registration(found)
    return PlacedPrior(
        pair, placed, _resampled(pair, placed), f"registered: {found.words()}", found.notes
    )


def transform_work(pair: Pair, path: Path) -> Work[PlacedPrior]:
    """Place the prior by a transform file."""
    yield Progress(0, 0, f"reading {path.name}")
    current, prior = (
        _original(pair.current, pair.role),
        _original(pair.prior, pair.prior_role),
    )
    placed, notes = placed_by_file(path, current, prior)
    return PlacedPrior(pair, placed, _resampled(pair, placed), f"placed by {path.name}", notes)


def _original(study: Study, role: str) -> Volume:
    """A volume as it was on file, where it lies in the study's space."""
    return study.originals.get(role, study[role])


def _resampled(pair: Pair, placed: Placement) -> Study:
    roles = (pair.prior_role, *([pair.mask_role] if pair.mask_role else []))
    return on_current_grid(pair.prior, roles, pair.current.grid, placed)
