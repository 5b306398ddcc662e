"""Which output channels of a network a name means: a class, or a union such as WT, TC or ET.

Networks tell classes apart in two ways. Exclusive classes (a softmax; the card names 0) have the
regions of the BraTS tables as unions: whole tumour WT = oedema + necrosis + enhancing, tumour core
TC = necrosis + enhancing, ET = enhancing. Others have a channel for a region itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import StudyError
from ..networks.bundle.model_card import ModelCard
from ..volumes.labels.tumour import (
    BRATS_LABELS,
    REGION_PARTS,
    WHOLE_TUMOUR,
    exclusive_part,
    exclusive_parts,
    part_of_name,
)

#: Parts of a nested region.
UNIONS: dict[str, frozenset[str]] = {name: exclusive_parts(name) for name in REGION_PARTS}

#: What BraTS numbers mean; 2023 and later number the enhancing tumour 3.
_BRATS_LABELS = {str(value): part for value, part in BRATS_LABELS.items()}


def class_channels(card: ModelCard, name: str) -> tuple[int, ...]:
    """Output channels that ``name`` means.

    Parameters
    ----------
    name : str
        A class's name or label value, or WT, TC, ET; in this order, letter case aside. WT is also
        all that is not background where the classes' names do not tell more. Else another word for
        one of the classes, as ``edema`` or ``ED`` for ``oedema``.

    Returns
    -------
    tuple of int
        One channel, or those of a union.

    Raises
    ------
    StudyError
        The model has no such class; the message lists those there are.
    """
    classes = [(str(label), str(title)) for label, title in card.classes.items()]
    wanted = name.strip().casefold()
    for place in (1, 0):  # by name, then by label value
        for channel, entry in enumerate(classes):
            if entry[place].casefold() == wanted:
                return (channel,)
    region = name.strip().upper()
    # Parts of a tumour are of segmentations: a classifier's classes are kinds of pictures.
    parts = region in UNIONS and card.task != "classification"
    found = _region_channels(classes, region) if parts else ()
    if not found and region not in UNIONS and (part := part_of_name(name)):
        same = tuple(i for i, (_, title) in enumerate(classes) if part_of_name(title) == part)
        found = same if len(same) == 1 else ()
    if not found:
        raise StudyError(
            f"the model has no class {name!r}", where=card.name, remedy=_choices(card, classes)
        )
    return found


def has_class(card: ModelCard, name: str) -> bool:
    """Whether `class_channels` knows ``name``."""
    try:
        class_channels(card, name)
    except StudyError:
        return False
    return True


def predicted_region(
    card: ModelCard, labels: npt.NDArray[np.integer], name: str
) -> npt.NDArray[np.bool_] | None:
    """Voxels of a region in a model's label map; None where it does not tell the region apart."""
    try:
        channels = class_channels(card, name)
    except StudyError:
        return None
    values = [int(value) for value in card.classes]
    return np.isin(labels, [values[channel] for channel in channels])


def _region_channels(classes: list[tuple[str, str]], region: str) -> tuple[int, ...]:
    parts = [_part(title) for _, title in classes]
    if region in parts:  # a channel for the region itself
        return (parts.index(region),)
    foreground = [i for i, (label, _) in enumerate(classes) if label != "0"]
    if not any(parts[i] in UNIONS[WHOLE_TUMOUR] for i in foreground):
        labels = {classes[i][0] for i in foreground}
        if {"1", "2"} <= labels <= set(_BRATS_LABELS) and labels & {"3", "4"}:
            parts = [_BRATS_LABELS.get(label, "") for label, _ in classes]
    found = tuple(i for i in foreground if parts[i] in UNIONS[region])
    whole = {parts[i] for i in found} == UNIONS[region]
    if region == WHOLE_TUMOUR and not whole:
        return tuple(foreground)
    return found if whole else ()


def _part(title: str) -> str:
    """Of the three exclusive parts; what does not enhance is one with the necrosis."""
    return exclusive_part(part_of_name(title))


def _choices(card: ModelCard, classes: list[tuple[str, str]]) -> str:
    if not classes:
        return "It has no classes at all; choose a model that tells classes apart"
    listed = ", ".join(f"{title} ({label})" for label, title in classes)
    unions = [region for region in UNIONS if _region_channels(classes, region)]
    return f"It has {listed}" + (f"; regions {', '.join(unions)}" if unions else "")
