"""Shared fixtures: the real scans beside the checkout, when they are there."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real scans used by `realdata` tests; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder of real scans is not beside this checkout")
    return SHARED_DATA


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Windows first, and all in one process: two of them would take the focus from each other."""
    items.sort(key=lambda item: "gui" not in item.keywords)
    for item in items:
        if "gui" in item.keywords:
            item.add_marker(pytest.mark.xdist_group("window"))
