"""Grey words that are still read: napari's own grey for what is disabled is too faint for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils.theme import get_theme

if TYPE_CHECKING:
    from napari import Viewer
    from qtpy.QtWidgets import QWidget

#: Opacity of grey words, of 255: a contrast of 5.7 to 1 in napari's light theme and 7.5 to 1 in
#: its dark one, where 4.5 is asked of words that are to be read.
_OPACITY = 180


def keep_faint_words_readable(widget: QWidget, viewer: Viewer) -> None:
    """Give the grey labels in a widget a grey of the viewer's theme that can be read."""

    def follow_theme() -> None:
        red, green, blue = get_theme(viewer.theme).text.as_rgb_tuple()[:3]
        widget.setStyleSheet(f"QLabel:disabled {{color: rgba({red}, {green}, {blue}, {_OPACITY})}}")

    def on_theme(_event: object = None) -> None:
        follow_theme()

    follow_theme()
    viewer.events.theme.connect(on_theme)
    widget.destroyed.connect(lambda: viewer.events.theme.disconnect(on_theme))
