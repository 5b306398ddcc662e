"""What the values of a study's masks mean, found once for each mask."""

from __future__ import annotations

from collections.abc import Mapping
from weakref import WeakKeyDictionary

from ..volumes import Study
from ..volumes.labels.names import label_names

#: A study is frozen: with another mask it is another study.
_FOUND: WeakKeyDictionary[Study, dict[str, Mapping[int, str]]] = WeakKeyDictionary()


def mask_names(study: Study, role: str) -> Mapping[int, str]:
    """Names by label value, as `label_names`, which reads the whole mask, says once.

    Parameters
    ----------
    role : str
        Of a label map.
    """
    found = _FOUND.setdefault(study, {})
    if role not in found:
        found[role] = label_names(study, role)
    return found[role]
