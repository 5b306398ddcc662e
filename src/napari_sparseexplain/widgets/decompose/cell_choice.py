"""Which cells of a decomposition stand side by side, and over which their colours are shared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QGridLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QWidget,
)

from ...evidence.class_ids import class_ids
from ...layers.component_layers import (
    COLUMN_HEADS,
    INPUT,
    OVERLAY,
    RECONSTRUCTION,
    RESIDUAL,
    SHARING_WORDS,
    Sharing,
    short_class,
)
from ...layers.study_layers import role_title
from ...networks.bundle.model_card import ModelCard
from ..parts.colour_scale import ColourScale

#: Modalities shown at first, where a model has them: enhancement and oedema. napari takes long
#: to lay out many cells, so that the others are there to be chosen.
FIRST_ROWS = ("t1ce", "flair")


class CheckMenu(QToolButton):
    """A button whose menu has check marks; it stays open while they are set.

    Signals
    -------
    changed(): a mark was set or taken away.
    """

    changed = Signal()

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self._menu = _StayingMenu(self)
        self.setMenu(self._menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        # The arrow of a menu is drawn over the last letter otherwise.
        self.setStyleSheet("QToolButton {padding: 2px 20px 2px 4px;}")
        self.actions_by_name: dict[str, Any] = {}

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names with a mark, in order; never none."""
        return tuple(n for n, action in self.actions_by_name.items() if action.isChecked())

    def set_entries(self, entries: Mapping[str, str], off: tuple[str, ...] = ()) -> None:
        """Names and titles; ``off`` have no mark at first."""
        self._menu.clear()
        self.actions_by_name = {}
        for name, title in entries.items():
            action: Any = self._menu.addAction(title)
            action.setCheckable(True)
            action.setChecked(name not in off)
            action.toggled.connect(lambda on, name=name: self._on_toggled(name, on))
            self.actions_by_name[name] = action
        self._say()

    def choose(self, name: str, on: bool) -> None:
        """Set or take away a mark."""
        self.actions_by_name[name].setChecked(on)

    def _on_toggled(self, name: str, on: bool) -> None:
        if not on and not self.chosen:
            self.actions_by_name[name].setChecked(True)  # a grid of nothing shows nothing
            return
        self._say()
        self.changed.emit()

    def _say(self) -> None:
        self.setText(f"{self._title} {len(self.chosen)} of {len(self.actions_by_name)} ")


class _StayingMenu(QMenu):
    def mouseReleaseEvent(self, a0: Any) -> None:
        """Set the mark without closing."""
        action: Any = self.activeAction()
        if action is not None and action.isCheckable():
            action.trigger()
        else:
            super().mouseReleaseEvent(a0)


class CellChoice(QWidget):
    """Rows, columns, contrast; side by side or the classes over one scan.

    Signals
    -------
    cells_changed(): other rows or columns.
    sharing_changed(): another contrast.
    view_changed(): side by side, or over a scan, or over another scan.
    """

    cells_changed = Signal()
    sharing_changed = Signal()
    view_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._card: ModelCard | None = None
        self.side_by_side = QPushButton("Side by side")
        self.side_by_side.setToolTip("Modalities in rows, classes in columns")
        self.over_scan = QPushButton("Classes over")
        self.over_scan.setToolTip("The predicted classes over one scan, with their names")
        self.views = QButtonGroup(self)
        for button in (self.side_by_side, self.over_scan):
            button.setCheckable(True)
            self.views.addButton(button)
        self.side_by_side.setChecked(True)
        self.scan = QComboBox()
        self.scan.setToolTip("The scan below the classes")
        self.rows, self.columns = CheckMenu("Rows"), CheckMenu("Columns")
        self.rows.setToolTip("Modalities to show; many pictures take a while")
        self.columns.setToolTip(
            "Classes, their sum, the residual, the scan itself; many pictures take a while"
        )
        self.sharing = QComboBox()
        for name, words in SHARING_WORDS.items():
            self.sharing.addItem(words, name)
        self.sharing.setToolTip("Whether colours can be compared between cells")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        for column, widget in enumerate((self.side_by_side, self.over_scan, self.scan)):
            grid.addWidget(widget, 0, column)
            grid.setColumnStretch(column, 1)
        grid.addWidget(self.rows, 1, 0)
        grid.addWidget(self.columns, 1, 1)
        grid.addWidget(QLabel("Contrast"), 2, 0)
        grid.addWidget(self.sharing, 2, 1, 1, 2)
        self.scale = ColourScale()
        grid.addWidget(self.scale, 3, 0, 1, 3)
        self.rows.changed.connect(self.cells_changed)
        self.columns.changed.connect(self.cells_changed)
        self.sharing.currentIndexChanged.connect(lambda _: self.sharing_changed.emit())
        self.views.buttonClicked.connect(lambda _: self.view_changed.emit())
        self.scan.activated.connect(self._on_scan)

    @property
    def grid_wanted(self) -> bool:
        """Side by side, not over a scan."""
        return self.side_by_side.isChecked()

    @property
    def contrast(self) -> Sharing:
        """Over which cells colours are shared."""
        return self.sharing.currentData()

    @property
    def role(self) -> str:
        """Scan below the classes."""
        return self.scan.currentData() or ""

    def set_card(self, card: ModelCard | None) -> None:
        """Rows and columns that a model has."""
        if card is self._card:
            return
        self._card = card
        roles = () if card is None else card.inputs.roles
        names = () if card is None else tuple(card.classes.values())
        telling = tuple(role for role in FIRST_ROWS if role in roles) or roles[:2]
        self.rows.set_entries(
            {role: role_title(role) for role in roles},
            off=tuple(role for role in roles if role not in telling),
        )
        columns = {INPUT: "Scan", OVERLAY: "Scan with the predicted classes"}
        columns |= {i: short_class(n) for i, n in zip(class_ids(names), names, strict=True)}
        columns |= {RECONSTRUCTION: "Sum of the components", RESIDUAL: COLUMN_HEADS[RESIDUAL]}
        self.columns.set_entries(columns, off=(INPUT, RECONSTRUCTION))
        self.scan.clear()
        for role in roles:
            self.scan.addItem(role_title(role), role)
        first = next((r for r in ("flair", "t1ce") if r in roles), "")
        self.scan.setCurrentIndex(max(self.scan.findData(first), 0))

    def show_view(self, grid: bool) -> None:
        """Mark the view that is on, without asking for it."""
        (self.side_by_side if grid else self.over_scan).setChecked(True)

    def _on_scan(self) -> None:
        self.over_scan.setChecked(True)
        self.view_changed.emit()
