"""What a person has set for this plugin in napari's Preferences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.settings import get_plugin_settings

_PLUGIN = "napari-sparseexplain"

#: The defaults of the manifest, for a viewer in which plugins were not discovered.
_DEFAULTS: dict[str, Any] = {
    "run.device": "auto",
    "run.follow_slice": True,
    "view.letter_size": 11,
    "view.windows": "",
    "view.convention": "radiological",
    "view.wheel": "slices",
    "view.layer_panes": False,
    "view.hang_after_run": False,
    "export.folder": "",
    "export.names": "removed",
}


def preference(name: str) -> Any:
    """A setting such as ``"run.device"``; its default where plugins were not discovered."""
    category, _, key = name.partition(".")
    default = _DEFAULTS[name]
    if _PLUGIN not in get_plugin_settings():
        return default
    return getattr(getattr(get_plugin_settings(_PLUGIN), category), key)


def set_preference(name: str, value: Any) -> None:
    """Set what a person chose in the window; nothing where plugins were not discovered."""
    category, _, key = name.partition(".")
    if _PLUGIN in get_plugin_settings():
        setattr(getattr(get_plugin_settings(_PLUGIN), category), key, value)


def on_preference(name: str, call: Callable[[], None]) -> None:
    """Let a method be called when a person changes a setting.

    Nothing happens where plugins were not discovered: there is then no page to change it on.

    Parameters
    ----------
    name : str
        As in `preference`.
    call : bound method
        Held weakly, so that it goes with its widget: the settings outlive every window.
    """
    category, _, key = name.partition(".")
    if _PLUGIN in get_plugin_settings():
        emitter = getattr(getattr(get_plugin_settings(_PLUGIN), category).events, key)
        # napari hands over an event to a method that takes one; ours read the setting.
        emitter.connect(call)
