"""What is dropped on the picture: a study is opened without a question, the rest is napari's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QSplitter

from napari_sparseexplain.widgets.study.dropped_study import dropped_path

from .conftest import settle, until

pytestmark = pytest.mark.gui

NO_KEY, ALT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.AltModifier


def drop(*paths: Path, key: Any = NO_KEY) -> tuple[QDropEvent, QMimeData]:
    """A drop of files; Qt does not own its data, so they come along."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(QPoint(50, 50)),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        key,
    )
    return event, data


def test_a_dropped_folder_opens_in_the_study_tab(workspace: Any, study_folder: Path) -> None:
    """Though napari's own reader would take the folder too, and so would have to ask."""
    settle()
    (target,) = [w for w in workspace.window().findChildren(QSplitter) if w.acceptDrops()]
    event, data = drop(study_folder)
    # Qt hands a drop only to what has let the drag in before.
    button, copy = Qt.MouseButton.LeftButton, Qt.DropAction.CopyAction
    QApplication.sendEvent(target, QDragEnterEvent(QPoint(50, 50), copy, data, button, NO_KEY))
    QApplication.sendEvent(target, event)
    assert event.isAccepted()
    until(lambda: workspace.study is not None)
    assert workspace.wait(30)
    assert workspace.study.name == "tiny"
    assert workspace.page("study").run_bar.message.text() == "Opened tiny."


def test_what_else_is_dropped_is_left_to_napari(
    qapp: Any, study_folder: Path, tmp_path: Path
) -> None:
    scan = study_folder / "tiny_t1.nii.gz"
    picture, text = tmp_path / "a.png", tmp_path / "a.txt"
    picture.write_bytes(b"")
    text.write_text("words, more than a preamble is long" * 8)
    dicom = tmp_path / "IM0001"
    dicom.write_bytes(bytes(128) + b"DICM")
    for path in (scan, dicom, study_folder):
        event, _data = drop(path)
        assert dropped_path(event) == path
    for paths, key in [
        ((picture,), NO_KEY),
        ((text,), NO_KEY),
        ((scan, dicom), NO_KEY),
        ((study_folder,), ALT),
    ]:
        event, _data = drop(*paths, key=key)
        assert dropped_path(event) is None
