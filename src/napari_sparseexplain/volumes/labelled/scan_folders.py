"""Folders that say how pictures were made, by a sequence (``T1C+``) or a plane, and are nobody's.

They have a digit, as codes of patients do: were they taken for these, all pictures of one sequence
would be one patient, and the patients themselves would stand on both sides of a split.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from ..roles.sequence_words import sequence_words, spaced

#: The plane, or the view of an X-ray or of the heart, by the words for it.
_VIEWS = {
    "axial": r"ax|axial|axiaal|tra|trans|transversal|transverse|transaxial",
    "coronal": r"cor|coronal",
    "sagittal": r"sag|sagittal",
    "frontal": r"frontal|pa|ap",
    "lateral": r"lat|lateral",
    "two chambers": r"2ch",
    "three chambers": r"3ch",
    "four chambers": r"4ch",
    "short axis": r"sax",
    "long axis": r"lax",
}

#: Words beside that of a sequence or a plane.
_BESIDE = re.compile(
    r"\+|-|c\+?|ce|gd|gad|gado|gadolinium|km|post|pre|native|contrast|enhanced|with|without|plus|weighted|mri?|plane|"
    r"views?|slices?|images?|scans?|series|sequences?|2d|3d"
)

#: Behind the word of a sequence: a sign of contrast, and in how many directions it was taken.
_DEPTH = re.compile(r"(?<=.)[23]d$|\++$")

#: What also is a code: the b value of a diffusion scan.
_CODE = re.compile(r"b\d+t?")

#: Codes of a series that begins as names of sequences do.
_SERIES = re.compile(r"(?i)t(?:0|[3-9]|\d{2,})")
_IN_SERIES = re.compile(r"(?i)t[12]")


def view_of(folder: str) -> str:
    """The plane or view in a folder's name that says nothing but how pictures were made.

    Examples
    --------
    >>> view_of("Sagittal"), view_of("T1_cor"), view_of("T1C+"), view_of("ax_12")
    ('sagittal', 'coronal', '', '')
    """
    if not _says_scan(folder):
        return ""
    return next((view for word in _words(folder) if (view := _view(word))), "")


def sequence_of(folder: str) -> str:
    """A folder's name as it is, where it is that of a sequence; empty of others.

    Examples
    --------
    >>> sequence_of("T1C+"), sequence_of("FLAIR"), sequence_of("axial"), sequence_of("T3")
    ('T1C+', 'FLAIR', '', '')
    """
    return folder if _says_scan(folder) and any(map(_is_sequence, _words(folder))) else ""


def scan_folders(places: Iterable[Sequence[str]]) -> frozenset[str]:
    """Of the folders of a set those that name a sequence or a plane.

    ``T1`` and ``T2`` are codes where there is a ``T3`` beside them, and ``PA`` are somebody's
    initials where most folders beside it say nothing of a scan.

    Parameters
    ----------
    places : iterable of sequence of str
        The folders above each picture.
    """
    beside: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for place in set(map(tuple, places)):
        for depth, name in enumerate(place):
            beside[place[:depth]].add(name)
    found: set[str] = set()
    for names in beside.values():
        scans = {name for name in names if _says_scan(name)}
        if any(_SERIES.fullmatch(name) for name in names):
            scans = {name for name in scans if not _IN_SERIES.fullmatch(name)}
        if 2 * len(scans) >= len(names):
            found |= scans
    return frozenset(found)


def _says_scan(folder: str) -> bool:
    """Whether every word of a name is about how pictures were made."""
    words = _words(folder)
    said = [word for word in words if _is_sequence(word) or _view(word)]
    return bool(said) and all(word in said or _BESIDE.fullmatch(word) for word in words)


def _words(folder: str) -> list[str]:
    return [word for word in re.split(r"[-_. ()]+", spaced(folder)) if word]


def _is_sequence(word: str) -> bool:
    return not _CODE.fullmatch(word) and bool(sequence_words(_DEPTH.sub("", word)).found)


def _view(word: str) -> str:
    return next((view for view, words in _VIEWS.items() if re.fullmatch(words, word)), "")
