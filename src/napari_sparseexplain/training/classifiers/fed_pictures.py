"""Pictures of classes as each classifier is fed them: by its own card."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...networks.bundle.model_card import ModelCard
from ...networks.running.preparation import prepare
from ...progress import Progress, Work
from ...volumes import study_of_arrays
from ...volumes.grid import Grid
from ...volumes.labelled.class_picture import ClassPicture, read_class_picture
from ...volumes.study import Study
from .class_slices import NORMALISATION, ClassSlices, fed_again


class FedPictures:
    """The same pictures for several classifiers: once for each way of feeding and each size.

    Parameters
    ----------
    slices : ClassSlices
        As `read_class_slices` gives them, at any size.
    """

    def __init__(self, slices: ClassSlices) -> None:
        self._slices = slices
        self._known: dict[tuple[object, ...], ClassSlices] = {}

    def of(self, card: ModelCard) -> Work[ClassSlices]:
        """The pictures as the network of a card is fed them.

        A picture without a pixel size is scaled until its larger side has the card's size, as
        `prepare` does; a side that is shorter is filled up evenly with 0.

        Raises
        ------
        ReadError
            A picture is gone.
        StudyError
            Its grey values are none that the card takes.
        """
        inputs = card.inputs
        key = (inputs.way, inputs.mask, int(inputs.size))
        if key not in self._known:
            if inputs.way != NORMALISATION or inputs.mask != "none":
                found = yield from _by_card(self._slices, card)
            elif inputs.size == self._slices.size:
                found = self._slices
            else:
                found = yield from fed_again(self._slices, int(inputs.size))
            self._known[key] = found
        return self._known[key]


def has_mean_zero(card: ModelCard) -> bool:
    """Whether 0 is a picture's mean in what the network is fed."""
    return card.inputs.way == NORMALISATION


def _by_card(slices: ClassSlices, card: ModelCard) -> Work[ClassSlices]:
    size = int(card.inputs.size)
    values = np.zeros((len(slices), size, size), dtype=np.float32)
    inside = np.zeros((len(slices), 4), dtype=np.intp)
    for index, image in enumerate(slices.images):
        study = _study(read_class_picture(image), card.inputs.roles[0], image.name)
        fed = prepare(study, card).array[0, 0]
        top, left = (size - fed.shape[0]) // 2, (size - fed.shape[1]) // 2
        edges = top, left, top + fed.shape[0], left + fed.shape[1]
        values[index, edges[0] : edges[2], edges[1] : edges[3]] = fed
        inside[index] = edges
        yield Progress(index + 1, len(slices), f"{image.name} for {card.name}")
    # Float32: half of it holds no grey values above 65,504.
    return replace(slices, values=values, inside=inside)


def _study(picture: ClassPicture, role: str, name: str) -> Study:
    """A picture that tells neither its pixel size nor how the patient lies."""
    study = study_of_arrays({role: picture.values[None]}, name=name)
    grid = Grid(study.grid.shape, study.grid.affine, calibrated=False, oriented=False)
    # What `prepare` heeds of a scan: which values stand for nothing, and which are shown bright.
    details = {"photometric": "MONOCHROME1"} if picture.inverted else {}
    images = {
        r: replace(volume, grid=grid, padding=picture.padding, details=details)
        for r, volume in study.images.items()
    }
    return replace(study, images=images, grid=grid)
