"""From a study to a network's input, and from its output back to the study's voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ...errors import StudyError
from ...volumes import Grid, Study, Volume
from ...volumes.frames import frame_note, study_at_frame
from ...volumes.intensity.normalised_slices import normalised_slices
from ..bundle.model_card import ModelCard
from .axis_order import AS_SHOWN, PlaneOrder
from .in_plane_resampling import nearest_in_plane, resample_in_plane, shape_at
from .input_region import (
    EVERYWHERE,
    FedVolume,
    InputRegion,
    fed_volume,
    joined_region,
    region_notes,
)

Resolution = Literal["model", "native"]

#: How much coarser than the others an in-plane spacing must be before the scan counts as acquired
#: in another plane than the axial one the networks were trained on.
THICK_RATIO = 1.5

#: Share of a network's pixel that is in the brain from which the pixel is: the network sees it.
_TOUCHED = 1e-6


@dataclass(frozen=True, eq=False)
class Prepared:
    """A network's input, and the way back to the study.

    Attributes
    ----------
    array : ndarray, shape (N, channels, H, W), float32
        One entry for each of ``slices``, normalised as the card asks (in (0, 1), or about 0 of a
        ``"z-score"``); 0 outside the brain, where the card asks for it.
    grid : Grid
        The study's grid.
    slices : slice
        Which of its slices.
    spacing : tuple of float
        Size (row, column) of the network's pixels in mm, rows and columns as it takes them; in
        study pixels when not calibrated.
    resolution : {"model", "native"}
        Whether pixels were resampled to the size the network was trained at.
    ranges : mapping of role to (low, high)
        Intensities that became 0 and 1.
    notes : tuple of str
        What a person must know about it.
    inside : ndarray of bool, shape (N, P, L), or None
        Where on the study's pixels a class means anything (the brain, of a brain network); None
        for everywhere.
    region : InputRegion
        How that was found.
    plane : PlaneOrder
        Rows and columns of ``array`` from those of the study.
    """

    array: npt.NDArray[np.float32]
    grid: Grid
    slices: slice
    spacing: tuple[float, float]
    resolution: Resolution
    ranges: dict[str, tuple[float, float]]
    notes: tuple[str, ...] = ()
    inside: npt.NDArray[np.bool_] | None = None
    region: InputRegion = EVERYWHERE
    plane: PlaneOrder = AS_SHOWN

    @property
    def _display_shape(self) -> tuple[int, int]:
        """The network's rows and columns in the study's own order."""
        return self.plane.shape(*self.array.shape[-2:])

    @cached_property
    def inside_network(self) -> npt.NDArray[np.bool_]:
        """`inside` on the network's pixels (N, H, W): those that hold any of it."""
        shape = (len(self.array), *self.array.shape[-2:])
        if self.inside is None or self.inside.all():
            return np.ones(shape, dtype=np.bool_)
        return self.to_network(self.inside.astype(np.float32)) > _TOUCHED

    def part(self, start: int, stop: int) -> Prepared:
        """Some of the prepared slices, by their place among these."""
        first = self.slices.start
        stop = min(stop, len(self.array))
        return replace(
            self,
            array=self.array[start:stop],
            slices=slice(first + start, first + stop),
            inside=None if self.inside is None else self.inside[start:stop],
        )

    def kept_inside(self, maps: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Maps (N, ..., P, L) on the study's pixels with 0 where no class means anything."""
        if self.inside is None:
            return maps
        between = (1,) * (maps.ndim - 3)
        shape = (len(self.inside), *between, *self.inside.shape[1:])
        return np.where(self.inside.reshape(shape), maps, maps.dtype.type(0))

    def heat_to_study(self, maps: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Heat (N, ..., H, W) on the study's pixels, 0 outside: nothing there was seen."""
        return self.kept_inside(self.to_study(maps))

    def to_study(self, maps: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Maps (..., H, W) of the network at the study's in-plane pixels (..., P, L)."""
        return resample_in_plane(self.plane.to_study(maps), self.grid.shape[1:])

    def nearest_to_study(self, maps: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The same without any new value: for regions and ranks."""
        return nearest_in_plane(self.plane.to_study(maps), self.grid.shape[1:])

    def to_network(self, maps: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Maps (..., P, L) on the study's pixels at the network's (..., H, W), averaged by area."""
        return self.plane.to_network(resample_in_plane(maps, self._display_shape))

    def to_network_index(self, row: float, column: float) -> tuple[int, int]:
        """Pixel of the network's grid that holds the centre of a study pixel."""
        places = []
        sizes = zip((row, column), self.grid.shape[1:], self._display_shape, strict=True)
        for value, size, target in sizes:
            places.append(min(int((value + 0.5) * target / size), target - 1))
        height, width = self.array.shape[-2:]
        return self.plane.index(places[0], places[1], (height, width))


def prepare(
    study: Study,
    card: ModelCard,
    slices: slice | None = None,
    *,
    resolution: Resolution = "model",
    frame: int | Sequence[int] | None = None,
) -> Prepared:
    """What a model is fed for some slices of a study.

    Parameters
    ----------
    slices : slice, optional
        Whole ``start`` and ``stop`` inside the study; all when not given. The intensity range is
        always that of the whole volume, so a slice looks the same alone and among others.
    resolution : {"model", "native"}
        Resample in plane to the spacing the network was trained at, or feed the study's own pixels.
    frame : int or sequence of int, optional
        Point along the leading axes of its scans; see `study_at_frame`.

    Raises
    ------
    StudyError
        A role is missing (the message says which, and what there is), the model needs a volume
        and the study is one picture, the study is one image of which a classifier would see the
        edge, or a scan is constant or empty.
    """
    check_roles(study, card)
    _check_not_on_edge(study, card)
    study = study_at_frame(study, frame, card.inputs.roles)
    span = slice(0, study.grid.shape[0]) if slices is None else slices
    plane = card.inputs.axis_order.plane
    shape, spacing, notes = _network_grid(study.grid, card, resolution)
    rows, columns = spacing
    spacing = (columns, rows) if plane.transposed else spacing
    notes += orientation_notes(study.grid, card)
    notes += _plane_notes(study.grid)
    channels = []
    ranges = {}
    regions: list[InputRegion] = []
    inside: npt.NDArray[np.bool_] | None = None
    for role in card.inputs.roles:
        scaled, fed, said = normalised_channel(study, study[role], card, span)
        channels.append(resample_in_plane(scaled, shape))
        ranges[role] = fed.limits
        regions.append(fed.region)
        # What one modality shows can be of a class, whatever the others cut off.
        inside = fed.shown if inside is None else inside | fed.shown
        notes += said
    array = np.ascontiguousarray(plane.to_network(np.stack(channels, axis=1)))
    region = joined_region(regions)
    if card.inputs.mask == "none":
        inside = None
    notes += region_notes(region)
    return Prepared(
        array, study.grid, span, spacing, resolution, ranges, tuple(notes), inside, region, plane
    )


def check_roles(study: Study, card: ModelCard) -> None:
    """Refuse a study that lacks a scan, or a picture where a volume is needed."""
    missing = [role for role in card.inputs.roles if role not in study.images]
    if missing:
        have = ", ".join(study.images) or "no scan at all"
        raise StudyError(
            f"the model {card.name!r} needs {', '.join(card.inputs.roles)}, and the study lacks "
            f"{', '.join(missing)} (it has {have})",
            where=study.name,
            remedy="Add the scan, say which file it is (Study tab, or --role NAME=FILE), or choose "
            "a model for what there is",
        )
    if card.inputs.spatial_dims == 3 and study.grid.shape[0] == 1:
        raise StudyError(
            f"the model {card.name!r} needs a volume, and the study is one picture",
            where=study.name,
            remedy="Open the whole series, or choose a model for slices",
        )


def _check_not_on_edge(study: Study, card: ModelCard) -> None:
    """Refuse a classifier the axial sections of one coronal or sagittal image: lines of pixels."""
    through, *plane = study.grid.shape
    if card.task != "classification" or not study.grid.oriented or through == 1 or 1 not in plane:
        return
    name = "coronal" if plane[0] == 1 else "sagittal"
    raise StudyError(
        f"the study is one {name} image, and of its {through} axial sections the classifier would "
        "see a line of pixels each",
        where=study.name,
        remedy="Open the folder of its class in the tab Embedding, where such images are turned "
        "to their own plane, or save the image as PNG and open that",
    )


def _network_grid(
    grid: Grid, card: ModelCard, resolution: Resolution
) -> tuple[tuple[int, int], tuple[float, float], list[str]]:
    """In-plane shape and pixel size that the network sees."""
    rows, columns = grid.shape[1:]
    if resolution == "native":
        return (rows, columns), (grid.spacing[1], grid.spacing[2]), []
    notes = []
    size = grid.spacing[1:] if grid.calibrated else (1.0, 1.0)
    if grid.calibrated and not card.inputs.scaled:
        wanted = card.inputs.display_spacing[1:]
        shape = shape_at((rows, columns), (size[0], size[1]), (wanted[0], wanted[1]))
    else:
        wanted = (max(rows, columns) / card.inputs.size,) * 2
        shape = shape_at((rows, columns), (1.0, 1.0), (wanted[0], wanted[1]))
        why = (
            "The model was trained on pictures of any pixel size"
            if grid.calibrated
            else "The picture gives no pixel size"
        )
        notes.append(
            f"{why}, so it was scaled until its larger side has the {card.inputs.size} pixels the "
            "network was trained at."
        )
    return shape, (rows * size[0] / shape[0], columns * size[1] / shape[1]), notes


def orientation_notes(grid: Grid, card: ModelCard) -> list[str]:
    """What must be said where the card asks for an orientation that the study does not tell."""
    if not card.inputs.orientation or grid.oriented:
        return []
    return [
        f"The model takes scans in the orientation {card.inputs.orientation}, and this one does "
        "not tell its own: rows were taken to run to posterior, columns to the patient's left."
    ]


def _plane_notes(grid: Grid) -> list[str]:
    """A warning when the scan's own slices are not the axial ones that the network takes."""
    if not grid.calibrated or grid.shape[0] == 1:
        return []
    through, rows, columns = grid.spacing
    for name, coarse, others in (
        ("coronally", rows, (through, columns)),
        ("sagittally", columns, (through, rows)),
    ):
        if coarse > THICK_RATIO * max(others):
            return [
                f"The scan was acquired {name} (slices {coarse:.3g} mm apart); the network takes "
                "axial slices, which are interpolated here, so expect less of it."
            ]
    return []


def normalised_channel(
    study: Study, volume: Volume, card: ModelCard, span: slice
) -> tuple[npt.NDArray[np.float32], FedVolume, list[str]]:
    """One role's slices, normalised, where they are fed to the network, and what was noticed."""
    spatial = volume.spatial()
    notes = [said] if (said := frame_note(volume)) else []
    if spatial.dtype.kind == "c":
        raise StudyError(
            "the scan is complex, and the networks take magnitudes",
            where=volume.role,
            remedy="Save its magnitude as an image of its own",
        )
    part = spatial[span]
    if part.dtype.kind == "f" and (bad := int((~np.isfinite(part)).sum())):
        notes.append(
            f"{volume.role} holds {bad} NaN or infinite voxels; the network was given 0 there."
        )
    way = card.inputs.way
    if way.name == "unit":
        # Judged on the whole volume, so that a blank slice among others is no error.
        _check_unit(way.apply(spatial, 0.0, 1.0), volume.role)
    fed = fed_volume(study, volume, spatial, card.inputs.mask, span, normalisation=way)
    # A classifier sees a film as it is read.
    inverted = volume.inverted and card.task == "classification" and way.name != "none"
    given, constant = normalised_slices(
        part, way, fed.limits, padding=volume.padding, inverted=inverted
    )
    if constant:
        first = span.start + constant[0]
        notes.append(
            f"{volume.role}: {len(constant)} slices without contrast (the first is {first}) "
            "were fed as 0, since each slice is normalised by itself."
        )
    if inverted:
        notes.append(
            f"{volume.role}: low values are shown bright (MONOCHROME1), and the classifier was "
            "given them as they are shown."
        )
    return np.where(fed.fed, given, np.float32(0.0)), fed, notes


def _check_unit(values: npt.NDArray[np.float32], role: str) -> None:
    """A scan that is in (0, 1) already; refused when it is not."""
    low, high = float(values.min()), float(values.max())
    if low < 0.0 or high > 1.0:
        raise StudyError(
            f"the model takes intensities from 0 to 1, and these go from {low:g} to {high:g}",
            where=role,
            remedy="Scale the image before, or choose a model that normalises scans itself",
        )
    if low == high:
        raise StudyError(
            "the image is constant, so there is nothing to see in it",
            where=role,
            remedy="Check that the file is the one that was meant",
        )
