"""Shared fixtures: the real scans beside the checkout, when they are there."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest

if "SPARSEEXPLAIN_CACHE" not in os.environ:
    # What tests compute stays out of the user's own cache folder.
    os.environ["SPARSEEXPLAIN_CACHE"] = tempfile.mkdtemp(prefix="sparseexplain-cache-")
    atexit.register(shutil.rmtree, os.environ["SPARSEEXPLAIN_CACHE"], ignore_errors=True)

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real scans used by `realdata` tests; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder of real scans is not beside this checkout")
    return SHARED_DATA


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--part 1/2``: one of several processes that share the tests between them."""
    parser.addoption("--part", default="1/1", metavar="K/N", help="run only the K-th of N parts")


def part_of_files(counts: dict[str, int], parts: int) -> dict[str, int]:
    """Which part runs each file: the largest first, each into the part with the fewest tests."""
    sizes, found = [0] * parts, {}
    for name in sorted(counts, key=lambda name: (-counts[name], name)):
        found[name] = sizes.index(min(sizes))
        sizes[found[name]] += counts[name]
    return found


@pytest.hookimpl(trylast=True)  # after the marks have chosen
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests of other parts out; the tests of one file stay together."""
    part, parts = (int(number) for number in config.getoption("--part").split("/"))
    if not 1 <= part <= parts:
        raise pytest.UsageError(f"--part {part}/{parts}: there is no such part")
    files = part_of_files(Counter(str(item.path) for item in items), parts)
    others = [item for item in items if files[str(item.path)] != part - 1]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if files[str(item.path)] == part - 1]
