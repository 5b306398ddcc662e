"""napari's messages stand above the scale bar, which they would cover in the corner."""

from __future__ import annotations

from napari._qt.dialogs.qt_notification import NapariQtNotification

#: Pixels between a message and the right and the lower edge of the picture.
OFFSET = (8, 44)


def raise_toasts() -> None:
    """Let them stand higher, from now on."""
    # The place is an argument that napari itself never gives; there is no setting.
    NapariQtNotification.move_to_bottom_right.__defaults__ = (OFFSET,)
