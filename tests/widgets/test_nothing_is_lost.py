"""What a person does not want to lose: a study, a review, three planes, a run, by a slip."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import nibabel as nib
import pytest
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QDialog

import napari_sparseexplain as se
from napari_sparseexplain.progress import Progress, Work
from napari_sparseexplain.widgets.review.unsaved_review import unsaved_folder
from napari_sparseexplain.widgets.study import tab as study_tab

from .conftest import LAS, settle, tiny_head, until
from .reviewing import rest

pytestmark = pytest.mark.gui


@pytest.fixture
def other_folder(tmp_path: Path) -> Path:
    """Another patient."""
    folder = tmp_path / "other"
    folder.mkdir()
    for role in ("flair", "t1"):
        nib.save(nib.Nifti1Image(tiny_head()[::-1] + 1, LAS), folder / f"other_{role}.nii.gz")
    return folder


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """Studies are read once the event is set, as from a slow disk."""
    real, go = study_tab._open_work, Event()

    def work(*asked: Any) -> Work[Any]:
        while not go.wait(0.01):
            yield Progress(0, 0, "slow disk")
        return (yield from real(*asked))

    monkeypatch.setattr(study_tab, "_open_work", work)
    yield go
    go.set()


def endless(stopped: Event) -> Work[None]:
    try:
        while True:
            time.sleep(0.02)
            yield Progress(0, 0, "computing")
    finally:
        stopped.set()


def test_a_combo_box_changed_while_another_study_loads_closes_nothing(
    opened: Any, other_folder: Path, slow: Event
) -> None:
    first, tab = opened.study, opened.page("study")
    opened.open_path(other_folder)
    settle(0.1)
    shown = tab.reference.currentIndex()
    tab.reference.setCurrentIndex(1 - shown)
    tab.reference.activated.emit(1 - shown)
    settle(0.1)
    assert tab.reference.currentIndex() == shown, "refused, and the form says so"
    slow.set()
    assert opened.wait(30)
    settle()
    assert first in opened.studies
    assert opened.study.name == "other"


def test_a_study_opened_anew_takes_the_place_of_the_one_it_was_opened_for(
    opened: Any, slow: Event
) -> None:
    """Also where its roles are edited meanwhile, and not at all where it is closed."""
    first, tab = opened.study, opened.page("study")
    tab.open_path(first.path, reference="t1" if first.reference == "flair" else "flair",
                  replaces=first)  # fmt: skip
    settle(0.1)
    edited = first.with_role("seg", "lesion")
    opened.replace_study(first, edited)
    slow.set()
    assert opened.wait(30)
    settle()
    assert len(opened.studies) == 1
    assert opened.study is not edited
    slow.clear()
    tab.open_path(opened.study.path, replaces=opened.study)
    settle(0.1)
    opened.close_study(opened.study)
    slow.set()
    assert opened.wait(30)
    settle()
    assert opened.studies == []


def test_a_run_that_is_refused_changes_nothing_of_the_one_under_way(
    opened: Any, other_folder: Path, bundle: Path
) -> None:
    """Its result is that of the study, model and α that it was asked for."""
    proxy, first = opened.page("proxy"), opened.study
    proxy.models.choose(bundle)
    real, go = proxy.session.run_work, Event()

    def held(*asked: Any, **options: Any) -> Work[Any]:
        while not go.wait(0.01):
            yield Progress(0, 0, "waiting")
        return (yield from real(*asked, **options))

    proxy.session.run_work = held
    proxy.run_slice()
    opened.show_study(se.open_study(other_folder))
    settle(0.1)
    proxy.alpha.setValue(0.25)
    proxy.run_volume()  # refused
    go.set()
    assert opened.wait(60)
    settle()
    (shown,) = proxy.shown
    assert shown.study is first
    assert (shown.alpha, shown.live) == (1.0, True)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Buttons that are pressed when napari asks whether to close; without one it does not ask.

    It asks within the close event, where that comes from the window manager.
    """
    from napari._qt.dialogs.confirm_close_dialog import ConfirmCloseDialog
    from napari._qt.qt_main_window import _QtMainWindow

    real, wanted = _QtMainWindow.closeEvent, []

    def close(window: Any, event: Any) -> None:
        if wanted:
            dialog = ConfirmCloseDialog(window, close_app=False)
            QTimer.singleShot(300, getattr(dialog, wanted.pop(0)).click)
            if dialog.exec_() != QDialog.DialogCode.Accepted:
                event.ignore()
                return
        real(window, event)

    monkeypatch.setattr(_QtMainWindow, "closeEvent", close)
    return wanted


