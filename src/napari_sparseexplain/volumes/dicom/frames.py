"""A DICOM file as frames: each image plane with its place, its scaling and what tells it apart.

A classic file is one frame, a Siemens mosaic one frame a tile, an enhanced file one frame a
functional group, a dose grid one frame an offset. What comes after (series, order in space, time
axes, pixels) knows only frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from ...errors import ReadError
from .diffusion import Weighting, weighting_of
from .files import is_compressed, is_deflated
from .parametric import is_parametric_map
from .values import (
    exactly,
    first_item,
    integer,
    items,
    number,
    numbers,
    private_number,
    text,
    texts,
    value,
)

Triple = tuple[float, float, float]

#: Deviation from unit length or right angle at which ImageOrientationPatient is no orientation.
_ORIENTATION_TOLERANCE = 0.05


#: Bytes of the smallest packed frame: its item, its markers and tables.
_SMALLEST_FRAME = 32


class NoPixelsError(ReadError):
    """A DICOM object that holds no image (a report, contours, a plan, a waveform …)."""


@dataclass(frozen=True)
class Frame:
    """One image plane.

    Attributes
    ----------
    path, number : Path, int
        The file, and the frame in it (0 for a single image).
    corner : (int, int) or None
        Row and column where the plane begins in a mosaic; None for a whole frame.
    rows, columns : int
        Size of the plane.
    signature : tuple
        What no two images of one volume may differ in (series, image type, colour …).
    orientation : 6 floats or None
        Direction cosines of a row and of a column, LPS (ImageOrientationPatient).
    position : 3 floats or None
        Centre of the first pixel, LPS millimetres (ImagePositionPatient).
    pixel_spacing : (float, float) or None
        Millimetres between rows and between columns (PixelSpacing).
    thickness : float or None
        SpacingBetweenSlices, else SliceThickness: only used for a lone slice.
    slope, intercept : float
        Rescale from stored value to output.
    contrasts : mapping
        Values that make a leading axis of their own: ``echo``, ``inversion``, ``flip``.
    weighting : Weighting or None
        What it says of its diffusion weighting.
    times : mapping
        What may order repeated images, by attribute name.
    sop_uid : str
        SOPInstanceUID of the file.
    alone : bool
        Whether the file is a volume of its own, whatever else its series holds.
    """

    path: Path
    number: int
    corner: tuple[int, int] | None
    rows: int
    columns: int
    signature: tuple[Any, ...]
    orientation: tuple[float, ...] | None
    position: Triple | None
    pixel_spacing: tuple[float, float] | None
    thickness: float | None
    slope: float
    intercept: float
    contrasts: Mapping[str, float] = field(default_factory=dict)
    weighting: Weighting | None = None
    times: Mapping[str, Any] = field(default_factory=dict)
    sop_uid: str = ""
    series_uid: str = ""
    frame_of_reference: str = ""
    alone: bool = False

    @property
    def diffusion(self) -> tuple[float, ...] | None:
        """b-value and gradient direction (LPS; zeros when not directional); None when not told."""
        return None if self.weighting is None else self.weighting.label

    @property
    def normal(self) -> Triple | None:
        """Unit vector across the plane, LPS: row direction x column direction."""
        if self.orientation is None:
            return None
        cross = np.cross(self.orientation[:3], self.orientation[3:])
        x, y, z = (float(v) for v in cross / np.linalg.norm(cross))
        return x, y, z


def base_frame(path: Path, header: Dataset) -> Frame:
    """The file's first frame as its top-level attributes describe it.

    Raises
    ------
    NoPixelsError
        The object has no rows and columns, so it is no image.
    ReadError
        A geometric attribute is there but makes no sense.
    """
    rows, columns = integer(header, "Rows"), integer(header, "Columns")
    if not rows or not columns or "Spectroscopy" in object_type(header):
        raise NoPixelsError(
            f"the DICOM object holds no image (its type: {object_type(header)})",
            where=path,
            remedy="Choose an image series",
        )
    orientation = checked_orientation(value(header, "ImageOrientationPatient"), path)
    return Frame(
        path=path,
        number=0,
        corner=None,
        rows=rows,
        columns=columns,
        signature=_signature(path, header),
        orientation=orientation,
        position=_triple(numbers(header, "ImagePositionPatient", 3)),
        pixel_spacing=_pixel_spacing(header, path),
        thickness=slice_distance(header),
        slope=_scale(number(header, "RescaleSlope")),
        intercept=number(header, "RescaleIntercept") or 0.0,
        contrasts=_contrasts(header),
        weighting=weighting_of(header, orientation),
        times=_times(header),
        sop_uid=text(header, "SOPInstanceUID"),
        series_uid=text(header, "SeriesInstanceUID"),
        frame_of_reference=text(header, "FrameOfReferenceUID"),
        alone=is_parametric_map(header),
    )


def frame_count(path: Path, header: Dataset) -> int:
    """NumberOfFrames, 1 when it is absent.

    Raises
    ------
    ReadError
        The element is there but is no positive whole number.
    """
    element = "NumberOfFrames" in header
    count = integer(header, "NumberOfFrames")
    if count is None and element:
        try:
            if header["NumberOfFrames"].is_empty:
                return 1
        except Exception:  # not empty but unreadable: refused below
            count = None
    if element and (count is None or count < 1):
        raise ReadError(
            "NumberOfFrames (0028,0008) is not a positive whole number",
            where=path,
            remedy="Export the object again from its source",
        )
    if count is not None and count > 1:
        _check_room(path, header, count)
    return count or 1


def _check_room(path: Path, header: Dataset, count: int) -> None:
    """Refuse more frames than the file has room for, before each of them gets its description."""
    size = path.stat().st_size
    if is_compressed(header) or is_deflated(header):
        most = size // _SMALLEST_FRAME
    else:
        values = (integer(header, "Rows") or 1) * (integer(header, "Columns") or 1)
        values *= integer(header, "SamplesPerPixel") or 1
        bits = max(1, values * (integer(header, "BitsAllocated") or 1))
        most = 8 * size // bits
    if count > most:
        raise ReadError(
            f"the header announces {count:,} frames, and the file has room for {max(most, 0):,}",
            where=path,
            remedy="Fetch the file again from its archive",
        )


def multi_frame(path: Path, header: Dataset) -> list[Frame]:
    """Frames of an object without functional groups: RT dose, nuclear tomography, ultrasound.

    RT Dose places its planes by GridFrameOffsetVector (PS3.3 C.8.8.3.2), reconstructed nuclear
    tomography by SpacingBetweenSlices (C.8.4.15). Others give their frames no place.
    """
    first = base_frame(path, header)
    count = frame_count(path, header)
    if text(header, "Modality") == "RTDOSE":
        first = replace(first, slope=_scale(number(header, "DoseGridScaling")), intercept=0.0)
    if count == 1:
        return [first]
    detector = first_item(header, "DetectorInformationSequence")
    if first.position is None and detector is not None and _is_tomogram(header):
        first = replace(
            first,
            orientation=checked_orientation(value(detector, "ImageOrientationPatient"), path),
            position=_triple(numbers(detector, "ImagePositionPatient", 3)),
        )
    offsets = _frame_offsets(path, header, first, count)
    normal = first.normal
    if offsets is None or normal is None or first.position is None:
        return [
            replace(first, number=k, position=None, times={"frame": float(k)}) for k in range(count)
        ]
    start = np.asarray(first.position)
    frames = []
    for k, offset in enumerate(offsets):
        x, y, z = (float(v) for v in start + offset * np.asarray(normal))
        frames.append(replace(first, number=k, position=(x, y, z)))
    return frames


def _frame_offsets(
    path: Path, header: Dataset, first: Frame, count: int
) -> tuple[float, ...] | None:
    """Millimetres of each frame along the normal, from the first one."""
    found = value(header, "GridFrameOffsetVector")
    if found is not None and text(header, "Modality") == "RTDOSE":
        offsets = exactly(found, count)
        if offsets is None:
            raise ReadError(
                "GridFrameOffsetVector (3004,000C) does not give one offset for each of the "
                f"{count} frames",
                where=path,
                remedy="Export the dose again from the planning system",
            )
        # Second form of the standard: absolute z coordinates, recognised by the first not being 0.
        return tuple(v - offsets[0] for v in offsets)
    between = number(header, "SpacingBetweenSlices") or first.thickness
    if _is_tomogram(header) and between:
        return tuple(k * between for k in range(count))
    return None


def _is_tomogram(header: Dataset) -> bool:
    return text(header, "Modality") in ("NM", "PT") and "RECON TOMO" in texts(header, "ImageType")


def checked_orientation(found: Any, path: Path) -> tuple[float, ...] | None:
    """Six direction cosines, None when absent.

    Raises
    ------
    ReadError
        They are there but are not two perpendicular unit vectors.
    """
    if found is None:
        return None
    cosines = exactly(found, 6)
    if cosines is not None:
        row, column = np.asarray(cosines[:3]), np.asarray(cosines[3:])
        off = max(
            abs(float(np.linalg.norm(row)) - 1),
            abs(float(np.linalg.norm(column)) - 1),
            abs(float(row @ column)),
        )
        if off <= _ORIENTATION_TOLERANCE:
            return cosines
    raise ReadError(
        "ImageOrientationPatient (0020,0037) does not hold two perpendicular unit vectors, so "
        "left and right are not known",
        where=path,
        remedy="Export the images again from their source",
    )


def slice_distance(header: Dataset) -> float | None:
    """Positive SpacingBetweenSlices, else SliceThickness."""
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        found = number(header, keyword)
        if found:
            return abs(found)
    return None


def object_type(header: Dataset) -> str:
    """What kind of object it is, for a person: the SOP class's name, else the modality."""
    found = value(header, "SOPClassUID")
    if found is None:
        found = value(header.file_meta, "MediaStorageSOPClassUID")
    name = getattr(found, "name", "")
    if name and not name[0].isdigit():
        return name.removesuffix(" Storage")
    return text(header, "Modality") or "not told"


