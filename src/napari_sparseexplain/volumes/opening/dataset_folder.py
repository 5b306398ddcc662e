"""Data sets of the Medical Segmentation Decathlon and of nnU-Net: a case, its channels and labels.

Both keep scans in ``imagesTr`` (``imagesTs``, ``imagesVal``) and masks in ``labelsTr``, and say in
``dataset.json`` what channels and labels are. The Decathlon keeps all channels of a case in one
file of four dimensions [1]_, nnU-Net a file a channel, numbered ``_0000``, ``_0001`` [2]_.

References
----------
.. [1] M. Antonelli et al., The Medical Segmentation Decathlon, Nature Communications 13:4128, 2022.
.. [2] nnU-Net documentation, "nnU-Net dataset format" (channel_names, labels, file_ending).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...errors import ReadError
from ...files.json_file import read_json
from ...files.regular_file import is_folder, is_regular
from ..finding import Finding
from ..roles.decision import RoleDecision, role_of_name
from ..roles.roles import stem_of
from ..roles.sequence_words import sequence_words
from ..volume import Source, Volume
from .dataset_labels import names_by_number

_IMAGES = re.compile(r"(?i)images(tr|ts|val)")
_LABELS = re.compile(r"(?i)labels(tr|ts|val)")
_NIFTI = (".nii", ".nii.gz")
_CHANNEL = re.compile(r"_(\d{4})$")


@dataclass(frozen=True)
class DatasetNames:
    """What a ``dataset.json`` says.

    Attributes
    ----------
    channels : mapping of int to str
        Names of the channels ("FLAIR", "t1gd"), by number.
    labels : mapping of int to str
        Names of the label values, without the background.
    """

    channels: Mapping[int, str] = field(default_factory=dict)
    labels: Mapping[int, str] = field(default_factory=dict)


def dataset_names(file: Path) -> DatasetNames | None:
    """What the ``dataset.json`` of a file's data set says; None when there is none.

    It is looked for beside the file and in the folder above it. One that cannot be read, or that
    says something else, counts as absent.
    """
    for folder in (file.parent, file.parent.parent):
        found = folder / "dataset.json"
        if not is_regular(found):
            continue
        try:
            values = read_json(
                found, problem="dataset.json cannot be read", remedy="Write it again"
            )
        except ReadError:
            return None
        if not isinstance(values, dict):
            return None
        channels = values.get("channel_names", values.get("modality"))
        names = DatasetNames(names_by_number(channels), names_by_number(values.get("labels")))
        return names if names.channels or names.labels else None
    return None


def case_of(path: Path) -> tuple[Path, ...]:
    """All files of the case that one file of such a data set belongs to; empty where it is none.

    Parameters
    ----------
    path : Path
        A NIfTI file in ``imagesTr`` or ``labelsTr`` (or their siblings).
    """
    folder = path.parent
    if not path.name.lower().endswith(_NIFTI):
        return ()
    images = folder if _IMAGES.fullmatch(folder.name) else None
    labels = folder if _LABELS.fullmatch(folder.name) else None
    if images is None and labels is None:
        return ()
    case = case_name(path) if images is not None else stem_of(path.name)
    kind = folder.name[len("images") :] if images is not None else folder.name[len("labels") :]
    images = images or folder.with_name(f"images{kind}")
    labels = labels or folder.with_name(f"labels{kind}")
    return tuple(sorted((*_files_of(images, case), *_files_of(labels, case))))


def case_name(path: Path) -> str:
    """A file's case: its name without ending, and of nnU-Net without the channel's number.

    Cases can be numbered with four digits, too: a mask of the whole name, or no channel 0, tells
    that the number is the case's.
    """
    stem = stem_of(path.name)
    if not _CHANNEL.search(stem):
        return stem
    case = _CHANNEL.sub("", stem)
    labels = path.parent.with_name(f"labels{path.parent.name[len('images') :]}")
    if any(is_regular(labels / f"{stem}{ending}") for ending in _NIFTI):
        return stem
    if any(is_regular(path.with_name(f"{case}_0000{ending}")) for ending in _NIFTI):
        return case
    return stem


def _files_of(folder: Path, case: str) -> list[Path]:
    if not is_folder(folder):
        return []
    return [
        p
        for p in folder.iterdir()
        if p.name.lower().endswith(_NIFTI)
        and not p.name.startswith(".")
        and is_regular(p)
        and (stem_of(p.name) == case or case_name(p) == case)
    ]


def cases_below(files: Sequence[Path]) -> list[str]:
    """Cases of a data set among files, by their names; empty where no folder is called so."""
    return list(dict.fromkeys(case_name(p) for p in files if _IMAGES.fullmatch(p.parent.name)))


def named_by_dataset(
    volume: Volume, findings: Sequence[Finding]
) -> list[tuple[Volume, list[Finding]]]:
    """A file of a data set as what ``dataset.json`` says that it is: channels, or named labels.

    Parameters
    ----------
    volume : Volume
        As its file was read.
    findings : sequence of Finding
        On reading it.

    Returns
    -------
    list
        The volume itself where there is no data set; each of its channels as a volume of its own
        (a view) under the role that its name tells; a mask with the names of its labels.
    """
    own = list(findings)
    path = volume.source.paths[0]
    names = dataset_names(path)
    if names is None:
        return [(volume, own)]
    if volume.kind == "label":
        present = {k: v for k, v in names.labels.items() if k != 0}
        details = {**volume.details, "segments": present} if present else volume.details
        return [(replace(volume, details=details), own)]
    if volume.leading == ("channel",) and len(names.channels) == volume.data.shape[0]:
        return [
            (_channel(volume, k, names.channels.get(k, "")), own if k == 0 else [])
            for k in range(volume.data.shape[0])
        ]
    number = _CHANNEL.search(stem_of(path.name))
    if number and not volume.leading and int(number[1]) in names.channels:
        return [(_under_name(volume, names.channels[int(number[1])], int(number[1])), own)]
    return [(volume, own)]


def _channel(volume: Volume, number: int, name: str) -> Volume:
    """One channel of four dimensions; the array is shared."""
    source: Source = replace(
        volume.source, description=f"{volume.source.description}, channel {number}"
    )
    details = {**volume.details, "channel": number}
    part = replace(volume, data=volume.data[number], leading=(), source=source, details=details)
    return _under_name(part, name, number)


def _under_name(volume: Volume, name: str, number: int) -> Volume:
    decision: RoleDecision = role_of_name(sequence_words(name), {})
    role = decision.role or name or f"channel {number}"
    return replace(
        volume, role=role, why=f"dataset.json says that channel {number} is {name or 'unnamed'}"
    )
