"""What the Review tab's form offers: buttons that sleep, dialogs for folders, preferences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from napari.settings import get_plugin_settings
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QDialogButtonBox, QLineEdit

from napari_sparseexplain.progress import Progress
from napari_sparseexplain.widgets.parts.new_folder_dialog import NewFolderDialog, ask_new_folder
from napari_sparseexplain.widgets.review.tab import NO_STUDY

from .conftest import settle

pytestmark = pytest.mark.gui


@pytest.fixture
def preferences(opened: Any) -> Iterator[Any]:
    """This plugin's page, as it was when the test began."""
    page = get_plugin_settings("napari-sparseexplain")
    before = page.export.names, page.export.folder
    page.export.names, page.export.folder = "removed", ""
    yield page
    page.export.names, page.export.folder = before


def needing_a_study(tab: Any) -> list[Any]:
    marking = tab.marking
    return [tab.save_button, tab.export_button, marking.keys.mark_button,
            *marking.annotating.tools.values()]  # fmt: skip


def test_what_needs_a_study_sleeps_without_one(workspace: Any, study_folder: Path) -> None:
    tab = workspace.page("review")
    workspace.show_tab("review")
    buttons = needing_a_study(tab)
    assert not any(button.isEnabled() for button in buttons)
    assert {button.toolTip() for button in buttons} == {NO_STUDY}
    assert tab.open_button.isEnabled()
    tab.run_bar.set_running(True)
    tab.run_bar.set_running(False)
    assert not tab.save_button.isEnabled()
    workspace.open_path(study_folder)
    assert workspace.wait(30)
    settle()
    assert all(button.isEnabled() for button in buttons)
    assert NO_STUDY not in {button.toolTip() for button in buttons}
    tab.run_bar.set_running(True)
    assert not tab.save_button.isEnabled()
    tab.run_bar.set_running(False)
    workspace.viewer.layers.clear()
    settle()
    assert not any(button.isEnabled() for button in buttons)


def typed(folder: Path, name: str) -> str:
    """What the dialog gives when a person types a name and presses Enter."""

    def answer() -> None:
        (dialog,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, NewFolderDialog)]
        if dialog.isVisible():
            dialog.findChild(QLineEdit).setText(name)
            box = dialog.findChild(QDialogButtonBox)
            accept = box.ButtonRole.AcceptRole
            next(b for b in box.buttons() if box.buttonRole(b) == accept).click()
            if dialog.isVisible():  # it refused
                dialog.reject()

    QTimer.singleShot(300, answer)
    return ask_new_folder(None, "Save", str(folder))


def test_a_folder_that_is_not_there_yet_can_be_named(qapp: Any, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    assert Path(typed(tmp_path, "new")) == tmp_path / "new"
    settle()
    assert Path(typed(tmp_path, "old")) == tmp_path / "old"
    assert not (tmp_path / "new").exists()


def test_a_review_is_saved_in_a_folder_that_was_named(opened: Any, tmp_path: Path) -> None:
    tab = opened.page("review")
    tab.dialogs.ask_new_folder = lambda title, start="": str(tmp_path / "new")
    tab.save_button.click()
    assert opened.wait(30)
    assert (tmp_path / "new").is_dir()
    file = tmp_path / "file"
    file.write_text("there already")
    tab.dialogs.ask_new_folder = lambda title, start="": str(file)
    tab.save_button.click()
    assert opened.wait(30)
    settle()
    assert "file" in tab.run_bar.message.text()
    assert "Saved" not in tab.run_bar.message.text()
    assert file.read_text() == "there already"


def test_preferences_act_at_once_unless_the_box_was_changed_by_hand(
    preferences: Any, opened: Any, tmp_path: Path
) -> None:
    tab = opened.page("review")
    opened.show_tab("review")
    assert not tab.exports.identify.isChecked()
    preferences.export.names = "kept"
    assert tab.exports.identify.isChecked()
    preferences.export.names = "removed"
    assert not tab.exports.identify.isChecked()
    tab.exports.identify.click()
    preferences.export.names = "kept"
    preferences.export.names = "removed"
    assert tab.exports.identify.isChecked()
    dialogs, study = tab.dialogs, opened.study
    dialogs.saved_in[study] = dialogs.exported_to[study] = tmp_path / "last"
    chosen = tmp_path / "chosen"
    chosen.mkdir()
    preferences.export.folder = str(chosen)
    starts = {dialogs.start(dialogs.saved_in), dialogs.start(dialogs.exported_to)}
    assert starts == {str(chosen)}


def test_nothing_jumps_when_progress_is_told(opened: Any) -> None:
    tab = opened.page("review")
    opened.show_tab("review")
    settle()
    tab.run_bar.message.setText("")
    settle()
    below, place = tab.exports, tab.exports.y()
    for words in ("Short", "Growing regions of the whole volume, slice 75", "A long way. " * 20):
        tab.run_bar.show_step(Progress(1, 155, words))
        settle(0.1)
        assert below.y() == place, words
    assert tab.run_bar.message.toolTip().startswith("A long way.")
    tab.run_bar.message.setText("Done.")
    settle(0.1)
    assert below.y() == place
