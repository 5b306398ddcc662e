"""Grey words that can still be read, in the colours of napari's theme."""

from __future__ import annotations

from typing import Any

from napari.utils.theme import get_theme
from qtpy.QtWidgets import QWidget

#: Share of the theme's text colour in grey words, so that their contrast is at least 4.5 : 1 in
#: both of napari's themes; Qt's own grey of what is disabled has 3 : 1 in the dark one.
_SHARE = 0.75


def write_quietly(widget: QWidget, viewer: Any) -> None:
    """Let labels that are greyed out in a widget be readable, also when the theme changes."""

    def write(_event: object = None) -> None:
        red, green, blue = get_theme(viewer.theme).text.as_rgb_tuple()[:3]
        colour = f"rgba({red}, {green}, {blue}, {round(255 * _SHARE)})"
        widget.setStyleSheet(f"QLabel:disabled {{color: {colour};}}")

    write()
    viewer.events.theme.connect(write)
    widget.destroyed.connect(lambda: viewer.events.theme.disconnect(write))
