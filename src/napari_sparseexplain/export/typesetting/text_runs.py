"""A line in parts that one font draws each: by direction, script and which font has the letters.

The font of the program (DejaVu Sans, which ships with matplotlib) comes first, so that Latin,
Greek, Cyrillic, Hebrew and Arabic look the same on every machine. What it has not is looked for in
the fonts of the machine, a script of the line at a time, so that its letters are of one font where
one has them all.
"""

from __future__ import annotations

import locale
import os
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

from .coverage import FontFile
from .direction import has_leftward, level_runs, seen_order
from .font_choice import NO_FORM, FontChoice
from .system_fonts import system_fonts

#: Latin, Greek and Cyrillic letters and common signs; the font of the program has all of them.
_PLAIN = re.compile(
    "[\x20-\x7e\xa0-\u024f\u0391-\u03a1\u03a3-\u03ce\u0400-\u045f\u2010-\u2015\u2018-\u2022"
    "\u2026\u2030\u2032\u2033\u2039\u203a\u2070\u2074-\u207e\u20ac\u2190-\u2199\u2212\u2248\u2260"
    "\u2264\u2265]*"
)

#: Letters that the program's font has, and which join or change their places: Lao.
_SHAPED = re.compile("[\u0e80-\u0eff]")


@dataclass(frozen=True)
class TextRun:
    """A part of a line that one font draws.

    Attributes
    ----------
    text : str
        Letters in the order of the language.
    font : Path
    leftward : bool or None
        Whether it runs from right to left; None for a whole line, whose letters the layout orders.
    language : str
        Code of BCP 47 where letters of several languages share a number (Han); else empty.
    missing : str
        Letters of it that no font of this machine has; boxes are drawn for them.
    """

    text: str
    font: Path
    leftward: bool | None = None
    language: str = ""
    missing: str = ""

    def longer(self, text: str, *, missing: str = "") -> TextRun:
        """The run with more behind it."""
        return replace(self, text=self.text + text, missing=self.missing + missing)


def program_font(*, bold: bool = False) -> Path:
    """File of DejaVu Sans, which ships with matplotlib."""
    # matplotlib ships the font; it need not be loaded for it.
    found = find_spec("matplotlib")
    assert found is not None
    assert found.origin is not None
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / name


@cache
def _program_font(*, bold: bool) -> FontFile:
    return FontFile(program_font(bold=bold))


def is_plain(text: str) -> bool:
    """Whether the program's font draws a text letter by letter, from left to right."""
    if _PLAIN.fullmatch(text):
        return True
    if has_leftward(text) or _SHAPED.search(text):
        return False
    font = _program_font(bold=False)
    return all(font.has(letter) or letter in NO_FORM for letter in text)


@lru_cache(maxsize=1024)
def text_runs(text: str, *, bold: bool = False, whole: bool = True) -> tuple[TextRun, ...]:
    """Parts of a line from left to right, as they are seen.

    Parameters
    ----------
    text : str
        One line, in the order of its language.
    bold : bool
        Whether bold fonts are wanted.
    whole : bool
        Whether a line of the program's font alone is one part in both directions, which Pillow
        orders; else every part runs one way.
    """
    own = _program_font(bold=bold)
    if whole and (_PLAIN.fullmatch(text) or all(_has(own, letter) for letter in text)):
        return (TextRun(text, own.path),)
    return split_by_font(text, _fonts(bold=bold), language=_language_of(text))


@cache
def _fonts(*, bold: bool) -> FontChoice:
    return FontChoice((_program_font(bold=bold), *system_fonts(bold=bold)))


