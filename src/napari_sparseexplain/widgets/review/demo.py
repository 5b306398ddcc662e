"""What the demonstration shows of the Review tab: marks, key slices, a report, a saved review."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import SparseExplainError
from ...review.annotation import AnnotationKind, annotation_on_grid
from ...volumes import Study
from ..demo import Demo
from .study_marks import OWN


def show_review(demo: Demo) -> None:
    """Three planes, two key slices, a distance and an arrow; the review and its report."""
    workspace, study, out, voxel = demo.workspace, demo.study, demo.out, demo.voxel
    tab = workspace.page("review")
    workspace.show_tab("review")
    index, row, column = voxel
    drawn: list[tuple[AnnotationKind, Any, str]] = [
        ("distance", _across(study, voxel), "lesion"),
        ("arrow", ((row - 40, column - 40), (row - 4, column - 4)), "brightest voxel"),
    ]
    for kind, points, words in drawn:
        tab.marking.add_annotation(
            annotation_on_grid(
                kind,
                [(index, *point) for point in points],
                study.grid,
                study=OWN,
                plane="axial",
                index=index,
                text=words,
            )
        )
    tab.marking.mark_key_slice("what two methods show of the lesion")
    workspace.go_to_slice(index + 4)
    tab.marking.mark_key_slice("four slices on")
    workspace.go_to_slice(index)
    tab.export(out / "report.pdf", what="report", overwrite=True)
    demo.wait("the report")
    report = out / "report.pdf"
    if not report.is_file():
        raise SparseExplainError(
            f"the report was not written: {tab.run_bar.message.text()}", where=report
        )
    workspace.modes.set_mode("orthogonal")
    # Off the row that was measured, or the crosshair would hide the line.
    workspace.go_to_voxel((index, row + 8, column))
    demo.show("three-planes")
    workspace.modes.set_mode("single")
    tab.marking.step_key_slice(1)
    # Nothing is saved while what follows the slice is still computed.
    demo.settle()
    demo.wait("the slice of the review")
    tab.save(out / "review", overwrite=True)
    demo.wait("the saved review")
    if not (out / "review").is_dir():
        raise SparseExplainError(
            f"the review was not saved: {tab.run_bar.message.text()}", where=out / "review"
        )
    demo.show("review")
    demo.results.append(report)


def _across(study: Study, voxel: tuple[int, int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Ends of the lesion in the row of a voxel, else a stretch about it."""
    index, row, column = voxel
    for label in study.labels.values():
        inside = np.flatnonzero(np.asarray(label.spatial()[index, row]) > 0)
        if inside.size > 1:
            return (row, int(inside[0])), (row, int(inside[-1]))
    return (row, column - 10), (row, column + 10)
