"""How a mask is drawn: filled, as an outline, or both; the same in the window and in exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args
from weakref import WeakKeyDictionary

from ..review.review import MaskDrawing

if TYPE_CHECKING:
    from napari.layers import Labels

#: In the order in which a key goes through them.
STYLES: tuple[MaskDrawing, ...] = get_args(MaskDrawing)

#: Least and largest width of an outline, and that of a new one, in pixels.
THINNEST, THICKEST, USUAL_WIDTH = 1, 3, 2

#: Width of the outline of masks that are filled as well: napari draws one or the other.
_both: WeakKeyDictionary[Labels, int] = WeakKeyDictionary()


def mask_style(layer: Labels) -> MaskDrawing:
    """How a mask is drawn."""
    if layer.contour > 0:
        return "outline"
    return "both" if layer in _both else "fill"


def line_width(layer: Labels) -> int:
    """Pixels of a mask's outline."""
    width = layer.contour or _both.get(layer, USUAL_WIDTH)
    return min(max(int(width), THINNEST), THICKEST)


def set_mask_style(layer: Labels, style: MaskDrawing, width: int | None = None) -> None:
    """Draw a mask otherwise.

    Parameters
    ----------
    style : {"fill", "outline", "both"}
    width : int, optional
        Pixels of its outline; as it was when not given.
    """
    width = min(max(width or line_width(layer), THINNEST), THICKEST)
    _both.pop(layer, None)
    if style == "both":
        _both[layer] = width
    contour = width if style == "outline" else 0
    if layer.contour != contour:
        layer.contour = contour
    else:
        layer.events.contour()  # whoever draws it looks again


def next_style(style: MaskDrawing) -> MaskDrawing:
    """The one that a key goes to."""
    return STYLES[(STYLES.index(style) + 1) % len(STYLES)]
