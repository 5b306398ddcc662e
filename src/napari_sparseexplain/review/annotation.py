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

AnnotationKind = Literal[
    "arrow", "text", "distance", "polygon", "ellipse", "angle", "cobb", "bidirectional"
]

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
    "angle": (3, 3),
    "cobb": (4, 4),
    "bidirectional": (4, 4),
}


#: Kinds that enclose voxels.
CLOSED: frozenset[AnnotationKind] = frozenset({"polygon", "ellipse"})


@dataclass(frozen=True)
class Annotation:
    """One mark on one slice of one study.

    Attributes
    ----------
    kind : str
        ``"arrow"``: tail and head. ``"text"``: where it begins. ``"distance"``: two ends.
        ``"polygon"``: its corners, closed by itself. ``"ellipse"``: the four corners of the
        rectangle about it, in order. ``"angle"``: end of one leg, the apex, end of the other.
        ``"cobb"``: two ends of one line, two of the other. ``"bidirectional"``: two ends of the
        long axis, two of the short one at right angles to it.
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
    colour: Colour = "#FFFFFF"
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

    @property
    def angle_degrees(self) -> float | None:
        """Of an angle the one at its apex, in [0, 180]; of a Cobb angle the smaller one between
        its lines, in [0, 90], however they were drawn; None for what has none.
        """
        if self.kind not in ("angle", "cobb"):
            return None
        points = np.asarray(self.points, dtype=np.float64)
        if self.kind == "angle":
            return _angle_between(points[0] - points[1], points[2] - points[1])
        found = _angle_between(points[1] - points[0], points[3] - points[2])
        return min(found, 180.0 - found)

    @property
    def axes_mm(self) -> tuple[float, float] | None:
        """Lengths of both lines of a bidirectional mark, the longer first; None for others."""
        if self.kind != "bidirectional":
            return None
        points = np.asarray(self.points, dtype=np.float64)
        first, second = (float(np.linalg.norm(points[i + 1] - points[i])) for i in (0, 2))
        return max(first, second), min(first, second)

    @property
    def closed(self) -> bool:
        """Whether it encloses voxels."""
        return self.kind in CLOSED

    def outline(self, corners: int = 72) -> npt.NDArray[np.float64]:
        """Points of the drawn line, shape (n, 3), in RAS+ millimetres."""
        points = np.asarray(self.points, dtype=np.float64)
        if self.kind == "ellipse":
            return ellipse_outline(points, corners)
        return drawn_line(self.kind, points)

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


def drawn_line(kind: AnnotationKind, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """One line that draws all of a mark, shape (m, n): it goes back where it has to.

    Between the two lines of a Cobb angle it runs from middle to middle, of a bidirectional mark it
    goes back to the crossing.

    Parameters
    ----------
    points : array_like, shape (k, n)
        Those that a mark of this kind keeps, in any straight coordinates.
    """
    found = np.asarray(points, dtype=np.float64)
    if kind == "cobb":
        middles = found.reshape(2, 2, -1).mean(axis=1)
        return np.concatenate([found[:2], middles, found[2:]])
    if kind == "bidirectional":
        along = found[1] - found[0]
        share = (found[2:].mean(axis=0) - found[0]) @ along / max(float(along @ along), 1e-12)
        # Where the short line crosses; at its foot where it lies beside the long one.
        crossing = found[0] + np.clip(share, 0, 1) * along
        return np.concatenate([found[:2], [crossing], found[2:]])
    return found


def points_of_line(kind: AnnotationKind, line: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The points that a mark keeps of its `drawn_line`."""
    found = np.asarray(line, dtype=np.float64)
    if kind == "cobb" and len(found) == 6:
        return found[[0, 1, 4, 5]]
    if kind == "bidirectional" and len(found) == 5:
        return found[[0, 1, 3, 4]]
    return found.copy()


def perpendicular_axes(points: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The two lines of a bidirectional mark with the second at right angles to the first.

    Parameters
    ----------
    points : array_like, shape (4, 3)
        In millimetres, on a flat slice.
    """
    found = np.asarray(points, dtype=np.float64)
    start, along = found[0], found[1] - found[0]
    length = float(np.linalg.norm(along))
    if length < 1e-9:
        return found
    along = along / length
    shares = (found[2:] - start) @ along
    foot = start + np.clip(shares.mean(), 0.0, length) * along
    off = found[2:] - start - shares[:, None] * along
    return np.stack([found[0], found[1], foot + off[0], foot + off[1]])


def measure_unit(annotation: Annotation, *, calibrated: bool = True) -> str:
    """Unit of a length or area: millimetres, or pixels where the study has no spacing."""
    unit = "mm" if calibrated else "px"
    if annotation.length_mm is not None or annotation.axes_mm is not None:
        return unit
    if annotation.angle_degrees is not None:
        return "°"
    return "" if annotation.area_mm2 is None else f"{unit}²"


def measure_text(annotation: Annotation, *, calibrated: bool = True) -> str:
    """Length, area or angle for a person (``"12.4 mm"``, ``"83 mm²"``); empty without one."""
    unit = measure_unit(annotation, calibrated=calibrated)
    if (length := annotation.length_mm) is not None:
        return f"{length:.1f} {unit}"
    if (axes := annotation.axes_mm) is not None:
        return f"{axes[0]:.1f} × {axes[1]:.1f} {unit}"
    if (angle := annotation.angle_degrees) is not None:
        return f"{angle:.1f}°"
    if (area := annotation.area_mm2) is not None:
        return f"{area:.1f} {unit}" if area < 100 else f"{area:.0f} {unit}"
    return ""


def _angle_between(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    """Degrees in [0, 180]; by both sine and cosine, exact also for small angles."""
    sine = float(np.linalg.norm(np.cross(first, second)))
    return float(np.degrees(np.arctan2(sine, float(first @ second))))


def _polygon_area(corners: npt.NDArray[np.float64]) -> float:
    """Area of a flat polygon in space: half the length of the sum of the corners' products."""
    about = corners - corners.mean(axis=0)
    crossed = np.cross(about, np.roll(about, -1, axis=0)).sum(axis=0)
    return float(np.linalg.norm(crossed) / 2)
