"""Room for the picture: shares of the window, folded panes and tabs, nothing cut in any tab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QRect
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QCheckBox, QLabel, QPushButton, QScrollArea, QToolButton, QWidget

from .canvas_hand import native
from .conftest import settle

pytestmark = pytest.mark.gui


@pytest.fixture
def window(opened: Any) -> Iterator[Any]:
    """The main window, without panels below the picture; as it was when the test is over."""
    main = opened.viewer.window._qt_window
    size, tab = main.size(), opened.tabs.currentIndex()
    opened.room.show_panes(False, remember=False)
    yield main
    opened.room.fold(False)
    opened.tabs.setCurrentIndex(tab)
    main.resize(size)
    settle(0.1)


@pytest.mark.parametrize(("size", "least"), [((1280, 800), 0.60), ((1600, 1000), 0.68)])
def test_the_picture_has_most_of_the_window_and_no_tab_is_cut(
    opened: Any, window: Any, size: tuple[int, int], least: float
) -> None:
    window.resize(*size)
    settle(0.1)
    opened.room.fit_dock()
    settle(0.1)
    canvas = native(opened.viewer)
    assert opened.view_bar.height() <= 34
    for place in range(opened.tabs.count()):
        opened.tabs.setCurrentIndex(place)
        settle(0.02)
        title, page = opened.tabs.tabText(place), opened.tabs.widget(place)
        assert canvas.width() >= least * size[0], title
        for area in (page, *page.findChildren(QScrollArea)):
            if isinstance(area, QScrollArea):
                assert area.horizontalScrollBar().maximum() == 0, title
        for kind in (QPushButton, QCheckBox, QToolButton):
            for found in page.findChildren(kind):
                if found.isVisible() and found.text():
                    assert found.width() >= found.minimumSizeHint().width(), found.text()
    opened.room.fold(True)
    settle(0.1)
    assert canvas.width() >= 0.9 * size[0]
    assert opened.room.strip.isVisible()
    opened.room.strip.tabBarClicked.emit(2)
    settle(0.1)
    assert not opened.room.folded
    assert opened.tabs.currentIndex() == 2
    assert canvas.width() >= least * size[0]


def test_buttons_and_keys_fold_panes_and_tabs_and_closing_brings_the_panes(
    opened: Any, window: Any
) -> None:
    bar, room = opened.view_bar, opened.room
    assert bar.window() is window
    assert not room.panes_shown
    bar.panes.click()
    settle(0.05)
    assert room.panes_shown
    assert bar.panes.isChecked()
    room.toggle_panes()
    assert not room.panes_shown
    assert not bar.panes.isChecked()
    bar.fold.click()
    assert room.folded
    opened.probe.refresh()
    bar.fold.click()
    assert not room.folded
    opened.signals.closing.emit()
    assert room.panes_shown, "napari saves its window now: it must not come back without them"
    settle(0.5)
    assert not room.panes_shown, "nobody closed it"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_grey_words_have_enough_contrast(opened: Any, window: Any, theme: str) -> None:
    before = opened.viewer.theme
    try:
        opened.viewer.theme = theme
        opened.show_tab("proxy")
        settle(0.1)
        (empty,) = (
            label
            for label in opened.page("proxy").findChildren(QLabel)
            if label.text() == "Nothing yet."
        )
        assert not empty.isEnabled()
        light = _luminance(_pixels(empty))
        ground = float(np.median(light))
        farthest = float(light.ravel()[np.abs(light - ground).argmax()])
        low, high = sorted((ground, farthest))
        assert (high + 0.05) / (low + 0.05) >= 4.5
    finally:
        opened.viewer.theme = before


def _luminance(rgb: np.ndarray) -> np.ndarray:
    """Relative luminance (WCAG 2) of sRGB pixels of 0 to 255."""
    share = rgb / 255
    linear = np.where(share <= 0.03928, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def _pixels(widget: QWidget) -> np.ndarray:
    """What a widget looks like on the ground of its window: by itself it paints none."""
    top = widget.window()
    place = QRect(widget.mapTo(top, QPoint(0, 0)), widget.size())
    image = top.grab(place).toImage().convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    # A copy: the image's memory goes with it.
    return lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()
