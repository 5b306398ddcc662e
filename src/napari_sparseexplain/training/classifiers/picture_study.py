"""Pictures of classes as the slices of one study, so that the window and every method take them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...volumes.computed_array import computed_array
from ...volumes.finding import Finding
from ...volumes.grid import Grid
from ...volumes.labelled.class_image import ClassImage
from ...volumes.labelled.mask_picture import finding_of_picture
from ...volumes.labels.values import know_labels
from ...volumes.opening.array_study import study_of_arrays
from ...volumes.study import Study
from ...volumes.view_of_slice import VIEWS
from ...volumes.volume import Volume
from .picture_stack import PictureStack

#: Role of pictures where no classifier says which scan it takes.
PLAIN_ROLE = "picture"

#: Of the study's masks: where the finding lies.
BOX = "box"


def stack_study(stack: PictureStack, rows: Sequence[int] | npt.NDArray[np.intp]) -> Study:
    """Some of the pictures as the slices of one study, in the order given.

    Pictures of several sizes stand in the middle of a frame that all fit in. Nothing tells how
    far slices are apart, which side of the patient is where, or how large a pixel is.
    """
    chosen = [int(row) for row in rows]
    frame = _Frame.of([stack.whole[row] for row in chosen], [stack.images[row] for row in chosen])
    role = PLAIN_ROLE if stack.card is None else stack.card.inputs.roles[0]
    name = stack.root.name
    if len(chosen) < len(stack):
        name = f"{name}, {len(chosen)} of {len(stack)}"
    findings: list[Finding] = []
    if len({picture.shape for picture in frame.pictures}) > 1:
        findings.append(
            Finding(
                "warning",
                "pictures-of-several-sizes",
                "pictures of several sizes stand in one frame; a classifier that is run on them "
                "here sees the frame too",
                name,
            )
        )
    boxed = frame.boxed if any(image.drawn for image in frame.images) else None
    views = [image.view for image in frame.images]
    study = study_of_slices(name, role, frame.shape, frame.dtype, views, frame.grey, boxed)
    return replace(study, findings=tuple(findings))


def study_of_slices(
    name: str,
    role: str,
    shape: tuple[int, int, int],
    dtype: np.dtype[Any],
    views: Sequence[str],
    grey: Callable[[tuple[slice, ...]], npt.NDArray[Any]],
    boxed: Callable[[tuple[slice, ...]], npt.NDArray[Any]] | None,
) -> Study:
    """A study whose slices are read when they are looked at, as of `computed_array`.

    Parameters
    ----------
    views : sequence of str
        Of each slice; empty where nothing tells.
    grey, boxed : callable
        From three slices with start and stop to that part of the pictures and of the boxes.
    """
    # Made of arrays that are small, and given what is read afterwards: the pictures lie in memory
    # once, whatever is chosen of them.
    small = (shape[0], 1, 1)
    masks = None if boxed is None else {BOX: np.zeros(small, dtype=np.uint8)}
    study = study_of_arrays({role: np.zeros(small, dtype=dtype)}, masks, name=name)
    grid = Grid(shape, study.grid.affine, calibrated=False, oriented=False)

    def placed(volume: Volume, part: Callable[[tuple[slice, ...]], npt.NDArray[Any]]) -> Volume:
        data = computed_array(shape, volume.data.dtype, (1, *shape[1:]), part)
        return replace(volume, data=data, grid=grid, source=replace(volume.source, shape=shape))

    told = {VIEWS: tuple(views)}
    images = {r: replace(placed(volume, grey), details=told) for r, volume in study.images.items()}
    labels = {} if boxed is None else {BOX: placed(study.labels[BOX], boxed)}
    for volume in labels.values():
        know_labels(volume, (1,))
    return replace(study, images=images, labels=labels, grid=grid)


@dataclass(frozen=True, eq=False)
class _Frame:
    """Pictures in the middle of one frame."""

    shape: tuple[int, int, int]
    pictures: tuple[npt.NDArray[Any], ...]
    images: tuple[ClassImage, ...]

    @classmethod
    def of(cls, pictures: Sequence[npt.NDArray[Any]], images: Sequence[ClassImage]) -> _Frame:
        rows = max(picture.shape[0] for picture in pictures)
        columns = max(picture.shape[1] for picture in pictures)
        return cls((len(pictures), rows, columns), tuple(pictures), tuple(images))

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.result_type(*{picture.dtype for picture in self.pictures})

    def corner(self, number: int) -> tuple[int, int]:
        """Row and column of the picture's first pixel."""
        rows, columns = self.pictures[number].shape
        return (self.shape[1] - rows) // 2, (self.shape[2] - columns) // 2

    def grey(self, index: tuple[slice, ...]) -> npt.NDArray[Any]:
        """Grey values of a part."""
        return self._filled(index, self.dtype, self._put_grey)

    def boxed(self, index: tuple[slice, ...]) -> npt.NDArray[Any]:
        """1 where the finding lies, by its mask or its boxes."""
        return self._filled(index, np.dtype(np.uint8), self._put_boxes)

    def _filled(
        self,
        index: tuple[slice, ...],
        dtype: np.dtype[Any],
        put: Callable[[npt.NDArray[Any], int], None],
    ) -> npt.NDArray[Any]:
        span = index[0]
        block = np.zeros((span.stop - span.start, *self.shape[1:]), dtype=dtype)
        for place, number in enumerate(range(span.start, span.stop)):
            put(block[place], number)
        return block[:, index[1], index[2]]

    def _put_grey(self, plane: npt.NDArray[Any], number: int) -> None:
        self._put(plane, number, self.pictures[number])

    def _put_boxes(self, plane: npt.NDArray[Any], number: int) -> None:
        self._put(
            plane, number, finding_of_picture(self.images[number], self.pictures[number].shape)
        )

    def _put(self, plane: npt.NDArray[Any], number: int, values: npt.NDArray[Any]) -> None:
        top, left = self.corner(number)
        plane[top : top + values.shape[0], left : left + values.shape[1]] = values
