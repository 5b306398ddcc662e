"""Shared fixtures, and which files a process of the tests reads."""

from __future__ import annotations

import atexit
import gc
import os
import re
import shutil
import tempfile
from importlib import import_module
from pathlib import Path

import pytest

from .cpu_of_files import CpuOfFiles, charged_to
from .shared_parts import Part, files_of, part_of

if "SPARSEEXPLAIN_CACHE" not in os.environ:
    # What tests compute stays out of the user's own cache folder.
    os.environ["SPARSEEXPLAIN_CACHE"] = tempfile.mkdtemp(prefix="sparseexplain-cache-")
    atexit.register(shutil.rmtree, os.environ["SPARSEEXPLAIN_CACHE"], ignore_errors=True)

#: Packages that many families use: each process loads them once, whichever file comes first.
USED_BY_MANY = (
    "torch", "matplotlib.figure", "scipy.ndimage", "nibabel", "pydicom", "imageio.v3",
    "napari.layers",
)  # fmt: skip

TESTS = Path(__file__).resolve().parent
SHARED_DATA = TESTS.parents[1] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real scans used by `realdata` tests; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder of real scans is not beside this checkout")
    return SHARED_DATA


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--part 1/2``: one of several processes that share the files between them."""
    parser.addoption("--part", default="1/1", metavar="K/N", help="read only the K-th of N parts")


def pytest_configure(config: pytest.Config) -> None:
    """What each file costs is noted; see `tests/cpu_of_files.py`."""
    part = part_of(config.getoption("--part"))
    if not config.getoption("collectonly"):
        asked = config.getoption("markexpr") or "all"
        name = re.sub(r"\W+", "-", f"{asked} {part.number} of {part.parts}")
        config.pluginmanager.register(CpuOfFiles(name))


def pytest_collection(session: pytest.Session) -> None:
    """In a process of many files, what many of them import falls on none of them."""
    if session.config.getoption("markexpr") in ("gui", "not gui"):
        with charged_to("packages that many files use"):
            for name in USED_BY_MANY:
                import_module(name)


def pytest_collection_finish() -> None:
    """What the files import stays to the end: no search for garbage goes through it again."""
    gc.collect()
    gc.freeze()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Files in which nothing is asked for are not read: their imports cost every process seconds.

    A file that is named on the command line is always read.
    """
    if not collection_path.name.startswith("test_") or collection_path.suffix != ".py":
        return None
    part = part_of(config.getoption("--part"))
    asked = config.getoption("markexpr")
    if part == Part(1, 1) and asked not in ("gui", "not gui"):
        return None
    return None if collection_path in files_of(TESTS, asked, part) else True
