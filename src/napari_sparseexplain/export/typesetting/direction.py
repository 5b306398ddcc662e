"""Which way each letter of a line runs: the Unicode bidirectional algorithm, without its marks.

Unicode Standard Annex #9 (version 15): rules P2, P3, W1 to W7, N0 to N2, I1, I2, L1, L2 and L4.
Embeddings, overrides and isolates are left out, since no line that is drawn holds them
(`lettering.one_line`); the marks U+200E and U+200F count as letters of their direction.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

#: Marks without a form that say which way the line runs that begins with them.
LEFT_TO_RIGHT_MARK, RIGHT_TO_LEFT_MARK = "\u200e", "\u200f"

_RIGHT = frozenset({"R", "AL"})
_STRONG = frozenset({"L", "R", "AL"})
_NEUTRAL = frozenset({"B", "S", "WS", "ON"})

#: Pairs of brackets that are matched (BidiBrackets.txt, those that occur in words).
_CLOSES = dict(
    zip(
        "([{⁅⁽₍❨❪〈⟦⟨⟪⟬⦅「『【〔〖〘（［｛｟｢",
        ")]}⁆⁾₎❩❫〉⟧⟩⟫⟭⦆」』】〕〗〙）］｝｠｣",
        strict=True,
    )
)
_CLOSERS = frozenset(_CLOSES.values())

#: Deepest nesting of brackets that is followed (BD16).
_DEEPEST = 63

#: What is drawn for a sign in a text that runs to the left.
_MIRRORED = {
    **_CLOSES,
    **{closing: opening for opening, closing in _CLOSES.items()},
    **dict(zip("<>«»‹›≤≥≪≫", "><»«›‹≥≤≫≪", strict=True)),
}

#: Letters, digits and marks that can turn a line: Hebrew, Arabic and their neighbours.
_TURNING = re.compile(
    "[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


class LevelRun(NamedTuple):
    """A part of a line in which all letters run one way: from ``start`` to before ``stop``."""

    start: int
    stop: int
    level: int

    @property
    def leftward(self) -> bool:
        """Whether it runs from right to left."""
        return self.level % 2 == 1


def has_leftward(text: str) -> bool:
    """Whether anything in a text may run from right to left."""
    return _TURNING.search(text) is not None


def runs_leftward(text: str) -> bool:
    """Whether a line runs from right to left: its first letter with a direction does (P2, P3)."""
    if not has_leftward(text):
        return False
    for letter in text:
        kind = unicodedata.bidirectional(letter)
        if kind in _STRONG:
            return kind in _RIGHT
    return False


def with_direction(line: str, *, leftward: bool) -> str:
    """A line cut out of a paragraph, with a mark before it where it alone would run otherwise."""
    if not leftward and not has_leftward(line):
        return line
    if runs_leftward(line) == leftward:
        return line
    return (RIGHT_TO_LEFT_MARK if leftward else LEFT_TO_RIGHT_MARK) + line


def levels(text: str) -> list[int]:
    """Embedding level of every character: even ones run to the right, odd ones to the left."""
    base = int(runs_leftward(text))
    if not has_leftward(text):
        return [0] * len(text)
    original = [unicodedata.bidirectional(letter) or "L" for letter in text]
    # X9: characters without a direction or a form are passed over, and get their neighbour's level.
    places = [place for place, kind in enumerate(original) if kind != "BN"]
    kinds = [original[place] for place in places]
    edge = "R" if base else "L"
    _weak(kinds, edge)
    _brackets([text[place] for place in places], kinds, edge)
    _neutral(kinds, edge)
    found = [base] * len(text)
    for place, kind in zip(places, kinds, strict=True):
        if kind == "R":
            found[place] = base + (base % 2 == 0)
        elif kind in ("AN", "EN"):
            found[place] = base + 2 - base % 2
        else:  # L
            found[place] = base + base % 2
    for place, kind in enumerate(original):
        if kind == "BN" and place:
            found[place] = found[place - 1]
    for place in range(len(text) - 1, -1, -1):  # L1: space at the end of the line
        if original[place] not in ("WS", "S", "B", "BN"):
            break
        found[place] = base
    return found


def level_runs(text: str) -> list[LevelRun]:
    """Parts of a line that run one way each, in the order of the text."""
    runs: list[LevelRun] = []
    for place, level in enumerate(levels(text)):
        if runs and runs[-1].level == level:
            runs[-1] = runs[-1]._replace(stop=place + 1)
        else:
            runs.append(LevelRun(place, place + 1, level))
    return runs


def seen_order(run_levels: Sequence[int]) -> list[int]:
    """Places of runs from left to right, as they are seen (L2)."""
    order = list(range(len(run_levels)))
    for level in range(max(run_levels, default=0), 0, -1):
        place = 0
        while place < len(order):
            end = place
            while end < len(order) and run_levels[order[end]] >= level:
                end += 1
            order[place:end] = order[place:end][::-1]
            place = max(end, place + 1)
    return order


def mirrored(letter: str) -> str:
    """The sign that is drawn for one in a text that runs to the left (L4)."""
    return _MIRRORED.get(letter, letter)


def _weak(kinds: list[str], edge: str) -> None:
    """W1 to W7: marks, numbers and their signs, in place."""
    before = strong = edge
    for place, kind in enumerate(kinds):
        if kind == "NSM":  # W1
            kind = before
        if kind == "EN" and strong == "AL":  # W2
            kind = "AN"
        kinds[place] = before = kind
        if kind in _STRONG:
            strong = kind
    kinds[:] = ["R" if kind == "AL" else kind for kind in kinds]  # W3
    for place in range(1, len(kinds) - 1):  # W4
        around = {kinds[place - 1], kinds[place + 1]}
        if (kinds[place] in ("ES", "CS") and around == {"EN"}) or (
            kinds[place] == "CS" and around == {"AN"}
        ):
            kinds[place] = kinds[place - 1]
    place = 0
    while place < len(kinds):  # W5, W6
        end = place
        while end < len(kinds) and kinds[end] == "ET":
            end += 1
        if end > place:
            beside = kinds[max(place - 1, 0) : end + 1]
            kinds[place:end] = ["EN" if "EN" in beside else "ON"] * (end - place)
        elif kinds[place] in ("ES", "CS"):
            kinds[place] = "ON"
        place = max(end, place + 1)
    strong = edge
    for place, kind in enumerate(kinds):  # W7
        if kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[place] = "L"


def _brackets(letters: Sequence[str], kinds: list[str], edge: str) -> None:
    """N0: a pair of brackets runs as what is inside it, or before it, in place."""
    stack: list[tuple[str, int]] = []
    pairs: list[tuple[int, int]] = []
    for place, letter in enumerate(letters):
        if kinds[place] != "ON":
            continue
        if letter in _CLOSES:
            if len(stack) == _DEEPEST:
                break
            stack.append((_CLOSES[letter], place))
        elif letter in _CLOSERS:
            for depth in range(len(stack) - 1, -1, -1):
                if stack[depth][0] == letter:
                    pairs.append((stack[depth][1], place))
                    del stack[depth:]
                    break
    for opening, closing in sorted(pairs):
        inside = {_as_strong(kind) for kind in kinds[opening + 1 : closing]} - {""}
        if edge in inside:
            kind = edge
        elif inside:
            kind = next((s for k in reversed(kinds[:opening]) if (s := _as_strong(k))), edge)
        else:
            continue
        kinds[opening] = kinds[closing] = kind


def _neutral(kinds: list[str], edge: str) -> None:
    """N1, N2: what has no direction runs as what is on both sides of it, else as the line."""
    place = 0
    while place < len(kinds):
        end = place
        while end < len(kinds) and kinds[end] in _NEUTRAL:
            end += 1
        if end > place:
            before = _as_strong(kinds[place - 1]) if place else edge
            after = _as_strong(kinds[end]) if end < len(kinds) else edge
            kinds[place:end] = [before if before == after else edge] * (end - place)
        place = max(end, place + 1)


def _as_strong(kind: str) -> str:
    """Direction of a kind for what has none: numbers count as running to the left."""
    return {"L": "L", "R": "R", "EN": "R", "AN": "R"}.get(kind, "")
