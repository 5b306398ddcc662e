"""Training slices from studies on disk: real ones or phantoms, in any layout that opens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ReadError, StudyError
from ...networks.bundle.model_card import Inputs, ModelCard
from ...networks.running.preparation import Prepared, prepare
from ...progress import Progress, Work
from ...volumes import Study, open_study
from ...volumes.labels.reference_mask import reference_mask
from ...volumes.labels.tumour import OWN_LABELS
from .phantom_slices import SMALLEST_SLICE, PhantomSlices

#: Label values of the own numbering: core, oedema, enhancing tumour.
_LABELS = tuple(OWN_LABELS.values())


def read_slices(
    path: str | Path,
    *,
    roles: Sequence[str] = ("flair",),
    size: int = 128,
    spacing_mm: float = 1.875,
) -> Work[PhantomSlices]:
    """Slices of one study, of a folder of studies, or of an ``.npz`` that `PhantomSlices` wrote.

    Studies are normalised and resampled as they are at inference, then padded or cropped about
    the centre. Slices with little brain are left out.

    Parameters
    ----------
    path : str or Path
    roles : sequence of str
        Channels.
    size : int
        Pixels along a side.
    spacing_mm : float
        Their size.

    Yields
    ------
    Progress
        One step a study.

    Raises
    ------
    ReadError
        Nothing there that opens, or the ``.npz`` is no set of slices.
    StudyError
        A study lacks a role or its mask.
    """
    path = Path(path)
    if path.suffix == ".npz":
        yield Progress(0, 1, f"reading {path.name}")
        return PhantomSlices.load(path)
    if not path.exists():
        raise ReadError(
            "there is no such folder", where=path, remedy="Give a folder of studies or an .npz"
        )
    folders = study_folders(path)
    inputs = Inputs(tuple(roles), "brain-range", spacing_mm, size)
    card = ModelCard("slices", "slices", "sum", {}, "segmentation", inputs, {"1": "lesion"})
    images, labels, origins = [], [], []
    for index, folder in enumerate(folders):
        yield Progress(index, len(folders), f"reading {folder.name}")
        study = open_study(folder)
        prepared = prepare(study, card)
        mask = _labels_at(prepared, study)
        x = centred(np.rint(prepared.array * 255.0).astype(np.uint8), size)
        brain = (x[:, 0] > 0).sum(axis=(1, 2))
        kept = brain > SMALLEST_SLICE * brain.max()
        images.append(x[kept])
        labels.append(centred(mask, size)[kept])
        origins.append(np.full(int(kept.sum()), index, dtype=np.int32))
    yield Progress(len(folders), len(folders), "slices read")
    return PhantomSlices(
        x=np.concatenate(images),
        y=np.concatenate(labels),
        geometry=np.concatenate(origins),
        roles=tuple(roles),
        spacing_mm=spacing_mm,
        seed=0,
    )


def study_folders(path: Path) -> list[Path]:
    """The studies of a folder: its subfolders, or itself when it holds files alone."""
    if not path.is_dir():
        return [path]
    below = sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))
    files = [p for p in path.iterdir() if p.is_file() and p.name.endswith((".nii", ".nii.gz"))]
    return [path] if files or not below else below


def centred(array: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """The last two axes padded with 0 or cropped to ``size``, the centre kept in the centre."""
    for axis in (-2, -1):
        have = array.shape[axis]
        if have < size:
            width = [(0, 0)] * array.ndim
            before = (size - have) // 2
            width[axis] = (before, size - have - before)
            array = np.pad(array, width)
        elif have > size:
            start = (have - size) // 2
            array = np.take(array, np.arange(start, start + size), axis=axis)
    return array


def _labels_at(prepared: Prepared, study: Study) -> npt.NDArray[np.uint8]:
    """The study's lesion labels on the network's pixels: each pixel's most frequent label."""
    truth = reference_mask(study, prepared.slices)
    if truth is None:
        raise StudyError(
            "the study has no lesion mask, so it cannot be trained on or scored",
            where=study.path or study.name,
            remedy="Add a mask whose name tells it (…seg.nii.gz), or leave the study out",
        )
    true = truth.own_labels()
    values = [value for value in _LABELS if (true == value).any()]
    shares = [prepared.to_network((true == value).astype(np.float32)) for value in values]
    if not shares:
        return np.zeros((true.shape[0], *prepared.array.shape[-2:]), dtype=np.uint8)
    stacked = np.stack(shares)
    lesion = stacked.sum(axis=0) > 0.5
    best = np.array(values, dtype=np.uint8)[stacked.argmax(axis=0)]
    return np.where(lesion, best, 0).astype(np.uint8)