def split_by_font(text: str, fonts: FontChoice, *, language: str = "") -> tuple[TextRun, ...]:
    """Parts of a line from left to right, each with the first font that has all of its letters.

    Parameters
    ----------
    text : str
    fonts : FontChoice
    language : str
        Of Han letters.
    """
    runs: list[TextRun] = []
    run_levels: list[int] = []
    beside: FontFile | None = None
    of_script = _fonts_of_scripts(text, fonts)
    for level in level_runs(text):
        for word in _words(text[level.start : level.stop]):
            script = script_of(word[0])
            # A sign that the program's font has not is of the font of the word before it ("、").
            whole = of_script.get(script)
            for part, font in [(word, whole)] if whole else _fonts_of(word, fonts, beside):
                last = runs[-1] if runs and run_levels[-1] == level.level else None
                wide = script in _HAN or unicodedata.east_asian_width(part[0]) in "WF"
                said = language if wide else ""
                if font is None and last:  # the box of the font before: no part of its own
                    runs[-1] = last.longer(part, missing=part)
                    continue
                found = TextRun(part, (font or fonts.first).path, level.leftward, said,
                                "" if font else part)  # fmt: skip
                beside = font or beside
                if last and (last.font, last.language) == (found.font, found.language):
                    runs[-1] = last.longer(part)
                else:
                    runs.append(found)
                    run_levels.append(level.level)
    return tuple(runs[place] for place in seen_order(run_levels))


@lru_cache(maxsize=4096)
def script_of(letter: str) -> str:
    """The script of a letter by its name ("THAI", "CJK"); signs of any script have none."""
    if unicodedata.category(letter)[0] not in "LM":
        return ""
    name = unicodedata.name(letter, "")
    return "" if name.startswith("COMBINING") else name.split(" ")[0].split("-")[0]


def clusters(text: str) -> list[str]:
    """Letters with the marks that stand on them, which are never parted."""
    found: list[str] = []
    for letter in text:
        kind = unicodedata.category(letter)
        joined = found and (found[-1][-1] == "\u200d" or _is_virama(found[-1][-1]))
        if found and (kind in ("Mn", "Mc", "Me") or letter in NO_FORM or joined):
            found[-1] += letter
        else:
            found.append(letter)
    return found


def _is_virama(letter: str) -> bool:
    """Whether a sign joins two consonants of an Indic script into one."""
    return unicodedata.combining(letter) == 9


#: Scripts whose letters have a form for each language.
_HAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO"})


def _has(font: FontFile, letter: str) -> bool:
    return letter in NO_FORM or font.has(letter)


def _words(text: str) -> list[str]:
    """Parts of one script, marks and signs with the letter before them where it has one."""
    found: list[str] = []
    last = ""
    for cluster in clusters(text):
        script = script_of(cluster[0])
        if found and script and script == last:
            found[-1] += cluster
        else:
            found.append(cluster)
        last = script
    return found


def _fonts_of_scripts(text: str, fonts: FontChoice) -> dict[str, FontFile | None]:
    """The font of each script of a line, where one has all of its letters and their marks there."""
    letters: dict[str, str] = {}
    for word in dict.fromkeys(_words(text)):
        if script := script_of(word[0]):
            letters[script] = letters.get(script, "") + word
    return {script: fonts.font_of(every) for script, every in letters.items()}


def _fonts_of(
    word: str, fonts: FontChoice, beside: FontFile | None
) -> list[tuple[str, FontFile | None]]:
    """The word with its font, or its letters where no font has them all."""
    if font := fonts.font_of(word, beside):
        return [(word, font)]
    parts = clusters(word)
    if len(parts) > 1:
        return [found for part in parts for found in _fonts_of(part, fonts, beside)]
    if len(word) > 1:  # a mark that the letter's font has not
        return [found for letter in word for found in _fonts_of(letter, fonts, beside)]
    return [(word, None)]


def _language_of(text: str) -> str:
    """Language of the Han letters of a line: by its other letters, else by the machine's."""
    scripts = {script_of(letter) for letter in text}
    if scripts & {"HIRAGANA", "KATAKANA"}:
        return "ja"
    if "HANGUL" in scripts:
        return "ko"
    return machine_language(os.environ, lambda: locale.getlocale()[0])


def machine_language(
    environment: os._Environ[str] | dict[str, str], ask: Callable[[], str | None]
) -> str:
    """Language in which Han letters are drawn where their line does not tell: Chinese at last."""
    said = next((environment[k] for k in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(k)), "")
    said = (said or ask() or "").replace("-", "_").lower()
    if said.startswith(("ja", "ko")):
        return said[:2]
    traditional = said.startswith(("zh_tw", "zh_hk", "zh_mo", "zh_hant", "chinese (traditional"))
    return "zh-Hant" if traditional else "zh-Hans"
