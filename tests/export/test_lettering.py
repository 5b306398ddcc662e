"""Any text can be drawn: what a person typed, or a file holds, never ends a picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from napari_sparseexplain.export.pictures.lettering import (
    fitted,
    one_line,
    text_width,
    wrapped,
    write,
)

#: Line ends and controls (the layout library fails on some), direction marks, half a pair.
ODD = "\n\r\t\0\x0b\x0c\x1b\x85\u2028\u2029\u202e\u2066\ud83e"


@pytest.mark.parametrize("mark", ODD)
def test_any_character_is_drawn_as_a_space_at_worst(mark: str) -> None:
    text = f"left{mark}right"
    assert one_line(text) == "left right"
    assert text_width(text, 14) == text_width("left right", 14)
    assert fitted(text, 14, 1000) == "left right"
    pictures = []
    for words in (text, "left right"):
        image = Image.new("RGB", (120, 30))
        write(image, (4, 4), words, 14)
        pictures.append(np.asarray(image))
    assert np.array_equal(*pictures)
    assert all(one_line(line) == line for line in wrapped(f"{text} and more words", 14, 60))


def test_a_text_of_any_length_is_drawn() -> None:
    """The layout refuses a million characters."""
    text = "word " * 400_000
    assert fitted(text, 14, 200).endswith("…")
    assert len(wrapped(text[:50_000], 14, 200, most=3)) == 3
    write(Image.new("RGB", (60, 30)), (4, 4), text, 14)


def test_what_is_no_control_character_stays() -> None:
    for text in ("α 0.5 · mm² – “ä”", "\U0001f9e0", "العربية", "a b"):
        assert one_line(text) == text
