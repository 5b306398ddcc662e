"""A text as a run of plain letters and digits, in which a value is found however it is written.

Accents, capitals, marks that are not seen, punctuation, the German and Scandinavian ways of writing
an umlaut without one ("Müller", "Mueller", "MULLER"), a genitive's s, and words written together
("KowalczykAnna", "anna_kowalczyk7Dec1943") make no difference.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import NamedTuple

#: Letters with a stroke, and joined ones, which Unicode does not take apart.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)

#: A vowel with an "e" (or "aa") written for its umlaut or ring.
_WRITTEN_OUT = frozenset({"ae", "oe", "ue", "aa"})

#: From this length on "Mueller" and "Müller" are one: of shorter ones, "Joe" would be "jo".
_LONG = 5

#: From this length on a name may have a genitive's s.
_GENITIVE = 4

#: From this length on a value is also found across words that a text writes apart ("Kowal czyk"),
#: and within a word that it is written together with ("drkowalczyk").
_SURE = 7

#: Values of more words than this are found by their words.
_MOST_WORDS = 16

#: First character of the East Asian scripts, which write no spaces; and the letters that a Korean
#: syllable is taken apart into.
_EAST_ASIAN, _JAMO = "\u2e80", ("\u1100", "\u11ff")


class Match(NamedTuple):
    """Where a value stands in a text: begin and end there, and the value as `plain` writes it."""

    start: int
    stop: int
    value: str


class _Letter(NamedTuple):
    letter: str
    place: int
    #: 0: goes on with the letter before, 1: a new word by capitals or digits, 2: after a gap.
    begins: int


def plain(said: str) -> str:
    """Letters and digits of a value as they are sought: small, without accents, joined."""
    letters = _letters(said)
    if len(letters) >= _LONG:
        letters = _shortened(letters)
    return "".join(item.letter for item in letters)


def plain_words(said: str) -> list[str]:
    """Words of a text in small letters without accents, split also at capitals and digits."""
    words: list[str] = []
    for item in _letters(said):
        if item.begins or not words:
            words.append("")
        words[-1] += item.letter
    return words


def is_east_asian(value: str) -> bool:
    """Whether a value is written without spaces, so that two characters are a name."""
    return any(c >= _EAST_ASIAN or _JAMO[0] <= c <= _JAMO[1] for c in value)


class SearchedText:
    """A text in which values are looked for.

    Parameters
    ----------
    said : str
    decimals : bool
        Whether digits are passed over within a decimal number ("100" in "0.100").
    """

    def __init__(self, said: str, *, decimals: bool = False) -> None:
        self._said = said
        self._decimals = decimals

    def matches(
        self, values: Mapping[str, object], passed_over: Callable[[str], bool] | None = None
    ) -> Iterator[Match]:
        """Every place where a value stands, on its own or written together with other words.

        Parameters
        ----------
        values : mapping
            Its keys, as `plain` writes them.
        passed_over : callable, optional
            Words, as `plain` writes them, within which nothing is looked for.
        """
        long = [v for v in values if len(v) >= _SURE and not v.isdigit()]
        joined = [v for v in values if is_east_asian(v)]
        runs = (self._folded, False), (self._short, True)
        for letters, short in runs:
            if short and letters == self._folded:
                continue
            yield from self._whole(letters, values, short)
            if long:
                yield from self._within(letters, long, passed_over)
        text = "".join(item.letter for item in self._folded)
        for value in joined:
            at = text.find(value)
            while at >= 0:
                yield self._match(self._folded, at, at + len(value), value)
                at = text.find(value, at + 1)

    def _whole(
        self, letters: list[_Letter], values: Mapping[str, object], short: bool
    ) -> Iterator[Match]:
        """Values that begin and end where words do."""
        text = "".join(item.letter for item in letters)
        starts = [i for i, item in enumerate(letters) if item.begins or i == 0]
        ends = [*starts[1:], len(letters)]
        next_gap = len(letters)
        for number in reversed(range(len(starts))):
            start = starts[number]
            for end in ends[number : number + _MOST_WORDS]:
                value = _known(text[start:end], values)
                if value is None or (short and len(value) < _GENITIVE):
                    continue
                if end > next_gap and len(value) < _SURE and not _several(values[value]):
                    continue
                if self._decimals and value.isdigit() and self._in_decimal(letters, start, end):
                    continue
                yield self._match(letters, start, end, value)
            if letters[start].begins == 2:
                next_gap = start

    def _within(
        self,
        letters: list[_Letter],
        long: list[str],
        passed_over: Callable[[str], bool] | None,
    ) -> Iterator[Match]:
        """Long values within a word that is written together, whatever stands about them."""
        start = 0
        for end in range(1, len(letters) + 1):
            if end < len(letters) and letters[end].begins != 2:
                continue
            word = "".join(item.letter for item in letters[start:end])
            if len(word) > _SURE and not (passed_over and passed_over(word)):
                for value in long:
                    at = word.find(value)
                    if at >= 0:
                        yield self._match(letters, start + at, start + at + len(value), value)
            start = end

    def _match(self, letters: list[_Letter], start: int, end: int, value: str) -> Match:
        first = letters[start].place
        stop = letters[end].place if end < len(letters) else len(self._said)
        # Back over the gap before the next letter, but not over accents of the last one.
        last = letters[end - 1].place
        while stop - 1 > last and not _belongs(self._said[stop - 1]):
            stop -= 1
        return Match(first, stop, value)

    def _in_decimal(self, letters: list[_Letter], start: int, end: int) -> bool:
        """Whether the digits are part of a decimal number."""
        said, first, last = self._said, letters[start].place, letters[end - 1].place
        before = first >= 2 and said[first - 1] == "." and said[first - 2].isdigit()
        after = last + 2 < len(said) and said[last + 1] == "." and said[last + 2].isdigit()
        return before or after

    @cached_property
    def _folded(self) -> list[_Letter]:
        return _letters(self._said)

    @cached_property
    def _short(self) -> list[_Letter]:
        return _shortened(self._folded)


def _known(found: str, values: Mapping[str, object]) -> str | None:
    """The value that letters of a text are, also with a genitive's s."""
    if found in values:
        return found
    without = found[:-1]
    ends_in_s = len(without) >= _GENITIVE and found[-1] == "s" and not without[-1].isdigit()
    return without if ends_in_s and without in values else None


