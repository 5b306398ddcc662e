"""*Explain this slice* in the real window: what a person waits for, and the CPU it takes.

From the press of the button to the first picture and to the whole sheet with its verdict, once the
models are there that the window loads by itself. Two slices of one process: the first also loads
what is compiled for XRAI. Wall times are of this machine and of what else runs on it: the load is
said beside them.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

from napari_sparseexplain.volumes import Study
from napari_sparseexplain.volumes.opening.sample import sample_path
from napari_sparseexplain.widgets.workspace import Workspace, open_workspace
from paired_timing import Row

_REAL = Path(__file__).resolve().parents[2] / "shared/data/brain_tumour/brats_gli_00000"

#: Seconds that were asked for.
_FIRST, _WHOLE = 3.0, 12.0


def _rest(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)


def _largest(study: Study) -> int:
    mask = next(iter(study.labels.values())).spatial()
    return int((np.asarray(mask) > 0).sum(axis=(1, 2)).argmax())


def _pressed(workspace: Workspace, index: int) -> list[tuple[float, float]]:
    """Seconds, and those of CPU, to the first picture and to the whole sheet."""
    workspace.go_to_slice(index)
    _rest(0.5)
    came: list[tuple[float, float]] = []
    panel = workspace.sheet
    began, before = time.monotonic(), time.process_time()

    def note(step: Any) -> None:
        if getattr(step.preview, "explanation", None) is not None:
            QApplication.processEvents()
            came.append((time.monotonic() - began, time.process_time() - before))

    panel.runner.progressed.connect(note)
    panel.run()
    if not panel.wait(600):
        raise TimeoutError("the sheet did not end")
    QApplication.processEvents()
    panel.runner.progressed.disconnect(note)
    return [came[0], (time.monotonic() - began, time.process_time() - before)]


def measure(repeats: int) -> list[Row]:
    """Two sheets of the real scan beside the checkout, else of the sample study."""
    path = _REAL if _REAL.is_dir() else sample_path()
    viewer: Any = napari.Viewer(show=True)
    viewer.window.resize(1600, 1000)
    workspace = open_workspace(viewer)
    workspace.open_path(path)
    workspace.wait(300)
    _rest(1.0)
    while workspace.early.loading:
        _rest(0.2)
    study = workspace.needed_study()
    rows = []
    for number in range(max(repeats, 2)):
        index = _largest(study) - number
        load = os.getloadavg()[0]
        took = _pressed(workspace, index)
        name = f"{path.name}, {'first' if number == 0 else 'another'} slice"
        wanted = (("first picture", _FIRST), ("whole sheet", _WHOLE))
        for (what, allowed), (seconds, cpu) in zip(wanted, took, strict=True):
            rows.append(
                Row(
                    f"{name}: {what}",
                    f"{seconds:.1f} s, CPU {cpu:.1f} s",
                    f"load before: {load:.1f}",
                    f"{seconds / allowed:.2f} of the time allowed",
                    f"≤ {allowed:.0f} s",
                    seconds <= allowed,
                )
            )
    viewer.close()
    _rest(0.3)
    return rows
