"""What tells who was examined, and where it stands in a text."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise, permutations
from typing import NamedTuple

from pydicom.dataset import Dataset

from ...errors import SparseExplainError
from ...volumes import Study
from .dates import dates_in
from .identifying_values import Told, told_by, told_by_header
from .letters import SearchedText, is_east_asian, plain, plain_words
from .program_words import is_own
from .vocabulary import SHORTEST, harmless_words, program_words

#: What stands where an identifying value stood.
REMOVED = "[removed]"

#: Shorter parts of names occur in any text; of Chinese or Korean names two characters are enough.
_SHORTEST_NAME, _SHORTEST_EAST_ASIAN = 3, 2

#: Numbers of digits alone below this length are sizes and values of any picture.
_SHORTEST_DIGITS = 5

#: Several words together, from this many letters on.
_SHORTEST_PHRASE = 6

#: Numbers that a person's words are searched for however short they are.
_PATIENTS_NUMBERS = frozenset({"PatientID", "AccessionNumber", "StudyID"})

#: Names of more parts than this are known by neighbouring parts.
_MOST_PARTS = 4

_RANK = {"name": 0, "number": 1}

_UID = re.compile(r"(?<![0-9.])(?:2\.25\.[0-9]+|[0-9]+(?:\.[0-9]+){4,})(?![0-9])")

#: Checksums, and UIDs made by this program: chance puts any number into them.
_CHECKSUM = re.compile(r"\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{12,}\b|\b2\.25\.[0-9]+")


class Value(NamedTuple):
    """A value that identifies: where it was told, and how it is treated.

    Attributes
    ----------
    keyword : str
        Element or property of the file.
    several : bool
        Whether it consists of several words.
    refuses : bool
        Whether an object that holds it must not be written; else it is only taken out of words.
    """

    keyword: str
    several: bool = False
    refuses: bool = True


class Found(NamedTuple):
    """Where an identifying value stands, and where it was told."""

    start: int
    stop: int
    keyword: str
    refuses: bool = True


@dataclass(frozen=True)
class Identity:
    """All that tells who was examined, by whom, when, where and under which number.

    Two searches are told apart. *Words* that a person or a file gave are searched for every value,
    also for parts of names of three letters and for names that are words of a language. A finished
    *output*, most of it this program's own words, is searched for what those do not hold.

    Attributes
    ----------
    words, outputs : mapping of str to Value
        By the value as `letters.plain` writes it.
    dates : mapping of date to str
        Days, and the keyword of each.
    uids : mapping of str to str
        UIDs, and the keyword of each.
    """

    words: dict[str, Value] = field(default_factory=dict)
    outputs: dict[str, Value] = field(default_factory=dict)
    dates: dict[date, str] = field(default_factory=dict)
    uids: dict[str, str] = field(default_factory=dict)

    def found_in(self, said: str) -> list[Found]:
        """Places in what a person or a file said, in order.

        A text of this program's own words alone ("brain mask") is searched as an output is.
        """
        return self._found(said, self.outputs if is_own(said) else self.words, decimals=False)

    def in_output(self, said: str, allowed: Iterable[str] = ()) -> list[Found]:
        """Places in a text of a finished file.

        Parameters
        ----------
        said : str
        allowed : iterable of str
            Texts that this program wrote itself, such as the time of the export; not searched.
        """
        for text in allowed:
            said = said.replace(text, " " * len(text))
        said = _CHECKSUM.sub(self._blank, said)
        return self._found(said, self.outputs, decimals=True)

    def _blank(self, match: re.Match[str]) -> str:
        """Nothing in place of a checksum, unless it is a number or UID of the images."""
        told = match.group()
        return told if told in self.uids or plain(told) in self.outputs else " " * len(told)

    def without(self, said: str) -> str:
        """A person's words with every identifying value replaced by `REMOVED`."""
        end, parts = 0, []
        values = self._typed if is_own(said) else self.words
        for found in self._found(said, values, decimals=False):
            if found.start > end or not parts:
                parts += [said[end : found.start], REMOVED]
            end = max(end, found.stop)
        return "".join([*parts, said[end:]])

    @cached_property
    def _typed(self) -> dict[str, Value]:
        """What is taken out of words that are this program's own: also the patient's numbers."""
        numbers = {
            value: kept
            for value, kept in self.words.items()
            if (
                kept.keyword in _PATIENTS_NUMBERS
                or (kept.several and len(value) < _SHORTEST_PHRASE)
            )
            and len(value) >= SHORTEST
        }
        return {**numbers, **self.outputs}

    def _found(self, said: str, values: dict[str, Value], *, decimals: bool) -> list[Found]:
        found: set[Found] = set()
        if values:
            searched = SearchedText(said, decimals=decimals)
            for match in searched.matches(values, program_words().__contains__):
                value = values[match.value]
                found.add(Found(match.start, match.stop, value.keyword, value.refuses))
        if self.dates:
            for item in dates_in(said):
                for day in item.days & self.dates.keys():
                    found.add(Found(item.start, item.stop, self.dates[day]))
        if self.uids:
            for match in _UID.finditer(said):
                if match.group() in self.uids:
                    found.add(Found(*match.span(), self.uids[match.group()]))
        return sorted(found, key=lambda item: (item.start, -item.stop))


#: Of an export in which names were asked for.
NOBODY = Identity()


def identity_of_studies(studies: Iterable[Study]) -> Identity:
    """What headers, file names and folder names of studies tell."""
    return _identity(told_by(studies))


