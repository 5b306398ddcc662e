"""Pictures of classes in memory, as the network is fed them."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from ...errors import ReadError, SparseExplainError
from ...networks.running.in_plane_resampling import resample_in_plane
from ...progress import Progress, Work
from ...volumes.finding import Finding
from ...volumes.intensity.normalisation import Normalisation
from ...volumes.intensity.normalised_slices import normalised_slices
from ...volumes.labelled.class_folder import ClassFolder
from ...volumes.labelled.class_image import ClassImage
from ...volumes.labelled.class_picture import ClassPicture, read_class_picture
from ...volumes.labelled.mask_picture import finding_of_picture
from ...works_in_threads import found_ahead

#: Each picture by itself: JPEGs have been stretched to 0 to 255 one by one.
NORMALISATION = Normalisation("z-score", region="slice")

#: Characters of a picture's digest: of a hundred thousand pictures hardly two are the same.
_DIGEST = 12

#: Planes of DICOM pictures that are turned, which is told.
_TURNED = ("coronal", "sagittal")

#: Unreadable pictures that are told one by one.
_TOLD = 5


@dataclass(frozen=True, eq=False)
class ClassSlices:
    """Pictures of one size with their classes.

    Attributes
    ----------
    values : ndarray, shape (N, size, size), float16 (float32 by the card of a model from elsewhere)
        As the network is fed them: normalised by `NORMALISATION`, resampled until the larger side
        has ``size`` pixels; a side that is shorter is filled up evenly with 0.
    inside : ndarray, shape (N, 4), int
        Upper, left, lower, right edge of the picture in it.
    targets : ndarray of int, shape (N,)
        Index among ``classes``.
    classes : tuple of str
    images : tuple of ClassImage
    findings : tuple of Finding
    digests : tuple of str
        Short ones of the pixels and the shape of each picture as it was read, whatever its name.
    """

    values: npt.NDArray[np.floating[Any]]
    inside: npt.NDArray[np.intp]
    targets: npt.NDArray[np.intp]
    classes: tuple[str, ...]
    images: tuple[ClassImage, ...]
    findings: tuple[Finding, ...] = ()
    digests: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    @property
    def size(self) -> int:
        """Rows and columns."""
        return int(self.values.shape[-1])

    def subset(self, chosen: Sequence[int] | npt.NDArray[np.intp]) -> ClassSlices:
        """Some of the pictures, in the order given."""
        rows = np.asarray(chosen, dtype=np.intp)
        return replace(
            self,
            values=self.values[rows],
            inside=self.inside[rows],
            targets=self.targets[rows],
            images=tuple(self.images[i] for i in rows),
            digests=tuple(self.digests[i] for i in rows) if self.digests else (),
        )

    def boxes(self, index: int) -> npt.NDArray[np.bool_]:
        """Where the finding lies, shape (size, size): its mask, else its boxes, else nowhere.

        Raises
        ------
        ReadError
            The mask cannot be read.
        """
        drawn = np.zeros(self.values.shape[1:], dtype=np.bool_)
        top, left, bottom, right = (int(edge) for edge in self.inside[index])
        rows, columns = bottom - top, right - left
        drawn[top:bottom, left:right] = finding_of_picture(self.images[index], (rows, columns))
        return drawn

    def checksum(self) -> str:
        """Of pixels, classes and where findings lie: what a training must find again to go on."""
        found = hashlib.sha256(",".join(self.classes).encode())
        for array in (self.values, self.targets):
            found.update(np.ascontiguousarray(array).tobytes())
        for index in range(len(self)):
            found.update(np.packbits(self.boxes(index)).tobytes())
        return found.hexdigest()


def as_fed(
    picture: ClassPicture, size: int
) -> tuple[npt.NDArray[np.float32], tuple[int, int, int, int]]:
    """A picture as a classifier is fed it, shape (size, size), and where in it the picture lies.

    The same as `networks.running.preparation.prepare` makes of a picture without millimetres, with
    the shorter side filled up as the networks do it (`networks.modules.padded_square`).
    """
    rows, columns = picture.values.shape
    larger = max(rows, columns)
    shape = (max(1, round(rows * size / larger)), max(1, round(columns * size / larger)))
    fed, _ = normalised_slices(
        picture.values[None], NORMALISATION, padding=picture.padding, inverted=picture.inverted
    )
    small = resample_in_plane(fed, shape)[0]
    top, left = (size - shape[0]) // 2, (size - shape[1]) // 2
    square = np.zeros((size, size), dtype=np.float32)
    square[top : top + shape[0], left : left + shape[1]] = small
    return square, (top, left, top + shape[0], left + shape[1])


class _One(NamedTuple):
    """One picture, as it is shown and as a network is fed it."""

    image: ClassImage
    shown: npt.NDArray[np.float32]
    inverted: bool
    plane: str
    fed: npt.NDArray[np.float16]
    inside: tuple[int, int, int, int]
    digest: bytes


def _read_one(image: ClassImage, size: int) -> _One | SparseExplainError:
    """A picture, or why it cannot be read."""
    try:
        picture = read_class_picture(image)
    except SparseExplainError as error:
        return error
    square, edges = as_fed(picture, size)
    shown = picture.shown
    digest = hashlib.sha256(repr(shown.shape).encode() + shown.tobytes()).digest()
    told = replace(image, view=image.view or picture.view, turn=picture.turn)
    fed = square.astype(np.float16)
    return _One(told, shown, picture.inverted, picture.view, fed, edges, digest)


def read_class_slices(
    folder: ClassFolder,
    size: int,
    also: Callable[[ClassImage, npt.NDArray[np.float32]], None] | None = None,
) -> Work[ClassSlices]:
    """Every picture of a folder, without those that cannot be read or are there twice.

    Where nothing else says the view, it is the plane that a DICOM file tells.

    A picture that lies in two classes, pixel for pixel, is left out of both; of one that is twice
    in a class the first stays.

    Parameters
    ----------
    size : int
        Rows and columns that the network is fed.
    also : callable, optional
        Given every picture as it is shown, shape (rows, columns), NaN where nothing was measured,
        for whoever wants it whole.

    Raises
    ------
    ReadError
        Fewer than two classes are left.
    """
    values, inside, kept = [], [], []
    digests: list[bytes] = []
    findings = list(folder.findings)
    faults = 0
    inverted, planes = 0, Counter[str]()
    read = found_ahead(partial(_read_one, size=size), folder.images, torch.get_num_threads())
    for number, (image, one) in enumerate(zip(folder.images, read, strict=True), 1):
        if isinstance(one, SparseExplainError):
            faults += 1
            if faults <= _TOLD:
                findings.append(Finding("warning", "unreadable", str(one), image.path.name))
            continue
        inverted += one.inverted
        planes[one.plane] += 1
        if also is not None:
            also(image, one.shown)
        values.append(one.fed)
        inside.append(one.inside)
        kept.append(one.image)
        digests.append(one.digest)
        yield Progress(number, len(folder.images), f"reading {image.name}")
    if faults > _TOLD:
        findings.append(
            Finding("warning", "unreadable", f"{faults - _TOLD} more images cannot be read")
        )
    if inverted:
        said = (
            f"{inverted} DICOM images show low values bright (MONOCHROME1), and are taken "
            "as they are shown, as are those that a classifier is run on"
        )
        findings.append(Finding("info", "shown-inverted", said))
    if turned := [f"{planes[plane]} {plane}" for plane in _TURNED if planes[plane]]:
        said = (
            f"DICOM images of other planes than the axial ({', '.join(turned)}) are turned as the "
            "viewer shows their plane, superior up"
        )
        findings.append(Finding("info", "not-axial", said))
    chosen = _unequal(kept, digests, findings)
    classes = tuple(name for name in folder.classes if any(kept[i].label == name for i in chosen))
    if len(classes) < 2:
        raise ReadError(
            f"of {len(folder.images)} images {len(chosen)} are left, of fewer than two classes",
            where=folder.root,
            remedy="; ".join(f.words() for f in findings[:3]) or "Give images of two classes",
        )
    return ClassSlices(
        np.stack([values[i] for i in chosen]),
        np.asarray([inside[i] for i in chosen], dtype=np.intp),
        np.asarray([classes.index(kept[i].label) for i in chosen], dtype=np.intp),
        classes,
        tuple(kept[i] for i in chosen),
        tuple(findings),
        tuple(digests[i].hex()[:_DIGEST] for i in chosen),
    )


def fed_again(slices: ClassSlices, size: int) -> Work[ClassSlices]:
    """The same pictures at another size, read again: not resampled a second time.

    Raises
    ------
    ReadError
        One is gone.
    """
    values, inside = [], []
    read = found_ahead(partial(_read_one, size=size), slices.images, torch.get_num_threads())
    for number, (image, one) in enumerate(zip(slices.images, read, strict=True), 1):
        if isinstance(one, SparseExplainError):
            raise one
        values.append(one.fed)
        inside.append(one.inside)
        yield Progress(number, len(slices), f"reading {image.name}")
    return replace(slices, values=np.stack(values), inside=np.asarray(inside, dtype=np.intp))


def _unequal(
    images: Sequence[ClassImage], digests: Sequence[bytes], findings: list[Finding]
) -> list[int]:
    """Which images stay: each once, and none of those that lie in two classes."""
    by_digest: dict[bytes, list[int]] = defaultdict(list)
    for index, digest in enumerate(digests):
        by_digest[digest].append(index)
    left_out: set[int] = set()
    for group in by_digest.values():
        labels = sorted({images[i].label for i in group})
        if len(labels) > 1:
            left_out |= set(group)
            findings.append(
                Finding(
                    "warning", "image-in-two-classes",
                    f"the image is in {' and in '.join(labels)}, and is left out",
                    images[group[0]].name,
                )
            )  # fmt: skip
        elif len(group) > 1:
            left_out |= set(group[1:])
            names = ", ".join(images[i].name for i in group[1:])
            findings.append(
                Finding(
                    "warning", "duplicate-image", f"it is there again as {names}, and is used once",
                    images[group[0]].name,
                )
            )  # fmt: skip
    return [i for i in range(len(images)) if i not in left_out]
