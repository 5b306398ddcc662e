"""What the preferences page offers is what the window reads."""

from __future__ import annotations

from importlib.resources import files

import yaml

from napari_sparseexplain.widgets.parts.preferences import _DEFAULTS


def test_every_setting_of_the_manifest_is_read_with_the_same_default() -> None:
    text = files("napari_sparseexplain").joinpath("napari.yaml").read_text(encoding="utf-8")
    groups = yaml.safe_load(text)["contributions"]["configurations"]
    offered = {
        f"{group}.{name}": setting["default"]
        for group, content in groups.items()
        for name, setting in content["properties"].items()
    }
    assert offered == _DEFAULTS
