"""DICOM Segmentation objects as label volumes (PS3.3 C.8.20, Supplement 243 for label maps).

Binary and fractional objects hold one frame a segment and slice, and may leave out empty slices:
the gaps between their frames are background, not missing data.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel.orientations as nio
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from ...errors import ReadError
from ..finding import Finding
from ..grid import Grid, orientation_to_display
from ..volume import Source, Volume
from .details import details_of, series_name
from .enhanced import FunctionalGroups, enhanced_frames, is_enhanced
from .frames import Frame
from .parametric import map_facts, own_record
from .pixels import read_pixels
from .stack import Stack, frame_affine, slices_along_normal, uneven_error
from .values import integer, items, text

#: Voxels of a label map, its empty slices counted: a gigabyte as two-byte numbers.
_MOST_VOXELS = 1 << 29

#: Distance of a slice from the regular grid, as a part of the slice step, that is still on it.
_ON_GRID = 0.05


def is_segmentation(header: Dataset) -> bool:
    """Whether the object is a Segmentation with functional groups."""
    return text(header, "Modality") == "SEG" and is_enhanced(header)


def read_segmentation(path: Path, header: Dataset) -> tuple[Volume, tuple[Finding, ...]]:
    """A Segmentation as one label volume: the segment number in every voxel, 0 elsewhere.

    Where segments overlap the one with the higher number wins, and that is said. Fractional
    segments are cut at half of MaximumFractionalValue, and that is said too.

    Raises
    ------
    ReadError
        Frames have no place, several orientations, or do not lie on one regular grid.
    """
    frames = enhanced_frames(path, header)
    kind = text(header, "SegmentationType").upper()
    _check(path, frames)
    slices = slices_along_normal(frames)
    indices, affine, depth = _grid(path, slices)
    pixels, colour, stored, remarks = read_pixels(_row(frames), str(path))
    if colour:
        raise ReadError("a segmentation in colour is not understood", where=path)
    labels, overlaps = _labels(header, frames, slices, indices, depth, pixels, kind)
    findings = [*remarks]
    if overlaps:
        findings.append(
            Finding(
                "warning",
                "overlapping-segments",
                f"{overlaps} voxels belong to several segments; each is shown under the highest "
                "segment number",
                str(path),
            )
        )
    if kind == "FRACTIONAL":
        findings.append(
            Finding(
                "info",
                "fractional-segments",
                "the fractional segments were cut at half of their maximum",
                str(path),
            )
        )
    shape = (frames[0].columns, frames[0].rows, depth)
    to_display = orientation_to_display(affine, where=str(path))
    data = nio.apply_orientation(labels.transpose(2, 1, 0), to_display)
    stack = Stack(_row(frames), ("frame",), affine)
    name = series_name(header)
    details = {**details_of(header, stack), "segments": _segments(header)}
    if "map" in own_record(header):
        details["map"] = map_facts(header)
    volume = Volume(
        data=data,
        grid=Grid(
            (data.shape[0], data.shape[1], data.shape[2]),
            affine @ nio.inv_ornt_aff(to_display, shape),
        ),
        role=name,
        kind="label",
        source=Source((path,), "dicom", shape, affine, stored, to_display, header, name),
        details=details,
    )
    return volume, tuple(findings)


def _check(path: Path, frames: list[Frame]) -> None:
    first = frames[0]
    for frame in frames:
        if frame.position is None or frame.orientation is None or first.orientation is None:
            raise ReadError(
                "the segmentation does not say where its frames lie in the patient",
                where=path,
                remedy="Export it again from the program that made it",
            )
        if (
            max(abs(a - b) for a, b in zip(frame.orientation, first.orientation, strict=True))
            > 1e-3
        ):
            raise ReadError(
                "the segmentation mixes frames of several orientations",
                where=path,
                remedy="Export each orientation as an object of its own",
            )


def _grid(path: Path, slices: list[list[Frame]]) -> tuple[list[int], npt.NDArray[np.float64], int]:
    """Slice index of each group of frames on the regular grid, its affine and its depth."""
    first = slices[0][0]
    normal = np.asarray(first.normal)
    heights = np.array([np.asarray(cell[0].position) @ normal for cell in slices])
    gaps = np.diff(heights)
    step = float(gaps.min()) if len(gaps) else first.thickness or 1.0
    places = (heights - heights[0]) / step
    if len(gaps) and np.abs(places - np.round(places)).max() > _ON_GRID * max(
        1.0, places.max() / 50
    ):
        raise uneven_error(heights, str(path))
    if len(gaps):
        step = float(heights[-1] - heights[0]) / round(places[-1])
    indices = [round(p) for p in places]
    if (indices[-1] + 1) * first.rows * first.columns > _MOST_VOXELS:
        raise ReadError(
            f"the segmentation's frames lie {step:.3g} mm apart over "
            f"{heights[-1] - heights[0]:.4g} mm: {indices[-1] + 1:,} slices, more than a scan has",
            where=str(path),
            remedy="Export it again from the program that made it",
        )
    affine = frame_affine(first, np.asarray(first.position), normal * step)
    return indices, affine, indices[-1] + 1


def _labels(
    header: Dataset,
    frames: list[Frame],
    slices: list[list[Frame]],
    indices: list[int],
    depth: int,
    pixels: npt.NDArray[Any],
    kind: str,
) -> tuple[npt.NDArray[np.uint16], int]:
    """Label array (slice, row, column) and the number of voxels in more than one segment."""
    half = (integer(header, "MaximumFractionalValue") or 255) / 2 if kind == "FRACTIONAL" else 0
    labels = np.zeros((depth, frames[0].rows, frames[0].columns), dtype=np.uint16)
    overlaps = 0
    groups = FunctionalGroups.of_all(header)
    for cell, index in zip(slices, indices, strict=True):
        numbered = sorted((_segment_number(groups[f.number]), f.number) for f in cell)
        for segment, number in numbered:
            plane = labels[index]
            if kind == "LABELMAP":
                plane[:] = pixels[number]
                continue
            inside = pixels[number] > half
            overlaps += int(np.count_nonzero(inside & (plane != 0) & (plane != segment)))
            plane[inside] = segment
    return labels, overlaps


def _segment_number(groups: FunctionalGroups) -> int:
    return integer(groups.group("SegmentIdentificationSequence"), "ReferencedSegmentNumber") or 1


def _segments(header: Dataset) -> dict[int, str]:
    """Name of each segment by its number."""
    found = {}
    for item in items(header, "SegmentSequence"):
        number = integer(item, "SegmentNumber")
        if number is not None:
            found[number] = text(item, "SegmentLabel") or f"segment {number}"
    return found


def _row(frames: list[Frame]) -> npt.NDArray[Any]:
    row = np.empty(len(frames), dtype=object)
    row[:] = frames
    return row
