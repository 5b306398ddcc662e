"""What the panel of priors has computed in a thread: opening, placing, registering."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...progress import Progress, Work
from ...volumes import Study, Volume
from ...volumes.registration.placement import (
    Placement,
    on_current_grid,
    placed_by_file,
    placed_by_files,
    placed_by_registration,
)
from ...volumes.registration.transform_files import looks_like_transform
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


def kept_placement(placed: PlacedPrior | None, pair: Pair) -> Placement | None:
    """Where a prior stays when another scan of it, or of the current study, is looked at.

    What was found for one scan holds for the others of its study, unless they are told not to lie
    over each other; None then, and where it was of another prior.
    """
    if placed is None or placed.pair.prior is not pair.prior:
        return None
    before = placed.pair
    if (before.role, before.prior_role) == (pair.role, pair.prior_role):
        return placed.placement
    off = {before.role, pair.role} & set(pair.current.unregistered)
    off |= {before.prior_role, pair.prior_role} & set(pair.prior.unregistered)
    return None if off else placed.placement


def open_prior_work(path: Path) -> Work[Study]:
    """Read a study that becomes a prior; nothing of it comes into the layer list."""
    from ...volumes.opening.open_study import open_study_work

    return (yield from open_study_work(path))


def place_work(pair: Pair, placement: Placement | None, shift: tuple[float, float, float]) -> (
    Work[PlacedPrior]
):  # fmt: skip
    """Bring the prior onto the current grid; as its files say where no placement is given."""
    placed = placement or _first_placement(pair)
    placed = placed.moved_by_hand(shift)
    yield Progress(0, 0, "bringing the prior onto the current grid")
    notes = () if placed.registered else notes_on_files(pair)
    return PlacedPrior(pair, placed, _resampled(pair, placed), notes=notes)


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


def _first_placement(pair: Pair) -> Placement:
    """As the files say; visits of one study may have been moved by its transforms on opening."""
    prior = pair.prior[pair.prior_role]
    if pair.current.images.get(pair.prior_role) is prior:
        moved = [f.where for f in pair.current.findings if f.code == "transforms-applied"]
        if pair.role in moved or pair.prior_role in moved:
            return Placement(np.eye(4), "transform", "applied on opening")
    return placed_by_files(
        pair.current[pair.role].grid, _original(pair.prior, pair.prior_role).grid
    )


def notes_on_files(pair: Pair) -> tuple[str, ...]:
    """Transforms that lie beside the scans and are not used, in a sentence each."""
    if pair.current.images.get(pair.prior_role) is pair.prior[pair.prior_role]:
        found = any(f.code == "transforms-found" for f in pair.current.findings)
        told = "transforms lie beside the scans: Apply transforms in the Study tab uses them"
        return (told,) if found else ()
    path = pair.prior.path
    if path is None:
        return ()
    folder = path if path.is_dir() else path.parent
    beside = [p.name for p in sorted(folder.iterdir())[:500] if looks_like_transform(p)]
    if not beside:
        return ()
    return (f"beside the prior lies {beside[0]}: Transform… places it by such a file",)


def _original(study: Study, role: str) -> Volume:
    """A volume as it was on file, where it lies in the study's space."""
    return study.originals.get(role, study[role])


def _resampled(pair: Pair, placed: Placement) -> Study:
    roles = (pair.prior_role, *([pair.mask_role] if pair.mask_role else []))
    return on_current_grid(pair.prior, roles, pair.current.grid, placed)
