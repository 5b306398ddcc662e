"""Where a line of words may be broken: at spaces, and in scripts without spaces between letters.

A short form of Unicode Standard Annex #14: Chinese and Japanese break between any two letters, but
not before a sign that closes nor behind one that opens. Thai, Lao, Khmer and Burmese have no
spaces between words, and no rule tells where those end: they break between letters, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .direction import has_leftward, runs_leftward, with_direction
from .text_runs import clusters, script_of

#: Scripts that are broken between letters.
_UNSPACED = frozenset(
    {"CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "YI", "THAI", "LAO", "KHMER", "MYANMAR"}
)

#: Signs that do not begin a line, and those that do not end one.
_CLOSING = frozenset(
    "、。，．：；！？）］｝〉》」』】〕〗〙”’…‥ー々〻ゝゞヽヾ"
    "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ%％)]},.:;!?°"
)
_OPENING = frozenset("（［｛〈《「『【〔〖〘“‘([{")


def breakable_parts(word: str) -> list[str]:
    """A word between spaces in the parts that a line may end behind."""
    if word.isascii():
        return [word]
    parts: list[str] = []
    before = ""
    for cluster in clusters(word):
        # Behind "、" as behind a letter.
        scripts = {script_of(cluster[0]), script_of(before[:1]) if before[:1] else ""}
        open_here = bool(scripts & _UNSPACED) or (before in _CLOSING and not before.isascii())
        if not parts or (open_here and cluster[0] not in _CLOSING and before not in _OPENING):
            parts.append(cluster)
        else:
            parts[-1] += cluster
        before = cluster
    return parts


def broken_lines(
    text: str, fits: Callable[[str], bool], cut: Callable[[str], str], most: int
) -> list[str]:
    """Lines of a text, as full as they can be.

    Parameters
    ----------
    text : str
        Words with spaces between them.
    fits : callable
        Whether a line is narrow enough.
    cut : callable
        Shortens a line that no break makes narrow enough.
    most : int
        Lines; the last is cut.

    Returns
    -------
    list of str
        Where a line alone would run the other way than the whole text, a mark without a form
        (U+200E, U+200F) stands before it.
    """
    leftward = runs_leftward(text)
    turns = has_leftward(text)

    def line_of(words: str) -> str:
        return with_direction(words, leftward=leftward) if turns else words

    lines: list[str] = []
    parts = list(_parts(text))
    first = 0
    while first < len(parts):
        if len(lines) == most - 1:
            return [*lines, cut(line_of(_joined(parts[first:])))]
        # Ever longer until it is too wide, then halfway back: few lines are measured.
        fitting, step = first + 1, 1
        too_far = len(parts) + 1
        while fitting + 1 < too_far:
            end = min(fitting + step, too_far - 1)
            if fits(line_of(_joined(parts[first:end]))):
                fitting = end
            else:
                too_far = end
            known = too_far <= len(parts)
            step = max(1, (too_far - fitting) // 2) if known else 2 * step
        lines.append(cut(line_of(_joined(parts[first:fitting]))))
        first = fitting
    return lines


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """What may stand at the end of a line, each with what is before it within one."""
    for word in text.split():
        for place, part in enumerate(breakable_parts(word)):
            yield (" " if place == 0 else ""), part


def _joined(parts: list[tuple[str, str]]) -> str:
    return "".join(gap + part for gap, part in parts).lstrip(" ")
