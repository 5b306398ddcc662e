"""The panel *Points* below the picture: pictures as points, and the nearest of the current one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QIcon, QImage, QKeyEvent, QPixmap
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from ..parts.elided_label import ElidedLabel
from .embedding_canvas import HINT, EmbeddingCanvas

if TYPE_CHECKING:
    from ...training.classifiers.picture_embedding import PictureEmbeddings

#: Width of what stands beside the points.
_SIDE_WIDTH = 236

#: Pixels of a small picture, and how many neighbours are shown.
_SMALL = 48
_NEIGHBOURS = 8

_COLOURS = {
    "class": "Class",
    "view": "View",
    "side": "Side of the split",
    "correctness": "Right or wrong",
    "confidence": "Confidence",
}

#: What needs the answers of a classifier.
_OF_ANSWERS = ("correctness", "confidence")


class EmbeddingPanel(QWidget):
    """Points in both pictures, their colours, and the neighbours of the current picture.

    Signals
    -------
    opened(int): a picture is wanted, by its row.
    selected(tuple): rows inside a lasso.
    cleared(): all pictures are wanted again.
    """

    opened = Signal(int)
    selected = Signal(tuple)
    cleared = Signal()

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.setWindowTitle("Points")
        self.found: PictureEmbeddings | None = None
        self._row = -1
        self.colour, self.near_by = QComboBox(), QComboBox()
        for choice, title in _COLOURS.items():
            self.colour.addItem(title, choice)
        self.colour.setAccessibleName("Colours of the points")
        self.colour.currentIndexChanged.connect(lambda _: self.draw())
        self.near_by.setAccessibleName("Neighbours by")
        self.near_by.setToolTip(
            "Neighbours by what was embedded, all its values, and not by the plane"
        )
        self.near_by.currentIndexChanged.connect(lambda _: self._list_neighbours())
        rows = QFormLayout()
        rows.setContentsMargins(2, 2, 6, 2)
        rows.setVerticalSpacing(4)
        rows.addRow("Colours", self.colour)
        rows.addRow("Nearest by", self.near_by)
        self.neighbours = QListWidget()
        self.neighbours.setAccessibleName("Nearest pictures")
        self.neighbours.setIconSize(QSize(_SMALL, _SMALL))
        self.neighbours.itemClicked.connect(self._on_neighbour)
        self.neighbours.itemActivated.connect(self._on_neighbour)
        self.of = ElidedLabel()
        side = QWidget()
        side.setFixedWidth(_SIDE_WIDTH)
        left = QVBoxLayout(side)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(2)
        left.addLayout(rows)
        left.addWidget(self.of)
        left.addWidget(self.neighbours, 1)
        self.points = EmbeddingCanvas(viewer)
        self.points.setToolTip(HINT)
        self.points.chosen.connect(self.opened)
        self.points.selected.connect(self.selected)
        self.points.cleared.connect(self.cleared)
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 4, 0)
        row.addWidget(side)
        row.addWidget(self.points, 1)
        self._follow_answers()

    def show_found(self, found: PictureEmbeddings | None) -> None:
        """Show other points; None for none."""
        self.found, self._row = found, -1
        with signals_blocked(self.near_by):
            self.near_by.clear()
            for number, part in enumerate(found.parts if found is not None else ()):
                # Not by its title, which stands above its points and is longer than the row.
                self.near_by.addItem("the classifier" if number else part.title, number)
            # By the network, where there is one: that is what it makes of the pictures.
            self.near_by.setCurrentIndex(self.near_by.count() - 1)
        self._follow_answers()
        self.draw()
        self._list_neighbours()

    def _follow_answers(self) -> None:
        """Offer only colours that there are."""
        answered = self.found is not None and self.found.predicted is not None
        model: Any = self.colour.model()
        for choice in _OF_ANSWERS:
            model.item(self.colour.findData(choice)).setEnabled(answered)
        if not answered and self.colour.currentData() in _OF_ANSWERS:
            with signals_blocked(self.colour):
                self.colour.setCurrentIndex(0)

    def draw(self) -> None:
        """Draw the points in the colours that the form says."""
        if self.found is None:
            self.points.show_points(None, None)
            return
        from ...layers.plots.embedding_plot import colours_by

        self.points.show_points(self.found, colours_by(self.found, self.colour.currentData()))

    def mark(self, row: int) -> None:
        """The picture that is in the viewer; -1 for none of these."""
        if row != self._row:
            self._row = row
            self.points.mark(row if self.found is not None else -1)
            self._list_neighbours()

    def _list_neighbours(self) -> None:
        self.neighbours.clear()
        found, row = self.found, self._row
        if found is None or row < 0 or self.near_by.currentData() is None:
            self.of.setText("" if found is None else HINT)
            self.of.setToolTip(HINT)
            return
        slices = found.slices
        self.of.setText(f"Nearest to {slices.images[row].name}")
        for other in found.parts[self.near_by.currentData()].neighbours(row, _NEIGHBOURS):
            image = slices.images[int(other)]
            same = "" if image.label == slices.images[row].label else " ≠"
            words = f"{image.name}\n{image.label}{same}"
            item = QListWidgetItem(QIcon(_small_picture(slices.values[other])), words)
            item.setData(Qt.ItemDataRole.UserRole, int(other))
            item.setToolTip(", ".join(filter(None, (image.name, image.label, image.view))))
            self.neighbours.addItem(item)

    def _on_neighbour(self, item: QListWidgetItem) -> None:
        self.opened.emit(int(item.data(Qt.ItemDataRole.UserRole)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape shows all pictures again, wherever in the panel it is pressed."""
        if event.key() == Qt.Key.Key_Escape:
            self.cleared.emit()
        else:
            super().keyPressEvent(event)


def _small_picture(values: Any) -> QPixmap:
    """A picture as the network is fed it, stretched to all greys."""
    plain = np.asarray(values, dtype=np.float32)
    low, high = np.percentile(plain, (1, 99.5))
    grey = np.clip((plain - low) / ((high - low) or 1.0), 0, 1)
    bytes_ = np.ascontiguousarray((grey * 255).astype(np.uint8))
    rows, columns = bytes_.shape
    image = QImage(bytes_.data, columns, rows, columns, QImage.Format.Format_Grayscale8).copy()
    return QPixmap.fromImage(image).scaled(
        _SMALL, _SMALL, Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )  # fmt: skip
