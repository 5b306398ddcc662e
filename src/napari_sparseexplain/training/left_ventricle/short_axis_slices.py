"""Short-axis slices with the ventricle drawn in, in memory, by patient."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError, ReadError
from ...progress import Progress, Work
from ...volumes.finding import Finding
from ...volumes.intensity.normalisation import Normalisation
from ...volumes.labelled.labelled_folder import find_labelled, read_labelled, several_labels
from ...volumes.labelled.labelled_slice import LabelledSlice
from ...volumes.labelled.slice_folders import SPLIT_FOLDER, place_of
from ...volumes.labelled.slice_name import group_of
from ...volumes.volume import measured

#: Each slice by itself: a picture may have been stretched by its brightest pixel, and a cine's
#: slices are of one scale; both look the same so.
NORMALISATION = Normalisation("z-score", region="slice")

#: Patients of the Sunnybrook pictures that training leaves out, and why.
DISPLACED = {"SC-N-06": "all its masks lie 12 pixels to the left and 4 too high"}


@dataclass(frozen=True, eq=False)
class ShortAxisSlices:
    """Slices of one size.

    Attributes
    ----------
    images : ndarray, shape (N, rows, columns), float32
        As the network is fed them: normalised by `NORMALISATION`.
    masks : ndarray of bool, same shape
        The cavity, papillary muscles inside.
    patients, names : tuple of str, length N
    orders : ndarray of int, shape (N,)
        Place of a slice among those of its patient, by name.
    spacings : tuple of ((float, float) or None), length N
        Row and column size in mm of each slice; None where its file does not tell.
    findings : tuple of Finding
    """

    images: npt.NDArray[np.float32]
    masks: npt.NDArray[np.bool_]
    patients: tuple[str, ...]
    names: tuple[str, ...]
    orders: npt.NDArray[np.intp]
    spacings: tuple[tuple[float, float] | None, ...] = ()
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if not self.spacings:
            object.__setattr__(self, "spacings", (None,) * len(self.images))

    def __len__(self) -> int:
        return len(self.images)

    @property
    def spacing(self) -> tuple[float, float] | None:
        """Row and column size in mm, where the files tell and agree."""
        return self.spacings[0] if len(set(self.spacings)) == 1 else None

    @property
    def calibrated(self) -> bool:
        """Whether the pixel size of every slice is known."""
        return bool(self.spacings) and None not in self.spacings

    @property
    def left_out(self) -> tuple[str, ...]:
        """Patients of the folder that were left out."""
        return tuple(str(f.where) for f in self.findings if f.code == "patient-left-out")

    @property
    def groups(self) -> tuple[str, ...]:
        """The group of each slice's patient, by its code."""
        return tuple(group_of(patient) for patient in self.patients)

    def subset(self, chosen: Sequence[int] | npt.NDArray[np.intp]) -> ShortAxisSlices:
        """Some of the slices, in the order given."""
        rows = np.asarray(chosen, dtype=np.intp)
        return ShortAxisSlices(
            self.images[rows],
            self.masks[rows],
            tuple(self.patients[i] for i in rows),
            tuple(self.names[i] for i in rows),
            self.orders[rows],
            tuple(self.spacings[i] for i in rows),
            self.findings,
        )

    def of_patients(self, patients: Sequence[str]) -> ShortAxisSlices:
        """The slices of some patients."""
        wanted = set(patients)
        return self.subset([i for i, patient in enumerate(self.patients) if patient in wanted])

    def checksum(self) -> str:
        """Of pixels and masks: what a training must find again to go on."""
        found = hashlib.sha256()
        for array in (self.images, np.packbits(self.masks)):
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()


