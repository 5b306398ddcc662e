"""Words of a mark: beside it, never on its line, inside the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_sparseexplain.review.label_position import LabelledMark, label_corner, label_corners

PICTURE, BOX, GAP = (400.0, 300.0), (60.0, 16.0), 7.0


def drawn(kind: str, points: list[tuple[float, float]]) -> np.ndarray:
    """Points along the mark's line, close to each other."""
    corners = [*points, points[0]] if kind in ("polygon", "ellipse") else points
    pieces = [
        np.linspace(a, b, 200)
        for a, b in zip(np.array(corners[:-1]), np.array(corners[1:]), strict=True)
    ]
    return np.concatenate(pieces) if pieces else np.array(points)


@pytest.mark.parametrize("turn", range(0, 360, 15))
@pytest.mark.parametrize("kind", ["distance", "arrow", "polygon", "text"])
def test_words_never_lie_on_their_mark_and_stay_in_the_picture(kind: Any, turn: int) -> None:
    angle = np.radians(turn)
    way = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-way[1], way[0]])
    middle = np.array([200.0, 150.0])
    points = {
        "text": [middle],
        "polygon": [middle - 40 * way, middle + 40 * way, middle + 30 * across],
    }.get(kind, [middle - 60 * way, middle + 60 * way])
    corner = np.array(label_corner(kind, points, BOX, GAP, PICTURE))
    line = drawn(kind, [tuple(p) for p in points])
    on = ((line > corner) & (line < corner + BOX)).all(axis=1)
    assert not on.any()
    assert (corner >= 0).all()
    assert (corner + BOX <= PICTURE).all()
    # Beside it, not somewhere: the nearest point of the box is a gap away, or little more.
    nearest = np.clip(line, corner, corner + BOX) - line
    assert np.linalg.norm(nearest, axis=1).min() < 3 * GAP


def test_at_the_edge_of_the_picture_words_go_to_the_other_side() -> None:
    x, _ = label_corner("distance", [(200, 150), (395, 150)], BOX, GAP, PICTURE)
    assert x + BOX[0] < 200
    x, _ = label_corner("polygon", [(300, 10), (398, 10), (398, 60)], BOX, GAP, PICTURE)
    assert x + BOX[0] < 300


def test_an_arrow_has_its_words_at_its_tail() -> None:
    x, y = label_corner("arrow", [(100, 200), (180, 120)], BOX, GAP, PICTURE)
    assert x + BOX[0] <= 100 or y >= 200


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        ("distance", [(-50, 150), (450, 150)]),
        ("distance", [(200, -40), (200, 360)]),
        ("distance", [(-50, 4), (450, 4)]),
        ("distance", [(-50, -50), (450, 350)]),
        ("distance", [(390, 150), (450, 20)]),
        ("arrow", [(450, 290), (-20, 30)]),
        ("polygon", [(-30, 20), (430, 10), (420, 290), (-20, 280)]),
        ("polygon", [(-500, 150), (200, -500), (900, 150), (200, 295)]),
        ("polygon", [(-30, -30), (430, -30), (430, 330), (-30, 330)]),
        ("ellipse", [(200 + 260 * np.cos(a), 150 + 140 * np.sin(a))
                     for a in np.linspace(0, 2 * np.pi, 72, endpoint=False)]),
    ],
)  # fmt: skip
def test_words_of_a_mark_that_leaves_the_picture_stand_beside_what_is_in_it(
    kind: Any, points: list[tuple[float, float]]
) -> None:
    corner = np.array(label_corner(kind, points, BOX, GAP, PICTURE))
    line = drawn(kind, points)
    assert not ((line > corner) & (line < corner + BOX)).all(axis=1).any()
    assert (corner >= 0).all()
    assert (corner + BOX <= PICTURE).all()
    seen = line[((line >= 0) & (line <= PICTURE)).all(axis=1)]
    if len(seen):
        nearest = np.clip(seen, corner, corner + BOX) - seen
        assert np.linalg.norm(nearest, axis=1).min() < 3 * GAP


def test_the_words_of_forty_marks_lie_on_no_other_words() -> None:
    """All inside the picture, each within a few lines of its mark."""
    rng = np.random.default_rng(0)
    kinds = ["distance", "polygon", "ellipse", "arrow", "angle", "cobb", "bidirectional", "text"]
    marks = []
    for number in range(40):
        middle = rng.uniform((60, 40), (452, 472))
        count = {"text": 1, "polygon": 6, "ellipse": 24}.get(kinds[number % 8], 3)
        kind: Any = kinds[number % 8]
        marks.append(LabelledMark(kind, middle + rng.uniform(-25, 25, (count, 2)), BOX))
    marks.append(LabelledMark("arrow", [(0, 0), (511, 511)], None))
    found = label_corners(marks, GAP, (512.0, 512.0))
    assert found.pop() is None
    corners = np.array(found)
    ends = corners + BOX
    apart = (ends[:, None] <= corners[None]) | (corners[:, None] >= ends[None])
    assert (apart.any(axis=-1) | np.eye(40, dtype=bool)).all()
    assert (corners >= 0).all()
    assert (ends <= 512).all()
    for corner, end, mark in zip(corners, ends, marks, strict=False):
        points = np.asarray(mark.points)
        gap = np.maximum(np.maximum(corner - points.max(0), points.min(0) - end), 0)
        assert np.hypot(*gap) < 1.5 * BOX[0]


def test_words_keep_off_the_lines_of_other_marks_where_they_can() -> None:
    line, other = [(100, 150), (200, 150)], [(215, 100), (215, 200)]
    free = label_corner("distance", line, BOX, GAP, PICTURE)
    assert free[0] > 200  # beyond its right end
    marks = [LabelledMark("distance", line, BOX), LabelledMark("distance", other, None)]
    moved = label_corners(marks, GAP, PICTURE)[0]
    assert moved is not None
    assert not moved[0] < 215 < moved[0] + BOX[0]
