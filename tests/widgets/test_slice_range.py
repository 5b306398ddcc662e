"""The slices of *Range* are those about the picture until a person sets them."""

from __future__ import annotations

from typing import Any

import pytest

from napari_sparseexplain.widgets.parts.slice_range_choice import AROUND

pytestmark = pytest.mark.gui


def test_a_range_follows_the_picture_until_it_is_set_by_hand(opened: Any) -> None:
    choice, count = opened.page("attribution").range, opened.study.grid.shape[0]
    middle = count // 2
    opened.signals.slice_changed.emit(middle)
    assert choice.slices == slice(middle - AROUND, middle + AROUND + 1)
    opened.signals.slice_changed.emit(0)
    assert choice.slices == slice(0, AROUND + 1), "inside the study"
    choice.last.setValue(count)
    opened.signals.slice_changed.emit(middle)
    assert choice.slices == slice(0, count)
    choice.set_study(opened.study, middle)
    assert choice.slices.start == middle - AROUND, "another study begins anew"


def test_responses_are_found_from_the_proxy_tab(opened: Any) -> None:
    tab = opened.page("proxy")
    opened.show_tab("proxy")
    tab.responses_button.click()
    assert tab.responses.isVisible()
    tab.responses.parentWidget().hide()
