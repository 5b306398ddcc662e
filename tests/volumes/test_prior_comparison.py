"""Checkerboard, edges, matched grey values and subtraction of two scans on one grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_heads import head_study

from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes.comparison.check_pictures import checkerboard, edge_map
from napari_sparseexplain.volumes.comparison.grey_values import match_grey_values, subtraction
from napari_sparseexplain.volumes.comparison.made_pictures import made_picture_work

SCAN = head_study()["flair"]
VALUES = SCAN.spatial()


def test_fields_of_a_checkerboard_have_their_size_in_millimetres() -> None:
    ones, zeros = np.ones((4, 12, 12)), np.zeros((4, 12, 12))
    board = checkerboard(ones, zeros, (5.0, 1.0, 2.0), size_mm=4.0)
    assert board[0, :, 0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1]
    assert board[0, 0, :].tolist() == [1, 1, 0, 0] * 3
    # A slice thicker than a field is a field of its own.
    assert board[:, 0, 0].tolist() == [1, 0, 1, 0]
    part = checkerboard(ones[1:], zeros[1:], (5.0, 1.0, 2.0), size_mm=4.0, start=(1, 0, 0))
    assert np.array_equal(part, board[1:])


def test_edges_lie_where_the_values_step_and_a_flat_scan_has_none() -> None:
    values = np.zeros((5, 20, 20))
    values[:, 10:] = 100.0
    edges = edge_map(values, (6.0, 1.0, 1.0))
    assert set(np.flatnonzero(edges[2].any(axis=1))) <= {9, 10}
    assert edges.any()
    assert not edge_map(np.full((5, 20, 20), 3.0), (1.0, 1.0, 1.0)).any()


def test_grey_values_are_matched_where_there_is_no_unit_and_left_where_there_is() -> None:
    other = replace(SCAN, data=np.where(VALUES > 0, 0.5 * VALUES + 40, 0).astype(np.float32))
    match, both = match_grey_values(SCAN, other)
    assert match.apply(other.spatial())[both] == pytest.approx(VALUES[both], rel=1e-3)
    absolute = [replace(v, unit="HU") for v in (SCAN, other)]
    match, _ = match_grey_values(*absolute)
    assert (match.slope, match.intercept) == (1.0, 0.0)
    assert "not matched" in match.words


def test_a_new_lesion_is_what_is_left_after_subtraction() -> None:
    now = VALUES.copy()
    lesion = np.zeros(VALUES.shape, bool)
    lesion[15:18, 20:24, 18:22] = True
    now[lesion] += 400
    left, limit, words = subtraction(replace(SCAN, data=now), SCAN)
    assert left[lesion].mean() > 350
    assert np.abs(left[~lesion]).max() < 20
    assert limit > 0
    assert "matched" in words


def test_scans_without_anything_in_common_are_refused() -> None:
    empty = replace(SCAN, data=np.zeros_like(VALUES))
    with pytest.raises(StudyError, match="in common"):
        subtraction(SCAN, empty)


def test_the_pictures_of_both_say_how_they_were_made() -> None:
    made = {
        what: drain(made_picture_work(what, SCAN, SCAN, size_mm=12.0))
        for what in ("checkerboard", "edges", "difference")
    }
    assert "fields of 12 mm" in made["checkerboard"].words
    assert made["checkerboard"].data == pytest.approx(VALUES, abs=0.1)
    assert made["edges"].words.startswith("100 % of the prior's edges")
    assert np.abs(made["difference"].data).max() < 0.1
    assert "orange: brighter now" in made["difference"].words
