"""What a model says of itself. Readable without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from ...files.plain_data import AtMost
from ...volumes.intensity.normalisation import Normalisation


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
    size : int
        In-plane size it was trained at; others are padded, never refused.
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

    def __post_init__(self) -> None:
        way = Normalisation.of(self.normalisation)
        object.__setattr__(self, "normalisation", way)
        if self.mask == "":  # of an old card
            everywhere = way.name in ("unit", "none", "window")
            object.__setattr__(self, "mask", "none" if everywhere else "brain")

    @property
    def way(self) -> Normalisation:
        """The normalisation, as a record of its own."""
        return Normalisation.of(self.normalisation)


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

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        values = asdict(self)
        values["inputs"]["normalisation"] = self.inputs.way.plain
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ModelCard:
        """Inverse of `to_json`."""
        fields = dict(values)
        given = dict(fields.pop("inputs"))
        given["roles"] = tuple(given["roles"])
        given["normalisation"] = Normalisation.of(given["normalisation"])
        fields["notes"] = tuple(fields.get("notes", ()))
        return cls(inputs=Inputs(**given), **fields)


def in_unit_range(card: ModelCard) -> bool:
    """Whether what a model is fed lies in (0, 1)."""
    return card.inputs.way.bounded