def _signature(path: Path, header: Dataset) -> tuple[Any, ...]:
    photometric = text(header, "PhotometricInterpretation")
    shade = photometric if photometric.startswith("MONOCHROME") else "colour"
    return (
        text(header, "StudyInstanceUID"),
        text(header, "SeriesInstanceUID") or str(path),
        text(header, "Modality"),
        shade,
        # GE tells magnitude, phase, real and imaginary images apart by a private element alone.
        private_number(header, 0x0043, "GEMS_PARM_01", 0x2F),
        texts(header, "ImageType"),
        text(header, "FrameOfReferenceUID"),
    )


def _pixel_spacing(header: Dataset, path: Path) -> tuple[float, float] | None:
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        found = numbers(header, keyword, 2)
        if found is None:
            continue
        if min(found) <= 0:
            raise ReadError(
                f"{keyword} is not positive, so lengths are not defined",
                where=path,
                remedy="Export the images again from their source",
            )
        return found[0], found[1]
    return _ultrasound_spacing(header)


def _ultrasound_spacing(header: Dataset) -> tuple[float, float] | None:
    """Spacing of the one calibrated region in centimetres (PS3.3 C.8.5.5), when there is one."""
    regions = items(header, "SequenceOfUltrasoundRegions")
    if len(regions) != 1:
        return None
    region = regions[0]
    units = (integer(region, "PhysicalUnitsXDirection"), integer(region, "PhysicalUnitsYDirection"))
    down, across = number(region, "PhysicalDeltaY"), number(region, "PhysicalDeltaX")
    if units != (3, 3) or not down or not across:
        return None
    return abs(down) * 10, abs(across) * 10


