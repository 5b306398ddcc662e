"""The vocabulary of brain tumours: parts, regions, their label values, what people write for them.

The parts are those that the challenges of the BraTS series outline, the regions are the nested
unions of parts that their tables score [1]_. All that speaks of either reads it here; what the
labels of one mask stand for is another question (`tumour_numbering`).

References
----------
.. [1] B. H. Menze et al., The Multimodal Brain Tumor Image Segmentation Benchmark (BRATS),
   IEEE TMI 34(10), 2015; U. Baid et al., arXiv:2107.02314, 2021.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: The regions by name: whole tumour, tumour core, enhancing tumour.
WHOLE_TUMOUR, TUMOUR_CORE, ENHANCING = "WT", "TC", "ET"

#: Parts of a tumour, and what they are called.
PARTS: Mapping[str, str] = {
    "NCR": "necrotic and non-enhancing core",
    "NET": "non-enhancing tumour",
    "CC": "cystic component",
    "ED": "oedema",
    "ET": "enhancing tumour",
    "RC": "resection cavity",
}

#: The part that is no tumour: what an operation left.
CAVITY = "RC"

#: Parts of the nested regions, the largest first. A cavity is no tumour.
REGION_PARTS: Mapping[str, frozenset[str]] = {
    WHOLE_TUMOUR: frozenset({"NCR", "NET", "CC", "ED", "ET"}),
    TUMOUR_CORE: frozenset({"NCR", "NET", "CC", "ET"}),
    ENHANCING: frozenset({"ET"}),
}

#: The regions in the order of the JF-ML-ISTA paper's Table II, and in that of the BraTS tables.
REGIONS = (ENHANCING, WHOLE_TUMOUR, TUMOUR_CORE)
BRATS_ORDER = (ENHANCING, TUMOUR_CORE, WHOLE_TUMOUR)

#: The three exclusive parts that networks tell apart, as channels after the healthy tissue: what
#: does not enhance is one with the necrosis.
CHANNEL_PARTS = ("ED", "NCR", "ET")
_ONE_WITH: Mapping[str, str] = {"NET": "NCR", "CC": "NCR"}

#: Label values of the exclusive parts until 2022, which are this program's own, and since 2023.
OWN_LABELS: Mapping[str, int] = {"NCR": 1, "ED": 2, "ET": 4}
LABELS_SINCE_2023: Mapping[str, int] = {"NCR": 1, "ED": 2, "ET": 3}

#: Part by label value in both; no set uses 3 and 4 for the same.
BRATS_LABELS: Mapping[int, str] = {
    value: part
    for part in OWN_LABELS
    for value in sorted({OWN_LABELS[part], LABELS_SINCE_2023[part]})
}

#: What is no tumour, where a network tells it apart.
HEALTHY = "healthy tissue"

#: Names that fit a cell, by the name of the class.
SHORT_NAMES: Mapping[str, str] = {
    HEALTHY: "Healthy",
    PARTS["ED"]: "Oedema",
    PARTS["NCR"]: "Core",
    PARTS["ET"]: "Enhancing",
}

#: What a class is called: the first pattern that a name matches says what it is. "Non-enhancing"
#: must come before "enhancing", "necrotic and non-enhancing tumour core" before "tumour core".
_WORDS = tuple(
    (re.compile(pattern, re.IGNORECASE), part)
    for pattern, part in (
        (r"\bwt\b|whole[ _-]?tumou?r", WHOLE_TUMOUR),
        (r"cavity|\brc\b", CAVITY),
        (r"cyst", "CC"),
        (r"necro|\bncr\b", "NCR"),
        (r"(?:non?|not|un)[ _-]?enhanc|\bnet\b|\bnetc\b", "NET"),
        (r"o?edema|\bed\b|\bsnfh\b", "ED"),
        (r"enhanc|\bet\b", "ET"),
        (r"\btc\b|tumou?r[ _-]?core", TUMOUR_CORE),
        (r"\bcore\b", "NCR"),
    )
)


def part_of_name(title: str) -> str:
    """Key of `PARTS`, or ``"WT"`` or ``"TC"``, of a class's name; empty where it tells none.

    Examples
    --------
    >>> part_of_name("peritumoral edema"), part_of_name("whole tumor"), part_of_name("liver")
    ('ED', 'WT', '')
    """
    for pattern, part in _WORDS:
        if pattern.search(title.replace("_", " ")):
            return part
    return ""


def exclusive_part(part: str) -> str:
    """Of the three exclusive parts, the one that ``part`` is of; itself where it is none."""
    return _ONE_WITH.get(part, part)


def exclusive_parts(region: str) -> frozenset[str]:
    """Those of the three exclusive parts that make a region."""
    return frozenset(exclusive_part(part) for part in REGION_PARTS[region])


def region_labels(region: str) -> tuple[int, ...]:
    """Label values of a region in either numbering (`BRATS_LABELS`), rising."""
    parts = exclusive_parts(region)
    return tuple(value for value, part in sorted(BRATS_LABELS.items()) if part in parts)
