"""A hand at the desk: xdotool's mouse and keys in a real window, from a thread beside it.

The window's thread runs its events as for any person, also those of menus and dialogs that wait;
what is looked up or asked of widgets is asked there.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from qtpy.QtCore import QObject, QPoint, QRect, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QMenu,
    QScrollArea,
    QTabBar,
    QWidget,
)

#: Seconds that a person would wait before something is taken to hang.
PATIENCE = 180.0


class WalkFailed(Exception):
    """What a picture or a widget should have shown, and did not."""


class _Asker(QObject):
    """Lets the window's thread do something."""

    asked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.asked.connect(lambda act: act(), Qt.ConnectionType.QueuedConnection)


@dataclass
class Step:
    """What was done between two pictures.

    Attributes
    ----------
    name : str
    clicks, keys : int
        Presses of mouse buttons and of keys; notches of the wheel count as one each turn.
    seconds : float
        From the first of them until the window showed what was wanted.
    """

    name: str
    clicks: int = 0
    keys: int = 0
    seconds: float = 0.0


@dataclass
class Hand:
    """Mouse and keyboard of a screen.

    Attributes
    ----------
    steps : list of Step
    """

    steps: list[Step] = field(default_factory=list)
    _asker: _Asker = field(default_factory=_Asker)
    began: float = 0.0

    def begin(self, name: str) -> None:
        """Another step of the walk."""
        self.steps.append(Step(name))
        self.began = time.monotonic()

    def done(self) -> None:
        """What the step was for is on the screen."""
        self.steps[-1].seconds = time.monotonic() - self.began

    # -- asking the window -------------------------------------------------------------------

    def ask(self, act: Callable[[], Any]) -> Any:
        """What a call gives in the window's thread."""
        answer: Future[Any] = Future()

        def run() -> None:
            try:
                answer.set_result(act())
            except BaseException as error:
                answer.set_exception(error)

        if threading.current_thread() is threading.main_thread():
            run()
        else:
            self._asker.asked.emit(run)
        return answer.result(PATIENCE)

    def until(self, true: Callable[[], Any], words: str, seconds: float = PATIENCE) -> Any:
        """Wait until something holds in the window."""
        end = time.monotonic() + seconds
        while True:
            found = self.ask(true)
            if found:
                return found
            if time.monotonic() > end:
                raise WalkFailed(f"{words}: not within {seconds:.0f} s")
            time.sleep(0.05)

    def must(self, true: Callable[[], Any], words: str) -> Any:
        """What has to hold now."""
        if not (found := self.ask(true)):
            raise WalkFailed(words)
        return found

    # -- mouse and keys ----------------------------------------------------------------------

    def move(self, x: int, y: int) -> None:
        """Put the pointer at a place of the screen."""
        _xdotool("mousemove", str(x), str(y))
        time.sleep(0.05)

    def press_at(self, x: int, y: int, button: int = 1, times: int = 1) -> None:
        """Click a place of the screen."""
        self.move(x, y)
        _xdotool("click", "--repeat", str(times), "--delay", "60", str(button))
        self.steps[-1].clicks += times
        time.sleep(0.15)

    def click(self, widget: Callable[[], QWidget], button: int = 1, times: int = 1) -> None:
        """Click a widget, once it is on the screen."""
        self.until(lambda: widget().isVisible(), "a widget is not on the screen", 20)
        self._scroll_to(widget)
        x, y = self.ask(lambda: _on_screen(widget(), widget().rect()))
        self.press_at(x, y, button, times)

    def _scroll_to(self, widget: Callable[[], QWidget]) -> None:
        """Turn the wheel over a form until one of its widgets is seen."""
        for _ in range(40):
            way = self.ask(lambda: _beyond(widget()))
            if way is None:
                return
            x, y, down = way
            self.move(x, y)
            self.wheel(2 if down else -2)
        raise WalkFailed("a widget cannot be scrolled to")

    def button(self, words: str, index: int = 0) -> None:
        """Click a button by what stands on it."""
        self.click(lambda: visible_button(words, index))

    def tab(self, words: str) -> None:
        """Click a tab by its name."""
        x, y = self.until(lambda: _tab_place(words), f"no tab {words!r}", 20)
        self.press_at(x, y)

    def choose(self, *words: str) -> None:
        """Click entries of the menu that is open, one in the menu of another."""
        for entry in words:
            x, y = self.until(lambda entry=entry: _entry_place(entry), f"no entry {entry!r}", 20)
            self.press_at(x, y)

    def key(self, *names: str) -> None:
        """Press keys, as xdotool names them."""
        for name in names:
            _xdotool("key", "--clearmodifiers", name)
            self.steps[-1].keys += 1
            time.sleep(0.1)

    def type(self, words: str) -> None:
        """Type words; they count as one key."""
        _xdotool("type", "--delay", "8", words)
        self.steps[-1].keys += 1
        time.sleep(0.1)

    def answer(self, words: str) -> None:
        """Type what a dialog asks for, once it is there, and press Enter."""
        self.until(_asks, "no dialog came", 30)
        time.sleep(0.3)
        self.key("ctrl+a")
        self.type(words)
        time.sleep(0.2)
        self.key("Return")

    def wheel(self, notches: int) -> None:
        """Turn the wheel under the pointer; positive is towards the hand."""
        button = "5" if notches > 0 else "4"
        _xdotool("click", "--repeat", str(abs(notches)), "--delay", "60", button)
        self.steps[-1].clicks += 1
        time.sleep(0.3)

    def drag(self, start: tuple[int, int], end: tuple[int, int], button: int = 1) -> None:
        """Press at one place of the screen, and let go at another."""
        self.move(*start)
        _xdotool("mousedown", str(button))
        for part in (0.3, 0.7, 1.0):
            x, y = (round(a + part * (b - a)) for a, b in zip(start, end, strict=True))
            self.move(x, y)
        _xdotool("mouseup", str(button))
        self.steps[-1].clicks += 1
        time.sleep(0.3)


