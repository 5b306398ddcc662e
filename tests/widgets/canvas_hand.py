"""A hand on the canvas: mouse and keys as Qt sends them, to a real window."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_sparseexplain.widgets.view.cells_canvas import CellsCanvas

from .conftest import settle

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE = Qt.MouseButton.NoButton
PLAIN = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier

#: napari looks at a moving pointer at most every five milliseconds.
_THROTTLE = 0.02


def native(viewer: Any) -> QWidget:
    """The widget that the picture is drawn on: napari's, or the one that is painted."""
    drawn = viewer.window._qt_viewer.canvas.native
    painted = drawn.parentWidget().findChild(CellsCanvas)
    return painted if painted is not None and painted.painted else drawn


def drag(
    widget: QWidget,
    start: tuple[float, float],
    end: tuple[float, float],
    button: Qt.MouseButton = RIGHT,
    modifiers: Qt.KeyboardModifier = PLAIN,
) -> None:
    """Press, move in two steps, release."""
    middle = tuple((a + b) / 2 for a, b in zip(start, end, strict=True))
    _send(widget, QEvent.Type.MouseMove, start, NONE, NONE, modifiers)
    _send(widget, QEvent.Type.MouseButtonPress, start, button, button, modifiers)
    for place in (middle, end):
        _send(widget, QEvent.Type.MouseMove, place, NONE, button, modifiers)
    _send(widget, QEvent.Type.MouseButtonRelease, end, button, NONE, modifiers)


def move(widget: QWidget, place: tuple[float, float], modifiers: Any = PLAIN) -> None:
    """Move with no button pressed."""
    _send(widget, QEvent.Type.MouseMove, place, NONE, NONE, modifiers)


def wheel(
    widget: QWidget,
    place: tuple[float, float],
    notches: int,
    modifiers: Qt.KeyboardModifier = PLAIN,
) -> None:
    """Turn the wheel; positive is away from the hand."""
    point = QPointF(*place)
    for _ in range(abs(notches)):
        step = QPoint(0, 120 if notches > 0 else -120)
        event = QWheelEvent(
            point,
            widget.mapToGlobal(point),
            QPoint(),
            step,
            NONE,
            modifiers,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)
    settle(_THROTTLE)


def press(widget: QWidget, key: Any, modifiers: Any = PLAIN) -> None:
    """Press and release a key."""
    QTest.keyClick(widget, key, modifiers)
    settle(_THROTTLE)


def _send(
    widget: QWidget,
    kind: QEvent.Type,
    place: tuple[float, ...],
    button: Qt.MouseButton,
    held: Qt.MouseButton,
    modifiers: Qt.KeyboardModifier,
) -> None:
    point = QPointF(place[0], place[1])
    event = QMouseEvent(kind, point, widget.mapToGlobal(point), button, held, modifiers)
    QApplication.sendEvent(widget, event)
    settle(_THROTTLE)
