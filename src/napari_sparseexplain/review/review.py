"""The review: what is looked at, how, and what was marked. Plain data, one to one with a viewer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from ..evidence.provenance import package_versions
from ..files.plain_data import Ascending, AtMost, Between, Matches
from ..volumes.edge_letters import Plane
from .annotation import MOST_SLICES, Annotation, Colour, Leading

Convention = Literal["radiological", "neurological"]
Interpolation = Literal["nearest", "linear"]
MaskDrawing = Literal["fill", "outline", "both"]
Scope = Literal["slice", "volume", "shared", "set"]
#: What a share of a heat map is a share of.
ShareOf = Literal["all", "head"]
Blend = Literal["flat", "heat", "additive"]

#: Where a layer's array is: in a study (its role), or in an explanation (its map).
Shelf = Literal["study", "explanation"]

#: What these numbers can be at all; a file that says otherwise is refused (`plain_data`).
Limits = Annotated[tuple[float, float], Ascending()]
Part = Annotated[float, Between(0, 1)]
Gamma = Annotated[float, Between(1e-3, 1e3)]
LineWidth = Annotated[float, Between(0.5, 20)]
Pixels = Annotated[int, Between(1, 1_000_000)]
Millimetres = Annotated[float, Between(-1e9, 1e9)]
Name = Annotated[str, AtMost(2_000)]

#: Between the names of maps that are added to each other.
_JOIN = " + "


def joined_maps(*names: str) -> str:
    """Name of the sum of maps, as `Overlay.name` holds it."""
    return _JOIN.join(names)


@dataclass(frozen=True)
class Camera:
    """Which part of a slice is seen.

    Attributes
    ----------
    zoom : float or None
        Screen pixels per millimetre, as napari's ``camera.zoom``; None fits the whole slice.
    centre : pair of float or None
        What lies in the middle, in millimetres along the plane's rows and columns from the middle
        of voxel 0, as napari's ``camera.center``; None: the middle of the slice.
    canvas : pair of int or None
        Height and width in pixels of the cell on the screen. A picture of another size shows all
        that was seen there. Needed with ``zoom``.
    """

    zoom: Annotated[float | None, Between(1e-9, 1e9)] = None
    centre: tuple[Millimetres, Millimetres] | None = None
    canvas: tuple[Pixels, Pixels] | None = None

    def __post_init__(self) -> None:
        if self.zoom is not None and (self.zoom <= 0 or self.canvas is None):
            raise ValueError("a zoom is above 0 and needs the canvas that it was seen on")


@dataclass(frozen=True)
class ScanLayer:
    """A scan in grey under a panel's overlays.

    Attributes
    ----------
    study, role : str
        Key of the study, role in it.
    window : pair of float
        Values shown as black and as white.
    leading : tuple of int
        Points along the leading axes (time, direction), where there are any.
    interpolation : {"nearest", "linear"}
        napari's ``interpolation2d``.
    gamma : float
        Exponent on the windowed values, as napari's.
    """

    study: str
    role: str
    window: Limits
    leading: Leading = ()
    interpolation: Interpolation = "nearest"
    gamma: Gamma = 1.0

    @property
    def level(self) -> float:
        """Middle of the window."""
        return (self.window[0] + self.window[1]) / 2

    @property
    def width(self) -> float:
        """Width of the window."""
        return self.window[1] - self.window[0]


@dataclass(frozen=True)
class Overlay:
    """A map or label map over a scan, or alone in its panel.

    Attributes
    ----------
    shelf, key, name : str
        ``"study"``, the study's key and a role; or ``"explanation"``, its key and a map. Maps
        that are added to each other are joined by ``" + "`` (`joined_maps`).
    title : str
        For a person.
    colormap : str
        A name of `export/pictures/colour_scale.py`; ignored by label maps.
    limits : pair of float
        Values at the two ends of the colour bar; ignored by label maps.
    scope : {"slice", "volume", "shared", "set"}
        What the limits were taken over; ``"shared"``: the same in several panels; ``"set"``: a
        person chose them.
    signed : bool
        Zero is a meaningful middle.
    opacity : float
        In [0, 1].
    threshold : float or None
        What is lower is not drawn; for a signed map, what is nearer to zero.
    share, least : float
        Which part of a heat map is drawn: its highest share, in (0, 1], and what has at least so
        much of its largest magnitude; as `evidence.heat_threshold.explained_part`.
    share_of : {"all", "head"}
        Whether the share is of all voxels or of the head (`volumes.head_mask`).
    blend : {"flat", "heat", "additive"}
        How it lies on what is below: with its opacity everywhere; the fainter the value, the more
        of what is below is seen; or added to it.
    colours : mapping of label value to ``"#RRGGBB"``
        For label maps.
    classes : mapping of label value to name
        For label maps.
    unit : str
        Of the values.
    leading : tuple of int
        Points along the leading axes.
    interpolation : {"nearest", "linear"}
    drawn : {"fill", "outline", "both"}
        For label maps. A line about a map of the study is solid, about another one dashed.
    line_width : float
        Of an outline, in pixels of a picture with small text.
    """

    shelf: Shelf
    key: str
    name: str
    title: Name = ""
    colormap: Name = "gray"
    limits: Limits = (0.0, 1.0)
    scope: Scope = "volume"
    signed: bool = False
    opacity: Part = 1.0
    threshold: float | None = None
    share: Part = 1.0
    least: Part = 0.0
    share_of: ShareOf = "all"
    blend: Blend = "flat"
    gamma: Gamma = 1.0
    colours: Annotated[Mapping[int, Colour], AtMost(65_536)] = field(default_factory=dict)
    classes: Annotated[Mapping[int, Name], AtMost(65_536)] = field(default_factory=dict)
    unit: Name = ""
    leading: Leading = ()
    interpolation: Interpolation = "nearest"
    drawn: MaskDrawing = "fill"
    line_width: LineWidth = 1.5

    def __post_init__(self) -> None:
        if not (0 < self.share <= 1 and 0 <= self.least <= 1):
            raise ValueError("a share lies in (0, 1] and a least part in [0, 1]")

    @property
    def is_label(self) -> bool:
        """Whether it is drawn with a colour for each value."""
        return bool(self.colours)

    @property
    def map_names(self) -> tuple[str, ...]:
        """The maps that are added to each other; of most overlays one."""
        return tuple(self.name.split(_JOIN))


@dataclass(frozen=True)
class Panel:
    """One view: a slice of a study, its scan and what lies over it, bottom first.

    Attributes
    ----------
    study : str
        Key of the study whose grid is sliced.
    plane, index : str, int
        Which slice.
    scan : ScanLayer or None
        None: the overlays stand alone.
    overlays : tuple of Overlay
    camera : Camera
    title : str
        Instead of the scan's name.
    """

    study: str
    plane: Plane
    index: Annotated[int, Between(0, MOST_SLICES)]
    scan: ScanLayer | None = None
    overlays: Annotated[tuple[Overlay, ...], AtMost(256)] = ()
    camera: Camera = Camera()
    title: Name = ""

    def at(self, index: int) -> Panel:
        """The same panel on another slice."""
        return replace(self, index=index)


@dataclass(frozen=True)
class KeySlice:
    """A slice that a person marked, with what they wrote.

    Attributes
    ----------
    study, plane, index
        Which slice.
    note : str
    leading : tuple of int
        Its frame: points along the study's leading axes (time, direction). Empty: of every frame.
    """

    study: str
    plane: Plane
    index: Annotated[int, Between(0, MOST_SLICES)]
    note: str = ""
    leading: Leading = ()


@dataclass(frozen=True)
class VolumeReference:
    """One volume of a study: its file (within the study's folder), or its locator, and checksum."""

    file: Annotated[str, AtMost(4_096)]
    sha256: Annotated[str, Matches("[0-9a-f]{64}", "a checksum of 64 hexadecimal digits")]


@dataclass(frozen=True)
class StudyReference:
    """A study by where it lay and by what was in it.

    Attributes
    ----------
    path : str
        File or folder, absolute.
    name : str
        Title.
    reference : str
        Role whose grid is the study's.
    patient_axes : bool
        Whether it was resampled to the patient's axes.
    volumes : mapping of role to VolumeReference
    apply_transforms : bool
        Whether scans were moved by the transforms that lie beside them.
    """

    path: Annotated[str, AtMost(4_096)]
    name: Name
    reference: Name
    patient_axes: bool
    volumes: Annotated[Mapping[str, VolumeReference], AtMost(10_000)]
    apply_transforms: bool = False


@dataclass(frozen=True)
class ExplanationReference:
    """An explanation by how it was made, and where its arrays are.

    Attributes
    ----------
    study : str
        Key of the study explained.
    method, target : str
    provenance : mapping
        As `Provenance.to_json`: enough to run it again.
    folder, entry : str
        Where `load_explanation` finds its arrays; a relative folder lies in the review. One that
        does not is only read where a person allows it. Empty: nowhere; it must be run again.
    """

    study: str
    method: Name
    target: str
    provenance: Mapping[str, Any]
    folder: Annotated[str, AtMost(4_096)] = ""
    entry: Name = ""


@dataclass(frozen=True)
class Review:
    """All of one reading. Frozen: a change gives a new review.

    Attributes
    ----------
    studies, explanations : mapping by key
    panels : tuple of Panel
        Row by row.
    columns : int
        Panels in a row; 0: as many as make them largest.
    convention : {"radiological", "neurological"}
        Patient's left on the picture's right, or the other way.
    annotations : tuple of Annotation
    key_slices : tuple of KeySlice
    probe : point or None
        The clicked place in RAS+ millimetres, also the crosshair of linked views.
    crosshair : bool
        Whether a cross is drawn at the probe.
    code : str
        What the study is called on pictures; empty: a code from its checksums.
    versions : mapping
        Packages that it was saved with.
    """

    studies: Annotated[Mapping[Name, StudyReference], AtMost(1_000)]
    panels: Annotated[tuple[Panel, ...], AtMost(1_024)]
    explanations: Annotated[Mapping[Name, ExplanationReference], AtMost(10_000)] = field(
        default_factory=dict
    )
    columns: Annotated[int, Between(0, 1_024)] = 0
    convention: Convention = "radiological"
    annotations: tuple[Annotation, ...] = ()
    key_slices: tuple[KeySlice, ...] = ()
    probe: tuple[Millimetres, Millimetres, Millimetres] | None = None
    crosshair: bool = False
    code: Name = ""
    versions: Mapping[str, str] = field(default_factory=package_versions)

    def at(self, key: KeySlice) -> Review:
        """The same review on a key slice.

        Panels of that study and plane go to it. When none has the plane, as in a review of axial
        views with a coronal key slice, all panels of the study turn to it, seen whole.
        """
        here = [p for p in self.panels if (p.study, p.plane) == (key.study, key.plane)]
        if here:
            panels = (p.at(key.index) if p in here else p for p in self.panels)
        else:
            panels = (
                replace(p, plane=key.plane, index=key.index, camera=Camera())
                if p.study == key.study
                else p
                for p in self.panels
            )
        return replace(self, panels=tuple(panels))
