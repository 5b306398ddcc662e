"""Frames in space: slices ordered along their normal, the affine, gaps and tilts said.

The order comes from ImagePositionPatient projected on row direction x column direction (PS3.3
C.7.6.2.1.1), never from instance numbers or file names; the slice step comes from the positions,
never from SliceThickness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from ..finding import Finding
from .diffusion_volumes import without_averages
from .frames import Frame
from .leading import arrange

#: Images nearer than this part of a pixel, along the normal, lie at one place.
_SAME_PLACE = 0.02

#: Largest distance of a slice from its even place, as a part of the slice step: silently / said.
_EVEN = 0.01
_NEARLY_EVEN = 0.05

#: … and in millimetres: positions written with one decimal must not count as gaps.
_ROUNDING_MM = 0.06

#: Angle between slice step and normal above which the stack counts as sheared (gantry tilt).
_SHEAR_DEGREES = 0.2

#: From LPS to RAS millimetres.
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Stack:
    """One volume to be: frames in order, and the affine of (column, row, slice).

    Attributes
    ----------
    frames : ndarray of Frame, shape (\\*leading, slices)
    leading : tuple of str
        Names of the leading axes.
    affine : ndarray, shape (4, 4)
        From file index (column, row, slice) to RAS+ millimetres.
    calibrated, oriented : bool
        Whether the file gave spacing and orientation.
    values : mapping
        Values along each leading axis.
    ordered_by : str
        Attribute that ordered the last leading axis.
    positions : tuple of float
        Millimetres of each slice along the normal.
    findings : tuple of Finding
    part : str
        What tells this volume from others of the same series; empty when it is the only one.
    """

    frames: npt.NDArray[Any]
    leading: tuple[str, ...]
    affine: npt.NDArray[np.float64]
    calibrated: bool = True
    oriented: bool = True
    values: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    ordered_by: str = ""
    positions: tuple[float, ...] = ()
    findings: tuple[Finding, ...] = ()
    part: str = ""

    @property
    def first(self) -> Frame:
        """The first frame of the first slice."""
        return self.frames.flat[0]


def stack_frames(frames: Sequence[Frame], where: str) -> Stack:
    """Order frames of one signature, size and orientation in space and along leading axes.

    Parameters
    ----------
    frames : sequence of Frame
        All with a position and an orientation.
    where : str
        The series, for messages.

    Raises
    ------
    ReadError
        Slices are missing or unevenly spaced beyond rounding, images at one height lie beside
        each other, or slices have unequal numbers of images.
    """
    slices, averages = without_averages(slices_along_normal(frames), where)
    arrangement = arrange(slices, where)
    places = np.array([np.mean([np.asarray(f.position) for f in cell], axis=0) for cell in slices])
    step, findings = _slice_step(places, frames[0], where)
    _one_line(slices, places, frames[0], where)
    affine = frame_affine(frames[0], places[0], step)
    normal = np.asarray(frames[0].normal)
    return Stack(
        frames=arrangement.frames,
        leading=arrangement.leading,
        affine=affine,
        calibrated=frames[0].pixel_spacing is not None,
        values=arrangement.values,
        ordered_by=arrangement.ordered_by,
        positions=tuple(float(v) for v in places @ normal),
        findings=(*averages, *arrangement.findings, *findings),
    )


def slices_along_normal(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Frames grouped by their height along the normal, heights growing."""
    normal = np.asarray(frames[0].normal)
    heights = np.array([np.asarray(f.position) @ normal for f in frames])
    order = np.argsort(heights, kind="stable")
    tolerance = _SAME_PLACE * min(frames[0].pixel_spacing or (1.0, 1.0))
    slices: list[list[Frame]] = []
    last = -np.inf
    for i in order:
        if heights[i] - last > tolerance:
            slices.append([])
            last = heights[i]
        slices[-1].append(frames[i])
    return slices


