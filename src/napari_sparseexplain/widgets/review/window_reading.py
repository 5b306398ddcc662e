"""What is on the screen, and what was marked and found, as a review."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np

from ...layers.canvas.orientation_letters import is_flipped
from ...layers.review_keys import ReviewKeys
from ...layers.study_results import results_of
from ...layers.viewer_panels import viewer_panels
from ...review.default_review import explanation_reference
from ...review.reading import Reading
from ...review.review import Review
from ...review.study_reference import study_reference
from ...volumes import Finding, Study
from .reviewed_window import ReviewedWindow
from .study_marks import Marks

#: Zooms that differ by less are the one that the window chose by itself.
_SAME_ZOOM = 1e-3


def window_reading(window: ReviewedWindow, marks: Marks) -> Reading:
    """What the window shows, what was marked, and all that was found in the study, as a reading.

    What is on the screen are its panels. Results belong to it whether they are shown or not.

    Raises
    ------
    SparseExplainError
        No study is open, the picture is in 3-D, or nothing of a study is in it.
    """
    study = window.needed_study()
    keys = ReviewKeys()
    keys.study(study)
    viewer = cast(Any, window.viewer)
    whole = is_fitted(window)
    panels, columns = viewer_panels(viewer, study, keys, whole=whole)
    for explanation in results_of(viewer, study):
        keys.explanation(explanation, study)
    views = window.modes.views if window.modes.mode == "orthogonal" else None
    planes = views is not None and len(panels) == 1
    if views is not None and planes:
        panels = views.panels(panels[0], whole=whole)
    # With three planes the probe is where they cut each other.
    marked = _cut(window, study) if planes else marks.probe
    probe = None if marked is None else study.grid.world(marked)
    review = Review(
        studies={key: study_reference(item) for key, item in keys.studies.items()},
        panels=panels,
        explanations={
            key: replace(explanation_reference(item), study=keys.study_of[key])
            for key, item in keys.explanations.items()
        },
        columns=columns if len(panels) > 1 and not planes else 0,
        convention=window.convention,
        annotations=marks.annotations,
        key_slices=marks.key_slices,
        probe=None if probe is None else (float(probe[0]), float(probe[1]), float(probe[2])),
        crosshair=planes,
        code=marks.code,
    )
    if is_flipped(window.viewer, study.grid, window.convention):
        keys.note("the picture is flipped; saved and exported pictures are not")
    findings = tuple(Finding("info", "not-in-review", note) for note in keys.notes)
    return Reading(review, keys.studies, keys.explanations, findings, window.busy)


def is_fitted(window: ReviewedWindow) -> bool:
    """Whether the whole slice is in the picture because nobody chose another zoom or place."""
    fitted, camera = window.fitted.camera, window.viewer.scene.camera
    if fitted is None:
        return False
    zoom, centre = fitted
    near = abs(camera.zoom - zoom) < _SAME_ZOOM * zoom
    return near and all(
        abs(a - b) * zoom < 1.0 for a, b in zip(camera.center[-2:], centre, strict=True)
    )


def _cut(window: ReviewedWindow, study: Study) -> tuple[int, int, int]:
    """Voxel through which all three planes go."""
    point = np.rint(np.asarray(window.viewer.dims.point[-3:]) / study.grid.spacing)
    s, p, l = (int(v) for v in np.clip(point, 0, np.asarray(study.grid.shape) - 1))  # noqa: E741
    return s, p, l
