"""DICOM files as volumes: a single file, a list, a folder with all below it, or a DICOMDIR.

Headers are read first, without pixels; frames are sorted into series, stacks and axes; only then
are pixels decoded, one plane at a time, into one array a volume.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import nibabel.orientations as nio
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from ...errors import ReadError
from ...progress import Progress, Work, drain
from ..finding import Finding
from ..grid import Grid, orientation_to_display
from ..volume import Source, Volume, measured
from .details import details_of, series_name
from .enhanced import enhanced_frames, is_enhanced
from .files import find_dicom_files, looks_like_dicom, read_header
from .frames import Frame, NoPixelsError, multi_frame, object_type
from .mosaic import mosaic_frames, mosaic_tiles
from .padding import padding_of
from .parametric import map_facts
from .pixels import read_pixels
from .segmentation import is_segmentation, read_segmentation
from .series import sort_frames
from .stack import Stack
from .standardized_uptake import SUVBW, uptake_details, with_uptake
from .values import number, text

__all__ = ["DicomSeries", "looks_like_dicom", "read_dicom", "read_dicom_work"]


class DicomSeries(NamedTuple):
    """A volume and what was noticed while it was read."""

    volume: Volume
    findings: tuple[Finding, ...]


def read_dicom(path: Path | Sequence[Path]) -> list[DicomSeries]:
    """All volumes of a DICOM file, list of files, folder or DICOMDIR.

    Parameters
    ----------
    path : Path or sequence of Path
        A folder is read with all below it; files that are not DICOM are passed over.

    Returns
    -------
    list of DicomSeries
        By series number. What concerns the path as a whole (objects without pixels, damaged
        files, refused series, missing files of a DICOMDIR) stands with the first one.

    Raises
    ------
    ReadError
        Nothing could be opened; the message names the first obstacle.
    """
    return drain(read_dicom_work(path))


def read_dicom_work(path: Path | Sequence[Path]) -> Work[list[DicomSeries]]:
    """`read_dicom` as a generator: a step a header, then a step a volume."""
    found = find_dicom_files(Path(path) if isinstance(path, str | Path) else path)
    scan = _Scan(alone=len(found.files) == 1)
    total = len(found.files)
    for done, file in enumerate(found.files):
        scan.add(file)
        yield Progress(done + 1, total, "reading DICOM headers")
    ordered = sort_frames(scan.frames, scan.names)
    scan.refused.extend(ordered.refused)
    scan.findings.extend(ordered.findings)
    if found.missing:
        scan.findings.append(_missing_files(found.missing))
    series: list[DicomSeries] = list(scan.segmentations)
    for done, stack in enumerate(ordered.stacks):
        try:
            with _silent():
                series.append(_series(stack))
        except ReadError as error:
            scan.refused.append(error)
        yield Progress(done + 1, len(ordered.stacks), "decoding images")
    if not series:
        raise scan.refusal(found.files)
    series.sort(key=lambda s: s.volume.details.get("SeriesNumber", np.inf))
    head = series[0]
    series[0] = head._replace(findings=(*scan.all_findings(), *head.findings))
    return series


class _Scan:
    """First pass over the headers: frames, and what is no image."""

    def __init__(self, *, alone: bool) -> None:
        self._alone = alone
        self.frames: list[Frame] = []
        self.names: dict[str, str] = {}
        self.findings: list[Finding] = []
        self.refused: list[ReadError] = []
        self.segmentations: list[DicomSeries] = []
        self._without_pixels: Counter[str] = Counter()
        self._first_without_pixels: ReadError | None = None

    def add(self, file: Path) -> None:
        """Take in one file."""
        with _silent():
            self._add(file)

    def _add(self, file: Path) -> None:
        try:
            header = read_header(file)
            if is_segmentation(header):
                volume, findings = read_segmentation(file, header)
                self.segmentations.append(DicomSeries(volume, findings))
                return
            self.frames.extend(file_frames(file, header))
        except NoPixelsError as error:
            self._without_pixels[object_type(read_header(file))] += 1
            self._first_without_pixels = self._first_without_pixels or error
            return
        except ReadError as error:
            self.refused.append(error)
            return
        self.names.setdefault(text(header, "SeriesInstanceUID"), series_name(header))

    def all_findings(self) -> list[Finding]:
        """Findings on the path as a whole."""
        findings = list(self.findings)
        if self._without_pixels:
            kinds = ", ".join(f"{n} {name}" for name, n in self._without_pixels.most_common())
            findings.append(
                Finding("info", "no-pixels", f"objects without an image were passed over: {kinds}")
            )
        findings.extend(
            Finding("warning", "unreadable", str(error), error.where or "")
            for error in self.refused
        )
        return findings

    def refusal(self, files: Sequence[Path]) -> ReadError:
        """What to say when nothing could be opened."""
        errors = self.refused or [e for e in (self._first_without_pixels,) if e is not None]
        if not errors:
            return ReadError("there is no image", where=files[0], remedy="Choose another folder")
        first = errors[0]
        others = len(self.refused) + sum(self._without_pixels.values()) - 1
        if others < 1 or self._alone:
            return first
        return ReadError(
            f"{first.what}; {others} further objects could not be opened either",
            where=first.where,
            remedy=first.remedy,
        )


@contextmanager
def _silent() -> Iterator[None]:
    """Keep pydicom's warnings to itself.

    It warns on access to values that break a rule of the standard; those that matter are checked
    where they are used, and what the pixel decoder says becomes a finding.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def file_frames(file: Path, header: Dataset) -> list[Frame]:
    """The image planes of one file, whichever way it holds them.

    Raises
    ------
    NoPixelsError
        The object is no image.
    ReadError
        What it says of its planes makes no sense.
    """
    if is_enhanced(header):
        return enhanced_frames(file, header)
    if mosaic_tiles(header) is not None:
        return mosaic_frames(file, header)
    return multi_frame(file, header)