def identity_of_headers(headers: Iterable[Dataset]) -> Identity:
    """What DICOM headers tell."""
    return _identity(told for header in headers for told in told_by_header(header))


def joined(*identities: Identity) -> Identity:
    """All that several tell."""
    whole = Identity()
    for each in identities:
        for name in ("words", "outputs", "dates", "uids"):
            for value, kept in getattr(each, name).items():
                getattr(whole, name).setdefault(value, kept)
    return whole


def refuse_identity(found: Iterable[Found], where: str) -> None:
    """Refuse to write what holds an identifying value.

    Raises
    ------
    SparseExplainError
        There is one. Names what holds the value and where it was told, and not the value.
    """
    keyword = next((item.keyword for item in found if item.refuses), None)
    if keyword is not None:
        raise SparseExplainError(
            f"the {where} would tell who the patient is: it holds the value of the images' "
            f"{keyword}, so nothing was written",
            where="export",
            remedy="Give it another name and explain again, or keep the identity "
            "(--identify, --keep-identity) for the archive that the images came from",
        )


def _identity(told: Iterable[Told]) -> Identity:
    found = Identity()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what pydicom remarks of values that are only searched
        told = list(dict.fromkeys(told))
    # Names first: of a value that stands in several elements that is the telling one.
    for item in sorted(told, key=lambda item: _RANK.get(item.kind, len(_RANK))):
        if item.kind == "name":
            _add_name(found, item)
        elif item.kind == "uid":
            found.uids.setdefault(item.value, item.keyword)
        elif item.kind == "phrase":
            _add_phrase(found, item)
        else:
            if item.kind == "number":
                _add_number(found, item)
            elif item.kind == "text":
                _add_text(found, item)
            for day in (day for each in dates_in(item.value) for day in each.days):
                found.dates.setdefault(day, item.keyword)
    return found


def _add_name(found: Identity, item: Told) -> None:
    """Each part, and the parts together in every order."""
    parts = [p for p in re.split(r"[\^=\s,_.;/\\()\-]+", item.value) if plain(p)]
    for part in parts:
        several = len(plain_words(part)) > 1  # "O'Brien", also when it is written apart
        _add_word(found, plain(part), item.keyword, shortest=_SHORTEST_NAME, several=several)
    chosen = parts[:_MOST_PARTS]
    for count in range(2, len(chosen) + 1):
        for some in permutations(chosen, count):
            _add_several(found, some, item.keyword, shortest=SHORTEST)
    for pair in pairwise(parts):
        _add_several(found, pair, item.keyword, shortest=SHORTEST)
    _add_several(found, parts, item.keyword, shortest=SHORTEST)


def _add_number(found: Identity, item: Told) -> None:
    """A number or a place: as a whole, its longer runs of digits, and words that are a name."""
    whole = plain(item.value)
    patients = item.keyword in _PATIENTS_NUMBERS
    least = _SHORTEST_NAME if patients or not whole.isdigit() else _SHORTEST_DIGITS
    several = len(plain_words(item.value)) > 1
    if len(whole) >= least:
        found.words.setdefault(whole, Value(item.keyword, several))
    least = _SHORTEST_DIGITS if whole.isdigit() else SHORTEST
    certain = any(c.isdigit() for c in whole) or several
    if len(whole) >= least and certain and not is_own(item.value):
        found.outputs.setdefault(whole, Value(item.keyword, several))
    _add_text(found, item)


def _add_text(found: Identity, item: Told) -> None:
    """Every word that is none of radiology's, long numbers, and a file's name as a whole."""
    words = plain_words(item.value)
    for word in words:
        if word.isdigit():
            if len(word) >= _SHORTEST_DIGITS:
                found.words.setdefault(word, Value(item.keyword))
                found.outputs.setdefault(word, Value(item.keyword))
        elif word not in harmless_words():
            _add_word(found, word, item.keyword, shortest=SHORTEST)
    telling = [w for w in words if w not in harmless_words() and not _is_little(w)]
    if telling and len(words) <= 2 * _MOST_PARTS:
        _add_several(found, [item.value], item.keyword)


def _add_phrase(found: Identity, item: Told) -> None:
    if len(plain_words(item.value)) > 1 and not is_own(item.value):
        whole = plain(item.value)
        found.words.setdefault(whole, Value(item.keyword, several=True, refuses=False))


def _add_word(
    found: Identity, word: str, keyword: str, *, shortest: int, several: bool = False
) -> None:
    east_asian = is_east_asian(word)
    if len(word) < (_SHORTEST_EAST_ASIAN if east_asian else shortest):
        return
    found.words.setdefault(word, Value(keyword, several))
    if (len(word) >= SHORTEST or east_asian) and word not in program_words():
        found.outputs.setdefault(word, Value(keyword, several))


def _add_several(
    found: Identity, parts: Iterable[str], keyword: str, *, shortest: int = _SHORTEST_PHRASE
) -> None:
    """Several words as one, in outputs unless all of them are this program's own."""
    parts = list(parts)
    whole = plain(" ".join(parts))
    if len(plain_words(" ".join(parts))) < 2 and not is_east_asian(whole):
        return
    if len(whole) < (_SHORTEST_EAST_ASIAN if is_east_asian(whole) else shortest):
        return
    found.words.setdefault(whole, Value(keyword, several=True))
    if not is_own(" ".join(parts)):
        found.outputs.setdefault(whole, Value(keyword, several=True))


def _is_little(word: str) -> bool:
    """A word or number that the policy decides about, not the search."""
    return len(word) < SHORTEST
