"""A demonstration of the window, as a family's steps see it: the window, pictures, waiting.

Every family may bring a function that takes a `Demo` and drives the window as a person would
(`Family.demo`); `tour` calls them in the order of the tabs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from qtpy.QtWidgets import QApplication

from ..errors import SparseExplainError
from ..volumes import Study
from .workspace import Workspace

#: Seconds after which a step that has not ended is taken to hang.
PATIENCE = 600.0


@dataclass(eq=False)
class Demo:
    """What the steps of a demonstration share.

    Attributes
    ----------
    workspace : Workspace
        The window, driven through what a script can call.
    path : Path
        The study that is opened.
    model : str
        Bundled name or folder of the network that is shown.
    out : Path
        Folder that results go to.
    show : callable
        Takes a picture of the window, under a name, where pictures are taken.
    results : list of Path
        Files that steps wrote, for whoever started the demonstration.
    """

    workspace: Workspace
    path: Path
    model: str
    out: Path
    show: Callable[[str], None]
    results: list[Path] = field(default_factory=list)

    @property
    def study(self) -> Study:
        """The study in the window."""
        return self.workspace.needed_study()

    @property
    def voxel(self) -> tuple[int, int, int]:
        """The brightest lesion voxel of the slice in the picture, else its middle."""
        study, index = self.study, self.workspace.current_slice
        rows, columns = study.grid.shape[1:]
        for label in study.labels.values():
            inside = np.argwhere(np.asarray(label.spatial()[index]) > 0)
            if inside.size:
                scan = next(iter(study.images.values())).spatial()[index]
                best = inside[int(np.argmax([scan[row, column] for row, column in inside]))]
                return index, int(best[0]), int(best[1])
        return index, rows // 2, columns // 2

    def wait(self, step: str) -> None:
        """Until nothing runs in the window.

        Raises
        ------
        SparseExplainError
            Something still ran after `PATIENCE` seconds.
        """
        if not self.workspace.wait(PATIENCE):
            raise SparseExplainError(
                f"the step {step!r} of the tour did not end within {PATIENCE:.0f} s",
                remedy="Try again when the machine is less busy",
            )

    def settle(self, seconds: float = 1.2) -> None:
        """Let resting timers fire and the canvas be drawn before a picture is taken."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.01)
