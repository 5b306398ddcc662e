"""What the values of a study's label map mean, where the file or the study tells it."""

from __future__ import annotations

from collections.abc import Mapping

from .study import Study

#: BraTS label values; the enhancing tumour is 4, and 3 since 2023.
BRATS_NAMES: Mapping[int, str] = {
    1: "necrotic and non-enhancing core",
    2: "oedema",
    3: "enhancing tumour",
    4: "enhancing tumour",
}

#: A study with all of these and a mask of at most four values is one of BraTS' kind.
_BRATS_SCANS = frozenset({"t1", "t1ce", "t2", "flair"})


def label_names(study: Study, role: str) -> dict[int, str]:
    """Names by label value; empty where nothing tells them, which are then not guessed.

    A DICOM segmentation names its segments itself. A NIfTI mask does not: beside the four scans of
    a glioma study its values are those of BraTS, unless it has both 3 and 4.

    Parameters
    ----------
    role : str
        Of a label map.
    """
    volume = study[role]
    segments = volume.details.get("segments")
    if isinstance(segments, Mapping):
        return {int(value): str(name) for value, name in segments.items()}
    if role.partition(" (")[0] != "seg" or not study.images.keys() >= _BRATS_SCANS:
        return {}
    mask = volume.spatial()
    highest = int(mask.max(initial=0))
    if not 2 <= highest <= max(BRATS_NAMES) or (highest == 4 and bool((mask == 3).any())):
        return {}
    return {value: name for value, name in BRATS_NAMES.items() if value <= highest}
