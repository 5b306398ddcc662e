"""A study: named volumes of one patient on one grid, and how they came to lie there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ..arguments import check_kind, shown
from ..errors import MissingNameError, StudyError
from .finding import Finding
from .grid import Grid
from .volume import Volume


@dataclass(frozen=True)
class Resampling:
    """How one volume was brought onto the study's grid."""

    role: str
    from_shape: tuple[int, int, int]
    from_spacing: tuple[float, float, float]
    interpolation: Literal["linear", "nearest"]
    reference: str


@dataclass(frozen=True, eq=False, repr=False)
class Study:
    """Volumes by role on one grid. Frozen: an edit gives a new study, nothing is lost.

    Attributes
    ----------
    name : str
        For titles; the folder or file name unless told otherwise.
    path : Path or None
        Where it was opened from; None for one made in memory.
    images, labels : mapping of str to Volume
        Scans and label maps by role, all on ``grid``.
    grid : Grid
        The reference grid.
    reference : str
        Role of the volume whose grid it is.
    findings : tuple of Finding
        What was noticed on opening.
    resamplings : mapping of str to Resampling
        Volumes that did not lie on the grid, and what was done.
    originals : mapping of str to Volume
        Those volumes as they were on file.

    Examples
    --------
    >>> import numpy as np, napari_sparseexplain as se
    >>> study = se.study_of_arrays({"flair": np.zeros((24, 32)), "t1": np.ones((24, 32))})
    >>> sorted(study.images), study.reference, study["t1"].data.shape
    (['flair', 't1'], 'flair', (1, 24, 32))
    """

    name: str
    path: Path | None
    images: Mapping[str, Volume]
    labels: Mapping[str, Volume]
    grid: Grid
    reference: str
    findings: tuple[Finding, ...] = ()
    resamplings: Mapping[str, Resampling] = field(default_factory=dict)
    originals: Mapping[str, Volume] = field(default_factory=dict)

    def __repr__(self) -> str:
        kept = ", ".join(self.images) or "no scan"
        masks = f" | {', '.join(self.labels)}" if self.labels else ""
        return (
            f"<Study {self.name!r}: {kept}{masks}; {self._grid_summary()}{self._warning_summary()}>"
        )

    def _repr_html_(self) -> str:
        """What a notebook shows: the slice on which it opens, and what there is."""
        from .pictures.small_picture import page_html, study_picture

        rows = {
            "scans": ", ".join(self.images),
            "masks": ", ".join(self.labels),
            "grid": self._grid_summary(),
            "warnings": " ".join(found.words() for found in self.warnings),
        }
        return page_html(study_picture(self), self.name, rows)

    def _grid_summary(self) -> str:
        shape = " × ".join(map(str, self.grid.shape))
        spacing = " × ".join(f"{size:.3g}" for size in self.grid.spacing)
        return f"{shape} voxels" + (f" of {spacing} mm" if self.grid.calibrated else "")

    def _warning_summary(self) -> str:
        count = len(self.warnings)
        return "" if not count else f"; {count} warning{'s' if count > 1 else ''}"

    def __getitem__(self, role: str) -> Volume:
        """The image or label volume of ``role``; MissingNameError tells what there is."""
        for shelf in (self.images, self.labels) if isinstance(role, str) else ():
            if role in shelf:
                return shelf[role]
        have = ", ".join([*self.images, *self.labels]) or "nothing"
        raise MissingNameError(
            f"no volume has the role {shown(role)} (there is {have})",
            where=self.name,
            remedy="Give the role to a volume in the Study tab, or with --role NAME=FILE",
        )

    def __contains__(self, role: object) -> bool:
        return role in self.images or role in self.labels

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Only what a person must not miss."""
        return tuple(f for f in self.findings if f.level == "warning")

    @property
    def unregistered(self) -> tuple[str, ...]:
        """Roles of what may not lie over the reference: it must be said wherever it is shown."""
        codes = ("not-registered", "frame-of-reference")
        roles = (f.where for f in self.findings if f.code in codes and f.where in self)
        return tuple(dict.fromkeys(roles))

    def with_role(self, old: str, new: str) -> Study:
        """The same study with one volume under another role.

        Raises
        ------
        StudyError
            ``old`` is not there, or ``new`` is taken.
        """
        check_kind(new, str, "role", "a text, as 'flair'")
        _ = self[old]  # a role that is not there is refused here
        if new == old:
            return self
        if new in self:
            raise StudyError(
                f"the role {new!r} is already taken",
                where=self.name,
                remedy=f"First give the volume that is now {new!r} another role",
            )

        from .labels.purpose import as_given

        def renamed(shelf: Mapping[str, Volume]) -> dict[str, Volume]:
            return {
                (new if r == old else r): (
                    as_given(replace(v, role=new, why="given by a person")) if r == old else v
                )
                for r, v in shelf.items()
            }

        return replace(
            self,
            images=renamed(self.images),
            labels=renamed(self.labels),
            reference=new if self.reference == old else self.reference,
            findings=tuple(
                replace(found, where=new) if found.where == old else found
                for found in self.findings
            ),
            resamplings={(new if r == old else r): s for r, s in self.resamplings.items()},
            originals=renamed(self.originals),
        )

    def with_label_numbering(self, numbering: str) -> Study:
        """The same study with a person's word on what the labels of its lesion masks stand for.

        Parameters
        ----------
        numbering : str
            A name from `volumes.tumour_numbering.NUMBERINGS` (``"brats-2021"``); empty takes an
            earlier word back.

        Raises
        ------
        StudyError
            There is no such numbering.
        """
        from .labels.purpose import is_brain_mask
        from .labels.tumour_numbering import TOLD, numbering_called

        check_kind(numbering, str, "label_numbering", "a name, as 'brats-2021'")
        told = {TOLD: numbering_called(numbering).name} if numbering else {}

        def said(role: str, volume: Volume) -> Volume:
            if is_brain_mask(role):
                return volume
            kept = {key: value for key, value in volume.details.items() if key != TOLD}
            return replace(volume, details={**kept, **told})

        return replace(self, labels={r: said(r, v) for r, v in self.labels.items()})
