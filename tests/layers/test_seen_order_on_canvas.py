"""The canvas draws letter by letter from left to right: words are given to it as they are seen."""

from __future__ import annotations

from types import SimpleNamespace

from napari.components import ViewerModel

from napari_sparseexplain.layers.canvas.corner_text import CornerText
from napari_sparseexplain.layers.canvas.outlined_text import write_outlined


def test_words_beside_marks_stand_in_the_order_in_which_they_are_seen() -> None:
    node = SimpleNamespace(text=[])
    write_outlined(node, ["ADC 0.8 אבג", "edge"], [(0, 0), (0, 9)], ["white", "white"])
    assert set(node.text) == {"ADC 0.8 גבא", "edge"}


def test_a_corner_knows_what_was_written_and_shows_it_as_it_is_seen() -> None:
    viewer = ViewerModel()
    corner = CornerText(viewer, "title", "top_left")
    corner.write("FLAIR\nאבג 12")
    assert corner.text == "FLAIR\nאבג 12"
    assert viewer.canvas.overlays["title"].text == "FLAIR\n12 גבא"
    corner.write("")
    assert corner.text == ""
