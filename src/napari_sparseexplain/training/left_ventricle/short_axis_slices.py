"""Short-axis slices with the ventricle drawn in, in memory, by patient."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from ...progress import Progress, Work
from ...volumes.finding import Finding
from ...volumes.intensity.normalisation import Normalisation
from ...volumes.labelled.labelled_folder import find_labelled, read_labelled, several_labels
from ...volumes.labelled.slice_name import group_of

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
    spacing : (float, float) or None
        In mm, where the files tell and agree.
    findings : tuple of Finding
    """

    images: npt.NDArray[np.float32]
    masks: npt.NDArray[np.bool_]
    patients: tuple[str, ...]
    names: tuple[str, ...]
    orders: npt.NDArray[np.intp]
    spacing: tuple[float, float] | None = None
    findings: tuple[Finding, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

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
            self.spacing,
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
        Patients that are left out.
    label : int, optional
        Of masks with several structures the one that is meant.

    Raises
    ------
    ReadError
        Nothing is labelled, the slices differ in size, or the masks hold several labels and none
        was chosen.
    """
    found = yield from find_labelled(folder)
    findings = list(found.findings)
    absent = [name for name in exclude if name in found.patients]
    chosen = [s for s in found.without(exclude).slices if s.mask or s.inner]
    findings += [
        Finding("info", "patient-left-out", DISPLACED.get(name, "left out as asked"), name)
        for name in absent
    ]
    if not chosen:
        raise ReadError(
            "no slice has a mask or an inner contour",
            where=folder,
            remedy="Give a folder with images/ and labels/, or DICOM files with contours",
        )
    images, masks, spacings = [], [], set()
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
        findings += [
            Finding("warning", "labelled-slice", text, item.name) for text in pixels.findings
        ]
        images.append(pixels.image)
        masks.append(pixels.mask)
        spacings.add(pixels.spacing)
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
    ]
    return ShortAxisSlices(
        fed,
        np.stack(masks),
        tuple(item.patient for item in chosen),
        tuple(item.name for item in chosen),
        np.asarray([item.order for item in chosen], dtype=np.intp),
        spacings.pop() if len(spacings) == 1 else None,
        tuple(findings),
    )
