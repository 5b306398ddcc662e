"""Chosen models are loaded in the background while a person looks at the scans.

Loading torch and a network, and finding the brain in the scans, takes seconds that the first run
would otherwise take. Nothing waits for it: a run that comes meanwhile goes on when it is there, and
what goes wrong is said by the run alone, for whose model it then is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Event, Thread
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from ..volumes import Study
from .method_tab import MethodTab
from .parts.resting_timer import RestingTimer

if TYPE_CHECKING:
    from .tab_pages import TabPages
    from .window import WindowSignals

#: Milliseconds that a study is in the picture first: its own pictures come before anything else.
REST = 300


#: What can be loaded before a run on a study.
Loads = Callable[[Study], list[Callable[[], object]]]


class EarlyModels(QObject):
    """Loads the models that the tabs have chosen, and what the plots need, once a study is open.

    Parameters
    ----------
    parent : QObject
        Ends with it.
    further : callable
        Gives what else a study's first run will need, after what the tabs need.

    Attributes
    ----------
    timer : RestingTimer
        Until what was chosen is loaded.
    """

    def __init__(
        self,
        parent: QObject,
        tabs: TabPages,
        signals: WindowSignals,
        further: Loads = lambda _study: [],
    ) -> None:
        super().__init__(parent)
        self._tabs, self._further = tabs, further
        self._study: Study | None = None
        self._thread: Thread | None = None
        self._stopped = Event()
        self.timer = RestingTimer(self, REST, self._start)
        signals.study_changed.connect(self._follow)
        for page in tabs.pages():
            if isinstance(page, MethodTab) and page.takes_model:
                page.models.changed.connect(self._restart)

    @property
    def loading(self) -> bool:
        """Whether something is still to be loaded."""
        return self.timer.isActive() or (self._thread is not None and self._thread.is_alive())

    def stop(self) -> None:
        """The window goes: what is not begun is not loaded any more."""
        self.timer.stop()
        self._stopped.set()

    def _follow(self, study: Study | None) -> None:
        self._study = study
        self._restart()

    def _restart(self) -> None:
        if self._study is not None and not self._stopped.is_set():
            self.timer.restart()

    def _start(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            self.timer.restart()
            return
        # Asked for here: widgets are read in the window's thread alone.
        loads = [load for page in self._tabs.pages() for load in page.early_loads()]
        loads += [] if self._study is None else self._further(self._study)
        self._thread = Thread(target=partial(_load, loads, self._stopped), name="early models")
        self._thread.start()


def _load(loads: list[Callable[[], object]], stopped: Event) -> None:
    for load in loads:
        if stopped.is_set():
            return
        try:
            load()
        except Exception:
            # The run that needs it says why, with all that a person can do.
            continue
