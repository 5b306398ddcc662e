"""``card.json`` of a bundle: read with every field checked, written whole or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from ...errors import ModelError
from ...files.atomic_write import write_atomically
from ...files.json_file import read_json
from ...files.plain_data import from_plain
from ..running.axis_order import ORIENTATIONS
from .model_card import Inputs, ModelCard
from .padding_words import LARGEST_MULTIPLE, PADDINGS

CARD_FILE = "card.json"
WEIGHTS_FILE = "weights.safetensors"

TASKS = ("segmentation", "classification", "denoising")
MASKS = ("none", "brain", "non-zero")

#: Scans that a model may take at once.
MOST_ROLES = 64

_SHA256 = re.compile(r"[0-9a-f]{64}")
_REMEDY = "Get the bundle again, or correct its card.json"


def read_card(folder: Path) -> ModelCard:
    """The card of a bundle folder.

    Raises
    ------
    ModelError
        No folder, no card, not JSON, a field missing, unknown or of a wrong kind.
    """
    path = folder / CARD_FILE
    if not folder.is_dir():
        raise ModelError(
            "there is no such model bundle",
            where=folder,
            remedy="Give a bundled name (see: sparseexplain models) or a folder with card.json",
        )
    if not path.is_file():
        raise ModelError(
            "the folder holds no card.json, so it is not a model bundle",
            where=folder,
            remedy="A bundle is a folder with card.json and weights.safetensors",
        )
    values = read_json(path, problem="the card cannot be read", remedy=_REMEDY, kind=ModelError)
    card = card_from_values(values, path)
    check_card(card, path)
    return card


def card_from_values(values: Any, path: Path) -> ModelCard:
    """A card from JSON values; what they are worth is for `check_card` to say.

    Raises
    ------
    ModelError
        Not an object, or a field is missing, unknown or of a wrong kind.
    """
    if not isinstance(values, dict):
        raise ModelError("the card is not a JSON object", where=path, remedy=_REMEDY)
    _check_fields(values, ModelCard, path, "")
    _check_fields(values["inputs"], Inputs, path, "inputs.")
    return from_plain(ModelCard, values, str(path), remedy=_REMEDY, error=ModelError)


def read_external_card(path: Path, kind: str = "") -> ModelCard:
    """A card written by hand for a model from elsewhere; title and architecture may be left out.

    Raises
    ------
    ModelError
        It cannot be read, a field is missing or unknown.
    """
    values = read_json(
        path,
        problem="the card cannot be read",
        remedy="A card is a JSON file with name, task, inputs and classes",
        kind=ModelError,
    )
    if isinstance(values, dict):
        filled = {"architecture": kind or "torchscript", "arguments": {}}
        values = {"title": values.get("name", ""), **filled, **values}
    return card_from_values(values, path)


def _check_fields(values: Any, kind: type, path: Path, prefix: str) -> None:
    """Refuse missing and unknown fields, naming them."""
    if not isinstance(values, dict):
        raise ModelError(
            f"the card's field {prefix.rstrip('.')!r} is not an object", where=path, remedy=_REMEDY
        )
    known = fields(kind)
    needed = {f.name for f in known if f.default is MISSING and f.default_factory is MISSING}
    if missing := sorted(needed - set(values)):
        names = ", ".join(prefix + name for name in missing)
        raise ModelError(f"the card lacks {names}", where=path, remedy=_REMEDY)
    if unknown := sorted(set(values) - {f.name for f in known}):
        names = ", ".join((prefix + name)[:60] for name in unknown[:5])
        names += f" and {len(unknown) - 5:,} more" if len(unknown) > 5 else ""
        raise ModelError(f"the card has unknown fields: {names}", where=path, remedy=_REMEDY)


def check_card(card: ModelCard, where: Path | str) -> None:
    """Refuse values that no model can have.

    Raises
    ------
    ModelError
        Names the field and what it may be.
    """

    def refuse(field: str, wanted: str) -> ModelError:
        return ModelError(
            f"the card's field {field!r} must be {wanted}", where=where, remedy=_REMEDY
        )

    def number(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6

    for field in ("name", "title", "architecture"):
        value = getattr(card, field)
        if not isinstance(value, str) or not value:
            raise refuse(field, "a text")
    if card.task not in TASKS:
        raise refuse("task", "one of " + ", ".join(TASKS))
    for field in ("arguments", "classes", "training", "metrics"):
        if not isinstance(getattr(card, field), Mapping):
            raise refuse(field, "an object")
    if not all(str(key).isdigit() for key in card.classes):
        raise refuse("classes", "an object from label values (whole numbers as text) to names")
    if not all(isinstance(name, str) and name for name in card.classes.values()):
        raise refuse("classes", "an object from label values to names, each a text")
    if not isinstance(card.weights_sha256, str) or not _SHA256.fullmatch(card.weights_sha256):
        raise refuse("weights_sha256", "the sha256 of weights.safetensors, 64 hexadecimal digits")
    inputs = card.inputs
    if not 0 < len(inputs.roles) <= MOST_ROLES or not all(
        isinstance(r, str) and r for r in inputs.roles
    ):
        raise refuse("inputs.roles", f"a list of 1 to {MOST_ROLES} study roles")
    if len(set(inputs.roles)) < len(inputs.roles):
        raise refuse("inputs.roles", "a list of roles, each of them once")
    if inputs.mask not in MASKS:
        raise refuse("inputs.mask", "one of " + ", ".join(MASKS))
    if not number(inputs.spacing_mm):
        raise refuse("inputs.spacing_mm", "a positive number of millimetres")
    if inputs.axes_spacing_mm is not None and not all(map(number, inputs.axes_spacing_mm)):
        raise refuse("inputs.axes_spacing_mm", "three positive numbers of millimetres")
    if inputs.orientation and inputs.orientation not in ORIENTATIONS:
        raise refuse("inputs.orientation", "three letters, one each of R or L, A or P, S or I")
    if type(inputs.multiple) is not int or not 1 <= inputs.multiple <= LARGEST_MULTIPLE:
        raise refuse("inputs.multiple", f"a whole number from 1 to {LARGEST_MULTIPLE}")
    if inputs.padding not in PADDINGS:
        raise refuse("inputs.padding", "one of " + ", ".join(PADDINGS))
    if not number(inputs.size) or inputs.size != int(inputs.size):
        raise refuse("inputs.size", "a positive whole number of pixels")
    if inputs.spatial_dims not in (2, 3):
        raise refuse("inputs.spatial_dims", "2 or 3")


def write_card(folder: Path, card: ModelCard) -> None:
    """Write ``card.json`` in one step: a reader sees the old card or the new one."""
    text = json.dumps(card.to_json(), indent=2, ensure_ascii=False) + "\n"
    write_atomically(folder / CARD_FILE, text, overwrite=True)