def _series(stack: Stack) -> DicomSeries:
    """Decode a stack and turn it into display order."""
    first = stack.first
    where = str(first.path)
    header = read_header(first.path)
    slices = stack.frames.shape[-1]
    # Refuse an impossible affine before any pixel is decoded.
    to_display = orientation_to_display(stack.affine, where=where)
    scaled, uptake_unit, uptake = with_uptake(stack, header, series_name(header))
    array, colour, stored, remarks = read_pixels(scaled.frames, where)
    remarks = (*remarks, *uptake)
    shape = (first.columns, first.rows, slices)
    data = in_display_order(array, to_display, len(stack.leading))
    affine = stack.affine @ nio.inv_ornt_aff(to_display, shape)
    count = len(stack.leading)
    display_shape = data.shape[count : count + 3]
    name = series_name(header)
    facts = map_facts(header) if first.alone else None
    if facts is not None:
        name = f"{name}: {facts.name}"
    elif stack.part:
        name = f"{name} ({stack.part})"
    details = details_of(header, stack)
    if uptake_unit == SUVBW:
        uptake_details(details, stack, scaled)
    padding = padding_of(header, scaled.first, array.dtype)
    if facts is not None:
        details["map"] = facts
        if padding is not None and array.dtype.kind == "f":
            array[~measured(array, padding)] = np.nan  # where the map has no value
            padding = None
    if details["photometric"] == "MONOCHROME1" and not colour:
        remarks = (
            *remarks,
            Finding(
                "info",
                "shown-inverted",
                f"{name}: low values are shown bright (MONOCHROME1), as the film is read; the "
                "values themselves are as stored",
                name,
            ),
        )
    volume = Volume(
        data=data,
        grid=Grid(
            (display_shape[0], display_shape[1], display_shape[2]),
            affine,
            calibrated=stack.calibrated,
            oriented=stack.oriented,
        ),
        role=name if facts is None else facts.name,
        kind="image",
        source=Source(
            paths=tuple(dict.fromkeys(f.path for f in stack.frames.flat)),
            format="dicom",
            shape=shape,
            affine=stack.affine,
            dtype=stored,
            to_display=to_display,
            header=header,
            description=name,
        ),
        leading=_leading(stack, header),
        colour=colour,
        unit="" if colour else uptake_unit or (_unit(header) if facts is None else facts.unit),
        why="" if facts is None else "it is a DICOM Parametric Map of this name",
        details=details,
        padding=padding,
    )
    return DicomSeries(volume, (*stack.findings, *remarks))


def in_display_order(
    array: npt.NDArray[Any], to_display: npt.NDArray[np.float64], leading: int
) -> npt.NDArray[Any]:
    """View of (\\*leading, slice, row, column[, colour]) as (\\*leading, S, P, L[, colour])."""
    axes = (leading + 2, leading + 1, leading)
    spatial_first = np.moveaxis(array, axes, (0, 1, 2))
    turned = nio.apply_orientation(spatial_first, to_display)
    return np.moveaxis(turned, (0, 1, 2), (leading, leading + 1, leading + 2))


def _leading(stack: Stack, header: Dataset) -> tuple[str, ...]:
    """Names of the leading axes; frames of a film run in time."""
    film = any(
        number(header, keyword)
        for keyword in ("FrameTime", "CineRate", "RecommendedDisplayFrameRate")
    )
    if stack.leading == ("frame",) and film:
        return ("time",)
    return stack.leading


def _unit(header: Dataset) -> str:
    """Unit of the scaled values, empty when arbitrary."""
    modality, kind = text(header, "Modality"), text(header, "RescaleType")
    if modality == "RTDOSE":
        return "Gy" if text(header, "DoseUnits").upper() == "GY" else ""
    if modality == "CT" and kind in ("", "HU"):
        return "HU"
    if modality == "PT":
        return ""  # `with_uptake` tells it
    return kind if kind in ("HU", "OD", "Hz", "ms") else ""


def _missing_files(missing: Sequence[Path]) -> Finding:
    return Finding(
        "warning",
        "missing-files",
        f"the DICOMDIR names {len(missing)} files that are not there ({missing[0].name} first)",
        str(missing[0]),
    )
