"""Measures in the patient's millimetres, whatever the voxels; undo."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.review.annotation import (
    Annotation,
    annotation_on_grid,
    measure_text,
    perpendicular_axes,
    points_of_line,
)
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


def test_angles() -> None:
    """At the apex up to 180°; between lines the smaller one, however they were drawn."""
    corner = drawn("angle", [(2, 5, 0), (2, 0, 0), (2, 0, 8)])
    assert corner.angle_degrees == pytest.approx(90)
    # 10 mm along rows against 10 mm along rows and columns of 2 and 0.5 mm.
    assert drawn("angle", [(2, 5, 0), (2, 0, 0), (2, 5, 20)]).angle_degrees == pytest.approx(45)
    assert drawn("angle", [(2, 5, 0), (2, 0, 0), (2, -5, 20)]).angle_degrees == pytest.approx(135)
    assert measure_text(corner, calibrated=False) == "90.0°"
    lines = [(2, 0, 0), (2, 0, 8), (2, 5, 0), (2, 10, 20)]
    for turned in (lines, [lines[1], lines[0], *lines[2:]]):
        cobb = drawn("cobb", turned)
        assert cobb.angle_degrees == pytest.approx(45)
        assert (cobb.length_mm, cobb.area_mm2, cobb.closed) == (None, None, False)


def test_both_axes_are_measured_and_stay_at_right_angles() -> None:
    item = drawn("bidirectional", [(2, 0, 10), (2, 2, 10), (2, 1, 0), (2, 1, 20)])
    assert item.axes_mm == pytest.approx((10, 4))
    assert measure_text(item) == "10.0 × 4.0 mm"
    moved = np.array(item.points)
    moved[3] += moved[1] - moved[0]  # an end of the short axis is drawn aside
    kept = perpendicular_axes(moved)
    assert (kept[1] - kept[0]) @ (kept[3] - kept[2]) == pytest.approx(0)
    assert np.linalg.norm(kept[3] - kept[2]) == pytest.approx(10)
    np.testing.assert_allclose(kept[:2], moved[:2])
    np.testing.assert_allclose(perpendicular_axes(item.points), item.points)


@pytest.mark.parametrize("kind", ["cobb", "bidirectional", "angle", "polygon"])
def test_one_line_draws_all_of_a_mark_and_gives_its_points_back(kind: str) -> None:
    points = [(2, 0, 0), (2, 0, 8), (2, 5, 0), (2, 10, 20)][: 3 if kind == "angle" else 4]
    item = drawn(kind, points)
    line = item.outline()
    np.testing.assert_allclose(points_of_line(item.kind, line), item.points)
    assert len(line) == {"cobb": 6, "bidirectional": 5}.get(kind, len(points))


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
