"""Whose each slice of a folder is, by all names together, and what is doubtful about it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from ..finding import Finding
from ..roles.roles import stem_of
from .labelled_slice import LabelledSlice
from .scan_folders import scan_folders
from .slice_folders import SPLIT_FOLDER, place_of
from .slice_name import SliceName, only_counts, read_slice_name

#: Numbers after a code are time points or dates where a code has at most so many on average.
_FEW_NUMBERS = 3

#: Folders without a digit that may be classes or centres; more are patients.
_FEW_FOLDERS = 4

#: Fewer slices than this are not worth a word on how they are shared out.
_SEVERAL = 4


def patients_of(images: Sequence[Path], root: Path) -> tuple[list[str], list[Finding]]:
    """Whose slice each file is, by its name or, where that has no patient's code, by its folder.

    A name that only counts (``0012``, ``IM-0001-0048``) tells nobody where there are folders above,
    and one without a digit (``scan``, of ``scan_3``) is a word that every patient's files can have.
    Where a name can be read in two ways, the other names decide (`_codes`, `_own_codes`).

    Returns
    -------
    list of str
        A patient for each file.
    list of Finding
        Where names could be read otherwise.
    """
    names = [read_slice_name(stem_of(path.name)) for path in images]
    codes, findings = _codes(names, root)
    above = _places_of(images, root)
    own = _own_codes(images, names, above)
    found = []
    for path, name, code, places in zip(images, names, codes, above, strict=True):
        stem = stem_of(path.name)
        folders = [part for part in places if not SPLIT_FOLDER.match(part)]
        if only_counts(stem):
            # ``012_3`` is slice 3 of patient 012; ``12`` alone is one of its side of a split.
            alone = code if code != stem else "/".join((*places, stem))
            found.append("/".join(folders) or alone)
        elif name.word and not own:
            found.append("/".join((*folders, name.word)))
        elif folders and not re.search(r"\d", code):
            found.append("/".join((*folders, code)))
        else:
            found.append(code)
    return found, findings


def _codes(names: Sequence[SliceName], root: Path) -> tuple[list[str], list[Finding]]:
    """The code of each name; of two numbers after a code the first may be the patient's or a time.

    ``A0S9V9_0_3`` is a time point of ``A0S9V9`` where there are few for each such code, or all have
    the same; ``OAS1_0001`` is a patient of its own, since all begin with ``OAS1``.
    """
    codes = [name.codes[0] for name in names]
    findings = []
    for depth in range(1, max((len(name.codes) for name in names), default=1)):
        deep = [i for i, name in enumerate(names) if len(name.codes) > depth]
        shorter = {names[i].codes[depth] for i in deep}
        longer = {codes[i] for i in deep}
        numbers: dict[str, set[str]] = defaultdict(set)
        for i in deep:
            numbers[names[i].codes[depth]].add(codes[i].removeprefix(names[i].codes[depth]))
        same = len({frozenset(each) for each in numbers.values()}) == 1
        if len(shorter) < 2 or not (same or len(longer) <= _FEW_NUMBERS * len(shorter)):
            break
        if len(longer) > len(shorter):
            example = codes[deep[0]]
            findings.append(
                Finding(
                    "warning",
                    "patients-by-name",
                    f"names as {example} are taken for patient {names[deep[0]].codes[depth]} at "
                    f"one of several times; where the last number is the patient's, put each "
                    "patient's slices into a folder of their own and let their names only count",
                    root.name,
                )
            )
        for i in deep:
            codes[i] = names[i].codes[depth]
    return codes, findings


def _places_of(images: Sequence[Path], root: Path) -> list[tuple[str, ...]]:
    """The folders of each file without those that say what it holds, or how it was made."""
    places = [place_of(path, root) for path in images]
    scans = scan_folders(places)
    return [tuple(part for part in place if part not in scans) for place in places]


def _own_codes(
    images: Sequence[Path], names: Sequence[SliceName], places: Sequence[tuple[str, ...]]
) -> bool:
    """Whether names of one word and one number (``SC-N-02``) are codes of patients.

    They count slices where the folders are patients: these have numbers themselves, or the same
    names come again in several, or they are many.
    """
    stems: Counter[str] = Counter()
    folders = set()
    for path, name, place in zip(images, names, places, strict=True):
        if name.word:
            stems[stem_of(path.name)] += 1
            folders.add(tuple(p for p in place if not SPLIT_FOLDER.match(p)))
    if folders in (set(), {()}):
        return True
    numbered = any(re.search(r"\d", part) for parts in folders for part in parts)
    again = len(folders) > 1 and max(stems.values()) > 1
    return not numbered and not again and len(folders) <= _FEW_FOLDERS


def patients_said(slices: Sequence[LabelledSlice], root: Path) -> list[Finding]:
    """What a person must look at before folds by patient can be trusted."""
    said = []
    counts = Counter(item.patient for item in slices)
    single = sum(number == 1 for number in counts.values())
    if len(slices) >= _SEVERAL:
        if len(counts) == len(slices):
            said.append(
                f"each of the {len(slices)} slices is taken for a patient of its own, by its name"
            )
        elif len(counts) == 1 and len(slices) > _SEVERAL:
            said.append(
                f"all {len(slices)} slices are taken for those of one patient, {slices[0].patient}:"
                " none can be held out. If they are of several, put each patient's slices into a "
                "folder with the patient's code"
            )
        elif single >= max(_SEVERAL, len(counts) / 2):
            said.append(
                f"{single} of the {len(counts)} patients have one slice only, and the others "
                f"{len(slices) - single}: see whether their names were read rightly "
                f"({', '.join([p for p, number in counts.items() if number == 1][:3])} …)"
            )
    places: dict[str, set[str]] = defaultdict(set)
    above = _places_of([item.image for item in slices], root)
    for item, folders in zip(slices, above, strict=True):
        places[item.patient].add("/".join(f for f in folders if not SPLIT_FOLDER.match(f)))
    spread = [(name, sorted(where)) for name, where in places.items() if len(where) > 1]
    if spread:
        name, where = spread[0]
        more = f"; so do {len(spread) - 1} more" if len(spread) > 1 else ""
        said.append(
            f"slices named after {name} lie in {len(where)} folders ({', '.join(where[:3])}) and "
            f"are taken for one patient{more}"
        )
    return [Finding("warning", "patients-by-name", text, root.name) for text in said]
