"""An annotated picture of four panels against napari's screenshot, and a whole series in memory."""

from __future__ import annotations

import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

from napari_sparseexplain.export.pictures.compositor import PictureSize, compose
from napari_sparseexplain.export.pictures.picture_file import png_bytes
from napari_sparseexplain.export.pictures.picture_series import every_slice, export_slices
from napari_sparseexplain.review.annotation import annotation_on_grid
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.reading import Reading
from napari_sparseexplain.volumes.opening.array_study import study_of_arrays
from napari_sparseexplain.widgets.workspace import open_workspace
from paired_timing import Row, milliseconds, paired

_SHAPE = (155, 240, 240)
_MIDDLE = 77
_SIZE = PictureSize(1600, 1400)

#: What 155 pictures may need beyond the first.
_MOST_MIB = 64


def _reading() -> Reading:
    """Four modalities side by side, a mask over the first, four annotations."""
    rng = np.random.default_rng(0)
    scans = {
        role: rng.integers(0, 900, _SHAPE, dtype=np.int16) for role in ("t1", "t1ce", "t2", "flair")
    }
    reading = default_reading(study_of_arrays(scans))
    grid = reading.studies["study"].grid
    marks = tuple(
        annotation_on_grid(
            kind, [(_MIDDLE, *p) for p in points], grid, study="study", plane="axial",
            index=_MIDDLE, text="rim",
        )
        for kind, points in (
            ("arrow", [(60, 60), (90, 100)]),
            ("distance", [(120, 60), (120, 160)]),
            ("polygon", [(60, 150), (60, 180), (90, 190), (100, 150)]),
            ("ellipse", [(150, 60), (150, 100), (190, 100), (190, 60)]),
        )
    )  # fmt: skip
    review = reading.review
    panels = tuple(p.at(_MIDDLE) for p in review.panels)
    return reading.with_review(replace(review, panels=panels, annotations=marks))


def measure(repeats: int) -> list[Row]:
    """Two rows: time of one picture, and memory of a series."""
    reading = _reading()
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1600, 1000)
    workspace = open_workspace(viewer)
    workspace.show_study(reading.studies["study"])
    workspace.grid_view.show(workspace.layers_of(reading.studies["study"]))
    for _ in range(20):
        QApplication.processEvents()
    mine, theirs, ratio = paired(
        lambda: png_bytes(compose(reading, _SIZE)),
        lambda: viewer.screenshot(canvas_only=True, flash=False),
        repeats,
    )
    picture = Row(
        "annotated picture of 4 panels of 240², 1600 × 1400, as PNG",
        milliseconds(mine),
        f"napari's screenshot of the window {milliseconds(theirs)}",
        f"{1 / ratio:.2f}× the time",
        "≤ 10×",
        1 / ratio <= 10,
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start, steps = time.perf_counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        for _ in export_slices(reading, Path(folder) / "out", every_slice(reading), _SIZE):
            steps += 1
        count = len(list((Path(folder) / "out").glob("*.png")))
    took = time.perf_counter() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    series = Row(
        f"{count} such pictures exported",
        f"{took:.0f} s, {grown:.0f} MiB more than for one",
        f"all pictures held {count * _SIZE.width * _SIZE.height * 3 / 2**20:.0f} MiB",
        f"progress {steps} times",
        f"≤ {_MOST_MIB} MiB, progress a slice",
        grown <= _MOST_MIB and steps >= count,
    )
    viewer.close()
    return [picture, series]
