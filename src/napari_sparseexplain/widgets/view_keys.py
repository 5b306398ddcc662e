"""The keys of the workspace: one table, from which they are bound and the sheet is written.

None of them is a key of napari's, of the viewer or of any layer's tools: a test holds that. The
mouse gestures that differ from napari's stand in the sheet with what they replace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .workspace import Workspace


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
        Given the workspace.
    """

    key: str
    group: str
    words: str
    act: Callable[[Workspace], None]


KEYS: tuple[ViewKey, ...] = (
    ViewKey("Down", "Slices", "next slice", lambda w: w.step_slice(1)),
    ViewKey("Up", "Slices", "previous slice", lambda w: w.step_slice(-1)),
    ViewKey("PageDown", "Slices", "ten slices on", lambda w: w.step_slice(10)),
    ViewKey("PageUp", "Slices", "ten slices back", lambda w: w.step_slice(-10)),
    ViewKey("Home", "Slices", "first slice", lambda w: w.step_slice(-(10**6))),
    ViewKey("End", "Slices", "last slice", lambda w: w.step_slice(10**6)),
    ViewKey("J", "Slices", "largest lesion; again: the next largest", lambda w: w.jumps.lesion()),
    ViewKey("N", "Slices", "next key slice", lambda w: w.jumps.key_slice(1)),
    ViewKey("Shift-N", "Slices", "previous key slice", lambda w: w.jumps.key_slice(-1)),
    ViewKey("K", "Slices", "mark as key slice", lambda w: w.jumps.mark()),
    ViewKey("G", "Views", "side by side, and back", lambda w: w.modes.toggle("grid")),
    ViewKey("Shift-O", "Views", "three planes, and back", lambda w: w.modes.toggle("orthogonal")),
    ViewKey("Shift-F", "Views", "the picture alone, and back", lambda w: w.modes.toggle_full()),
    ViewKey("Shift-R", "Views", "radiological / neurological", lambda w: w.toggle_convention()),
    ViewKey("H", "Compare", "overlays off, and on", lambda w: w.jumps.overlays()),
    ViewKey("Q", "Compare", "blink: the other of two explanations", lambda w: w.jumps.blink()),
    ViewKey("Shift-Q", "Compare", "blink by itself, and stop", lambda w: w.jumps.blink_on()),
    ViewKey("W", "Window", "next preset", lambda w: w.view_bar.window_control.step(1)),
    ViewKey("Shift-W", "Window", "previous preset", lambda w: w.view_bar.window_control.step(-1)),
    ViewKey("U", "Window", "automatic, of the volume", lambda w: w.view_bar.window_control.auto()),
    ViewKey(
        "Shift-U",
        "Window",
        "automatic, of this slice",
        lambda w: w.view_bar.window_control.auto_slice(),
    ),
    ViewKey("Shift-E", "Other", "to the Review tab, which exports", lambda w: w.jumps.export()),
    ViewKey("F1", "Other", "this sheet", lambda w: w.show_keys()),
)

#: Mouse: gesture, what it does, what of napari's it takes the place of.
MOUSE: tuple[tuple[str, str, str], ...] = (
    ("Wheel", "scroll slices", "napari's zoom, which is on Shift+wheel (Preferences: The wheel)"),
    ("Shift+wheel", "zoom about the pointer", ""),
    ("Ctrl+wheel", "scroll slices", "napari's own"),
    ("Right drag", "window (right: wider) and level (up: brighter)", "the camera's zoom"),
    ("Left drag", "move the picture", "napari's own"),
    ("Double click", "zoom in; with Alt: out", "napari's own"),
    ("Alt+left drag", "zoom to a box", "napari's own"),
    ("Click", "what is there; in three planes also the crosshair", ""),
    ("Shift+move", "the crosshair goes with the pointer (three planes)", ""),
)


def bind_keys(workspace: Workspace) -> None:
    """Bind all keys to the workspace's viewer; they act while a study is open."""
    for entry in KEYS:
        workspace.viewer.bind_key(entry.key, _action(workspace, entry), overwrite=True)


def unbind_keys(viewer: Any) -> None:
    """Give the keys back."""
    for entry in KEYS:
        viewer.bind_key(entry.key, None)


def _action(workspace: Workspace, entry: ViewKey) -> Callable[[Any], None]:
    def act(_viewer: Any) -> None:
        # The way back from the full window and the sheet are there without a study too.
        if workspace.study is not None or entry.key in ("F1", "Shift-F"):
            entry.act(workspace)

    act.__doc__ = f"SparseExplain: {entry.words}."
    return act
