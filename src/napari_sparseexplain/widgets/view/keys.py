"""The keys of the window: one table, from which they are bound and the sheet is written.

None of them is a key of napari's, of the viewer or of any layer's tools: a test holds that. The
mouse gestures that differ from napari's stand in the sheet with what they replace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .tools.picture_turns import invert

if TYPE_CHECKING:
    from ..slice_sheet.panel import SheetPanel
    from .jumps import ViewJumps
    from .layout_picker import LayoutPicker
    from .mask_keys import MaskKeys
    from .modes import ViewModes
    from .reading_room import ReadingRoom
    from .tools.view_menu import ViewMenu
    from .view_window import ViewWindow
    from .window_control import WindowControl


@dataclass(frozen=True)
class KeyTargets:
    """What the keys act on.

    Attributes
    ----------
    window : ViewWindow
    modes : ViewModes
    jumps : ViewJumps
    grey : WindowControl
        Window and level.
    layouts : LayoutPicker
        How pictures side by side lie.
    masks : MaskKeys
        How masks are drawn.
    room : ReadingRoom
        What makes room for the picture.
    menu : ViewMenu
        Slabs and cine.
    sheet : SheetPanel
        Explains the slice in the picture.
    """

    window: ViewWindow
    modes: ViewModes
    jumps: ViewJumps
    grey: WindowControl
    layouts: LayoutPicker
    masks: MaskKeys
    room: ReadingRoom
    menu: ViewMenu
    sheet: SheetPanel


@dataclass(frozen=True)
class ViewKey:
    """One key.

    Attributes
    ----------
    key : str
        As napari writes it (``"Shift-N"``).
    group, words : str
        Heading in the sheet, and what the key does.
    act : callable
        Given the window.
    """

    key: str
    group: str
    words: str
    act: Callable[[KeyTargets], None]


KEYS: tuple[ViewKey, ...] = (
    ViewKey("Down", "Slices", "next slice", lambda to: to.window.step_slice(1)),
    ViewKey("Up", "Slices", "previous slice", lambda to: to.window.step_slice(-1)),
    ViewKey("PageDown", "Slices", "ten slices on", lambda to: to.window.step_slice(10)),
    ViewKey("PageUp", "Slices", "ten slices back", lambda to: to.window.step_slice(-10)),
    ViewKey("Home", "Slices", "first slice", lambda to: to.window.step_slice(-(10**6))),
    ViewKey("End", "Slices", "last slice", lambda to: to.window.step_slice(10**6)),
    ViewKey("J", "Slices", "largest lesion; again: the next largest", lambda to: to.jumps.lesion()),
    ViewKey("N", "Slices", "next key slice", lambda to: to.jumps.key_slice(1)),
    ViewKey("Shift-N", "Slices", "previous key slice", lambda to: to.jumps.key_slice(-1)),
    ViewKey("K", "Slices", "mark as key slice", lambda to: to.jumps.mark()),
    ViewKey("G", "Views", "side by side, and back", lambda to: to.modes.toggle("grid")),
    ViewKey(
        "Shift-D", "Views", "next layout of what is side by side", lambda to: to.layouts.step()
    ),
    ViewKey(
        "Shift-Z",
        "Views",
        "the picture under the pointer alone, and all back",
        lambda to: to.masks.enlarge(),
    ),
    ViewKey("Shift-O", "Views", "three planes, and back", lambda to: to.modes.toggle("orthogonal")),
    ViewKey("Shift-F", "Views", "the picture alone, and back", lambda to: to.modes.toggle_full()),
    ViewKey(
        "Shift-R", "Views", "radiological / neurological", lambda to: to.window.toggle_convention()
    ),
    ViewKey("H", "Compare", "overlays off, and on", lambda to: to.jumps.overlays()),
    ViewKey("Q", "Compare", "switch between two results", lambda to: to.jumps.blink()),
    ViewKey("Shift-Q", "Compare", "blink automatically, and stop", lambda to: to.jumps.blink_on()),
    ViewKey(
        "Shift-B",
        "Compare",
        "the current scan and its prior by turns",
        lambda to: to.jumps.flicker(),
    ),
    ViewKey(
        "Shift-M", "Compare", "masks filled, as outlines, or both", lambda to: to.masks.style()
    ),
    ViewKey(",", "Compare", "masks and maps fainter", lambda to: to.masks.opacity(-1)),
    ViewKey(".", "Compare", "masks and maps stronger", lambda to: to.masks.opacity(1)),
    ViewKey("W", "Window", "next preset", lambda to: to.grey.step(1)),
    ViewKey("Shift-W", "Window", "previous preset", lambda to: to.grey.step(-1)),
    ViewKey("U", "Window", "automatic, of the volume", lambda to: to.grey.auto()),
    ViewKey(
        "Shift-U",
        "Window",
        "automatic, of this slice",
        lambda to: to.grey.auto_slice(),
    ),
    ViewKey("Shift-I", "Window", "invert grey values", lambda to: invert(to.window.viewer)),
    ViewKey("Shift-S", "Views", "slab and one slice", lambda to: to.menu.toggle_slab()),
    ViewKey("Shift-C", "Slices", "cine: play and stop", lambda to: to.menu.cine.toggle()),
    ViewKey("Shift-X", "Other", "explain this slice; again: cancel", lambda to: to.sheet.press()),
    ViewKey("Shift-E", "Other", "to the Review tab, which exports", lambda to: to.jumps.export()),
    ViewKey("F2", "Other", "napari's layer list and controls", lambda to: to.room.toggle_panes()),
    ViewKey("F3", "Other", "fold the tabs, and open them", lambda to: to.room.toggle_tabs()),
    ViewKey("F1", "Other", "this sheet", lambda to: to.window.show_keys()),
)

#: Mouse: gesture, what it does, what of napari's it takes the place of.
MOUSE: tuple[tuple[str, str, str], ...] = (
    ("Wheel", "scroll slices", "napari's zoom, which is on Ctrl+wheel (Preferences: The wheel)"),
    ("Ctrl+wheel, Shift+wheel", "zoom about the pointer", "Ctrl: napari's scrolling"),
    ("Right drag", "window (right: wider) and level (up: brighter)", "the camera's zoom"),
    ("Left drag", "move the picture, or as chosen in View: window, zoom, scroll, magnify", ""),
    ("Middle drag", "move the picture", ""),
    ("Digits 1 to 9, 0", "presets of the window; 0: automatic", "tools, where a scan is selected"),
    ("Double click", "side by side: one picture alone, and all back", ""),
    ("Double click", "one view: zoom in; with Alt: out", "napari's own"),
    ("Right click", "side by side: what stands in the picture", ""),
    ("Alt+left drag", "zoom to a box", "napari's own"),
    ("Click", "what is there; in three planes also the crosshair", ""),
    ("Shift+move", "the crosshair goes with the pointer (three planes)", ""),
)


def bind_keys(to: KeyTargets) -> None:
    """Bind all keys to the window's viewer; they act while a study is open."""
    for entry in KEYS:
        to.window.viewer.bind_key(entry.key, _action(to, entry), overwrite=True)


def unbind_keys(viewer: Any) -> None:
    """Give the keys back."""
    for entry in KEYS:
        viewer.bind_key(entry.key, None)


def _action(to: KeyTargets, entry: ViewKey) -> Callable[[Any], None]:
    def act(_viewer: Any) -> None:
        # The way back from the full window and the sheet are there without a study too.
        if to.window.study is not None or entry.key in ("F1", "F2", "F3", "Shift-F"):
            entry.act(to)

    act.__doc__ = f"SparseExplain: {entry.words}."
    return act
