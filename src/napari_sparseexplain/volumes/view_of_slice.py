"""How a slice was cut: axial, coronal or sagittal, where a study or its files tell.

A radiograph was not cut at all: it is a projection, and its lengths are those at the detector
unless somebody calibrated them.
"""

from __future__ import annotations

from .edge_letters import Plane
from .volumes_on_grid import VolumesOnGrid

#: DICOM's modalities of projections (PS3.3 C.7.3.1.1.1).
_PROJECTIONS = frozenset({"CR", "DX", "MG", "IO", "PX", "RF", "RG", "XA"})

#: Among a volume's details: of what the millimetres of a projection are (`length_note`).
LENGTHS = "lengths"

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


def is_radiograph(study: VolumesOnGrid) -> bool:
    """Whether a study is of projections: nothing tells where their plane lies in the patient."""
    volume = study.images.get(study.reference)
    if volume is None or study.grid.oriented:
        return False
    return volume.details.get("Modality") in _PROJECTIONS


def plane_word(study: VolumesOnGrid, plane: Plane) -> str:
    """What a slice is called: its plane; of radiographs and of pictures in one stack neither."""
    if plane == "axial" and is_radiograph(study):
        return "radiograph"
    return "picture" if plane == "axial" and tells_views(study) else plane


def length_note(study: VolumesOnGrid) -> str:
    """What a person must know of lengths on a radiograph; empty of all else.

    ``"mm at detector"``, ``"mm on the film"``, ``"mm as calibrated"`` or ``"uncalibrated"``: what
    lies before the detector is shown larger than it is.
    """
    if not is_radiograph(study):
        return ""
    if not study.grid.calibrated:
        return "uncalibrated"
    return f"mm {study.images[study.reference].details.get(LENGTHS, 'at detector')}"
