"""What a model says of itself. Readable without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from ...files.plain_data import AtMost


@dataclass(frozen=True)
class Inputs:
    """What a model wants to be fed.

    Attributes
    ----------
    roles : tuple of str
        Study roles, in channel order (``("flair",)``).
    normalisation : str
        ``"brain-range"``: lo = 0.2 % quantile over the brain, hi = lo + 3 (median - lo),
        clipped to (0, 1), per volume. ``"z-score"``: mean 0 and standard deviation 1 over the
        voxels that are fed (see ``mask``), per volume, not clipped; 0 elsewhere. ``"unit"``: given
        in (0, 1) already. ``"none"``: fed as they are.
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
        (``"unit"``, ``"none"``), which nothing was ever cut from.
    """

    roles: Annotated[tuple[Annotated[str, AtMost(100)], ...], AtMost(64)]
    normalisation: str
    spacing_mm: float
    size: int
    spatial_dims: int = 2
    mask: str = ""

    def __post_init__(self) -> None:
        if self.mask == "":  # of an old card
            object.__setattr__(
                self, "mask", "none" if self.normalisation in ("unit", "none") else "brain"
            )


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
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ModelCard:
        """Inverse of `to_json`."""
        fields = dict(values)
        given = dict(fields.pop("inputs"))
        given["roles"] = tuple(given["roles"])
        fields["notes"] = tuple(fields.get("notes", ()))
        return cls(inputs=Inputs(**given), **fields)


def in_unit_range(card: ModelCard) -> bool:
    """Whether what a model is fed lies in (0, 1)."""
    return card.inputs.normalisation in ("brain-range", "unit")
