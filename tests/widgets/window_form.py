"""What every widget of the workspace says: read, put back, compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import shiboken6
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QMenu,
    QScrollBar,
    QSpinBox,
    QTableWidget,
    QTabWidget,
    QToolButton,
    QWidget,
)


def _widgets(root: QWidget) -> list[QWidget]:
    """All that belong to a person's form: not the lists that drop down from one.

    Nor the bars that Qt makes to scroll by, which come and go with the room there is.
    """
    return [w for w in root.findChildren(QWidget) if not (_scrolls(w) or _dropped_down(w))]


def _scrolls(widget: QWidget) -> bool:
    """Whether it is a scroll bar of a scroll area, or what Qt puts about one."""
    about = widget.parentWidget() if isinstance(widget, QScrollBar) else widget
    return about is not None and about.objectName().startswith("qt_scrollarea_")


def _dropped_down(widget: QWidget) -> bool:
    at = widget.parentWidget()
    while at is not None:
        if isinstance(at, (QComboBox, QMenu)):
            return True
        at = at.parentWidget()
    return isinstance(widget, QMenu)


def _value(widget: QWidget) -> Any:
    """What a person can set in a widget; None where nothing can be set."""
    if isinstance(widget, QToolButton) and widget.menu() is not None:
        return tuple(action.isChecked() for action in widget.menu().actions())
    if isinstance(widget, QAbstractButton):
        return widget.isChecked() if widget.isCheckable() else None
    if isinstance(widget, (QComboBox, QTabWidget)):
        return widget.currentIndex()
    if isinstance(widget, QScrollBar):
        return None
    if isinstance(widget, (QSpinBox, QDoubleSpinBox, QAbstractSlider)):
        return widget.value()
    if isinstance(widget, QLineEdit):
        return widget.text()
    return None


def _put(widget: QWidget, value: Any) -> None:
    if isinstance(widget, QToolButton) and widget.menu() is not None:
        # Marks first: a menu of which none is left sets one of itself.
        for action, on in sorted(
            zip(widget.menu().actions(), value, strict=True), key=lambda pair: not pair[1]
        ):
            action.setChecked(on)
    elif isinstance(widget, QAbstractButton):
        widget.setChecked(value)
    elif isinstance(widget, (QComboBox, QTabWidget)):
        widget.setCurrentIndex(value)
    elif isinstance(widget, (QSpinBox, QDoubleSpinBox, QAbstractSlider)):
        widget.setValue(value)
    elif isinstance(widget, QLineEdit):
        widget.setText(value)


#: Where `_words` says the items of a list, the range of a number.
_LISTED = 2


def _words(widget: QWidget) -> list[Any]:
    """What a widget says, as far as it can be compared; last, whether it is hidden."""
    said: list[Any] = [type(widget).__name__, widget.isEnabled()]
    if isinstance(widget, (QAbstractButton, QLabel)):
        said += [widget.text(), widget.toolTip()]
    if isinstance(widget, QComboBox):
        said.append(_texts(widget))
    if isinstance(widget, (QSpinBox, QDoubleSpinBox)):
        said.append((widget.minimum(), widget.maximum()))
    if isinstance(widget, QTableWidget):
        said += [widget.rowCount(), widget.columnCount()]
        for row in range(widget.rowCount()):
            items = [widget.item(row, column) for column in range(widget.columnCount())]
            said.append([None if item is None else item.text() for item in items])
    return [*said, widget.isHidden()]


def _texts(combo: QComboBox) -> list[str]:
    return [combo.itemText(k) for k in range(combo.count())]


def _drop_added(combo: QComboBox, texts: list[str]) -> None:
    """Take away what came below the items that were listed: a model that a test has chosen."""
    if _texts(combo)[: len(texts)] == texts:
        while combo.count() > len(texts):
            combo.removeItem(combo.count() - 1)


@dataclass
class Form:
    """The widgets of a workspace with their values, and what can be read in its tabs.

    Widgets that a form makes anew when something is chosen are told by where they stand and what
    they say, not by which they are; what is hidden in a tab is not read.
    """

    workspace: Any
    widgets: list[tuple[QWidget, Any, list[Any]]]
    read: Counter[str]

    @classmethod
    def of(cls, workspace: Any) -> Form:
        """As they are now."""
        widgets = [(w, _value(w), _words(w)) for w in _widgets(workspace)]
        return cls(workspace, widgets, _read(workspace))

    def put_back(self) -> None:
        """Set every widget as it was, its signals as if a person did."""
        for widget, value, said in self.widgets:
            if not shiboken6.isValid(widget):
                continue
            if isinstance(widget, (QSpinBox, QDoubleSpinBox)):
                widget.setRange(*said[_LISTED])
            if value is not None and _value(widget) != value:
                _put(widget, value)
            if isinstance(widget, QComboBox):
                _drop_added(widget, said[_LISTED])

    def put_back_words(self) -> None:
        """What was told of runs is told no more; tooltips of a message go with it."""
        for widget, _, said in self.widgets:
            if isinstance(widget, QLabel) and shiboken6.isValid(widget):
                if widget.text() != said[2]:
                    widget.setText(said[2])
                if widget.toolTip() != said[3]:
                    widget.setToolTip(said[3])
                if widget.isHidden() != said[4]:
                    widget.setVisible(not said[4])

    def differing(self) -> str:
        """What is read now and was not, or no more."""
        now = _read(self.workspace)
        new, gone = now - self.read, self.read - now
        return f"now {list(new)[:2]}, was {list(gone)[:2]}" if new or gone else ""


def _read(workspace: Any) -> Counter[str]:
    """Every widget that is seen when its tab is in front: where it stands, value and words."""
    pages = list(workspace.tabs.pages())
    found: Counter[str] = Counter()
    for widget in _widgets(workspace):
        top = next((page for page in pages if page.isAncestorOf(widget)), workspace)
        if widget.isVisibleTo(top):
            found[f"{_path(widget)} > {_value(widget)} {_words(widget)[:-1]}"] += 1
    return found


def _path(widget: QWidget) -> str:
    names, at = [], widget.parentWidget()
    while at is not None and len(names) < 4:
        names.append(type(at).__name__)
        at = at.parentWidget()
    return " < ".join(names)