def visible_button(words: str, index: int = 0) -> QWidget:
    """A button on the screen by its words; an error names those that are there."""
    shown = [
        widget
        for widget in QApplication.allWidgets()
        if isinstance(widget, QAbstractButton) and widget.isVisible() and widget.text()
    ]
    found = [widget for widget in shown if widget.text().replace("&", "") == words]
    if len(found) <= index:
        raise WalkFailed(f"no button {words!r} on the screen: {sorted({w.text() for w in shown})}")
    return found[index]


def _asks() -> bool:
    dialog = QApplication.activeModalWidget()
    return dialog is not None and dialog.isVisible() and dialog.isActiveWindow()


def _beyond(widget: QWidget) -> tuple[int, int, bool] | None:
    """A place over the form that a widget is scrolled out of, and whether it lies below it."""
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            port = parent.viewport()
            place = widget.mapTo(port, widget.rect().center()).y()
            if 0 <= place < port.height():
                return None
            # At its edge: the wheel over a list or a choice would turn that.
            there = port.mapToGlobal(QPoint(3, port.height() // 2))
            return there.x(), there.y(), place >= port.height()
        parent = parent.parentWidget()
    return None


def _on_screen(widget: QWidget, rectangle: QRect) -> tuple[int, int]:
    place: QPoint = widget.mapToGlobal(rectangle.center())
    return place.x(), place.y()


def _tab_place(words: str) -> tuple[int, int] | None:
    for bar in QApplication.allWidgets():
        if isinstance(bar, QTabBar) and bar.isVisible():
            for place in range(bar.count()):
                if bar.tabText(place).replace("&", "") == words:
                    return _on_screen(bar, bar.tabRect(place))
    return None


def _entry_place(words: str) -> tuple[int, int] | None:
    for menu in QApplication.allWidgets():
        if isinstance(menu, QMenu) and menu.isVisible():
            for action in menu.actions():
                if action.text().replace("&", "") == words:
                    return _on_screen(menu, menu.actionGeometry(action))
    return None


def _xdotool(*words: str) -> None:
    subprocess.run(["xdotool", *words], check=True, timeout=30)