def _several(value: object) -> bool:
    """Whether a value is known to consist of several words."""
    return bool(getattr(value, "several", False))


def _belongs(character: str) -> bool:
    """Whether a character is one with the letter before: an accent, a mark that is not seen."""
    return bool(unicodedata.combining(character)) or unicodedata.category(character) == "Cf"


@lru_cache(maxsize=2048)
def _folded_character(character: str) -> str:
    plain_form = unicodedata.normalize("NFKD", character).casefold().translate(_LETTERS)
    parts = unicodedata.normalize("NFKD", plain_form)
    return "".join(p for p in parts if not unicodedata.combining(p) and p.isalnum())


def _letters(said: str) -> list[_Letter]:
    """Folded letters and digits, each with its place and whether a word begins there."""
    found: list[_Letter] = []
    gap, before = True, ""
    kinds = [_kind(character) for character in said]
    for place, character in enumerate(said):
        kind = kinds[place]
        if kind == "":  # belongs to the letter before
            continue
        if kind == "-":
            gap, before = True, ""
            continue
        begins = 2 if gap else int(_turns(before, kind, kinds, place))
        gap, before = False, kind
        for part in _folded_character(character):
            found.append(_Letter(part, place, begins))
            begins = 0
    return found


def _kind(character: str) -> str:
    """``U`` capital, ``L`` other letter, ``D`` digit, ``-`` between words, empty: of no width."""
    if _belongs(character):
        return ""
    folded = _folded_character(character)
    if not folded:
        return "-"
    if not folded[0].isalpha():
        return "D"
    return "U" if character.isupper() or character.istitle() else "L"


def _turns(before: str, kind: str, kinds: list[str], place: int) -> bool:
    """Whether a word begins within letters: at digits, and at capitals ("annaSmith", "MRAnna")."""
    if "D" in (before, kind):
        return before != kind
    if kind != "U":
        return False
    if before == "L":
        return True
    following = next((k for k in kinds[place + 1 :] if k), "-")
    return following == "L"


def _shortened(letters: list[_Letter]) -> list[_Letter]:
    """Without the second letter of a written-out umlaut."""
    found: list[_Letter] = []
    before = ""
    for item in letters:
        if before + item.letter in _WRITTEN_OUT and not item.begins:
            before = item.letter
            continue
        before = item.letter
        found.append(item)
    return found
