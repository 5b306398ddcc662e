"""The first of several fonts that has all letters of a word."""

from __future__ import annotations

from collections.abc import Sequence

from .coverage import FontFile

#: Characters without a form: any font will do.
NO_FORM = frozenset("\u200b\u200c\u200d\u200e\u200f\u2060\u00ad\ufeff\u034f")


class FontChoice:
    """Fonts in the order in which they are asked; what each has is remembered.

    Parameters
    ----------
    fonts : sequence of FontFile
        The first one is also the one that draws the box of a letter that none has.
    """

    def __init__(self, fonts: Sequence[FontFile]) -> None:
        self.fonts = tuple(fonts)
        self._first_place: dict[str, int] = {}

    @property
    def first(self) -> FontFile:
        """The font that is asked first."""
        return self.fonts[0]

    def font_of(self, letters: str, before: FontFile | None = None) -> FontFile | None:
        """The first font that has all letters; None where none has.

        Parameters
        ----------
        before : FontFile, optional
            Asked before all others but the first.
        """
        letters = "".join(dict.fromkeys(letters))
        # Fonts are opened one after another, and none behind the one that is found.
        begin = max((self._place(letter) for letter in letters), default=0)
        if begin and before is not None and self._has_all(before, letters):
            return before
        return next((font for font in self.fonts[begin:] if self._has_all(font, letters)), None)

    def _place(self, letter: str) -> int:
        """Place of the first font that has a letter."""
        if letter not in self._first_place:
            found = (i for i, font in enumerate(self.fonts) if self._has_all(font, letter))
            self._first_place[letter] = next(found, len(self.fonts))
        return self._first_place[letter]

    @staticmethod
    def _has_all(font: FontFile, letters: str) -> bool:
        return all(letter in NO_FORM or font.has(letter) for letter in letters)