def read_short_axis(
    folder: str | Path,
    *,
    exclude: Sequence[str] = tuple(DISPLACED),
    label: int | None = None,
) -> Work[ShortAxisSlices]:
    """Every labelled slice of a folder.

    Parameters
    ----------
    folder : str or Path
        What `find_labelled` reads.
    exclude : sequence of str
        Patients that are left out; those of `DISPLACED` need not be there.
    label : int, optional
        Of masks with several structures the one that is meant.

    Raises
    ------
    ReadError
        Nothing is labelled, the slices differ in size, or the masks hold several labels and none
        was chosen.
    ParameterError
        A patient that is to be left out is not there.
    """
    found = yield from find_labelled(folder)
    findings = list(found.findings)
    absent = [name for name in exclude if name in found.patients]
    unknown = [name for name in exclude if name and name not in (*absent, *DISPLACED)]
    if unknown:
        raise ParameterError(
            f"there is no patient {unknown[0]!r} to leave out",
            where=folder,
            remedy="There are " + ", ".join(found.patients[:40]),
        )
    chosen = [s for s in found.without(exclude).slices if s.mask or s.inner]
    findings += [
        Finding("info", "patient-left-out", DISPLACED.get(name, "left out as asked"), name)
        for name in absent
    ]
    findings += _sides_said(chosen, found.root)
    if not chosen:
        raise ReadError(
            "no slice has a mask or an inner contour",
            where=folder,
            remedy="Give a folder with images/ and labels/, or DICOM files with contours",
        )
    images, masks, spacings = [], [], []
    labels: set[int] = set()
    for number, item in enumerate(chosen, 1):
        pixels = read_labelled(item, label)
        labels |= set(pixels.labels)
        if label is None and len(labels) > 1 and item.mask is not None:
            raise several_labels(labels, item.mask)
        assert pixels.mask is not None
        if images and pixels.image.shape != images[0].shape:
            ours, theirs = ("×".join(map(str, a.shape)) for a in (images[0], pixels.image))
            raise ReadError(
                f"the image has {theirs} pixels and those before it {ours}",
                where=item.image,
                remedy="Train on slices of one size, or leave this patient out with --exclude",
            )
        said = (*pixels.findings, *_numbers_said(pixels.image))
        findings += [Finding("warning", "labelled-slice", text, item.name) for text in said]
        # As where the network is run (`normalised_slices`): padding is not measured, and fed as 0.
        there = measured(pixels.image, pixels.padding)
        images.append(np.where(there, pixels.image, np.float32(np.nan)))
        masks.append(pixels.mask)
        spacings.append(pixels.spacing)
        yield Progress(number, len(chosen), f"reading {item.name}")
    if not any(mask.any() for mask in masks):
        chosen_label = "" if label is None else f" with label {label}"
        known = f"; the masks hold {', '.join(map(str, sorted(labels)))}" if labels else ""
        raise ReadError(
            f"no mask has a pixel{chosen_label}{known}",
            where=folder,
            remedy="Give masks of the ventricle, or the value it has in them with --label",
        )
    fed, constant = NORMALISATION.apply_by_slice(np.stack(images))
    findings += [
        Finding("warning", "constant", "the image has no contrast", chosen[i].name)
        for i in constant
        if np.isfinite(images[i]).any()
    ]
    if len(set(spacings)) > 1 and None in spacings:
        message = (
            f"{spacings.count(None)} of {len(spacings)} slices tell no pixel size, so all are "
            "taken as they are"
        )
        findings.append(Finding("warning", "pixel-size", message, found.root.name))
    return ShortAxisSlices(
        fed,
        np.stack(masks),
        tuple(item.patient for item in chosen),
        tuple(item.name for item in chosen),
        np.asarray([item.order for item in chosen], dtype=np.intp),
        tuple(spacings),
        tuple(findings),
    )


def _numbers_said(image: npt.NDArray[np.float32]) -> list[str]:
    """What is no number in an image; it is fed as 0, the mean of the slice."""
    bad = int((~np.isfinite(image)).sum())
    if not bad:
        return []
    if bad == image.size:
        return ["none of its pixels holds a number (NaN or infinite): nothing is to be seen"]
    return [f"{bad} of its pixels hold no number (NaN or infinite) and are fed as its mean"]


def _sides_said(slices: Sequence[LabelledSlice], root: Path) -> list[Finding]:
    """Where the folder is split already, and is read as one set all the same."""
    parts = {part for item in slices for part in place_of(item.image, root)}
    sides = sorted(part for part in parts if SPLIT_FOLDER.match(part))
    if len(sides) < 2:
        return []
    message = (
        f"{', '.join(sides)} lie in it and are read as one set; to train on one side alone and "
        "judge on the other give its folder as --data"
    )
    return [Finding("warning", "sides", message, root.name)]