def test_closing_and_cancelling_the_question_destroys_nothing(
    opened_alone: Any, answers: list[str]
) -> None:
    opened = opened_alone
    stopped = Event()
    opened.modes.set_mode("orthogonal")
    rest()
    views = opened.modes.views
    opened.page("proxy").runner.start(lambda: endless(stopped))
    settle(0.1)
    answers.append("cancel_btn")
    window = opened.viewer.window._qt_window
    window.close()
    settle(0.2)
    assert window.isVisible()
    assert opened.page("proxy").runner.running
    assert not stopped.is_set()
    assert len(views.canvases) == 2
    assert views.active
    index = opened.current_slice
    opened.go_to_slice(index - 1)
    rest()
    assert [pane.model.dims.point[0] for pane in views.panes] == [opened.viewer.dims.point[0]] * 2
    opened.modes.set_mode("single")
    opened.modes.set_mode("orthogonal")
    rest()
    assert opened.page("review").unsaved._timer.isActive(), "what is marked is still kept by itself"
    opened.page("proxy").runner.cancel()
    until(stopped.is_set)


def test_closing_and_confirming_keeps_what_is_marked_and_stops_the_runs(
    opened_alone: Any, answers: list[str]
) -> None:
    opened = opened_alone
    stopped, study = Event(), opened.study
    opened.modes.set_mode("orthogonal")
    rest()
    opened.page("review").marking.mark_key_slice("at the end")
    opened.page("proxy").runner.start(lambda: endless(stopped))
    settle(0.1)
    answers.append("close_btn")
    opened.viewer.window._qt_window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    opened.viewer.window._qt_window.close()
    for _ in range(100):  # beside other work it takes longer than a tenth of a second
        settle(0.1)
        if not opened.modes.views.canvases:
            break
    assert not opened.viewer.window._qt_window.isVisible()
    assert opened.modes.views.canvases == []
    until(stopped.is_set)
    assert "at the end" in (unsaved_folder(study) / "review.json").read_text(encoding="utf-8")


def test_saving_for_another_study_replaces_no_review(
    opened: Any, other_folder: Path, tmp_path: Path
) -> None:
    tab, began = opened.page("review"), []
    tab.marking.mark_key_slice("of patient A")
    tab.exports.code.setText("code of A")
    tab.dialogs.ask_new_folder = lambda _, start="": began.append(start) or str(tmp_path / "review")
    tab.save_button.click()
    assert opened.wait(30)
    path = tmp_path / "review" / "review.json"
    before = path.read_bytes()
    opened.open_path(other_folder)
    assert opened.wait(30)
    settle()
    assert tab.exports.code.text() == "", "the other study is not called so"
    tab.marking.mark_key_slice("of patient B")
    tab.dialogs.ask = lambda _: pytest.fail("there is nothing to ask: it is never replaced")
    tab.save_button.click()
    assert opened.wait(30)
    settle(0.1)
    assert "another study" in tab.run_bar.message.text()
    assert path.read_bytes() == before
    assert Path(began[1]) != tmp_path / "review", "nor does the dialog begin there"


def test_a_review_of_the_same_study_is_replaced_after_asking(tab: Any, opened: Any,
                                                             tmp_path: Path) -> None:  # fmt: skip
    tab.marking.mark_key_slice("first")
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    opened.go_to_slice(opened.current_slice + 1)
    tab.marking.mark_key_slice("second")
    asked: list[str] = []
    path = tmp_path / "review" / "review.json"
    tab.dialogs.ask = lambda question: bool(asked.append(question))
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    assert len(asked) == 1
    assert "second" not in path.read_text(encoding="utf-8")
    assert tab.run_bar.message.text() == "Nothing was written."
    tab.dialogs.ask = lambda question: True
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    assert "second" in path.read_text(encoding="utf-8")


def test_what_was_saved_of_one_study_forgets_nothing_of_another(
    opened: Any,
    own_folder: Path,
    other_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A save ends after another study was chosen: the other's unsaved marks stay."""
    from napari_sparseexplain.widgets.review import tab as review_tab

    real, go = review_tab.save_review, Event()
    monkeypatch.setattr(review_tab, "save_review", lambda *a, **k: (go.wait(20), real(*a, **k))[1])
    tab = opened.page("review")
    tab.marking.mark_key_slice("of patient A")
    tab.save(tmp_path / "review")
    other = se.open_study(other_folder)
    opened.show_study(other)
    settle(0.1)
    tab.marking.mark_key_slice("of patient B")
    tab.unsaved.save_now()
    go.set()
    assert opened.wait(30)
    settle(0.1)
    kept = unsaved_folder(other) / "review.json"
    assert "of patient B" in kept.read_text(encoding="utf-8")


def test_two_windows_keep_their_unsaved_reviews_apart(opened: Any, own_folder: Path) -> None:
    """Whichever process makes a folder first has it."""
    tab = opened.page("review")
    tab.marking.mark_key_slice("here")
    unsaved_folder(opened.study).mkdir(parents=True)  # another process, an instant before
    tab.unsaved._own.clear()
    free = tab.unsaved._free(opened.study)
    free.mkdir()
    tab.unsaved._own[opened.study] = type(tab.unsaved._autosave(opened.study))(free)
    tab.unsaved.save_now()
    assert not (free / "review.json").exists()
    assert not (unsaved_folder(opened.study) / "review.json").exists()
    third = free.with_name(free.name.replace("-2", "-3"))
    assert (third / "review.json").is_file()
