"""What networks are evaluated on: studies with a reference segmentation, or slices of phantoms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ReadError, SparseExplainError, StudyError
from ...explanation.class_maps import shown_pixels
from ...explanation.segmentation import misplaced, true_mask
from ...networks.bundle.model_card import Inputs, ModelCard
from ...networks.running.preparation import Prepared, prepare
from ...volumes.opening.open_study import open_study
from ..fit.phantom_slices import PhantomSlices
from .intensity_rule import rule_threshold

#: Share of a network's pixel that must be lesion for it to count as lesion at 128².
LESION_SHARE = 0.5

#: What the networks of the paper are fed; every evaluated card must agree.
INPUTS = Inputs(("flair",), "brain-range", 1.875, 128)


@dataclass(frozen=True, eq=False)
class Case:
    """One patient (or one file of phantom slices), ready for the networks.

    Attributes
    ----------
    name : str
    x : ndarray, shape (N, 1, H, W), float32 in (0, 1)
        Network input.
    y : ndarray of bool, shape (N, H, W)
        True lesion on the network's pixels.
    groups : ndarray of int, shape (N,)
        The patient or phantom of each slice.
    prepared : Prepared or None
        The way back to the study's pixels; None for phantom slices.
    native_x : ndarray or None, shape (N, rows, columns)
        The normalised scan on the study's own pixels, for the rule.
    native_y : ndarray of bool or None, shape (N, rows, columns)
        True lesion there.
    voxel_ml : float or None
        Volume of such a voxel.
    bright : float
        Threshold of the rule without learning, in the units of ``x``.
    """

    name: str
    x: npt.NDArray[np.float32]
    y: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.int64]
    prepared: Prepared | None = None
    native_x: npt.NDArray[np.float32] | None = None
    native_y: npt.NDArray[np.bool_] | None = None
    voxel_ml: float | None = None
    bright: float = field(default_factory=lambda: rule_threshold(None))

    @property
    def inside(self) -> npt.NDArray[np.bool_]:
        """The brain on the network's pixels, (N, H, W); of phantom slices what they show."""
        return shown_pixels(self.x) if self.prepared is None else self.prepared.inside_network

    @property
    def is_volume(self) -> bool:
        """Whether the slices are those of one scan, in order."""
        return self.prepared is not None


def case_paths(data: str | Path) -> list[Path]:
    """Files or folders that make one case each.

    Raises
    ------
    ReadError
        Nothing there can be evaluated.
    """
    path = Path(data)
    if not path.exists():
        raise ReadError(
            "there is no such file or folder",
            where=path,
            remedy="Give a study, a folder of studies, or an .npz of phantom slices",
        )
    if path.is_file() or _holds_scans(path):
        return [path]
    inside = sorted(path.iterdir())
    # Not both: slices of phantoms and scans of patients do not belong into one table.
    found = [p for p in inside if _holds_scans(p)] or [p for p in inside if p.suffix == ".npz"]
    if not found:
        raise ReadError(
            "no study lies in this folder",
            where=path,
            remedy="Give a folder with one folder a patient (FLAIR and mask as NIfTI); "
            "make some with: sparseexplain phantom --subjects 10 --out DIR",
        )
    return found


def _holds_scans(path: Path) -> bool:
    return path.is_dir() and any(any(path.glob(ending)) for ending in ("*.nii", "*.nii.gz"))


def open_cases(paths: list[Path], skipped: list[str], label_numbering: str = "") -> Iterator[Case]:
    """Open one case after the other; only one is held at a time.

    Parameters
    ----------
    paths : list of Path
        From `case_paths`.
    skipped : list of str
        Gets a sentence for each case that cannot be used, when there are several.
    label_numbering : str
        See `volumes.open_study`: a cavity, where that is told, is no lesion.

    Raises
    ------
    SparseExplainError
        The only case cannot be used.
    """
    for path in paths:
        try:
            packed = path.suffix == ".npz"
            case = _slices_case(path) if packed else _study_case(path, label_numbering)
        except SparseExplainError as error:
            if len(paths) == 1:
                raise
            skipped.append(f"Left out: {error}")
            continue
        yield case


def _slices_case(path: Path) -> Case:
    slices = PhantomSlices.load(path)
    role = INPUTS.roles[0]
    if role not in slices.roles:
        raise StudyError(
            f"the slices are of {', '.join(slices.roles)}, and {role} is needed",
            where=path,
            remedy="Render them again with that modality",
        )
    if abs(slices.spacing_mm - INPUTS.spacing_mm) > 0.01:
        raise StudyError(
            f"the slices have pixels of {slices.spacing_mm:g} mm, and the networks were trained at "
            f"{INPUTS.spacing_mm:g} mm",
            where=path,
            remedy="Render them again at that spacing",
        )
    x = slices.x[:, [slices.roles.index(role)]].astype(np.float32) / np.float32(255)
    return Case(path.stem, x, slices.y > 0, slices.geometry.astype(np.int64))


def _study_case(path: Path, label_numbering: str) -> Case:
    study = open_study(path, label_numbering=label_numbering)
    span = slice(0, study.grid.shape[0])
    native_y, role = true_mask(study, span)
    if native_y is None:
        have = ", ".join(study.labels) or "none"
        raise StudyError(
            f"the study has no mask of the role seg (its masks: {have})",
            where=path,
            remedy="Put the reference segmentation into the study's folder, named …seg.nii.gz",
        )
    if misplaced(study, role):
        raise StudyError(
            f"the mask {role!r} does not lie on the brain, so nothing can be scored with it",
            where=path,
            remedy="Correct the mask's affine",
        )
    prepared = prepare(study, card_of_inputs(), span)
    native = prepare(study, card_of_inputs(), span, resolution="native")
    y = prepared.to_network(native_y) >= LESION_SHARE
    ml = float(np.prod(study.grid.spacing)) / 1000 if study.grid.calibrated else None
    return Case(
        name=study.name,
        x=prepared.array,
        y=y,
        groups=np.zeros(len(y), dtype=np.int64),
        prepared=prepared,
        native_x=native.array[:, 0],
        native_y=native_y,
        voxel_ml=ml,
        bright=rule_threshold(prepared.ranges[INPUTS.roles[0]]),
    )


def card_of_inputs() -> ModelCard:
    """A card that asks for `INPUTS` and nothing else."""
    return ModelCard("evaluation", "Evaluation", "sum", {}, "segmentation", INPUTS, {"1": "lesion"})
