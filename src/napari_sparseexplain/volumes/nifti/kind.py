"""What the voxels of a NIfTI file are: a scan or a mask, which axes come beyond space, which role.

The header's intent code says it where it is set [1]_; else the name and the folder, checked
against the voxels.

References
----------
.. [1] nifti1.h of the NIfTI Data Format Working Group: ``intent_code``, "INTERPRETATION OF VOXEL
   DATA".
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..finding import Finding
from ..labels.one_hot import from_one_hot
from ..labels.values import LabelReading, read_labels, read_labels_of_frames
from ..roles.decision import RoleDecision, role_of_name
from ..roles.roles import NameReading, read_name, stem_of
from ..roles.sequence_words import VECTORS
from ..volume import VolumeKind
from .gradient_names import tells_gradients
from .header import NiftiHeader

#: Labels with and without names of regions (NIFTI_INTENT_LABEL, NEURONAME).
_LABEL_INTENTS = (1002, 1003)

#: A vector or a matrix in each voxel (GENMATRIX to VECTOR, QUATERNION): the fifth axis.
_VECTOR_INTENTS = (1004, 1005, 1006, 1007, 1010)
_DISPLACEMENT = 1006

#: Colours along the fifth axis (RGB_VECTOR, RGBA_VECTOR), and how many there are.
_COLOUR_INTENTS = {2003: 3, 2004: 4}
_TIME_SERIES = 2001

#: Statistics from correlation to p-values (NIFTI_FIRST_STATCODE to LAST): maps, never masks.
_STATISTIC_INTENTS = range(2, 25)

#: Folders of a data set, in which a fourth axis holds channels and masks lie apart.
_MASK_FOLDER = re.compile(
    r"(?i)(labels?|masks?|segmentations?|segs?|gt|ground_?truth|annotations?)"
    r"[-_]?(tr|ts|val|test|train)?|gt_segmentations"
)
_CHANNEL_FOLDER = re.compile(r"(?i)images(tr|ts|val)")


@dataclass(frozen=True)
class NiftiKind:
    """What a file turned out to be.

    Attributes
    ----------
    role, kind, why : str
        As of a `Volume`.
    data : array
        In display order; whole numbers for a mask.
    leading : tuple of str
        Names of the leading axes that are left.
    colour : bool
    findings : tuple of Finding
    """

    role: str
    kind: VolumeKind
    data: Any
    leading: tuple[str, ...]
    colour: bool
    why: str
    findings: tuple[Finding, ...] = ()


def leading_names(file: NiftiHeader) -> tuple[str, ...]:
    """Names of the axes beyond space, in the order in which they come first in the data.

    The fourth axis is not always time: it holds channels in the folders of a data set and in
    masks, components where the header or the name says that there are vectors, and directions
    where gradients lie beside the file. The fifth axis holds components (nifti1.h).
    """
    lengths = [int(n) for n in file.header.get_data_shape()[3:]]
    further = [axis for axis, length in enumerate(lengths) if length > 1]
    if not further:
        return ()
    names = (_fourth_axis(file, lengths[0]), "component", "axis6", "axis7")
    return tuple(names[axis] for axis in reversed(further))


def _fourth_axis(file: NiftiHeader, length: int) -> str:
    folder, stem = file.path.parent, stem_of(file.path.name)
    intent = int(file.header["intent_code"])
    reading = read_name(file.path.name)
    if intent in _VECTOR_INTENTS or (reading.words.no_scan == VECTORS and length in (2, 3)):
        return "component"
    if tells_gradients(_names_in(folder), stem):
        return "direction"
    if intent == _TIME_SERIES:
        return "time"
    if _CHANNEL_FOLDER.fullmatch(folder.name) or reading.label == "yes":
        return "channel"
    return "channel" if _MASK_FOLDER.fullmatch(folder.name) else "time"


def _names_in(folder: Path) -> set[str]:
    """Names of a folder's files in small letters; none where it cannot be listed."""
    try:
        return {name.lower() for name in os.listdir(folder)}
    except OSError:
        return set()


