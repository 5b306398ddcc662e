"""Measures in the patient's millimetres, whatever the voxels; undo."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.review.annotation import Annotation, annotation_on_grid, measure_text
from napari_sparseexplain.review.annotation_history import AnnotationHistory
from napari_sparseexplain.volumes import Grid

#: Anisotropic and oblique: 30° about the first axis.
TURN = np.array([[1, 0, 0], [0, np.sqrt(3) / 2, -0.5], [0, 0.5, np.sqrt(3) / 2]])
AFFINE = np.eye(4)
AFFINE[:3, :3] = TURN @ np.array([[0, 0, -0.5], [0, -2.0, 0], [3.0, 0, 0]])
GRID = Grid((9, 20, 40), AFFINE)


def drawn(kind: str, voxels: list[tuple[float, float, float]]) -> Annotation:
    return annotation_on_grid(kind, voxels, GRID, study="s", plane="axial", index=2)


def test_ten_millimetres_measure_ten_millimetres() -> None:
    assert drawn("distance", [(2, 0, 0), (2, 5, 0)]).length_mm == pytest.approx(10)
    assert drawn("distance", [(2, 0, 0), (2, 0, 20)]).length_mm == pytest.approx(10)
    assert drawn("distance", [(2, 0, 0), (2, 3, 16)]).length_mm == pytest.approx(10)
    assert measure_text(drawn("distance", [(2, 0, 0), (2, 5, 0)])) == "10.0 mm"
    assert measure_text(drawn("distance", [(2, 0, 0), (2, 5, 0)]), calibrated=False) == "10.0 px"


def test_areas() -> None:
    """A rectangle of 6 by 4 mm; the ellipse in it; a triangle of half of it, either way round."""
    box = [(2, 0, 0), (2, 3, 0), (2, 3, 8), (2, 0, 8)]
    assert drawn("polygon", box).area_mm2 == pytest.approx(24)
    assert drawn("polygon", box[::-1]).area_mm2 == pytest.approx(24)
    assert drawn("polygon", box[:3]).area_mm2 == pytest.approx(12)
    assert drawn("ellipse", box).area_mm2 == pytest.approx(np.pi * 3 * 2)
    outline = Annotation(
        "polygon", tuple(map(tuple, drawn("ellipse", box).outline(2000))), "s", "axial", 2
    )
    assert outline.area_mm2 == pytest.approx(np.pi * 6, rel=1e-4)


def test_what_has_no_measure_says_none_and_impossible_ones_are_refused() -> None:
    arrow = drawn("arrow", [(2, 0, 0), (2, 1, 1)])
    assert (arrow.length_mm, arrow.area_mm2, measure_text(arrow)) == (None, None, "")
    with pytest.raises(ValueError, match="2 points"):
        drawn("polygon", [(2, 0, 0), (2, 1, 1)])
    with pytest.raises(ValueError, match="finite"):
        drawn("text", [(2, np.nan, 0)])


def test_undo_and_redo() -> None:
    a, b = drawn("text", [(2, 0, 0)]), drawn("text", [(2, 1, 0)])
    history = AnnotationHistory().add(a).add(b)
    assert history.undo().present == (a,)
    assert history.undo().undo().undo().present == ()
    assert history.undo().redo() == history
    assert history.undo().add(b).future == ()
    assert history.remove(0).present == (b,)
    assert history.remove(0).undo().present == (a, b)
