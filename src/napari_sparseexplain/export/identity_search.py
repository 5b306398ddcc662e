"""Where an identifying value stands in a text, however it is written there.

What is taken out of pictures and reports and what stops a DICOM export ask here alike. Accents,
capitals, marks that are not seen, the German and Scandinavian ways of writing an umlaut without
one ("Müller", "Mueller", "MULLER") and a genitive's s make no difference.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cached_property, lru_cache

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


def folded(said: str) -> str:
    """In small letters and without accents, so that "Müller" is found in "muller"."""
    return "".join(character for character, _ in _plain(said))


class SearchedText:
    """A text in which values are looked for.

    Parameters
    ----------
    said : str
    numbers_whole : bool
        Whether a value of digits is passed over within a decimal number ("100" in "0.100"). That
        stops no export; from a text it is rather removed once too often.
    """

    def __init__(self, said: str, *, numbers_whole: bool = True) -> None:
        self._said = said
        self._numbers_whole = numbers_whole

    def spans(self, value: str) -> Iterator[tuple[int, int]]:
        """Begin and end of every place in the text where a value stands as a word of its own."""
        sought, short = _sought(value)
        if not sought:
            return
        text, places = self._short if short else self._folded
        if sought not in text:
            return
        for match in _pattern(sought, self._numbers_whole).finditer(text):
            end = match.end()
            # Up to the next letter: accents that are characters of their own go, too.
            yield places[match.start()], places[end] if end < len(text) else len(self._said)

    def holds(self, value: str) -> bool:
        """Whether a value stands in the text."""
        return next(self.spans(value), None) is not None

    @cached_property
    def _folded(self) -> tuple[str, list[int]]:
        return _apart(_plain(self._said))

    @cached_property
    def _short(self) -> tuple[str, list[int]]:
        return _apart(_shortened(_plain(self._said)))


def _plain(said: str) -> list[tuple[str, int]]:
    """Folded characters, each with the place of the one it comes from."""
    found = []
    for place, character in enumerate(said):
        for part in unicodedata.normalize("NFKD", character.casefold()).translate(_LETTERS):
            # Cf: marks that are not seen, as the soft hyphen.
            if not unicodedata.combining(part) and unicodedata.category(part) != "Cf":
                found.append((part, place))
    return found


def _shortened(plain: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Without the second letter of a written-out umlaut."""
    return [
        pair
        for before, pair in zip([("", 0), *plain], plain, strict=False)
        if before[0] + pair[0] not in _WRITTEN_OUT
    ]


def _apart(plain: list[tuple[str, int]]) -> tuple[str, list[int]]:
    return "".join(character for character, _ in plain), [place for _, place in plain]


@lru_cache(maxsize=4096)
def _sought(value: str) -> tuple[str, bool]:
    """What is looked for, and whether in the shortened text."""
    plain = _plain(value)
    if len(plain) < _LONG:
        return _apart(plain)[0], False
    return _apart(_shortened(plain))[0], True


@lru_cache(maxsize=4096)
def _pattern(sought: str, numbers_whole: bool) -> re.Pattern[str]:
    before, after = "(?<![0-9a-z])", "(?![0-9a-z])"
    if numbers_whole and sought[0].isdigit():
        before += r"(?<![0-9]\.)"
    if numbers_whole and sought[-1].isdigit():
        after = r"(?![0-9a-z]|\.[0-9])"
    genitive = "s?" if len(sought) >= _GENITIVE and sought[-1].isalpha() else ""
    return re.compile(f"{before}{re.escape(sought)}{genitive}{after}")
