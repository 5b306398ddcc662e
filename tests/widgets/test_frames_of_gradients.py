"""A diffusion scan in the window: it opens without weighting, the corner says what is seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_sparseexplain.layers.canvas.slice_title import title_lines

from ..microstructure.diffusion_scans import fsl_vectors, write_fsl, write_scan
from .conftest import new_workspace, settle, with_study

if TYPE_CHECKING:
    from .shared_window import SharedWindow

pytestmark = pytest.mark.gui

AFFINE = np.diag([-2.0, -2.0, 2.0, 1.0])
VECTORS = np.array([[0, 0.6, 0.8], [1.0, 0, 0], [0, 0, 0]])


@pytest.fixture(scope="session")
def scan(kept_folder: Path) -> Path:
    signals = np.random.default_rng(0).uniform(10, 90, (6, 5, 4, 3))
    path = write_scan(kept_folder / "weighted", signals, AFFINE)
    write_fsl(path.parent, np.array([1000.0, 1000.0, 0.0]), fsl_vectors(VECTORS, AFFINE))
    return path


def test_it_opens_without_weighting_and_names_its_frames(
    shared_window: SharedWindow, scan: Path
) -> None:
    workspace = shared_window.lend(new_workspace, [with_study(scan)])
    workspace.activate(workspace.study)
    settle()
    assert workspace.viewer.dims.current_step[0] == 2
    assert "direction 3/3, b = 0" in title_lines(workspace.viewer, workspace.study)
    workspace.viewer.dims.set_point(0, 0.0)
    words = "direction 1/3, b = 1000 s/mm², (0.00, 0.60, 0.80)"
    assert words in title_lines(workspace.viewer, workspace.study)
