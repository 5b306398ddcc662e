"""One window for many tests: lent, tidied, and lent again only where it reads as it did at first.

A window with a study in it costs seconds of CPU, one with a model's result more, and most tests
change little of it. After a test the window is brought back to how it was found; then everything
that can be told of it is compared with what was told before. Where one thing differs, or a study,
a layer or a widget of it is no more, it is brought back to the step before: to the study without
results, to no study. Where that differs too it is closed and a new one opened. So a test cannot
spoil another: a bad guest costs time alone. ``SPARSEEXPLAIN_TELL_WINDOWS=1`` prints why windows
were not lent again.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from napari_sparseexplain.layers.viewer_panels import viewer_plane

from .window_form import Form
from .window_objects import Objects
from .window_picture import Picture

#: How often a tidied window may still settle before it is given up.
_ROUNDS = 3


@dataclass
class _State:
    """What a window read when it was made ready for a kind of test."""

    name: str
    study: Any
    results: dict[str, list[Any]]
    studies: list[Any]
    mode: str
    plane: str
    convention: str
    tab: Any
    method: str
    values: dict[str, Any]
    picture: Picture
    form: Form
    objects: Objects


#: What makes a window ready, step by step, each named.
Step = tuple[str, Callable[[Any], None]]

#: The first of all: no study is open. A study that a test edited or closed is opened anew after it.
_EMPTY: Step = ("no study", lambda workspace: None)


class SharedWindow:
    """The window, and what it read at each step that made it ready."""

    def __init__(self) -> None:
        self._workspace: Any = None
        self._states: list[_State] = []
        #: Windows opened, and times one was lent.
        self.opened = self.lent = 0

    def lend(self, make: Callable[[], Any], steps: list[Step]) -> Any:
        """A workspace after these steps: the one that is there, where it can be brought to them.

        Parameters
        ----------
        make : callable
            A new window with its workspace.
        steps : list of (str, callable)
            What is done in it; a step of one name always does the same.
        """
        self.lent += 1
        steps = [_EMPTY, *steps]
        names = [name for name, _ in steps]
        while self._states:
            there = [state.name for state in self._states]
            if names[: len(there)] == there and self._tidied(self._states[-1]):
                break
            # What one step found and a test has changed may be found anew after the step before.
            self._states.pop()
        if not self._states:
            self.close()
            self.opened += 1
            self._workspace = make()
        missing = steps[len(self._states) :]
        for name, step in missing:
            step(self._workspace)
            self._rest()
            self._states.append(_read(name, self._workspace))
        if missing:
            # What a test finds is there until the window closes, and napari searches all that is
            # not kept out of it whenever a layer goes.
            gc.collect()
            gc.freeze()
        return self._workspace

    def close(self) -> None:
        """Close the window; the next test gets a new one."""
        if self._workspace is not None:
            from napari.qt.threading import GeneratorWorker

            with suppress(RuntimeError):  # a test has closed it
                self._workspace.viewer.close()
            GeneratorWorker.await_workers(20_000)
            self._rest()
            gc.unfreeze()
            self._workspace = None
            gc.collect()
            gc.freeze()
        self._workspace, self._states = None, []

    def _rest(self) -> None:
        from .conftest import settle

        settle(0.08)  # longer than a resting timer waits

    def _tidied(self, state: _State) -> bool:
        """Whether the window reads as it did, after it was brought back."""
        try:
            differing = self._tidy(state)
        except Exception as error:  # whatever a test has left: a new window is as good as any
            differing = f"{type(error).__name__}: {error}"
        if differing and os.environ.get("SPARSEEXPLAIN_TELL_WINDOWS"):
            print(f"\nnot lent again as {state.name!r}: {differing}")
        return not differing

    def _tidy(self, state: _State) -> str:
        """Bring the window back; what still differs, empty where nothing does."""
        workspace = self._workspace
        if not workspace.viewer.window._qt_window.isVisible():
            return "it was closed"
        if not workspace.wait(30):
            return "something still runs"
        self._rest()
        state.objects.take_back_overrides()
        if state.study is None or state.study in workspace.studies:
            _close_others(workspace, state.studies)
            self._rest()
        if workspace.study is not state.study:
            return "another study is active"
        new = [
            (page.results, result)
            for page in workspace.tabs.pages()
            for result in page.results.items
            if result not in state.results[page.name]
        ]
        if new:
            # At once: after every layer that goes by itself napari searches for garbage.
            with workspace.viewer.layers.batched_update():
                for results, result in new:
                    results.removed.emit(result)
        if [page.name for page in workspace.tabs.pages() if
            page.results.items != state.results[page.name]]:  # fmt: skip
            return "a result is gone"
        workspace.viewer.dims.ndisplay = 2
        review = workspace.page("review").marking
        review.draw(None)
        if review._marks:  # what can be undone is kept too
            review.put((), ())
        workspace.page("review").restored.show_reading(None, workspace.study)
        if workspace.modes.full:
            workspace.modes.toggle_full()
        if not state.picture.remove_others(workspace):
            return "a layer is gone"
        if workspace.modes.mode != state.mode:
            workspace.modes.set_mode(state.mode)
        if state.plane and _plane(workspace) != state.plane:
            workspace.set_plane(state.plane)
        if workspace.convention != state.convention:
            workspace.set_convention(state.convention)
        workspace.tabs.setCurrentWidget(state.tab)
        workspace.page("attribution").choose_method(state.method, **state.values)
        workspace.marker.set_grid(None)  # nothing is marked, as in a study just opened
        if workspace.study is not None:
            workspace.marker.set_grid(workspace.study.grid)
        differing = ""
        for _ in range(_ROUNDS):
            state.form.put_back()
            state.picture.put_back(workspace)
            self._rest()
            workspace.wait(30)
            state.objects.put_back()
            state.form.put_back_words()
            workspace.title.write()
            differing = (
                state.picture.differing(workspace)
                or state.form.differing()
                or state.objects.differing()
            )
            if not differing:
                break
        return differing


def _close_others(workspace: Any, studies: list[Any]) -> None:
    """Close all studies but these; what was marked in them is not kept as an unsaved review."""
    others = [study for study in workspace.studies if study not in studies]
    if not others:
        return
    with (
        patch.object(workspace.page("review").unsaved, "save_now"),
        workspace.viewer.layers.batched_update(),
    ):
        for study in others:
            workspace.close_study(study)


def _plane(workspace: Any) -> str:
    """The plane in the picture; none where there is no study."""
    return "" if workspace.study is None else viewer_plane(workspace.viewer)


def _read(name: str, workspace: Any) -> _State:
    parameters = workspace.page("attribution").parameters
    return _State(
        name,
        workspace.study,
        {page.name: list(page.results.items) for page in workspace.tabs.pages()},
        list(workspace.studies),
        workspace.modes.mode,
        _plane(workspace),
        workspace.convention,
        workspace.tabs.currentWidget(),
        parameters._info.name,
        parameters.values(),
        Picture.of(workspace),
        Form.of(workspace),
        Objects.of(workspace),
    )
