"""What a person draws on a picture: arrow, text, distance, region; in the patient's millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt

from ..files.plain_data import AtMost, Between, Matches
from ..volumes import Grid
from ..volumes.edge_letters import Plane

AnnotationKind = Literal["arrow", "text", "distance", "polygon", "ellipse"]

#: A point of the patient in RAS+ millimetres (of a picture without millimetres: its pixels).
Point = tuple[
    Annotated[float, Between(-1e9, 1e9)],
    Annotated[float, Between(-1e9, 1e9)],
    Annotated[float, Between(-1e9, 1e9)],
]

#: Slices that a study can have.
MOST_SLICES = 100_000

#: What a review's file can say at all (`plain_data`): points along leading axes, and a colour.
Leading = Annotated[tuple[Annotated[int, Between(0, 1_000_000)], ...], AtMost(8)]
Colour = Annotated[str, Matches("#[0-9A-Fa-f]{6}", "a colour as #RRGGBB")]

#: How many points each kind has: fewest and most.
POINTS: dict[AnnotationKind, tuple[int, int | None]] = {
    "arrow": (2, 2),
    "text": (1, 1),
    "distance": (2, 2),
    "polygon": (3, None),
    "ellipse": (4, 4),
}


@dataclass(frozen=True)
class Annotation:
    """One mark on one slice of one study.

    Attributes
    ----------
    kind : str
        ``"arrow"``: tail and head. ``"text"``: where it begins. ``"distance"``: two ends.
        ``"polygon"``: its corners, closed by itself. ``"ellipse"``: the four corners of the
        rectangle about it, in order.
    points : tuple of points
        RAS+ millimetres, from the study's true affine.
    study : str
        Key of the study.
    plane, index : str, int
        The slice that it was drawn on.
    text : str
        What is written beside it.
    colour : str
        ``"#RRGGBB"``.
    leading : tuple of int
        The frame that it was drawn on: points along the study's leading axes (time, direction).
        Empty: it belongs to every frame.
    """

    kind: AnnotationKind
    points: Annotated[tuple[Point, ...], AtMost(100_000)]
    study: str
    plane: Plane
    index: Annotated[int, Between(0, MOST_SLICES)]
    text: str = ""
    colour: Colour = "#F0E442"
    leading: Leading = ()

    def __post_init__(self) -> None:
        fewest, most = POINTS[self.kind]
        if len(self.points) < fewest or (most is not None and len(self.points) > most):
            raise ValueError(f"{self.kind} cannot have {len(self.points)} points")
        if not np.isfinite(np.asarray(self.points)).all():
            raise ValueError("an annotation's points must be finite")

    @property
    def length_mm(self) -> float | None:
        """Length of a distance; None for what has none."""
        if self.kind != "distance":
            return None
        first, last = np.asarray(self.points)
        return float(np.linalg.norm(last - first))

    @property
    def area_mm2(self) -> float | None:
        """Area of a polygon or ellipse, wherever its plane lies; None for what has none."""
        if self.kind == "polygon":
            return _polygon_area(np.asarray(self.points))
        if self.kind == "ellipse":
            return np.pi / 4 * _polygon_area(np.asarray(self.points))
        return None

    def outline(self, corners: int = 72) -> npt.NDArray[np.float64]:
        """Points of the drawn line, shape (n, 3), in RAS+ millimetres."""
        points = np.asarray(self.points, dtype=np.float64)
        if self.kind != "ellipse":
            return points
        return ellipse_outline(points, corners)

    def on(self, study: str, plane: Plane, index: int, leading: tuple[int, ...] = ()) -> bool:
        """Whether it belongs to this slice at this frame."""
        here = (self.study, self.plane, self.index) == (study, plane, index)
        return here and self.at_frame(leading)

    def at_frame(self, leading: tuple[int, ...]) -> bool:
        """Whether it belongs to a frame: a measure of one must never lie over another."""
        return not self.leading or self.leading == leading


def annotation_on_grid(
    kind: AnnotationKind,
    voxels: Sequence[Sequence[float]],
    grid: Grid,
    *,
    study: str,
    plane: Plane,
    index: int,
    text: str = "",
    leading: tuple[int, ...] = (),
) -> Annotation:
    """An annotation from display indices (s, p, l), as a viewer gives them.

    Parameters
    ----------
    voxels : sequence of three floats
        Fractional display indices.
    grid : Grid
        Its true affine turns them into the patient's millimetres.
    """
    points = tuple((float(x), float(y), float(z)) for x, y, z in grid.world(voxels))
    return Annotation(kind, points, study, plane, index, text, leading=leading)


def ellipse_outline(rectangle: npt.ArrayLike, corners: int = 72) -> npt.NDArray[np.float64]:
    """Points of the ellipse in a rectangle, shape (corners, 3), in the rectangle's own unit.

    Parameters
    ----------
    rectangle : array_like, shape (4, 3)
        Its four corners, in order.
    """
    points = np.asarray(rectangle, dtype=np.float64)
    middle = points.mean(axis=0)
    across, along = (points[1] - points[0]) / 2, (points[3] - points[0]) / 2
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return middle + np.outer(np.cos(angle), across) + np.outer(np.sin(angle), along)


def measure_unit(annotation: Annotation, *, calibrated: bool = True) -> str:
    """Unit of a length or area: millimetres, or pixels where the study has no spacing."""
    unit = "mm" if calibrated else "px"
    if annotation.length_mm is not None:
        return unit
    return "" if annotation.area_mm2 is None else f"{unit}²"


def measure_text(annotation: Annotation, *, calibrated: bool = True) -> str:
    """Length or area for a person (``"12.4 mm"``, ``"83 mm²"``); empty where there is none."""
    unit = measure_unit(annotation, calibrated=calibrated)
    if (length := annotation.length_mm) is not None:
        return f"{length:.1f} {unit}"
    if (area := annotation.area_mm2) is not None:
        return f"{area:.1f} {unit}" if area < 100 else f"{area:.0f} {unit}"
    return ""


def _polygon_area(corners: npt.NDArray[np.float64]) -> float:
    """Area of a flat polygon in space: half the length of the sum of the corners' products."""
    about = corners - corners.mean(axis=0)
    crossed = np.cross(about, np.roll(about, -1, axis=0)).sum(axis=0)
    return float(np.linalg.norm(crossed) / 2)
