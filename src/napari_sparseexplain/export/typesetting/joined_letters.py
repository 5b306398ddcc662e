"""Arabic letters in the forms that join, and lines in the order in which they are seen.

For what draws letter by letter: the canvas of the viewer, and a Pillow without the raqm library.
The forms are Unicode's presentation forms (U+FB50 to U+FEFC) by their decompositions; the rules
are those of the Unicode Standard, chapter 9.2, with the ligatures of lam and alef. Scripts whose
letters change their order or join in other ways (Devanagari, Khmer …) have no such forms and stay
as they are.
"""

from __future__ import annotations

import unicodedata
from functools import cache

from .direction import (
    LEFT_TO_RIGHT_MARK,
    RIGHT_TO_LEFT_MARK,
    has_leftward,
    level_runs,
    mirrored,
    seen_order,
)

_ISOLATED, _FINAL, _INITIAL, _MEDIAL = "<isolated>", "<final>", "<initial>", "<medial>"
_LAM, _TATWEEL, _JOINER, _NON_JOINER = "\u0644", "\u0640", "\u200d", "\u200c"

#: Marks without a form, which a letter-by-letter drawing would show.
_NO_FORM = frozenset({LEFT_TO_RIGHT_MARK, RIGHT_TO_LEFT_MARK, _JOINER, _NON_JOINER, "\u061c"})


@cache
def _forms() -> dict[str, dict[str, str]]:
    """Form by letter (or by lam and alef) and by its place in a word."""
    found: dict[str, dict[str, str]] = {}
    for code in (*range(0xFB50, 0xFDFE), *range(0xFE80, 0xFEFD)):
        kind, *letters = unicodedata.decomposition(chr(code)).split()[:4] or ("",)
        text = "".join(chr(int(letter, 16)) for letter in letters)
        lam_alef = len(text) == 2 and text[0] == _LAM and text[1] in "\u0622\u0623\u0625\u0627"
        if kind in (_ISOLATED, _FINAL, _INITIAL, _MEDIAL) and (len(text) == 1 or lam_alef):
            found.setdefault(text, {}).setdefault(kind, chr(code))
    return found


def with_joined_forms(text: str) -> str:
    """A text, in its own order, whose Arabic letters are those of their place in the word."""
    forms = _forms()
    units: list[str] = []  # a letter, or lam with its alef, with its marks behind it
    place = 0
    while place < len(text):
        two = text[place : place + 2]
        unit = two if two in forms and len(two) == 2 else text[place]
        if units and unicodedata.category(unit[0]) == "Mn":
            units[-1] += unit
        else:
            units.append(unit)
        place += len(unit)
    letters = [_letter_of(unit) for unit in units]
    found = []
    for place, unit in enumerate(units):
        letter = letters[place]
        before = letters[place - 1] if place else ""
        after = letters[place + 1] if place + 1 < len(units) else ""
        to_right, to_left = _joins_after(before), _joins_before(after)
        kind = {(False, False): _ISOLATED, (True, False): _FINAL, (False, True): _INITIAL,
                (True, True): _MEDIAL}[to_right, to_left]  # fmt: skip
        own = forms.get(letter, {})
        if kind not in own:  # a letter that never joins what follows
            kind = _FINAL if to_right and _FINAL in own else _ISOLATED
        found.append(own.get(kind, letter) + unit[len(letter) :])
    return "".join(found)


def in_seen_order(text: str) -> str:
    """A line's letters from left to right as they are seen, in their joined forms.

    Text without letters that run to the left comes back as it is.
    """
    if not has_leftward(text):
        return text
    runs = level_runs(text)
    parts = []
    for place in seen_order([run.level for run in runs]):
        run = runs[place]
        part = text[run.start : run.stop]
        parts.append(turned(part) if run.leftward else part)
    return "".join(letter for part in parts for letter in part if letter not in _NO_FORM)


def lines_in_seen_order(text: str) -> str:
    """As `in_seen_order`, of every line of a text."""
    return "\n".join(in_seen_order(line) for line in text.split("\n"))


def turned(part: str) -> str:
    """A part that runs to the left, from its left end on; a letter's marks stay behind it."""
    clusters: list[str] = []
    for letter in with_joined_forms(part):
        if clusters and unicodedata.category(letter) == "Mn":
            clusters[-1] += letter
        else:
            clusters.append(mirrored(letter))
    return "".join(reversed(clusters))


def _letter_of(unit: str) -> str:
    return unit[:2] if unit[:2] in _forms() else unit[0]


def _joins_after(letter: str) -> bool:
    """Whether a letter joins the one that follows it."""
    own = _forms().get(letter, {})
    return _INITIAL in own or letter in (_TATWEEL, _JOINER)


def _joins_before(letter: str) -> bool:
    """Whether a letter joins the one before it."""
    own = _forms().get(letter, {})
    return _FINAL in own or letter in (_TATWEEL, _JOINER)
