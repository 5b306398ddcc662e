"""Names in narrow cells: no word is lost, none lies over the letter; colour bars end below it."""

from __future__ import annotations

import pytest

from napari_sparseexplain.export.pictures.lettering import text_width
from napari_sparseexplain.layers.canvas.corner_room import name_lines
from napari_sparseexplain.layers.canvas.outlined_text import PIXELS_IN_POINT
from napari_sparseexplain.widgets.microstructure.shown_microstructure import bar_length

POINTS = 6.5
NAMES = (
    "Populations · 1 blue, 2 yellow · only slice 4",
    "MD · 10⁻³ mm²/s · noise, see notes",
    "Radius r 1 ± · µm · result 2",
)


def wide(line: str) -> float:
    return text_width(line, round(POINTS * PIXELS_IN_POINT))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cell", [274, 180, 137])
def test_no_word_of_a_name_is_lost(name: str, cell: int) -> None:
    """Four columns of a canvas of 548 pixels are 137 wide: half of that, the letter's, is 42."""
    room, across = cell / 2 - 26, cell - 20.0
    lines = name_lines(name, POINTS, room, across).split("\n")
    assert " · ".join(line for line in lines if line) == name
    assert wide(lines[0]) <= room, "the letter stands beside the first line"
    assert all(wide(line) <= across for line in lines)


def test_a_name_with_room_stays_in_one_line() -> None:
    assert name_lines("FA · noise", POINTS, 300, 600) == "FA · noise"
    assert name_lines("FA · noise, see notes", POINTS, 100, 600) == "FA\nnoise, see notes"


def test_a_word_wider_than_its_cell_is_cut() -> None:
    (first, cut) = name_lines("Populations", POINTS, 10, 40).split("\n")
    assert first == ""
    assert cut.endswith("…")


@pytest.mark.parametrize("height", [60, 90, 130, 175, 400])
def test_a_colour_bar_ends_below_the_letter_at_the_edge(height: float) -> None:
    length = bar_length(height)
    assert 18 <= length <= 66
    assert length == 18 or length <= height / 2 - 28
