"""What the values of a study's label map mean, where the file tells it or the person did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..opening.dataset_labels import dataset_labels
from ..study import Study
from ..volume import Volume
from .tumour_numbering import (
    NUMBERINGS,
    OWN,
    TOLD,
    Numbering,
    numbering_called,
    numbering_of_classes,
    numbering_of_names,
)
from .values import labels_of


def label_names(study: Study, role: str) -> dict[int, str]:
    """Names by label value; empty where nothing tells them.

    A DICOM segmentation names its segments itself, ``dataset.json`` those of a data set, and the
    names of BraTS files tell their numbering. The values that occur decide nothing.

    Parameters
    ----------
    role : str
        Of a label map.
    """
    volume = study[role]
    if TOLD not in volume.details and (own := _named(volume)):
        return own
    numbering = label_numbering(study, role)
    return {} if numbering is None else numbering.names


def label_numbering(study: Study, role: str) -> Numbering | None:
    """Which parts of a tumour the labels of a map stand for; None where nothing tells it."""
    volume = study[role]
    told = volume.details.get(TOLD)
    if isinstance(told, str):
        return numbering_called(told)
    if own := _named(volume):
        return numbering_of_classes(own)
    if volume.source.format == "memory" and volume.source.description == "synthetic seg":
        return OWN
    found = numbering_of_names(_telling_names(study, volume))
    if found is NUMBERINGS["brats-2023"] and 4 in labels_of(volume):
        return NUMBERINGS["brats-2024"]  # the same numbers, and the cavity of later years
    return found


def _named(volume: Volume) -> dict[int, str]:
    """Names that the file, or the data set that it lies in, gives its labels."""
    segments = volume.details.get("segments")
    if isinstance(segments, Mapping):
        return {int(value): str(name) for value, name in segments.items()}
    path = next(iter(volume.source.paths), None)
    found = {} if path is None else dataset_labels(path)
    return {value: name for value, name in found.items() if value != 0}


def _telling_names(study: Study, volume: Volume) -> Iterator[str]:
    """The mask's name, that of its folder, then those of the scans beside it."""
    for path in volume.source.paths[:1]:
        yield path.name
        yield path.parent.name
    for scan in study.images.values():
        yield from (path.name for path in scan.source.paths[:1])
