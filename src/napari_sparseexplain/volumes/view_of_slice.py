"""How a slice was cut: axial, coronal or sagittal, where a study or its files tell."""

from __future__ import annotations

from .volumes_on_grid import VolumesOnGrid

#: Among a volume's details: the view of each slice, as a tuple of texts.
VIEWS = "views"


def tells_views(study: VolumesOnGrid) -> bool:
    """Whether a view is told of each slice by itself: pictures that were put into one stack."""
    return any(VIEWS in volume.details for volume in study.images.values())


def views_of_slices(study: VolumesOnGrid, slices: slice) -> tuple[str, ...]:
    """The view of each of some slices; empty texts where nothing tells.

    Slices of a scan whose place in the patient is known are axial.
    """
    count = slices.stop - slices.start
    told = next((v.details[VIEWS] for v in study.images.values() if VIEWS in v.details), None)
    if told is not None:
        return tuple(told[slices])
    return ("axial" if study.grid.oriented else "",) * count
