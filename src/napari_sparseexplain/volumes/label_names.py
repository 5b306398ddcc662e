"""What the values of a study's label map mean, where the file tells it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .label_values import labels_of
from .study import Study
from .volume import Volume

_CORE, _OEDEMA, _ENHANCING = (
    "necrotic and non-enhancing core",
    "oedema",
    "enhancing tumour",
)

#: BraTS until 2021, and the phantoms.
UNTIL_2021: Mapping[int, str] = {1: _CORE, 2: _OEDEMA, 4: _ENHANCING}

#: BraTS since 2023: gliomas, also of Africa, metastases, meningiomas.
SINCE_2023: Mapping[int, str] = {1: _CORE, 2: _OEDEMA, 3: _ENHANCING}

#: How the files of these challenges are named. Those of children (``BraTS-PED``) number other
#: classes; 4 is the resection cavity in those of 2024, which nothing here names.
_SINCE_2023_NAME = re.compile(r"brats-(gli|ssa|met|men)-", re.IGNORECASE)
_UNTIL_2021_NAME = re.compile(r"brats(20)?(1[2-9]|2[01])(?!\d)|^Phantom-\d+_seg", re.IGNORECASE)

#: A study with all of these and a mask of such values may be one of BraTS' kind.
_BRATS_SCANS = frozenset({"t1", "t1ce", "t2", "flair"})


def label_names(study: Study, role: str) -> dict[int, str]:
    """Names by label value; empty where nothing tells them.

    A DICOM segmentation names its segments itself, and the name of a BraTS file tells its
    numbering. Of another NIfTI mask beside the four scans of a glioma study it is not known, so
    the value stays, and the usual meaning is given as what it is: ``"label 2 (BraTS: oedema)"``.

    Parameters
    ----------
    role : str
        Of a label map.
    """
    volume = study[role]
    segments = volume.details.get("segments")
    if isinstance(segments, Mapping):
        return {int(value): str(name) for value, name in segments.items()}
    told = _numbering(volume)
    if told:
        return dict(told)
    if role.partition(" (")[0] != "seg" or not study.images.keys() >= _BRATS_SCANS:
        return {}
    labels = set(labels_of(volume))
    if not labels <= {1, 2, 3, 4} or labels >= {3, 4}:
        return {}
    usual = UNTIL_2021 if 4 in labels else SINCE_2023
    return {value: f"label {value} (BraTS: {name})" for value, name in usual.items()}


def _numbering(volume: Volume) -> Mapping[int, str]:
    """What the file's name tells, or that it is a phantom."""
    if volume.source.format == "memory" and volume.source.description == "synthetic seg":
        return UNTIL_2021
    name = next((path.name for path in volume.source.paths), "")
    if _SINCE_2023_NAME.search(name):
        return SINCE_2023
    return UNTIL_2021 if _UNTIL_2021_NAME.search(name) else {}
