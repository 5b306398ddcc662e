"""Resident memory of the real window with a study, and after everything was run on a slice.

    scripts/with_display .venv/bin/python benchmarks/memory_of_window.py STUDY

Prints the two in megabytes. A process of its own, since a process never gives all memory back.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import napari
from qtpy.QtWidgets import QApplication

from napari_sparseexplain.widgets.workspace import open_workspace


def resident_megabytes() -> float:
    """What this process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            sys.exit("memory_of_window: it did not end")
        QApplication.processEvents()
        time.sleep(0.01)


def _rest(seconds: float) -> None:
    end = time.monotonic() + seconds
    _until(lambda: time.monotonic() > end, seconds + 10)


def main() -> None:
    """Open, look, run all."""
    viewer = napari.Viewer()
    viewer.window.resize(1600, 1000)
    workspace = open_workspace(viewer)
    workspace.open_path(sys.argv[1])
    if not workspace.wait(120) or workspace.study is None:
        sys.exit("memory_of_window: the study did not open")
    # What loads early for a first run is not the study.
    opened = resident_megabytes()
    _rest(1.0)
    workspace.jumps.lesion()
    _rest(20.0)
    idle = resident_megabytes()
    workspace.sheet.run()
    if not workspace.sheet.wait(600):
        sys.exit("memory_of_window: the sheet did not end")
    _rest(3.0)
    print(f"{opened:.0f} {idle:.0f} {resident_megabytes():.0f}")
    viewer.close()


if __name__ == "__main__":
    main()
