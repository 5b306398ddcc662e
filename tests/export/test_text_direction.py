"""Order and forms of letters: Unicode Standard Annex #9, and the forms of Arabic letters."""

from __future__ import annotations

import random

import numpy as np
import pytest
from PIL import Image, features

from napari_sparseexplain.export.pictures import lettering
from napari_sparseexplain.export.typesetting.coverage import FontFile
from napari_sparseexplain.export.typesetting.direction import (
    level_runs,
    levels,
    runs_leftward,
    seen_order,
    with_direction,
)
from napari_sparseexplain.export.typesetting.font_choice import FontChoice
from napari_sparseexplain.export.typesetting.joined_letters import (
    in_seen_order,
    with_joined_forms,
)
from napari_sparseexplain.export.typesetting.text_runs import program_font, split_by_font


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("ADC 0.8", "ADC 0.8"),
        ("ADC 0.8 אבג", "ADC 0.8 גבא"),
        ("אבג ADC 0.8", "ADC 0.8 גבא"),
        ("אבג 12.5 דה", "הד 12.5 גבא"),  # W4: a point between digits is part of the number
        ("אבג (xy) דה", "הד (xy) גבא"),  # N0: brackets
        ("ab (אב) cd", "ab (בא) cd"),
        ("אב -5%", "5%- בא"),  # W5 and W6: a sign of percent belongs to its number, a minus not
    ],
)
def test_letters_stand_as_they_are_seen(said: str, seen: str) -> None:
    assert in_seen_order(said) == seen


def test_levels_of_an_example_of_the_standard() -> None:
    """UAX #9, section 3.4, example 2, without its explicit marks."""
    text = "אב car גד."
    assert levels(text) == [1, 1, 1, 2, 2, 2, 1, 1, 1, 1]
    assert [text[r.start : r.stop] for r in level_runs(text)] == ["אב ", "car", " גד."]
    assert seen_order([1, 2, 1]) == [2, 1, 0]


@pytest.mark.skipif(not features.check("raqm"), reason="the peer is FriBidi in Pillow's raqm")
def test_lines_in_parts_look_as_pillow_draws_them_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow's layout (raqm with FriBidi) orders a whole line by itself: the same picture."""
    own = FontChoice([FontFile(program_font())])
    chance = random.Random(7)
    letters = [*"abcABC  12345.,:/+-%()[]", *"אבגד  שלום", *"ابتثجحخدذرلام"]
    compared = 0
    for _ in range(150):
        text = "".join(chance.choice(letters) for _ in range(chance.randint(1, 14)))
        runs = split_by_font(text, own)
        if len(runs) < 2:
            continue
        whole, parts = (Image.new("RGB", (300, 30)) for _ in range(2))
        lettering.write(whole, (4, 4), text, 16, outlined=False)
        with monkeypatch.context() as patch:
            patch.setattr(lettering, "text_runs", lambda *_, found=runs, **__: found)
            lettering.write(parts, (4, 4), text, 16, outlined=False)
        # Pillow begins every part at a fraction of a pixel that the whole line has elsewhere.
        apart = np.abs(np.asarray(whole).astype(int) - np.asarray(parts)).mean()
        assert apart < 0.6, ascii(text)
        compared += 1
    assert compared > 50


def test_a_line_out_of_a_paragraph_keeps_its_direction() -> None:
    line = with_direction("FLAIR אבג", leftward=True)
    assert runs_leftward(line)
    assert line[1:] == "FLAIR אבג"
    assert with_direction("אבג FLAIR", leftward=True) == "אבג FLAIR"
    assert with_direction("FLAIR", leftward=False) == "FLAIR"


def test_arabic_letters_take_the_form_of_their_place() -> None:
    """Beh: initial, medial, final, isolated; alef joins what is before it alone; lam and alef."""
    assert with_joined_forms("ببب") == "\ufe91\ufe92\ufe90"
    assert with_joined_forms("ب") == "\ufe8f"
    assert with_joined_forms("باب") == "\ufe91\ufe8e\ufe8f"
    assert with_joined_forms("لا") == "\ufefb"
    assert with_joined_forms("بلا") == "\ufe91\ufefc"
    assert with_joined_forms("پ") == "\ufb56"  # Persian
    assert with_joined_forms("بَب") == "\ufe91\u064e\ufe90"  # a mark does not part letters
    assert in_seen_order("ابت") == "\ufe96\ufe91\ufe8d"


def test_marks_without_a_form_are_not_drawn_letter_by_letter() -> None:
    assert in_seen_order("\u200fFLAIR אב") == "בא FLAIR"
