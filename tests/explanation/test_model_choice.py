"""A person who names no model gets the first bundled one that fits, or is told why none does."""

from __future__ import annotations

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import ModelError, SparseExplainError
from napari_sparseexplain.explanation.model_choice import default_model
from napari_sparseexplain.explanation.target import Target


def study(*roles: str, **labels: np.ndarray) -> se.Study:
    return se.study_of_arrays({role: np.zeros((2, 4, 4)) for role in roles}, labels)


FOUR = ("t1", "t1ce", "t2", "flair")


@pytest.mark.parametrize(
    ("roles", "method", "target", "wanted"),
    [
        (FOUR, "xrai", "WT", "sum-seg"),
        (("flair",), "guided-ig", "WT", "sum-seg"),
        (FOUR, "ig", "TC", "unet-classes"),
        (FOUR, "occlusion", "ET@seg", "unet-classes"),
        (FOUR, "components", None, "jf-ml-ista"),
        (("flair",), "segmentation", None, "sum-seg"),
        (FOUR, "xrai", Target.voxel((0, 1, 1)), "sum-seg"),
        (("flair",), "xrai", "drawn", "sum-seg"),
    ],
)
def test_the_first_that_fits_scans_method_and_target(roles, method, target, wanted: str) -> None:
    drawn = np.zeros((2, 4, 4), np.uint8)
    found = default_model(study(*roles, drawn=drawn, seg=drawn), [method], target)
    assert found == wanted
    card = se.models()[found]
    assert set(card.inputs.roles) <= set(roles)


@pytest.mark.parametrize(
    ("roles", "method", "target", "message"),
    [
        (("t2",), "xrai", "WT", r"sum-seg needs flair.*--model"),
        (("flair",), "components", None, "jf-ml-ista needs t1, t1ce, t2"),
        (("flair",), "xrai", "TC", "sum-seg knows no TC"),
        (FOUR, "xrai", "probability:WT", "sum-seg knows no probability of WT"),
    ],
)
def test_where_none_fits_each_says_why(roles, method, target, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        default_model(study(*roles), [method], target)


def test_an_unknown_method_is_named_first() -> None:
    with pytest.raises(SparseExplainError, match="no method 'x-ray'"):
        default_model(study("flair"), ["x-ray"])