def _contrasts(header: Dataset) -> dict[str, float]:
    named = {"echo": "EchoTime", "inversion": "InversionTime", "flip": "FlipAngle"}
    found = {name: number(header, keyword) for name, keyword in named.items()}
    return {name: round(v, 4) for name, v in found.items() if v is not None}


def _times(header: Dataset) -> dict[str, Any]:
    found: dict[str, Any] = {
        "TemporalPositionIdentifier": number(header, "TemporalPositionIdentifier"),
        "TriggerTime": number(header, "TriggerTime"),
        "AcquisitionNumber": number(header, "AcquisitionNumber"),
        "AcquisitionTime": clock(header, "AcquisitionDateTime")
        or clock(header, "AcquisitionDate", "AcquisitionTime"),
        "ContentTime": clock(header, "ContentDate", "ContentTime"),
        "InstanceNumber": number(header, "InstanceNumber"),
        "CardiacNumberOfImages": number(header, "CardiacNumberOfImages"),
    }
    return {name: v for name, v in found.items() if v is not None}


def clock(header: Dataset, *keywords: str) -> str | None:
    """Date and time as digits that sort as text; None unless the last part is there."""
    parts = [text(header, keyword) for keyword in keywords]
    return "".join(parts) if parts[-1] else None


def _triple(found: tuple[float, ...] | None) -> Triple | None:
    return None if found is None else (found[0], found[1], found[2])


def _scale(slope: float | None) -> float:
    """A slope of 0 would erase the image and is only ever an unset field."""
    return slope if slope else 1.0
