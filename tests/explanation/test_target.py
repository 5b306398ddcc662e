"""Targets: what a person types is what is explained."""

from __future__ import annotations

import pytest

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.explanation.target import Target


@pytest.mark.parametrize(
    ("text", "target", "label"),
    [
        ("WT", Target.region("WT"), "WT"),
        (" region:drawn ", Target.region("drawn"), "drawn"),
        ("edema", Target.region("edema"), "edema"),
        (2, Target.region("2"), "2"),
        ("2", Target.region("2"), "2"),
        ("class:edema", Target.of_class("edema"), "edema"),
        ("class:2", Target.of_class(2), "2"),
        ("voxel:80,120,90", Target.voxel((80, 120, 90)), "slice 81, row 121, column 91"),
        ("80, 120, 90", Target.voxel((80, 120, 90)), "slice 81, row 121, column 91"),
        ("(80 120 90)", Target.voxel((80, 120, 90)), "slice 81, row 121, column 91"),
    ],
)
def test_what_is_typed(text: str | int, target: Target, label: str) -> None:
    assert Target.parse(text) == target
    assert target.label == label


def test_a_voxel_may_name_its_class() -> None:
    assert Target.voxel((1, 2, 3), "ET").label == "ET at slice 2, row 3, column 4"


@pytest.mark.parametrize("text", ["", "  ", "class:", "pixel:1,2,3", "voxel:1,2", -1, True, 1.5])
def test_what_is_not_understood_is_refused(text: object) -> None:
    with pytest.raises(SparseExplainError):
        Target.parse(text)  # type: ignore[arg-type]


@pytest.mark.parametrize("index", [(1, 2), (1, 2, -3), (1.5, 2, 3)])
def test_a_voxel_is_three_whole_numbers(index: tuple) -> None:
    with pytest.raises(SparseExplainError, match="three whole numbers"):
        Target.voxel(index)
