"""What of the words in a picture could not be drawn as it should be, and what helps."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from PIL import features

from .text_runs import is_plain, script_of, text_runs

#: Letters of a script that a note shows.
_SHOWN = 6

#: Scripts whose letters change their form or place beside others, and have no forms of their own
#: in Unicode for it, as Arabic has.
_JOINED = frozenset(
    {
        *("DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA"),
        *("MALAYALAM", "SINHALA", "TIBETAN", "MYANMAR", "KHMER", "MONGOLIAN", "SYRIAC", "NKO"),
        *("THAI", "LAO", "JAVANESE", "BALINESE", "THAANA"),
    }
)


@cache
def has_layout() -> bool:
    """Whether Pillow has the library raqm, which joins letters and puts them into their places."""
    return bool(features.check("raqm"))


def missing_letters(lines: Iterable[str]) -> dict[str, list[str]]:
    """Letters that no font of this machine has, by the script that Unicode calls them by.

    Parameters
    ----------
    lines : iterable of str
        As they are drawn.

    Returns
    -------
    dict of str to list of str
        Signs that are of no script stand under ``""``.
    """
    found: dict[str, dict[str, None]] = {}
    for line in dict.fromkeys(lines):
        if is_plain(line):
            continue
        for run in text_runs(line):
            for letter in run.missing:
                found.setdefault(script_of(letter), {})[letter] = None
    return {script: list(letters) for script, letters in found.items()}


def letter_notes(lines: Iterable[str]) -> tuple[str, ...]:
    """Sentences for the person who exports; none where all is drawn as it should be."""
    lines = tuple(dict.fromkeys(line for line in lines if not is_plain(line)))
    notes = []
    missing = missing_letters(lines)
    if missing:
        told = "; ".join(f"{_name(script)} {_shown(each)}" for script, each in missing.items())
        notes.append(
            f"no font of this computer has some letters, boxes stand for them: {told}. Install "
            'fonts: pip install "napari-sparseexplain[fonts]", or a Noto font of that script'
        )
    apart = {script_of(letter) for line in lines for letter in line} & _JOINED
    if apart and not has_layout():
        names = ", ".join(sorted(_name(script) for script in apart))
        notes.append(
            f"letters of {names} are not joined: this Pillow has no raqm library. Install Pillow "
            "from its wheel (pip install --force-reinstall pillow), or the library libraqm"
        )
    return tuple(notes)


def _name(script: str) -> str:
    return {"": "signs", "CJK": "Chinese"}.get(script, script.capitalize())


def _shown(letters: list[str]) -> str:
    first = sorted(letters)[:_SHOWN]
    told = " ".join(each if each.isprintable() else f"U+{ord(each):04X}" for each in first)
    return told + (" …" if len(letters) > _SHOWN else "")
