"""What a model says of itself. Readable without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Annotated, Any

from ...arguments import Kinds, check_kind, is_number, is_whole, shown
from ...errors import ModelError, ParameterError
from ...files.plain_data import AtMost
from ...volumes.intensity.normalisation import Normalisation
from ..running.axis_order import DISPLAY, AxisOrder


@dataclass(frozen=True)
class Inputs:
    """What a model wants to be fed.

    Attributes
    ----------
    roles : tuple of str
        Study roles, in channel order (``("flair",)``).
    normalisation : Normalisation
        How intensities become its input (`volumes.normalisation`); may be given by its name alone.
    spacing_mm : float
        In-plane pixel size the network was trained at.
    axes_spacing_mm : tuple of float, optional
        Where the sizes differ: of its voxels along the three axes of ``orientation``. A network
        that takes slices is fed them as they lie, at the two sizes in their plane.
    orientation : str
        Order and direction of the axes in which it takes a scan (`networks.axis_order`), as
        ``"RAS"`` or ``"LPS"``; empty is the display order ``"SPL"``. Slices are the axial ones.
    multiple : int
        Of a model from elsewhere: its sides are padded to multiples of this, and what it gives is
        cropped again.
    padding : {"end", "symmetric"}
        Where that padding goes.
    size : int
        In-plane size it was trained at; others are padded, never refused.
    scaled : bool
        Slices are scaled until their larger side has ``size`` pixels, whatever they say of
        millimetres: so a classifier of pictures without any was trained.
    spatial_dims : int
        2 (slices) or 3 (volumes).
    mask : {"brain", "non-zero", "none"}
        Where the network is fed the scan, and where its classes mean anything: in the brain, in
        the voxels that are not background (as nnU-Net and MONAI take it), or everywhere. A card
        that does not say so is one of a brain network, unless its input is taken as it is given
        (``"unit"``, ``"none"``) or by a fixed ``"window"``, which nothing was ever cut from.
    """

    roles: Annotated[tuple[Annotated[str, AtMost(100)], ...], AtMost(64)]
    normalisation: str | Normalisation
    spacing_mm: float
    size: int
    spatial_dims: int = 2
    mask: str = ""
    axes_spacing_mm: tuple[float, float, float] | None = None
    orientation: str = ""
    multiple: int = 1
    padding: str = "end"
    scaled: bool = False

    def __post_init__(self) -> None:
        _check_kinds(self, _INPUTS)
        way = Normalisation.of(self.normalisation)
        object.__setattr__(self, "normalisation", way)
        if self.mask == "":  # of an old card
            everywhere = way.name in ("unit", "none", "window")
            object.__setattr__(self, "mask", "none" if everywhere else "brain")

    @property
    def axis_order(self) -> AxisOrder:
        """The axes as the network takes them."""
        return AxisOrder(self.orientation or DISPLAY)

    @property
    def display_spacing(self) -> tuple[float, float, float]:
        """Size of its voxels along (S, P, L) in mm; of slices the first means nothing."""
        if self.axes_spacing_mm is None:
            return self.spacing_mm, self.spacing_mm, self.spacing_mm
        by_axis = dict(zip(self.axis_order.axes, self.axes_spacing_mm, strict=True))
        return by_axis[0], by_axis[1], by_axis[2]

    @property
    def way(self) -> Normalisation:
        """The normalisation, as a record of its own."""
        return Normalisation.of(self.normalisation)


def _is_names(value: object) -> bool:
    return isinstance(value, tuple | list) and all(isinstance(item, str) for item in value)


def _is_sizes(value: object) -> bool:
    sizes = isinstance(value, tuple | list) and len(value) == 3 and all(map(is_number, value))
    return value is None or sizes


def _is_classes(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        (isinstance(label, str) or is_whole(label)) and isinstance(name, str)
        for label, name in value.items()
    )


_TEXT: tuple[Kinds, str] = (str, "a text")
_MAPPING: tuple[Kinds, str] = (Mapping, "an object")

#: What a field may be, whatever else it must be for a network, and that in words.
_INPUTS: dict[str, tuple[Kinds, str]] = {
    "roles": (_is_names, "a list of study roles, as ('flair',)"),
    "spacing_mm": (is_number, "a number of millimetres"),
    "size": (is_number, "a whole number of pixels"),
    "spatial_dims": (is_whole, "2 or 3"),
    "mask": _TEXT,
    "axes_spacing_mm": (_is_sizes, "three numbers of millimetres"),
    "orientation": _TEXT,
    "multiple": (is_whole, "a whole number"),
    "padding": _TEXT,
    "scaled": (bool, "true or false"),
}


def _check_kinds(record: Inputs | ModelCard, wanted: Mapping[str, tuple[Kinds, str]]) -> None:
    """Refuse fields of another type, where a card is made and not where a network stumbles.

    Raises
    ------
    ModelError
        Names the field and what it may be.
    """
    for name, (kinds, words) in wanted.items():
        try:
            check_kind(getattr(record, name), kinds, name, words)
        except ParameterError as error:
            field = f"inputs.{name}" if isinstance(record, Inputs) else name
            raise ModelError(
                f"the card's field {field!r} must be {words}, and is "
                f"{shown(getattr(record, name))}",
                where=getattr(record, "name", None) if name != "name" else None,
                remedy="Correct the card",
            ) from error


#: Fields that cards of before do not have.
_LATER = ("axes_spacing_mm", "orientation", "multiple", "padding", "scaled")


@dataclass(frozen=True)
class ModelCard:
    """The card of a bundle: ``card.json`` beside ``weights.safetensors``.

    Attributes
    ----------
    name : str
        Bundle name (``"sum-rec"``).
    title : str
        For a person (``"SUM_Rec"``).
    architecture : str
        Registered architecture (``"sum"``, ``"unet"``).
    arguments : mapping
        Its constructor's arguments.
    task : str
        ``"segmentation"``, ``"classification"`` or ``"denoising"``.
    inputs : Inputs
        What it is fed.
    classes : mapping of label value (as str, for JSON) to name
        What it tells apart.
    training : mapping
        Data, their licence, recipe, seed, slices seen.
    metrics : mapping
        Scores measured, with the data they were measured on.
    weights_sha256 : str
        Checksum of ``weights.safetensors``.
    licence : str
        Licence of the weights.
    version : str
        Version of the bundle.
    notes : tuple of str
        Limits a person must know.
    """

    name: str
    title: str
    architecture: str
    arguments: Mapping[str, Any]
    task: str
    inputs: Inputs
    classes: Annotated[Mapping[str, str], AtMost(65_536)]
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    weights_sha256: str = ""
    licence: str = "BSD-3-Clause"
    version: str = "1"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_kinds(self, _CARD)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        values = asdict(self)
        inputs = values["inputs"]
        inputs["normalisation"] = self.inputs.way.plain
        # What an older version does not know stands in a card only where it says something.
        for known in fields(Inputs):
            if known.name in _LATER and inputs[known.name] == known.default:
                del inputs[known.name]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ModelCard:
        """Inverse of `to_json`."""
        fields = dict(values)
        given = dict(fields.pop("inputs"))
        given["roles"] = tuple(given["roles"])
        if given.get("axes_spacing_mm") is not None:
            given["axes_spacing_mm"] = tuple(given["axes_spacing_mm"])
        given["normalisation"] = Normalisation.of(given["normalisation"])
        fields["notes"] = tuple(fields.get("notes", ()))
        return cls(inputs=Inputs(**given), **fields)


_CARD: dict[str, tuple[Kinds, str]] = {
    **dict.fromkeys(("name", "title", "architecture", "task"), _TEXT),
    "arguments": _MAPPING,
    "inputs": (Inputs, "an Inputs: what the network is fed"),
    "classes": (_is_classes, "an object from label values to names, as {'1': 'lesion'}"),
    "training": _MAPPING,
    "metrics": _MAPPING,
    **dict.fromkeys(("weights_sha256", "licence", "version"), _TEXT),
    "notes": (_is_names, "a list of texts"),
}


def in_unit_range(card: ModelCard) -> bool:
    """Whether what a model is fed lies in (0, 1)."""
    return card.inputs.way.bounded
