"""What a person, or the finding of a role, may want to know of a series. No patient names."""

from __future__ import annotations

from typing import Any

from pydicom.dataset import Dataset

from ..view_of_slice import LENGTHS
from .enhanced import FunctionalGroups
from .frames import object_type
from .stack import Stack
from .values import number, numbers, text, texts

_TEXTS = (
    "SeriesDescription",
    "ProtocolName",
    "StudyDescription",
    "Modality",
    "Manufacturer",
    "ManufacturerModelName",
    "BodyPartExamined",
    "ScanningSequence",
    "SequenceVariant",
    "SequenceName",
    "PulseSequenceName",
    "MRAcquisitionType",
    "ContrastBolusAgent",
    "ContrastBolusStartTime",
    "AcquisitionContrast",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "StudyDate",
)

_NUMBERS = (
    "RepetitionTime",
    "EchoTime",
    "EffectiveEchoTime",
    "InversionTime",
    "FlipAngle",
    "EchoTrainLength",
    "SliceThickness",
    "SpacingBetweenSlices",
    "MagneticFieldStrength",
    "SeriesNumber",
    "AcquisitionNumber",
    "WindowCenter",
    "WindowWidth",
    "PixelPaddingValue",
    "ContrastBolusVolume",
)

#: Names that enhanced objects use for what classic ones call otherwise.
_ALSO = {"EchoTime": "EffectiveEchoTime", "InversionTime": "InversionTimes"}


def details_of(header: Dataset, stack: Stack) -> dict[str, Any]:
    """Facts of one volume by DICOM keyword; absent ones are left out.

    Beside the keywords: ``object`` (SOP class), ``image_type``, ``photometric`` (for MONOCHROME1
    a viewer shows low values bright; the values themselves are never inverted), ``part``,
    ``DiffusionBValue`` (the strongest),
    ``sop_instance_uids`` and ``frame_numbers`` (1-based), one entry an image in the order
    (\\*leading, slice) of the file's slices, ``slice_positions`` (mm along the normal), and
    ``axis_values`` with ``axis_attribute`` for leading axes.
    """
    described = FunctionalGroups.of_all(header)
    groups = [header]
    if stack.first.number < len(described):
        groups.extend(described[stack.first.number].every_group())
    found: dict[str, Any] = {LENGTHS: _lengths(header)}
    for keyword in _TEXTS:
        if said := _search_text(groups, keyword):
            found[keyword] = said
    for keyword in _NUMBERS:
        amount = _search_number(groups, keyword)
        if amount is None and keyword in _ALSO:
            amount = _search_number(groups, _ALSO[keyword])
        if amount is not None:
            found[keyword] = amount
    found["object"] = object_type(header)
    found["image_type"] = texts(header, "ImageType")
    found["photometric"] = text(header, "PhotometricInterpretation")
    cosines = numbers(header, "ImageOrientationPatient", 6) or stack.first.orientation
    if cosines is not None:
        found["ImageOrientationPatient"] = cosines
    if direction := texts(header, "PatientOrientation"):
        found["PatientOrientation"] = direction
    weightings = [f.diffusion[0] for f in stack.frames.flat if f.diffusion is not None]
    if weightings:
        found["DiffusionBValue"] = max(weightings)
    if stack.part:
        found["part"] = stack.part
    frames = list(stack.frames.flat)
    found["sop_instance_uids"] = tuple(f.sop_uid for f in frames)
    found["frame_numbers"] = tuple(f.number + 1 for f in frames)
    if stack.positions:
        found["slice_positions"] = stack.positions
    if stack.values:
        found["axis_values"] = dict(stack.values)
    if stack.ordered_by:
        found["axis_attribute"] = stack.ordered_by
    return found


def series_name(header: Dataset) -> str:
    """SeriesDescription, else ProtocolName, else the series' number or the object's type."""
    for keyword in ("SeriesDescription", "ProtocolName"):
        if said := text(header, keyword):
            return said
    count = number(header, "SeriesNumber")
    return object_type(header) if count is None else f"series {count:g}"


def _search_text(groups: list[Dataset], keyword: str) -> str:
    return next((said for g in groups if (said := text(g, keyword))), "")


def _search_number(groups: list[Dataset], keyword: str) -> float | None:
    return next((n for g in groups if (n := number(g, keyword)) is not None), None)


def _lengths(header: Dataset) -> str:
    """Of what the millimetres of a projection are (PS3.3 10.7.1.3)."""
    imager, spacing = (numbers(header, k, 2) for k in ("ImagerPixelSpacing", "PixelSpacing"))
    if spacing is None and imager is None and numbers(header, "NominalScannedPixelSpacing", 2):
        return "on the film"
    other = spacing is not None and imager is not None and spacing != imager
    if spacing is not None and (other or text(header, "PixelSpacingCalibrationType")):
        return "as calibrated"
    return "at detector"
