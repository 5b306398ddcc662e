"""The panel *Measures* below the picture: plots of a set whose points open their slice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QVBoxLayout, QWidget
from superqt.utils import signals_blocked

from ..parts.elided_label import ElidedLabel
from .measures_plot import MeasuresPlot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...explanation.data_explorer.dataset import Dataset
    from ...layers.plots.dataset_plot import DrawnPoints
    from ...layers.plots.plot_theme import PlotTheme

#: Width of the form beside the plot.
_FORM_WIDTH = 236

_PLOTS = {"scatter": "Two measures", "histogram": "Histogram", "positions": "Where masks lie"}
_COLOURS = {
    "gravity": "What stands out",
    "group": "Group",
    "patient": "Patient",
    "": "Nothing",
}
_GRAVITIES = {"grave": "to mend", "look": "to look at", "hint": "unusual", "": "nothing noted"}

#: Colours of these, the last drawn on top.
GRAVITY_COLOURS = {
    "nothing noted": "#8a93a0",
    "unusual": "#56b4e9",
    "to look at": "#e69f00",
    "to mend": "#ff6a1f",
}

#: What is plotted at first, where the set has it.
_FIRST = (("area_mm2", "area", "mean"), ("contrast", "deviation"))


class MeasuresPanel(QWidget):
    """What is plotted, by which colours, and the plot.

    Signals
    -------
    opened(int): the slice of a point is wanted, by its place among the records.
    listed(str, tuple): the slices of a bar are wanted in the list, under a title.
    """

    opened = Signal(int)
    listed = Signal(str, tuple)

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.setWindowTitle("Measures")
        self.found: Dataset | None = None
        self._gravities: list[str] = []
        self.kind, self.across, self.up, self.colour = (QComboBox() for _ in range(4))
        for kind, title in _PLOTS.items():
            self.kind.addItem(title, kind)
        for colour, title in _COLOURS.items():
            self.colour.addItem(title, colour)
        self._rows = QFormLayout()
        self._rows.setContentsMargins(2, 2, 6, 2)
        self._rows.setVerticalSpacing(4)
        said = {"Plot": self.kind, "Across": self.across, "Up": self.up, "Colours": self.colour}
        for title, box in said.items():
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            box.setMinimumContentsLength(10)
            box.setAccessibleName(f"{title} of the plot")
            box.currentIndexChanged.connect(lambda _: self.draw())
            self._rows.addRow(title, box)
        form = QWidget()
        form.setLayout(self._rows)
        form.setFixedWidth(_FORM_WIDTH)
        self.plot = MeasuresPlot(viewer)
        self.plot.pointed.connect(self._on_pointed)
        self.plot.chosen.connect(self._on_chosen)
        self.said = ElidedLabel()
        self.said.setEnabled(False)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.plot, 1)
        right.addWidget(self.said)
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 4, 0)
        row.addWidget(form)
        row.addLayout(right, 1)

    def show_set(self, found: Dataset, gravities: Sequence[str]) -> None:
        """Plot a set.

        Parameters
        ----------
        gravities : sequence of str
            Of each slice the worst that was noted of it; empty for nothing.
        """
        from ...explanation.data_explorer.slice_record import MEASURES

        self.found = found
        self._gravities = [_GRAVITIES[gravity] for gravity in gravities]
        there = {m: t for m, t in MEASURES.items() if np.isfinite(found.values(m)).any()}
        for box, first in zip((self.across, self.up), _FIRST, strict=True):
            with signals_blocked(box):
                kept = box.currentData()
                box.clear()
                for measure, title in there.items():
                    box.addItem(title, measure)
                wanted = [m for m in (kept, *first) if m in there]
                box.setCurrentIndex(box.findData(wanted[0]) if wanted else 0)
        self.said.setText("")
        self.plot.forget_point()
        self.draw()

    def show_kind(self, kind: str) -> None:
        """``"scatter"``, ``"histogram"`` or ``"positions"``."""
        self.kind.setCurrentIndex(self.kind.findData(kind))

    def draw(self) -> None:
        """Draw what the form says."""
        kind = self.kind.currentData()
        self._rows.setRowVisible(self.across, kind != "positions")
        self._rows.setRowVisible(self.up, kind == "scatter")
        self._rows.setRowVisible(self.colour, kind != "histogram")
        if self.found is not None:
            self.plot.show_plot(self._drawn)

    def _drawn(self, figure: Figure, theme: PlotTheme) -> DrawnPoints:
        from ...layers.plots.dataset_plot import draw_histogram, draw_positions, draw_scatter

        found = self.found
        assert found is not None
        x, y = self.across.currentData(), self.up.currentData()
        kind = self.kind.currentData()
        if kind == "histogram":
            return draw_histogram(figure, found.values(x), theme, title=self.across.currentText())
        groups = self._groups(found)
        colours = GRAVITY_COLOURS if self.colour.currentData() == "gravity" else None
        if kind == "positions":
            shapes = np.array([record.shape for record in found.records], dtype=np.float64)
            side = found.position.shape[0]
            rows, columns = (
                (found.values(measure) + 0.5) / shapes[:, axis] * side - 0.5
                for axis, measure in enumerate(("row", "column"))
            )
            return draw_positions(
                figure, found.mean, found.position, rows, columns, groups, theme, colours=colours
            )
        titles = self.across.currentText(), self.up.currentText()
        values = found.values(x), found.values(y)
        return draw_scatter(figure, *values, groups, theme, titles=titles, colours=colours)

    def _groups(self, found: Dataset) -> list[str]:
        colour = self.colour.currentData()
        if colour == "gravity":
            return self._gravities
        if colour == "group":
            return [record.item.group for record in found.records]
        return [record.item.patient for record in found.records] if colour == "patient" else []

    # -- the mouse ---------------------------------------------------------------------------

    def words(self, slices: tuple[int, ...]) -> str:
        """What is said of a point or a bar."""
        found = self.found
        if found is None or not slices:
            return ""
        x, y = self.across, self.up
        if self.kind.currentData() == "histogram":
            values = found.values(x.currentData())[list(slices)]
            count = "1 slice" if len(slices) == 1 else f"{len(slices)} slices"
            return f"{count}, {x.currentText()} {values.min():.4g} to {values.max():.4g}"
        record = found.records[slices[0]]
        told = [record.item.name]
        if self.kind.currentData() == "scatter":
            for box in (x, y):
                told.append(f"{box.currentText()} {record.measures[box.currentData()]:.4g}")
        return " · ".join(told)

    def _on_pointed(self, slices: tuple[int, ...]) -> None:
        self.said.setText(self.words(slices))

    def _on_chosen(self, slices: tuple[int, ...]) -> None:
        self.said.setText(self.words(slices))
        if self.kind.currentData() == "histogram":
            self.listed.emit(self.words(slices), slices)
        elif slices:
            self.opened.emit(slices[0])