def what_it_is(
    file: NiftiHeader,
    data: Any,
    leading: tuple[str, ...],
    details: Mapping[str, Any],
    *,
    frames: str = "",
) -> NiftiKind:
    """A scan or a mask, and its role.

    Parameters
    ----------
    file : NiftiHeader
    data : array
        Shape ``(*leading, S, P, L[, colour])``.
    leading : tuple of str
    details : mapping
        From the JSON beside the file; empty when there is none.
    frames : str
        Name of the axis along which a mask of four dimensions has one mask an image; empty: none.
    """
    path, intent = file.path, int(file.header["intent_code"])
    stem, reading = stem_of(path.name), _reading(path, intent)
    count = _COLOUR_INTENTS.get(intent)
    if leading == ("component",) and data.shape[0] == count and data.dtype == np.uint8:
        colours = np.moveaxis(np.asarray(data), 0, -1)
        return NiftiKind(stem, "image", colours, (), True, "its header says that it is colours")
    if intent in _VECTOR_INTENTS:
        what = "displacements" if intent == _DISPLACEMENT else "vectors or matrices"
        why = f"its header says that it holds {what}"
        return NiftiKind(stem, "image", data, leading, file.is_colour, why)
    if reading.label == "no" or file.is_colour or intent in _STATISTIC_INTENTS:
        return _scan(file, data, leading, reading, details)
    if frames and len(leading) == 1 and (each := read_labels_of_frames(data)) is not None:
        why = f"{_mask_reason(path, intent)} and its values are label numbers"
        said = _put_right(each, path)
        role = _label_role(reading, path)
        return NiftiKind(role, "label", each.labels, (frames,), False, why, said)
    if leading:
        return _of_channels(file, data, leading, reading, details)
    labels = read_labels(data, few=reading.label == "maybe")
    if labels is not None:
        why = f"{_mask_reason(path, intent)} and its values are label numbers"
        role = _label_role(reading, path)
        said = _put_right(labels, path)
        return NiftiKind(role, "label", labels.labels, (), False, why, said)
    if reading.label == "maybe":
        return _scan(file, data, leading, reading, details)
    return _no_label_map(file, data, leading, intent)


def _reading(path: Path, intent: int) -> NameReading:
    """What the name says, and what intent code and folder add."""
    reading = read_name(path.name)
    if reading.label != "no":
        return reading
    if intent in _LABEL_INTENTS or re.fullmatch(r"(?i)labels(tr|ts|val)", path.parent.name):
        return replace(reading, role="seg", label="yes")
    if _MASK_FOLDER.fullmatch(path.parent.name):
        return replace(reading, role="seg", label="maybe", scan_role=reading.role)
    return reading


def _label_role(reading: NameReading, path: Path) -> str:
    """The mask of a healthy tissue keeps its own name: nothing may be scored against it."""
    if reading.label == "yes" and reading.role is None:
        return stem_of(path.name)
    return reading.role if reading.role in ("seg", "brain_mask") else "seg"


def _mask_reason(path: Path, intent: int) -> str:
    if intent in _LABEL_INTENTS:
        return "its header says that it holds labels"
    if read_name(path.name).label == "no":
        return f"it lies in a folder called {path.parent.name!r}"
    return "its name is that of a mask"


def _of_channels(
    file: NiftiHeader,
    data: Any,
    leading: tuple[str, ...],
    reading: NameReading,
    details: Mapping[str, Any],
) -> NiftiKind:
    """A mask of four dimensions: one channel a class, or no mask after all."""
    made = from_one_hot(data) if len(leading) == 1 and leading != ("direction",) else None
    intent = int(file.header["intent_code"])
    if made is None:
        if reading.label == "maybe":
            return _scan(file, data, leading, reading, details)
        return _no_label_map(file, data, leading, intent)
    said = Finding("info", "one-hot-mask", made.as_text(int(data.shape[0])), file.path.name)
    why = f"{_mask_reason(file.path, intent)} and its channels are classes"
    role = _label_role(reading, file.path)
    return NiftiKind(role, "label", made.labels, (), False, why, (said,))


def _no_label_map(file: NiftiHeader, data: Any, leading: tuple[str, ...], intent: int) -> NiftiKind:
    said = Finding(
        "warning",
        "not-a-label-map",
        "is named as a mask but does not hold label numbers; it is shown as an image",
        file.path.name,
    )
    why = f"{_mask_reason(file.path, intent)}, but its values are not label numbers"
    stem = stem_of(file.path.name)
    return NiftiKind(stem, "image", data, leading, file.is_colour, why, (said,))


def _put_right(reading: LabelReading, path: Path) -> tuple[Finding, ...]:
    """What is said of a mask whose values were not whole numbers as they stood."""
    said = reading.as_text()
    return (Finding("warning", "mask-values", f"of the mask, {said}", path.name),) if said else ()


def _scan(
    file: NiftiHeader,
    data: Any,
    leading: tuple[str, ...],
    reading: NameReading,
    details: Mapping[str, Any],
) -> NiftiKind:
    """A scan under the role that its name and the JSON beside it agree on."""
    decision: RoleDecision = role_of_name(reading.words, details)
    name = file.path.name
    said = () if not decision.disagree else (disagreement(decision.why, name),)
    role = decision.role or stem_of(name)
    return NiftiKind(role, "image", data, leading, file.is_colour, decision.why, said)


def disagreement(why: str, where: str) -> Finding:
    """The finding of a role that was left open because its reasons contradict each other."""
    return Finding(
        "warning",
        "role-disagreement",
        f"{where}: {why}; its role is left open, so give it the right one",
        where,
    )
