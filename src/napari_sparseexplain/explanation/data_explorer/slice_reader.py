"""The pixels of a slice that was measured, read again: for a page, and for the window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ...errors import ReadError
from ...volumes.labelled.labelled_folder import ALL_LABELS, read_labelled
from ...volumes.labelled.labelled_slice import LabelledSlice, SlicePixels
from ...volumes.opening.array_study import study_of_arrays
from ...volumes.opening.open_study import open_study
from ...volumes.study import Study
from .data_item import DataItem, StudySlice


class SliceReader:
    """Reads slices; of studies the last one is kept, since its slices are asked for together."""

    def __init__(self) -> None:
        self._study: Study | None = None
        self._path: Path | None = None

    def pixels(self, item: DataItem) -> SlicePixels:
        """Image and mask.

        Raises
        ------
        ReadError
            Gone or changed since it was measured.
        """
        if isinstance(item, StudySlice):
            return study_pixels(self._opened(item), item)
        assert isinstance(item, LabelledSlice)
        return read_labelled(item, ALL_LABELS)

    def study(self, item: DataItem) -> tuple[Study, int]:
        """What the window opens of a slice, and which slice of it: its study, or one made of it.

        Raises
        ------
        ReadError
            Gone or changed since it was measured.
        """
        if isinstance(item, StudySlice):
            study = self._opened(item)
            self._study = self._path = None  # the window keeps it now
            return study, item.index
        pixels = self.pixels(item)
        labels = {}
        if pixels.mask is not None:
            labels["seg"] = pixels.mask.astype(np.uint8)
        if pixels.outer is not None:
            labels["outer contour"] = pixels.outer.astype(np.uint8)
        image = np.nan_to_num(pixels.image, nan=0.0, posinf=0.0, neginf=0.0)
        spacing = (1.0, *(pixels.spacing or (1.0, 1.0)))
        study = study_of_arrays({"image": image}, labels, spacing=spacing, name=item.name)
        return _unplaced(study, calibrated=pixels.spacing is not None), 0

    def _opened(self, item: StudySlice) -> Study:
        if self._study is None or self._path != item.image:
            self._study = None
            self._study, self._path = open_study(item.image), item.image
        return self._study


def _unplaced(study: Study, *, calibrated: bool) -> Study:
    """A picture tells no side of the patient, and not always a size: no letters, no millimetres."""
    grid = replace(study.grid, calibrated=calibrated, oriented=False)
    shelves = (
        {role: replace(volume, grid=grid) for role, volume in shelf.items()}
        for shelf in (study.images, study.labels)
    )
    images, labels = shelves
    return replace(study, images=images, labels=labels, grid=grid)


def study_pixels(study: Study, item: StudySlice) -> SlicePixels:
    """A slice of an open study.

    Raises
    ------
    ReadError
        The study has not what was measured of it.
    """
    if item.scan not in study.images or (item.mask and item.mask not in study.labels):
        raise ReadError(
            "the study has changed since it was measured",
            where=item.image,
            remedy="Explore the set again",
        )
    image = np.asarray(study.images[item.scan].spatial()[item.index], dtype=np.float32)
    mask = None
    if item.mask:
        mask = np.asarray(study.labels[item.mask].spatial()[item.index] != 0)
    down, right = study.grid.spacing[1:]
    return SlicePixels(image, mask, None, (down, right) if study.grid.calibrated else None)
