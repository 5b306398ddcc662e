"""The choice of how cells lie on the canvas: automatic, one large, rows and columns as chosen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QMenu, QToolButton, QVBoxLayout, QWidget, QWidgetAction

from ...layers.cells.grid_view import Layout
from .hanging_menu import HangingMenu

if TYPE_CHECKING:
    from qtpy.QtGui import QAction

    from ..window import Window
    from .modes import ViewModes

#: Most rows and columns that the picker offers.
ROWS, COLUMNS = 5, 6

#: Width and height of a square of the picker, and the space between two.
_SQUARE, _SPACE = 22, 3

#: Layouts that a key goes through.
CYCLE = (Layout(), Layout(one_large=True), Layout(1, 1), Layout(1, 2), Layout(2, 2))


def layout_words(layout: Layout) -> str:
    """What a layout is called."""
    if layout.one_large:
        return "1 large"
    return "Auto" if layout.automatic else f"{layout.rows} × {layout.columns}"


class SquarePicker(QWidget):
    """Squares: the pointer over one marks all up to it, a click chooses so many rows and columns.

    Signals
    -------
    picked(int, int): rows and columns.
    """

    picked = Signal(int, int)

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self._marked = (0, 0)
        self.setToolTip("Rows and columns")

    @property
    def marked(self) -> tuple[int, int]:
        """Rows and columns under the pointer; zeros where it is elsewhere."""
        return self._marked

    def sizeHint(self) -> QSize:
        """All squares and a line of words."""
        step = _SQUARE + _SPACE
        return QSize(COLUMNS * step + 9, ROWS * step + 9 + self.fontMetrics().height())

    def mouseMoveEvent(self, event: Any) -> None:
        """Mark the squares up to the pointer."""
        place, step = event.position(), _SQUARE + _SPACE
        row, column = int((place.y() - 6) // step) + 1, int((place.x() - 6) // step) + 1
        inside = 1 <= row <= ROWS and 1 <= column <= COLUMNS
        self._marked = (row, column) if inside else (0, 0)
        self.update()

    def leaveEvent(self, event: Any) -> None:
        """Mark none."""
        super().leaveEvent(event)
        self._marked = (0, 0)
        self.update()

    def mouseReleaseEvent(self, event: Any) -> None:
        """Choose the squares up to the pointer."""
        self.mouseMoveEvent(event)
        if all(self._marked):
            self.picked.emit(*self._marked)

    def paintEvent(self, _event: Any) -> None:
        """Draw the squares."""
        painter, step = QPainter(self), _SQUARE + _SPACE
        words = self.palette().windowText().color()
        for row in range(ROWS):
            for column in range(COLUMNS):
                marked = row < self._marked[0] and column < self._marked[1]
                painter.setPen(words)
                painter.setBrush(QColor("#4B5FD0") if marked else Qt.BrushStyle.NoBrush)
                painter.drawRect(6 + column * step, 6 + row * step, _SQUARE, _SQUARE)
        if all(self._marked):
            text = "{} × {}".format(*self._marked)
            painter.drawText(6, self.height() - 5, f"{text}  (rows × columns)")
        painter.end()


class LayoutPicker(QToolButton):
    """A button that says the layout, and a menu to choose another."""

    def __init__(self, window: Window, modes: ViewModes) -> None:
        super().__init__()
        self._window, self._modes = window, modes
        self.setToolTip(
            "How pictures side by side lie: as many in a row as make them largest, one large,\n"
            "or rows and columns as chosen (Shift+D: next). Double click makes one the whole\n"
            "picture and brings all back."
        )
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        # The arrow of a menu is drawn over the last letter otherwise.
        self.setStyleSheet("QToolButton {padding: 2px 20px 2px 4px;}")
        menu = QMenu(self)
        self.automatic = self._entry(menu, "Automatic", Layout())
        self.one_large = self._entry(menu, "One large, others beside it", Layout(one_large=True))
        self.squares = SquarePicker()
        self.squares.picked.connect(self._on_picked)
        holder = QWidget()
        box = QVBoxLayout(holder)
        box.setContentsMargins(6, 2, 6, 2)
        box.addWidget(self.squares)
        squares = QWidgetAction(menu)
        squares.setDefaultWidget(holder)
        menu.addAction(squares)
        menu.addSeparator()
        self.hanging = HangingMenu(window, menu)
        menu.addMenu(self.hanging)
        self.linked: QAction = menu.addAction("Zoom and move together")
        self.linked.setCheckable(True)
        self.linked.setChecked(True)
        self.linked.setToolTip("Off: each picture keeps its own zoom and place")
        self.setMenu(menu)
        window.signals.grid_changed.connect(lambda _active: self.write())
        self.write()

    def choose(self, layout: Layout) -> None:
        """Lay the pictures out so; side by side comes on where it is off."""
        self._window.grid_view.set_layout(layout)
        if not self._window.grid_view.active:
            self._modes.set_mode("grid")
        self.write()

    def step(self) -> None:
        """The next of a few layouts."""
        now = self._window.grid_view.layout
        place = CYCLE.index(now) if now in CYCLE else -1
        self.choose(CYCLE[(place + 1) % len(CYCLE)])

    def write(self) -> None:
        """Say the layout there is."""
        layout = self._window.grid_view.layout
        self.setText(f"Layout: {layout_words(layout)}")
        self.automatic.setChecked(layout == Layout())
        self.one_large.setChecked(layout.one_large)

    def _entry(self, menu: QMenu, words: str, layout: Layout) -> QAction:
        entry: QAction = menu.addAction(words)
        entry.setCheckable(True)
        entry.triggered.connect(partial(self._on_entry, layout))
        return entry

    def _on_entry(self, layout: Layout, _checked: bool = False) -> None:
        self.choose(layout)

    def _on_picked(self, rows: int, columns: int) -> None:
        if (menu := self.menu()) is not None:
            menu.close()
        self.choose(Layout(rows, columns))
