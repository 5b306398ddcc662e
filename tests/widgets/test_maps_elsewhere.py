"""A review that names maps outside of its folder: the window asks, and no is the answer at hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_sparseexplain.review.store import explanations_elsewhere

from .reviewing import rest, show_heat

pytestmark = pytest.mark.gui


@pytest.fixture
def review(tab: Any, opened: Any, tmp_path: Path) -> Path:
    """A saved review whose map was carried out of its folder."""
    show_heat(opened)
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    assert explanations_elsewhere(tmp_path / "review") == {}  # its own maps need no question
    path = tmp_path / "review" / "review.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    for reference in values["review"]["explanations"].values():
        shutil.move(path.parent / reference["folder"], tmp_path / "maps")
        reference["folder"] = str(tmp_path / "maps")
    path.write_text(json.dumps(values), encoding="utf-8")
    return path.parent


def press(key: Qt.Key, seen: list[str]) -> None:
    """Answer the next question with a key."""

    def answer() -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(50, answer)
            return
        seen.append(box.text())
        QTest.keyClick(box, key)

    QTimer.singleShot(50, answer)


@pytest.mark.parametrize(
    ("key", "read"),
    [(Qt.Key.Key_Return, False), (Qt.Key.Key_Y, True)],
)
def test_the_window_asks_before_maps_are_read_from_elsewhere(
    tab: Any, opened: Any, review: Path, key: Qt.Key, read: bool
) -> None:
    seen: list[str] = []
    press(key, seen)
    tab.open(review)
    assert opened.wait(30)
    rest()
    assert len(seen) == 1
    assert str(review.parent / "maps") in seen[0]
    message = tab.run_bar.message.text()
    assert ("outside the review's folder" in message) is not read
    assert ("grad-cam-wt" in tab.restored.buttons) is not read  # the button to run it again
