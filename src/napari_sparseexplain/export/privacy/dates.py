"""Dates in a text, in any order, with any signs and with names of months in ten languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import NamedTuple

#: First letters of the months' names in English, German, French, Spanish, Italian, Portuguese,
#: Dutch, Polish, Swedish and Danish, without accents.
_MONTHS = (
    ("jan", "ene", "gen", "sty"),
    ("feb", "fev", "lut"),
    ("mar", "mrt", "maa"),
    ("apr", "avr", "abr", "kwi"),
    ("may", "mai", "mei", "mag", "maj"),
    ("jun", "juin", "giu", "cze"),
    ("jul", "juil", "lug", "lip"),
    ("aug", "aou", "ago", "sie"),
    ("sep", "set", "wrz"),
    ("oct", "okt", "ott", "out", "paz"),
    ("nov", "lis"),
    ("dec", "dez", "dic", "gru"),
)

_NAMES = "|".join(sorted((name for names in _MONTHS for name in names), key=len, reverse=True))
_NAME = rf"(?P<name>{_NAMES})[a-z]*"
_GAP = r"[\s.,/_\-]"
_SIGN = rf"{_GAP}{{0,3}}(?:(?:st|nd|rd|th|de|of|the){_GAP}{{1,3}}){{0,2}}"
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
_DAY, _YEAR = r"(?P<day>[0-3]?[0-9])", r"(?P<year>[12][0-9]{3}|'?[0-9]{2})"
_NO_DIGIT_BEFORE, _NO_DIGIT_AFTER = r"(?<![0-9])", r"(?![0-9])"

_WITH_NAMES = tuple(
    re.compile(f"{_NO_DIGIT_BEFORE}{pattern}{_NO_DIGIT_AFTER}")
    for pattern in (
        f"{_DAY}{_SIGN}{_NAME}{_SIGN}{_YEAR}",
        f"(?<![a-z]){_NAME}{_SIGN}{_DAY}{_SIGN}{_YEAR}",
        f"{_YEAR}{_SIGN}{_NAME}{_SIGN}{_DAY}",
    )
)
_BETWEEN = r"\s?[.\-/_\s]\s?"
_WITH_ROMAN = re.compile(
    rf"{_NO_DIGIT_BEFORE}{_DAY}{_GAP}{{1,2}}(?P<name>{'|'.join(reversed(_ROMAN))}){_GAP}{{1,2}}{_YEAR}"
    rf"{_NO_DIGIT_AFTER}"
)
_SPLIT = re.compile(
    rf"{_NO_DIGIT_BEFORE}([0-9]{{1,4}}){_BETWEEN}([0-9]{{1,2}}){_BETWEEN}([0-9]{{1,4}})"
    rf"{_NO_DIGIT_AFTER}"
)
_COLONS = re.compile(rf"{_NO_DIGIT_BEFORE}([0-9]{{4}}):([0-9]{{2}}):([0-9]{{2}}){_NO_DIGIT_AFTER}")
_JOINED = re.compile(
    rf"{_NO_DIGIT_BEFORE}(?<![0-9][.,])(?:[0-9]{{8}}|[0-9]{{6}}|[0-9]{{14}}){_NO_DIGIT_AFTER}"
)


#: Years of births and examinations.
_FIRST_YEAR, _LAST_YEAR = 1850, 2150


class FoundDate(NamedTuple):
    """Where a date stands, and the days that it can mean ("3/4/21" can mean several)."""

    start: int
    stop: int
    days: frozenset[date]


def dates_in(said: str) -> Iterator[FoundDate]:
    """Every place in a text that can be a date."""
    text = _one_for_one(said)
    for pattern in _WITH_NAMES:
        for match in pattern.finditer(text):
            month = next(i for i, names in enumerate(_MONTHS) if match["name"] in names) + 1
            days = _days(match["year"].lstrip("'"), str(month), match["day"])
            if days:
                yield FoundDate(*match.span(), days)
    for match in _WITH_ROMAN.finditer(text):
        month = _ROMAN.index(match["name"]) + 1
        if days := _days(match["year"].lstrip("'"), str(month), match["day"]):
            yield FoundDate(*match.span(), days)
    for match in _SPLIT.finditer(text):
        first, second, third = match.groups()
        if days := _orders(first, second, third):
            yield FoundDate(*match.span(), days)
    for match in _COLONS.finditer(text):
        if days := _days(*match.groups()):
            yield FoundDate(*match.span(), days)
    for match in _JOINED.finditer(text):
        digits = match.group()[:8]
        if len(digits) == 8:
            days = _orders(digits[:4], digits[4:6], digits[6:]) | _orders(
                digits[:2], digits[2:4], digits[4:]
            )
        else:
            days = _orders(digits[:2], digits[2:4], digits[4:])
        if days:
            yield FoundDate(*match.span(), days)


def _one_for_one(said: str) -> str:
    """Small letters without accents, each at its own place."""
    return "".join(map(_plain_character, said))


@lru_cache(maxsize=2048)
def _plain_character(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    kind = unicodedata.category(character)
    if kind in ("Pd", "Cf") or character in "·•∙|¦年月日":
        return "-" if kind != "Cf" else " "
    if character in "’‘`´":
        return "'"
    return unicodedata.normalize("NFKD", character.casefold())[:1] or " "


def _orders(first: str, second: str, third: str) -> frozenset[date]:
    """Days that three numbers can mean: year first, or day or month first."""
    found = _days(first, second, third)
    if len(first) <= 2:
        found |= _days(third, second, first) | _days(third, first, second)
    return found


def _days(year: str, month: str, day: str) -> frozenset[date]:
    """Days of a year of four digits, or of two, which leave the century open."""
    if len(day) > 2 or len(month) > 2 or len(year) not in (2, 4):
        return frozenset()
    years = [int(year)] if len(year) == 4 else [1900 + int(year), 2000 + int(year)]
    found = set()
    for number in years:
        if not _FIRST_YEAR <= number <= _LAST_YEAR:
            continue
        try:
            found.add(date(number, int(month), int(day)))
        except ValueError:
            continue
    return frozenset(found)
