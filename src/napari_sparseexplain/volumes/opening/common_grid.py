"""Bringing a study's volumes onto one grid, and saying what that took."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from ..computed_array import computed_array
from ..dicom.reader import read_dicom
from ..finding import Finding
from ..grid import Grid
from ..nifti.reader import read_nifti
from ..registration.check import other_frame
from ..resampling import resample_to
from ..study import Resampling
from ..volume import Source, Volume


@dataclass
class OnOneGrid:
    """Volumes on the grid, and how they came there (see `Study`)."""

    volumes: dict[str, Volume] = field(default_factory=dict)
    resamplings: dict[str, Resampling] = field(default_factory=dict)
    originals: dict[str, Volume] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def bring_to_grid(volumes: dict[str, Volume], grid: Grid, reference: str) -> OnOneGrid:
    """All volumes on ``grid``; those that cannot be placed there are left out and named.

    A volume without a place in the patient (a picture, a secondary capture, a header without
    orientation) cannot be brought to a grid that has one, and one that lies wholly beside the
    grid would come out empty: both are reported, neither is shown as if it fitted.

    Parameters
    ----------
    volumes : dict of str to Volume
        By role, as they were on file. It is emptied, so that the voxels of each are given back
        as soon as it has been resampled: one copy of each volume is held, and one more of the
        one in work.
    grid : Grid
        The study's grid.
    reference : str
        The role that it was taken from.
    """
    result = OnOneGrid()
    first = replace(volumes[reference], data=())  # without its voxels, which are given back
    # On the reference's own grid a file written from any volume can lie over the reference's file
    # voxel by voxel; on the patient's axes there is no file to lie over.
    layout = first.source if first.grid.matches(grid) else None
    for role in list(volumes):
        volume = volumes.pop(role)
        if other_frame(volume, first):
            text = (
                f"{role!r} was acquired in another frame of reference than {reference!r}: the two "
                "may not lie exactly over each other"
            )
            result.findings.append(Finding("warning", "frame-of-reference", text, role))
        if volume.grid.matches(grid) and _comparable(volume.grid, grid):
            result.volumes[role] = replace(volume, grid=grid)
            continue
        where = volume.source.description
        if problem := _cannot_be_placed(volume.grid, grid):
            text = f"{role!r} {problem} {reference!r} and was left out; open it by itself"
            result.findings.append(Finding("warning", "left-out", text, where))
            continue
        result.volumes[role] = resample_to(volume, grid, laid_out_as=layout)
        result.originals[role] = _kept_on_disk(volume)
        done = Resampling(
            role=role,
            from_shape=volume.grid.shape,
            from_spacing=volume.grid.spacing,
            interpolation="nearest" if volume.kind == "label" else "linear",
            reference=reference,
        )
        result.resamplings[role] = done
        result.findings.append(Finding("info", "resampled", _as_text(done), where))
    return result


def _as_text(done: Resampling) -> str:
    size = "×".join(map(str, done.from_shape))
    spacing = "×".join(f"{v:.3g}" for v in done.from_spacing)
    way = "nearest neighbour" if done.interpolation == "nearest" else "linear interpolation"
    target = (
        "the patient's axes" if done.role == done.reference else f"the grid of {done.reference!r}"
    )
    return f"{done.role!r} ({size} voxels of {spacing} mm) was resampled to {target} by {way}"


def _comparable(one: Grid, other: Grid) -> bool:
    """Whether the two grids speak of the same space."""
    return one.oriented == other.oriented and one.calibrated == other.calibrated


def _cannot_be_placed(own: Grid, grid: Grid) -> str:
    """Why a volume cannot be resampled to a grid, empty when it can."""
    if not _comparable(own, grid):
        return "has no known place in the patient relative to"
    if not own.calibrated:
        size, wanted = ("×".join(map(str, g.shape)) for g in (own, grid))
        return f"has {size} pixels where {wanted} are needed to lie over"
    if not _boxes_meet(own, grid):
        return "does not overlap"
    return ""


def _boxes_meet(own: Grid, grid: Grid) -> bool:
    """Whether any voxel of ``grid`` can take a value from ``own``, by their boxes in ``own``."""
    top = np.asarray(grid.shape, dtype=np.float64) - 1
    corners = np.stack(np.meshgrid(*[(0.0, n) for n in top], indexing="ij"), -1).reshape(-1, 3)
    index = own.index(grid.world(corners))
    low, high = index.min(axis=0), index.max(axis=0)
    return bool(((high >= -0.5) & (low <= np.asarray(own.shape) - 0.5)).all())


def _kept_on_disk(volume: Volume) -> Volume:
    """The volume with voxels that are read again when they are looked at, so none are held."""
    if not isinstance(volume.data, np.ndarray) or _is_mapped(volume.data):
        return volume
    if volume.source.format not in ("nifti", "dicom") or not volume.source.paths:
        return volume  # no file that could be read again
    channel = volume.details.get("channel")
    source, shape, dtype = volume.source, volume.data.shape, volume.data.dtype
    lazy = computed_array(
        shape, dtype, shape, lambda index: _read_again(source, shape, dtype, channel)[index]
    )
    return replace(volume, data=lazy)


def _is_mapped(array: npt.NDArray[Any]) -> bool:
    """Whether an array is a view of a memory-mapped file."""
    base: Any = array
    while base is not None:
        if isinstance(base, np.memmap):
            return True
        base = getattr(base, "base", None)
    return False


def _read_again(
    source: Source, shape: tuple[int, ...], dtype: np.dtype[Any], channel: int | None
) -> npt.NDArray[Any]:
    """The voxels of a source (of one of its channels) as when the study was opened."""
    if source.format == "nifti":
        data = read_nifti(source.paths[0]).data
        return np.asarray(data if channel is None else data[channel]).astype(dtype, copy=False)
    paths = source.paths[0] if len(source.paths) == 1 else source.paths
    for series in read_dicom(paths):
        if series.volume.data.shape == shape:
            return np.asarray(series.volume.data).astype(dtype, copy=False)
    raise ReadError(
        "the series is no longer what it was when the study was opened",
        where=source.paths[0],
        remedy="Open the study again",
    )