def frame_affine(
    frame: Frame, origin: npt.ArrayLike, step: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """RAS+ affine of (column, row, slice) from the frame's directions (PS3.3 C.7.6.2.1.1)."""
    row_mm, column_mm = frame.pixel_spacing or (1.0, 1.0)
    cosines = np.asarray(frame.orientation, dtype=np.float64)
    affine = np.eye(4)
    affine[:3, 0] = cosines[:3] * column_mm
    affine[:3, 1] = cosines[3:] * row_mm
    affine[:3, 2] = step
    affine[:3, 3] = origin
    return _LPS_TO_RAS @ affine


def _slice_step(
    places: npt.NDArray[np.float64], frame: Frame, where: str
) -> tuple[npt.NDArray[np.float64], tuple[Finding, ...]]:
    """Vector from one slice to the next (LPS), after a check that the steps are even."""
    normal = np.asarray(frame.normal)
    count = len(places)
    if count == 1:
        return normal * (frame.thickness or 1.0), ()
    step = (places[-1] - places[0]) / (count - 1)
    length = float(np.linalg.norm(step))
    heights = places @ normal
    even = places[0] + np.arange(count)[:, None] * step
    off = float(np.linalg.norm(places - even, axis=1).max())
    findings: list[Finding] = []
    if off > max(_NEARLY_EVEN * length, _ROUNDING_MM):
        raise uneven_error(heights, where)
    if off > _EVEN * length:
        increments = np.diff(heights)
        findings.append(
            Finding(
                "warning",
                "uneven-spacing",
                f"the slices of {where} are {increments.min():.4g} to {increments.max():.4g} mm "
                f"apart; they are shown {length:.4g} mm apart, at most {off:.2g} mm off their "
                "place",
                where,
            )
        )
    tilt = float(np.degrees(np.arccos(np.clip(step @ normal / length, -1.0, 1.0))))
    if tilt > _SHEAR_DEGREES:
        findings.append(
            Finding(
                "warning",
                "tilted-gantry",
                f"the slices of {where} are shifted against each other by {tilt:.1f} degrees "
                "(tilted gantry): a view across them is slanted until the scan is resampled to "
                "the patient's axes",
                where,
            )
        )
    return step, tuple(findings)


def uneven_error(heights: npt.NDArray[np.float64], where: str) -> ReadError:
    """What to say of slices that are not evenly spaced: which are missing, if that is it."""
    increments = np.diff(heights)
    usual = float(np.quantile(increments, 0.5, method="lower"))
    parts = increments / usual
    gaps = [
        (heights[i], heights[i + 1], round(parts[i]) - 1)
        for i in np.flatnonzero(parts > 1.5)
        if abs(parts[i] - round(parts[i])) <= 2 * _NEARLY_EVEN
    ]
    regular = np.abs(parts - np.round(parts)) <= 2 * _NEARLY_EVEN
    remedy = (
        "Fetch the whole series again from its archive; if the slices were never acquired, put "
        "the files on each side of the gap into a folder of their own and open them separately"
    )
    if gaps and regular.all() and parts.min() > 0.5:
        missing = sum(n for _, _, n in gaps)
        named = "; ".join(f"{n} between {a:.2f} and {b:.2f} mm" for a, b, n in gaps[:6])
        more = f" and {len(gaps) - 6} further gaps" if len(gaps) > 6 else ""
        noun = "slice is" if missing == 1 else "slices are"
        return ReadError(
            f"{missing} {noun} missing of {missing + len(heights)} (slice distance {usual:.4g} mm, "
            f"positions along the normal): {named}{more}",
            where=where,
            remedy=remedy,
        )
    worst = int(np.abs(increments - usual).argmax())
    return ReadError(
        f"the slices are unevenly spaced ({increments.min():.4g} to {increments.max():.4g} mm, "
        f"first of all between {heights[worst]:.2f} and {heights[worst + 1]:.2f} mm), so they "
        "cannot be shown true to scale",
        where=where,
        remedy=remedy,
    )


def _one_line(
    slices: Sequence[Sequence[Frame]],
    places: npt.NDArray[np.float64],
    frame: Frame,
    where: str,
) -> None:
    """Refuse images at one height that lie beside each other in the plane."""
    tolerance = 0.5 * min(frame.pixel_spacing or (1.0, 1.0))
    for cell, place in zip(slices, places, strict=True):
        off = max(float(np.linalg.norm(np.asarray(f.position) - place)) for f in cell)
        if off > tolerance:
            raise ReadError(
                f"images at the height {place @ np.asarray(frame.normal):.2f} mm lie beside each "
                "other in the plane, so they are no repeats of one slice",
                where=where,
                remedy="Put the images of each field of view into a folder of their own",
            )
