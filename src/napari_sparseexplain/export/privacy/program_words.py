"""Words that this program writes by itself: methods, shipped models, classes, what maps are called.

A patient can be called Brain, and so can a mask. What consists of the program's own words
alone tells nothing of whom a scan is of; what holds any other word was typed by a person, or came
from a file, and is searched for identifying values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from ...explanation.catalogue import methods
from ...networks.bundle.catalogue import models
from ...volumes.roles.roles import LABEL_ROLES, ROLES

#: Words of map names, titles, targets and folders that stand in no catalogue.
_OF_MAPS = (
    "anatomy axial baseline class component contrast core coronal dicom edema effective "
    "enhancing estimated frequency glioma heat heatmap image impulse input label lesion linear "
    "map mask mean necrosis necrotic necrotizing negative network noise oedema output part "
    "positive prediction probability reconstruction region response sagittal scan scans "
    "sensitivity series signal slice study sum true truth tumor tumour voxel whole "
)

#: Words of the catalogues that people are called by: found alone, they are taken for a name.
_NAMES_TOO = frozenset({"gabor"})

#: Whole numbers below this many digits are indices, sizes and steps.
_LONGEST_NUMBER = 4

_WORD = re.compile(r"[^\W_]+")


def is_own(said: str) -> bool:
    """Whether a text consists of the program's own words, short numbers and letters alone."""
    return all(
        word in own_words()
        or (word.isascii() and len(word) <= 2)
        or (word.isdigit() and len(word) <= _LONGEST_NUMBER)
        for word in word_list(said)
    )


def word_list(said: str) -> list[str]:
    """Words of a text, in small letters."""
    return _WORD.findall(said.casefold())


@lru_cache(maxsize=1)
def own_words() -> frozenset[str]:
    """Every word of the catalogues, in small letters."""
    return frozenset(word for said in _catalogued() for word in word_list(said)) - _NAMES_TOO


def _catalogued() -> Iterator[str]:
    yield _OF_MAPS
    yield from (*ROLES, *LABEL_ROLES)
    for method in methods().values():
        yield f"{method.name} {method.title}"
        for parameter in method.parameters:
            yield f"{parameter.name} {parameter.title} {' '.join(parameter.choices)}"
            yield str(parameter.default)
    for card in models().values():
        yield f"{card.name} {card.title} {' '.join(card.classes.values())}"
