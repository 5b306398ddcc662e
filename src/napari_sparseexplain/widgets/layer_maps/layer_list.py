"""The list of a network's layers in the order in which they run: which are shown."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from .session import LayerRow

#: More cells could not be told apart.
MOST_TICKED = 16

#: Height of the list in pixels.
_HEIGHT = 190

_HINT = "The layers stand here once the model was run on a slice."


class LayerList(QWidget):
    """One line a layer, with a tick.

    Signals
    -------
    changed(): a person ticked others.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[LayerRow, ...] = ()
        self._first: tuple[str, ...] = ()
        self.hint = QLabel(_HINT)
        self.hint.setWordWrap(True)
        self.hint.setEnabled(False)
        self.tree = QTreeWidget()
        self.tree.setColumnCount(5)
        self.tree.setHeaderLabels(["", "Layer", "Maps", "Size", "Stride"])
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setFixedHeight(_HEIGHT)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.tree.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # The theme leaves an empty box as dark as the list.
        self.tree.setStyleSheet(
            "QTreeView::indicator:unchecked {background-color: rgb(90, 98, 108);}"
        )
        self.tree.setToolTip(
            "In the order in which they run. Tick several: the rms of the maps of each. Tick one, "
            "or double-click it: also its single maps.\n"
            "Stride: pixels of the network's input to one pixel of the layer"
        )
        header = self.tree.header()
        if header is not None:
            header.setStretchLastSection(False)
            header.setMinimumSectionSize(16)
            header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
            for column in (0, 2, 3, 4):
                header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.blocks = QPushButton("One a block")
        self.blocks.setToolTip(
            "Tick the last layer of every run of layers of one size, as at first"
        )
        self.blocks.clicked.connect(lambda: self.tick(self._first))
        self.said = QLabel()
        self.said.setEnabled(False)
        line = QHBoxLayout()
        line.addWidget(self.said, 1)
        line.addWidget(self.blocks)
        self._foot = QWidget()
        self._foot.setLayout(line)
        line.setContentsMargins(0, 0, 0, 0)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        for widget in (self.hint, self.tree, self._foot):
            box.addWidget(widget)
        self.tree.itemChanged.connect(lambda *_: self._on_changed())
        self.tree.itemDoubleClicked.connect(lambda item, _: self.tick([item.text(1)]))
        self.set_rows((), (), ())

    @property
    def ticked(self) -> tuple[str, ...]:
        """Names of the ticked layers, in order."""
        return tuple(i.text(1) for i in self._items() if i.checkState(0) == Qt.CheckState.Checked)

    def tick(self, names: Sequence[str]) -> None:
        """Tick these layers and no other."""
        with signals_blocked(self.tree):
            self._tick(names)
        self._on_changed()

    def set_rows(
        self, rows: tuple[LayerRow, ...], ticked: Sequence[str], first: tuple[str, ...]
    ) -> None:
        """The layers of a model; told to nobody."""
        with signals_blocked(self.tree):
            self._first = first
            if rows != self.rows:
                self.rows = rows
                self.tree.clear()
                self.tree.addTopLevelItems([_item(i, row) for i, row in enumerate(rows, 1)])
            self._tick(ticked)
        self.hint.setVisible(not rows)
        self.tree.setVisible(bool(rows))
        self._foot.setVisible(bool(rows))
        self._say()

    def _items(self) -> list[QTreeWidgetItem]:
        found = (self.tree.topLevelItem(i) for i in range(self.tree.topLevelItemCount()))
        return [item for item in found if item is not None]

    def _tick(self, names: Sequence[str]) -> None:
        for item in self._items():
            on = item.text(1) in names
            item.setCheckState(0, Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        here = [item for item in self._items() if item.text(1) in names]
        if here:
            self.tree.scrollToItem(here[0])

    def _on_changed(self) -> None:
        self._say()
        self.changed.emit()

    def _say(self) -> None:
        count = len(self.ticked)
        words = f"{count} of {len(self.rows)} ticked"
        if self.rows and not count:
            words = "Tick a layer."
        elif count > MOST_TICKED:
            words += f": {MOST_TICKED} are shown"
        self.said.setText(words)


def _item(number: int, row: LayerRow) -> QTreeWidgetItem:
    vertical, across = row.stride
    stride = f"{vertical:g}" if vertical == across else f"{vertical:g} × {across:g}"
    size = f"{row.rows} × {row.columns}"
    item = QTreeWidgetItem([str(number), row.name, str(row.maps), size, stride])
    item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
    item.setToolTip(1, row.name)
    for column in (2, 3, 4):
        item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item
