"""Devices that a tab offers: none that this machine cannot have."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_sparseexplain.widgets.parts import model_choice
from napari_sparseexplain.widgets.parts.model_choice import offered_devices


def test_no_device_of_another_system_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = tmp_path / "driver"
    monkeypatch.setattr(model_choice, "_DRIVERS", (driver,))
    assert offered_devices("darwin") == ("auto", "cpu", "mps")
    assert offered_devices("win32") == ("auto", "cpu", "cuda")
    assert offered_devices("linux") == ("auto", "cpu")
    driver.touch()
    assert offered_devices("linux") == ("auto", "cpu", "cuda")
